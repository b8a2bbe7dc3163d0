"""The header of a list in whatever code its words are written: Unicode, or one of before (`legacy_text`). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.registry.cells import Cell
from services.registry.columns import NOTHING_SAID, Column, Said, find_header
from services.registry.legacy_text import TextCode, decoded
from services.registry.refusals import NotAList

Needs = Sequence[tuple[Column, ...]]


def find(top: Sequence[Sequence[Cell]], needs: Needs, said: Said = NOTHING_SAID) -> tuple[int, dict[Column, int]]:
    """As `columns.find_header`, under the code in which most columns are named. Raises NotAList."""
    tried = [top, *([decoded_row(row, code) for row in top] for code in TextCode)]
    return find_header(max(tried, key=lambda rows: named(rows, needs, said)), needs, said)


def named(top: Sequence[Sequence[Cell]], needs: Needs, said: Said = NOTHING_SAID) -> int:
    """How many columns the header names; 0 where there is none that will do."""
    try:
        return len(find_header(top, needs, said)[1])
    except NotAList:
        return 0


def decoded_row(row: Sequence[Cell], code: TextCode) -> Sequence[Cell]:
    """A row as if every text in it were written in a code."""
    return [decoded(cell, code) if isinstance(cell, str) else cell for cell in row]
