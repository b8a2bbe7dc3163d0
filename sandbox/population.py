"""The sandbox population register: everybody as the register knows them, written out as a CSV extract.
All SYNTHETIC.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from sandbox.model import District, Name, RegisterRow, Sex

COLUMNS = (
    "personal_number", "old_number", "family_name", "middle_name", "given_name", "birth_date", "sex",
    "area_code",
    "status", "status_date", "replaced_by_number",
)  # fmt: skip


def write_population_extract(district: District, path: Path) -> int:
    """Write the extract as UTF-8 CSV, sorted by personal number; returns the number of rows.

    `birth_date` is YYYY-MM-DD, or YYYY where the register knows the year alone; `status` is alive, dead
    or moved.
    """
    rows = sorted(register_rows(district))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return len(rows)


def register_rows(district: District) -> Iterator[tuple[str, ...]]:
    """Rows in the order of COLUMNS: recipients as far as the register has them, then strangers."""
    for person in district.people:
        for row in person.register:
            yield _row(row, name=person.name, sex=person.sex, old_number=person.old_number)
    for stranger in district.strangers:
        row = RegisterRow(stranger.personal_number, stranger.birth_date.isoformat(), stranger.commune_code)
        yield _row(row, name=stranger.name, sex=stranger.sex, old_number=stranger.old_number)


def _row(row: RegisterRow, *, name: Name, sex: Sex, old_number: str | None) -> tuple[str, ...]:
    day = row.status_date.isoformat() if row.status_date else ""
    return (
        row.personal_number, old_number or "", name.family, name.middle, name.given, row.birth, sex.value,
        row.area_code, row.status, day, row.replaced_by or "",
    )  # fmt: skip
