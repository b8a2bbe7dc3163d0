"""Files of a release: valid for the bank's own schema, exactly what was hashed, and written by the next process when one dies."""

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import openpyxl
import pytest
from lxml import etree
from prometheus_client import REGISTRY
from pypdf import PdfReader

from deploy.local.xsd import ensure_xsd
from services.payout.files import FileWriter
from services.payout.papers import papers
from services.payout.printing import Order, Printer, typeset_apart
from services.payout.transfer_list import read_csv
from shared.clock import LOCAL
from shared.errors import Trouble
from shared.personal import Collector, Delivery
from shared.topics import Provider
from shared.words import AccountCheck, AccountSource, Channel, Life, LineStatus, Outcome, Role
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, a_merit_line, an_account

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
    if bench.runtime.settings.print_lists:
        await bench.print_lists()
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
    assert [path for path in paths if path.endswith(".pdf")] == [f"{folder}/post/18496.pdf", f"{folder}/post/18499.pdf"]


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


def printed(folder: Path, path: str) -> str:
    return "".join(page.extract_text() for page in PdfReader(folder / path).pages)


async def test_lists_name_the_commune_and_are_printed_as_they_are_written(bench: Bench, tmp_path: Path) -> None:
    await bench.enrol(home_delivery=True, area="18499", full_name="Đặng Thị Ẩn")
    await bench.close()
    await bench.pay()
    assert not [file for file in (await bench.page())["files"] if file["kind"] == "postal_print"]
    assert await bench.print_lists() == 1
    assert await bench.print_lists() == 0
    ((_batch, (manifest, lines)),) = (await bench.mail(Provider.POST)).items()
    (path,) = [file["path"] for file in (await bench.page())["files"] if file["path"].endswith(".pdf")]
    text = printed(tmp_path / "files", path)
    for word in ("XÃ ĐIỀN MỸ", "Đặng Thị Ẩn", lines[0].end_to_end_id, "360.000", "Ngày chi trả: 01/02/2024", "tại nhà"):
        assert word in text
    sheet = openpyxl.load_workbook(tmp_path / "files" / path.replace(".pdf", ".xlsx")).active
    assert "XÃ ĐIỀN MỸ" in str(sheet["A1"].value)
    assert manifest.vnd == 360_000


@pytest.mark.parametrize(
    "bench",
    [
        {
            "listed_providers": (Provider.BANK_A,),
            "print_lists": False,
            "debtors": (
                {"payer": PAYER, "name": "UBND HUYỆN HƯƠNG KHÊ", "account": "1110000000001", "valid_from": "2024-01-01"},
                {"payer": PAYER, "name": "UBND XÃ HƯƠNG KHÊ", "account": "2220000000002", "valid_from": "2025-07-01"},
            ),
        }
    ],
    indirect=True,
)
async def test_bank_that_reads_tables_and_a_payer_with_its_own_account(bench: Bench, tmp_path: Path) -> None:
    paths = await paid_district(bench)
    assert not [path for path in paths if path.endswith(".pdf")]
    tables = [path for path in paths if "/bank-a/transfers-" in path]
    assert sorted(path.rsplit(".", 1)[1] for path in tables) == ["csv", "xlsx"]
    assert not [path for path in paths if "/bank-b/transfers-" in path]
    (csv_path,) = [path for path in tables if path.endswith(".csv")]
    ((_batch, (_manifest, lines)),) = (await bench.mail(Provider.BANK_A)).items()
    told = [(line.end_to_end_id, line.amount_vnd, line.account.number) for line in lines if line.account]
    listed = read_csv((tmp_path / "files" / csv_path).read_bytes())
    assert [(t.end_to_end_id, t.vnd, t.account) for t in listed] == told
    (xml,) = [path for path in paths if "/bank-a/pain" in path]
    text = (tmp_path / "files" / xml).read_text("utf-8")
    assert "UBND HUYỆN HƯƠNG KHÊ" in text
    assert "1110000000001" in text


async def test_release_after_the_cut_off_moves_the_execution_date(bench: Bench, tmp_path: Path) -> None:
    await bench.enrol(account=an_account())
    await bench.close()
    bench.clock.move(datetime(2024, 2, 1, 15, 30, tzinfo=LOCAL) - bench.clock.now())
    await bench.pay()
    ((_batch, (manifest, _lines)),) = (await bench.mail(Provider.BANK_A)).items()
    assert manifest.execution_date == date(2024, 2, 2)
    (path,) = [file["path"] for file in (await bench.page())["files"] if file["path"].endswith(".xml")]
    assert "<ReqdExctnDt><Dt>2024-02-02</Dt>" in (tmp_path / "files" / path).read_text("utf-8")


async def test_relative_is_paid_on_their_account_by_an_authorisation(bench: Bench) -> None:
    collector = Collector(full_name="Trần Văn Con", paper_number="UQ-7/2024", scope="account", valid_from=date(2024, 1, 1))
    relative = an_account(holder="TRAN VAN CON")
    await bench.enrol(account=relative, found=AccountCheck.NAME_MISMATCH, delivery=Delivery(collector=collector))
    await bench.enrol(account=an_account(number="3709000000002", holder="TRAN VAN CON"), found=AccountCheck.NAME_MISMATCH)
    await bench.close()
    await bench.pay()
    ((_batch, (_manifest, lines)),) = (await bench.mail(Provider.BANK_A)).items()
    assert [(line.name, line.channel) for line in lines] == [("TRAN VAN CON", "account")]
    ((_batch, (_manifest, cash)),) = (await bench.mail(Provider.POST)).items()
    assert len(cash) == 1


async def test_relative_is_paid_only_while_the_authorisation_holds(bench: Bench) -> None:
    """Paid on the first: over the day before, ends that day, taken back after the list was signed: then the post pays."""
    paper = Collector(full_name="Trần Văn Con", paper_number="UQ-7/2024", scope="account", valid_from=date(2024, 1, 1))
    revoked = UUID(int=7)
    for number, last in enumerate((date(2024, 1, 31), date(2024, 2, 1), date(2024, 12, 31))):
        await bench.enrol(
            account=an_account(number=f"370900000000{number}", holder="TRAN VAN CON"), found=AccountCheck.NAME_MISMATCH,
            authorisation=paper.model_copy(update={"valid_until": last}), delivery=Delivery(hamlet=f"Xóm {number}"),
            **({"who": revoked} if number == 2 else {}),
        )  # fmt: skip
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    taken_back = paper.model_copy(update={"revoked_on": date(2024, 1, 25)})
    await bench.see(bench.snapshot(revoked, an_account(number="3709000000002", holder="TRAN VAN CON"), authorisation=taken_back))
    await bench.step("release")
    ((_batch, (_manifest, lines)),) = (await bench.mail(Provider.BANK_A)).items()
    assert [(line.name, line.account.number) for line in lines if line.account] == [("TRAN VAN CON", "3709000000001")]
    await bench.pay()
    mail = await bench.mail(Provider.POST)
    assert sorted(line.delivery.hamlet for _manifest, lines in mail.values() for line in lines if line.delivery) == [
        "Xóm 0",
        "Xóm 3",
    ]


async def test_provider_is_told_of_a_collector_only_while_the_paper_holds(bench: Bench) -> None:
    for until in (date(2024, 1, 31), date(2024, 2, 1)):
        collector = Collector(full_name="Trần Văn Con", paper_number="UQ-7/2024", valid_until=until)
        await bench.enrol(delivery=Delivery(hamlet="Xóm 1", collector=collector))
    await bench.close()
    await bench.pay()
    ((_batch, (_manifest, lines)),) = (await bench.mail(Provider.POST)).items()
    told = [line.delivery.collector for line in lines if line.delivery]
    assert told.count(None) == 1
    assert [one for one in told if one] == [Collector(full_name="Trần Văn Con", paper_number="UQ-7/2024")]


@pytest.mark.parametrize("bench", [{"contracts_file": Path(__file__).with_name("post_contracts.csv")}], indirect=True)
async def test_post_pays_into_accounts_where_its_contract_says_so(bench: Bench, tmp_path: Path) -> None:
    await bench.enrol(account=an_account(), area="18499")
    await bench.enrol(account=an_account(number="3709000000002"))
    await bench.enrol(area="18499")
    await bench.close()
    await bench.pay()
    ((_batch, (_manifest, lines)),) = (await bench.mail(Provider.POST)).items()
    ways = {line.channel: line for line in lines}
    assert ways.keys() == {Channel.ACCOUNT, Channel.COUNTER}
    assert ways[Channel.ACCOUNT].account == an_account()
    assert ways[Channel.ACCOUNT].delivery is None
    assert len(await bench.mail(Provider.BANK_B)) == 1
    (table,) = [file["path"] for file in (await bench.page())["files"] if file["path"].endswith(".csv")]
    assert [t.account for t in read_csv((tmp_path / "files" / table).read_bytes())] == [an_account().number]
    for answer in await bench.answers_to(Provider.POST, LineStatus.PAID):
        await bench.answer(answer)
    async with bench.database.session() as session:
        rows = await session.fetch("SELECT channel, state FROM instruction WHERE provider = 'post' ORDER BY channel")
    assert [tuple(row) for row in rows] == [("account", "paid"), ("counter", "collected")]


@pytest.mark.parametrize("bench", [{"contracts_file": Path(__file__).with_name("one_commune_contracts.csv")}], indirect=True)
async def test_build_names_the_commune_without_a_contract_and_changes_nothing(bench: Bench) -> None:
    await bench.enrol(account=an_account(), area="18499")
    await bench.enrol(account=an_account(number="3709000000002"), area="18502")
    await bench.close()
    for act in ("build", "preview"):
        answer = await bench.post(act, "the-maker", Role.MAKER)
        assert (answer.status_code, answer.json()["code"]) == (409, "CONTRACT_MISSING"), act
        assert "(tài khoản, xã 18502, ngày 01/02/2024)" in answer.json()["detail"]
    assert (await bench.page())["batches"] == []


@pytest.mark.parametrize("bench", [{"contracts_file": Path(__file__).with_name("one_bank_contracts.csv")}], indirect=True)
async def test_release_goes_by_the_list_where_a_new_account_has_no_contract(bench: Bench) -> None:
    """After the list was approved both have an account at a bank that nobody has a contract for: the post pays as was signed, the account
    that changed falls out, and only a new build asks for the contract."""
    by_post, on_account = await bench.enrol(), await bench.enrol(account=an_account())
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    for who, number in ((by_post, "3709000000002"), (on_account, "3709000000003")):
        changed = bench.snapshot(who, an_account(bank_bin="970436", number=number))
        await bench.see(changed)
        await bench.verify(bench.result(changed))
    assert (await bench.step("release"))["dropped"] == 1
    assert [one["state"] for one in (await bench.trace(by_post))["payments"]] == ["sending"]
    assert [one["state"] for one in (await bench.trace(on_account))["payments"]] == ["withdrawn"]
    assert (await bench.post("build", "the-maker", Role.MAKER)).json()["code"] == "CONTRACT_MISSING"


async def test_account_issued_in_bulk_is_paid_on_after_its_first_use(bench: Bench) -> None:
    await bench.enrol(account=an_account(), account_source=AccountSource.BULK)
    await bench.enrol(account=an_account(number="3709000000002"), account_source=AccountSource.CONFIRMED)
    await bench.close()
    await bench.pay()
    async with bench.database.session() as session:
        rows = await session.fetch("SELECT channel FROM instruction ORDER BY channel")
        gaps = await session.fetch("SELECT gap FROM channel_choice")
    assert [row["channel"] for row in rows] == ["account", "counter"]
    assert [row["gap"] for row in gaps] == ["bulk_unused"]


async def test_lists_of_the_post_say_when_the_family_collects_and_by_which_paper(bench: Bench, tmp_path: Path) -> None:
    """Died in the month that is paid (and so owed): after the list was approved; who is alive beside them has no note."""
    paper = Delivery(hamlet="Xóm 1", collector=Collector(full_name="Trần Văn Con", paper_number="UQ-7/2024"))
    gone = await bench.enrol(delivery=paper, full_name="Đặng Thị Ẩn")
    await bench.enrol(delivery=paper, full_name="Hồ Văn Sống")
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    dead = bench.snapshot(gone, delivery=paper, full_name="Đặng Thị Ẩn", life=Life.DEAD, died_on=date(2024, 2, 1))
    await bench.see(dead)
    await bench.verify(bench.result(dead, Outcome.DEAD, died_on=date(2024, 2, 1)))
    await bench.step("release")
    await bench.print_lists()
    [(_manifest, lines)] = (await bench.mail(Provider.POST)).values()
    assert {line.name: line.remark for line in lines} == {
        "Đặng Thị Ẩn": "AN SINH 202402 GIA DINH NHAN", "Hồ Văn Sống": "AN SINH 202402",
    }  # fmt: skip
    place = tmp_path / "files" / PERIOD / PAYER / "round-1" / "post"
    table = list(openpyxl.load_workbook(place / "18496.xlsx").active.iter_rows(values_only=True))
    noted = {row[1]: (row[5], row[10]) for row in table[3:5]}
    assert noted == {
        "Đặng Thị Ẩn": ("Trần Văn Con", "Gia đình nhận, giấy số UQ-7/2024"), "Hồ Văn Sống": ("Trần Văn Con", None),
    }  # fmt: skip
    text = " ".join(printed(place, "18496.pdf").split())
    assert text.count("Gia đình nhận, giấy số UQ-7/2024") == text.count("Gia đình nhận") == 1


async def test_two_processes_print_a_list_once(bench: Bench) -> None:
    await bench.enrol()
    await bench.close()
    await bench.pay()
    printers = [Printer(bench.runtime, papers(bench.runtime.settings)) for _ in range(2)]
    await asyncio.gather(*(printer.print_missing() for printer in printers))
    async with bench.database.session() as session:
        rows = await session.fetch(
            "SELECT path, count(part) AS parts FROM file JOIN file_part USING (path) GROUP BY path ORDER BY path"
        )
    assert [(row["path"].rsplit("/", 1)[1], row["parts"]) for row in rows] == [("18496.pdf", 1), ("18496.xlsx", 1)]


async def test_a_list_that_cannot_be_printed_is_tried_later_and_the_others_do_not_wait(bench: Bench) -> None:
    for area in ("18496", "18499"):
        await bench.enrol(area=area)
    await bench.close()
    await bench.pay()
    tried: list[str] = []

    async def typeset(order: Order, content: bytes) -> bytes:
        tried.append(order.heading.area)
        if order.heading.area == tried[0] and tried.count(tried[0]) < 3:
            raise Trouble("a printing process has died")
        return await typeset_apart(order, content)

    printer = Printer(bench.runtime, papers(bench.runtime.settings), typeset)

    def failing() -> float | None:
        return REGISTRY.get_sample_value("ansinh_prints_failing")

    assert (await printer.print_missing(), failing()) == (1, 1)
    assert await printer.print_missing() == 0
    assert len(set(tried)) == len(tried) == 2
    bench.clock.move(timedelta(seconds=31))
    assert (await printer.print_missing(), failing()) == (0, 1)
    bench.clock.move(timedelta(seconds=31))
    assert await printer.print_missing() == 0
    bench.clock.move(timedelta(seconds=31))
    assert (await printer.print_missing(), failing()) == (1, 0)


async def test_a_print_shows_the_list_as_it_left_whatever_is_known_since(bench: Bench, tmp_path: Path) -> None:
    who = await bench.enrol(full_name="Đặng Thị Ẩn")
    await bench.close()
    await bench.pay()
    await bench.see(bench.snapshot(who, full_name="Đặng Thị Khác"))
    await bench.print_lists()
    (path,) = [file["path"] for file in (await bench.page())["files"] if file["path"].endswith(".pdf")]
    assert "Đặng Thị Ẩn" in printed(tmp_path / "files", path)
