"""The same list handed in twice: every row is unchanged the second time, and nobody downstream hears of it again."""

from pathlib import Path

from office import Office

from ansinh import pipeline
from sandbox import district, ministry

QUERY = {"period": "2024-02", "payer": "huyen-444", "source": "story/list-officer"}


async def test_list_imported_twice_changes_nothing(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    ministry.write_payroll_list(district.make_district(7, 300), path)
    tried = await pipeline.import_list(office.client, "payroll", path, dry_run=True, **QUERY)
    assert await office.rows("registry", "SELECT 1 FROM list_row WHERE source = $1", QUERY["source"]) == [], (
        "a dry run keeps nothing"
    )

    first = await pipeline.import_list(office.client, "payroll", path, dry_run=False, **QUERY)
    assert (first["accepted"], first["refused"]) == (tried["accepted"], tried["refused"])
    await office.at_rest()
    before = await office.ends()

    second = await pipeline.import_list(office.client, "payroll", path, dry_run=False, **QUERY)
    assert second["accepted"] == 0
    assert second["unchanged"] == first["accepted"]
    await office.at_rest()
    after = await office.ends()
    assert {topic for topic in after if after[topic] != before[topic]} <= {"audit.v1"}
