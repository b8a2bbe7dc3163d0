"""Who else may receive a person's money, as a row says it: name, number of the paper, days, for cash or for an account. Pure.

A paper that is written incompletely costs the paper, never the row: then only the person receives, at the post (domain 4.4).
"""

from __future__ import annotations

from collections.abc import Mapping

from services.registry import cells
from services.registry.cells import BadCell
from services.registry.columns import Column
from services.registry.intake import RowReader
from services.registry.refusals import RowNote
from shared.authorisation import ACCOUNT, paper_of_holder
from shared.names import SAME_HOLDER, compare, is_masked
from shared.personal import Account, Collector, Identity, Scope

_SCOPES: Mapping[str, Scope] = {
    "tien mat": "cash", "tai khoan": "account", "chuyen khoan": "account", "ca hai": "both", "tien mat va tai khoan": "both",
    "tien mat tai khoan": "both", "tai khoan va tien mat": "both",
}  # fmt: skip
OF_A_PAPER = (Column.PAPER, Column.PAPER_FROM, Column.PAPER_UNTIL, Column.SCOPE)


def collector(reader: RowReader, column: Column, *, scope: Scope | None = None) -> Collector | None:
    """Whom this column names, with what the row says of their paper. `scope`: what the paper is for where the list has no column for that.
    None where nobody is named, and with a note where days or scope are said badly or of no paper."""
    if not reader.line.has(column):
        return None
    name = reader.read(column, lambda cell: cells.text(cell, 100) if scope else cells.name(cell))
    number = reader.text(Column.PAPER, 40)
    line = reader.line
    try:
        first, last = cells.day(line.cell(Column.PAPER_FROM)), cells.day(line.cell(Column.PAPER_UNTIL))
        word = reader.word(Column.SCOPE) if scope is None else ""
        if word and word not in _SCOPES:
            raise KeyError(word)
    except (BadCell, KeyError):
        reader.note(RowNote.PAPER_DROPPED)
        return None
    if (first and last and last < first) or (not number and any(map(line.has, OF_A_PAPER))):
        reader.note(RowNote.PAPER_DROPPED)
        return None
    if name is None:
        return None
    said = scope or _SCOPES.get(word)
    return Collector(full_name=name.value, paper_number=number or None, scope=said, valid_from=first, valid_until=last)


def note_of_holder(reader: RowReader, account: Account | None, named: Collector | None, *, identity: Identity | None) -> None:
    """Say so where the account is somebody else's and no paper lets it be paid on: verification would hold the name against it anyhow."""
    if account is None or identity is None or is_masked(account.holder):
        return
    paper = paper_of_holder(named, account.holder)
    if compare(account.holder, identity.full_name) not in SAME_HOLDER and not (paper and paper.scope in ACCOUNT):
        reader.note(RowNote.HOLDER_NEEDS_PAPER)
