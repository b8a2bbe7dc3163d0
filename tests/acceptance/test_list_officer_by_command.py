"""A list officer at the command line: an empty list, a full list, who is gone from the next one, and a whole file taken back."""

import asyncio
import json
from pathlib import Path
from typing import Any

import openpyxl
from office import Office
from typer.testing import CliRunner

from ansinh.cli import app
from services.registry.columns import Column

PERIOD, PAYER = "2024-02", "huyen-437"
HEADER = (Column.NAME, Column.BIRTH, Column.NUMBER, Column.AREA, Column.CODE, Column.COEFFICIENT, Column.MONTHLY)
ROWS = (
    ("Nguyễn Thị Mẫu Một", "12/03/1950", "042150000811", "Phường Bắc Hồng", "BT-5a1", "1,5", "540000"),
    ("Nguyễn Thị Mẫu Hai", "12/03/1951", "042151000812", "Phường Bắc Hồng", "BT-5a1", "1,5", "540000"),
)
EXTRA = ("Nguyễn Thị Mẫu Ba", "12/03/1952", "042152000813", "Phường Bắc Hồng", "BT-5a1", "1,5", "540000")
ACTIVE = "SELECT 1 FROM list_row WHERE payer = $1 AND state = 'active'"


async def _typed(office: Office, *words: str, code: int = 0, says: str = "") -> Any:
    """What a command printed, its JSON if it is that; `says` stands in it or beside it."""
    done = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--name", office.installation.name])
    assert done.exit_code == code, (words, done.output, done.exception)
    assert says in done.output, (words, done.output)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return done.output


def _list(path: Path, *rows: tuple[str, ...]) -> str:
    path.write_text("\n".join(";".join(row) for row in (HEADER, *rows)), encoding="utf-8")
    return str(path)


async def test_who_is_gone_from_a_full_list_is_kept_by_a_person_and_a_file_is_taken_back(office: Office, tmp_path: Path) -> None:
    template = tmp_path / "template.xlsx"
    await _typed(office, "lists", "template", "payroll", str(template))
    assert [str(cell.value) for cell in openpyxl.load_workbook(template).worksheets[0][1]][1] == Column.NAME
    await _typed(office, "lists", "template", "payroll", str(template), code=2)  # nothing is written over

    columns = ("lists", "columns", "payroll", PAYER)
    await _typed(office, *columns, "Nơi ở=Xã")
    assert len((await _typed(office, *columns, "Ghi thêm="))["columns"]) == 2, "one more word takes no other away"
    assert (await _typed(office, *columns, "Ghi thêm=", "--replace"))["columns"] == {"ghi them": ""}

    whose = ("--payer", PAYER, "--period", PERIOD)
    await _typed(office, "import", _list(tmp_path / "try.csv", *ROWS), *whose, "--dry-run", says="the same without --dry-run")
    await _typed(office, "import", _list(tmp_path / "all.csv", *ROWS), *whose, "--kind", "full")
    await _typed(
        office, "import", _list(tmp_path / "later.csv", ROWS[0]), *whose, "--kind", "full", says="Next: ansinh lists gone"
    )

    [absent] = (await _typed(office, "lists", "gone", PERIOD, PAYER, "--json"))["candidates"]
    assert (absent["benefit_code"], absent["choice"]) == ("BT-5a1", None)
    told = await _typed(office, "lists", "gone", PERIOD, PAYER, says=f"ansinh lists keep {PERIOD} {PAYER}")
    assert "1 gone, 1 undecided" in told
    assert "?  row 3 of the file of" in told, "where the officer finds whose row it is"
    assert "Mẫu" not in told, "ids only"
    record = (PERIOD, PAYER, absent["record"])
    assert (await _typed(office, "lists", "keep", *record))["decided"] == 1
    await _typed(office, "lists", "end", *record, "--reason", "death", "--on", "2024-01-10", code=1, says="DECIDED_OTHERWISE")
    await _typed(office, "lists", "gone", PERIOD, PAYER, says="1 gone, 0 undecided")
    assert len(await office.rows("registry", ACTIVE, PAYER)) == len(ROWS), "nobody ended by being absent"

    extra = await _typed(office, "import", _list(tmp_path / "extra.csv", EXTRA), *whose)
    assert len(await office.rows("registry", ACTIVE, PAYER)) == len(ROWS) + 1
    assert (await _typed(office, "lists", "undo", extra["import_id"]))["rows_undone"] == 1
    assert len(await office.rows("registry", ACTIVE, PAYER)) == len(ROWS)
    await _typed(office, "lists", "undo", extra["import_id"], code=1, says="IMPORT_UNDONE")
    await office.at_rest()
