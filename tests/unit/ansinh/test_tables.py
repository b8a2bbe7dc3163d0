"""What people read on a screen: no figure and no id of it may be cut, however narrow the screen."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from ansinh.tables import USUAL_WIDTH, show_table

AMOUNTS = st.integers(0, 10**15).map(lambda vnd: f"{vnd:,}".replace(",", "."))


def printed(table: Table, *, terminal: bool, width: int = 40) -> str:
    out = io.StringIO()
    show_table(table, Console(file=out, width=width, force_terminal=terminal, color_system=None))
    return out.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
@given(rows=st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS), min_size=1, max_size=3))
def test_no_figure_is_cut(terminal, rows):
    table = Table("code", "now", "then", "difference", "held now", "what to do")
    for row in rows:
        table.add_row(*row, "ask the post why it does not acknowledge " * 3)
    shown = printed(table, terminal=terminal)
    assert "…" not in shown
    assert [amount for row in rows for amount in row if f" {amount} " not in shown] == []


def test_texts_are_wrapped_to_the_screen():
    table = Table("payer", "what to do")
    table.add_row("huyen-444", "ask the post why it does not acknowledge " * 5)
    assert max(map(len, printed(table, terminal=True, width=60).splitlines())) == 60
    assert max(map(len, printed(table, terminal=False).splitlines())) == USUAL_WIDTH


def test_a_long_word_goes_on_below():
    table = Table("payer", "what was found")
    table.add_row("huyen-444", f"two words {'x' * 200}")
    assert printed(table, terminal=True).count("x") == 200
