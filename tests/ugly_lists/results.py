"""What becomes of a list, in words that can be written down and compared."""

from datetime import date
from pathlib import Path
from typing import Any

from services.registry.delimited import Delimited
from services.registry.intake import Taken
from services.registry.reading import Order, Tables, opened
from services.registry.refusals import NotAList
from services.registry.sheets import lines_of
from services.registry.statements import Enrol
from tests.ugly_lists.ugly import Ugly

EXPECTED = Path(__file__).with_name("expected")
TODAY = date(2025, 8, 20)


def result(ugly: Ugly, path: Path) -> dict[str, Any]:
    """The refusal of a file, or what becomes of each of its rows, by row number. `path`: where the file is put."""
    path.write_bytes(ugly.body)
    try:
        file, reader = opened(Order(path, ugly.payer, ugly.period, TODAY, Tables()))
        part = reader.part(list(lines_of(file)))
    except NotAList as refused:
        return {"refused": refused.reason, "where": refused.where}
    told: dict[str, Any] = {"rows": {str(row.row_no): _row(row) for row in part.rows}}
    if part.remarks:
        told["remarks"] = list(part.remarks)
    if part.totals:
        told["totals"] = {str(totals.row_no): [str(column) for column in totals.wrong] for totals in part.totals}
    codes = sorted({str(code) for code in file.codes.values()}) or ([file.written_in] if isinstance(file, Delimited) else [])
    return told | ({"written_in": codes} if codes else {})


def _row(row: Taken) -> str:
    notes = " ".join(row.notes)
    if row.act is None:
        return "refused: " + ", ".join(f"{problem.reason} ({problem.column})" for problem in row.problems)
    who = row.act.personal.identity
    assert who is not None
    said = f"{who.full_name}, {who.birth_date}, {who.personal_number or who.old_number}"
    if isinstance(row.act, Enrol):
        said += f", {row.act.area}, {row.act.line.benefit_code}, {row.act.line.declared_vnd}"
    elif row.act.personal.account:
        said += f", {row.act.personal.account.bank_bin} {row.act.personal.account.number}, {row.act.wish}"
        said += f", {row.act.payer} {row.act.area or 'anywhere'}"
    return f"{'waits for a decision' if row.split else 'taken'}: {said}" + (f" [{notes}]" if notes else "")
