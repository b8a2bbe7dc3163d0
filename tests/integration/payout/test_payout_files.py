"""Files of a release: valid for the bank's own schema, exactly what was hashed, and written by the next process when one dies."""

import asyncio
from pathlib import Path

from lxml import etree

from deploy.local.xsd import ensure_xsd
from services.payout.files import FileWriter
from shared.topics import Provider
from shared.words import Outcome
from tests.integration.payout.payout_bench import Bench, a_merit_line, an_account

ROOT = Path(__file__).parents[3]


async def paid_district(bench: Bench) -> list[str]:
    """Five people on every way; returns the paths of the files."""
    await bench.enrol(account=an_account(), full_name="Nguyễn Thị <Hòa> & Cháu")
    await bench.enrol(account=an_account(bank_bin="970436"))
    await bench.enrol(home_delivery=True, area="18499")
    await bench.enrol()
    await bench.enrol(outcome=Outcome.DUPLICATE)
    await bench.close()
    await bench.pay()
    return [file["path"] for file in (await bench.page())["files"]]


async def test_bank_files_are_valid_and_agree_with_the_topic(bench: Bench, tmp_path: Path) -> None:
    schema = etree.XMLSchema(etree.parse(str(await asyncio.to_thread(ensure_xsd, ROOT))))
    paths = [path for path in await paid_district(bench) if path.endswith(".xml")]
    assert len(paths) == 2
    for path in paths:
        document = etree.fromstring((tmp_path / "files" / path).read_bytes())
        schema.assertValid(document)
        provider = Provider(path.split("/")[3])
        ((_batch, (_manifest, lines)),) = (await bench.mail(provider)).items()
        ids = document.xpath("//*[local-name() = 'EndToEndId']/text()")
        assert ids == [line.end_to_end_id for line in lines]


async def test_one_folder_per_round_with_a_list_per_commune(bench: Bench) -> None:
    paths = await paid_district(bench)
    lists = [path for path in paths if path.endswith(".xlsx")]
    folder = "2024-02/huyen-444/round-1"
    assert lists == [f"{folder}/held/18496.xlsx", f"{folder}/post/18496.xlsx", f"{folder}/post/18499.xlsx"]


async def test_next_process_writes_what_is_missing(bench: Bench, tmp_path: Path) -> None:
    paths = await paid_district(bench)
    async with bench.database.session() as session:
        await session.execute("UPDATE file SET written_at = NULL")  # as if the process had died after the commit
    writer = FileWriter(bench.database, bench.vault, bench.clock, folder=tmp_path / "elsewhere")
    assert await writer.write_missing() == len(paths)
    assert await writer.write_missing() == 0
    for path in paths:
        assert (tmp_path / "elsewhere" / path).read_bytes() == (tmp_path / "files" / path).read_bytes()


async def test_nothing_personal_stands_in_the_clear_in_the_database(bench: Bench) -> None:
    await bench.enrol(a_merit_line(), account=an_account(number="3709123456789"), full_name="Hồ Thị Kín")
    await bench.close()
    await bench.pay()
    async with bench.database.session() as session:
        tables = [row["tablename"] for row in await session.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        for table in tables:
            text = await session.fetchval(f"SELECT string_agg(t::text, ' ') FROM {table} t") or ""
            assert "3709123456789" not in text
            assert "Hồ Thị Kín" not in text
            assert b"3709123456789".hex() not in text
