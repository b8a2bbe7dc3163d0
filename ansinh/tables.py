"""Tables on a screen or in a file: a line may be long, but no figure and no id in it is ever cut."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

USUAL_WIDTH = 130
"""Columns of what is written into a file or a pipe, which have no width of their own."""
_BOUNDLESS = 10_000


def show_table(table: Table, console: Console | None = None) -> None:
    """Print a table as wide as the screen, wider where its figures need it: texts are wrapped, all else stands whole on its line."""
    console = console or Console()
    for column in table.columns:
        if any(" " in str(cell) for cell in column.cells):
            column.overflow = "fold"
        else:
            column.no_wrap = True
    needed = console.measure(table, options=console.options.update(width=_BOUNDLESS)).minimum
    console.width = max(console.width if console.is_terminal else USUAL_WIDTH, needed)
    console.print(table)
