"""The sandbox ministry's own lists through the importer, on a real database."""

import io
from pathlib import Path

import openpyxl
import pytest

from sandbox.district import make_district
from sandbox.ministry import write_account_list, write_payroll_list
from sandbox.model import District, MessKind
from shared.personal import Identity, Payee
from tests.integration.registry.registry_bench import Bench


@pytest.fixture(scope="module")
def district() -> District:
    """A small district with every planted defect."""
    return make_district(7, people=600)


@pytest.fixture(scope="module")
def lists(district: District, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """Its payroll and account lists."""
    folder = tmp_path_factory.mktemp("lists")
    return written(district, folder)


def written(district: District, folder: Path) -> tuple[bytes, bytes]:
    write_payroll_list(district, folder / "payroll.xlsx")
    write_account_list(district, folder / "accounts.xlsx")
    return (folder / "payroll.xlsx").read_bytes(), (folder / "accounts.xlsx").read_bytes()


async def known(bench: Bench) -> list[tuple[Identity, Payee, str]]:
    rows = await bench.rows("SELECT beneficiary_id, identity, payee, wish FROM person")
    return [
        (
            bench.vault.open_as(row["identity"], str(row["beneficiary_id"]), Identity),
            bench.vault.open_as(row["payee"], str(row["beneficiary_id"]), Payee),
            row["wish"],
        )
        for row in rows
    ]


async def test_everybody_on_the_list_is_met_once_and_every_row_has_a_fate(bench, district, lists):
    answer = await bench.payroll(lists[0])
    doubled = sum(len(p.benefits) * (p.written.times - 1) for p in district.people)
    assert answer["rows"] == answer["accepted"] + doubled == sum(len(p.benefits) * p.written.times for p in district.people)
    assert answer["reasons"] == {"DUPLICATE_ROW": doubled}
    assert answer["declared_vnd"] == sum(p.total_vnd for p in district.people)
    assert not [error for error in answer["errors"] if error["rule"] == "TOTALS_ROW_DIFFERS"]
    found = {identity.personal_number for identity, _payee, _wish in await known(bench)}
    kinds = (MessKind.NUMBER_OLD9, MessKind.NUMBER_MISSING)
    assert {p.personal_number for p in district.people if not p.mess or p.mess.kind not in kinds} == found - {None}
    assert len(await known(bench)) == len(district.people)


async def test_a_dry_run_says_the_same_and_changes_nothing(bench, lists):
    dry = await bench.payroll(lists[0], dry_run=True)
    assert await bench.told() == []
    for table in ("person", "source_event", "list_row", "list_import", "payroll_list"):
        assert (await bench.rows(f"SELECT count(*) FROM {table}"))[0]["count"] == 0
    real = await bench.payroll(lists[0])
    own = ("import_id", "dry_run", "returned_list")
    assert {key: dry[key] for key in dry if key not in own} == {key: real[key] for key in real if key not in own}


async def test_lists_imported_twice_change_nothing(bench, lists):
    for body, hand_in in ((lists[0], bench.payroll), (lists[1], bench.accounts)):
        first = await hand_in(body)
        await bench.snapshots()
        before = await bench.rows("SELECT * FROM person ORDER BY beneficiary_id")
        again = await hand_in(body)
        assert again["accepted"] == 0
        assert again["unchanged"] == first["accepted"]
        assert (again["refused"], again["waiting"]) == (first["refused"], first["waiting"])
        assert await bench.snapshots() == []
        assert await bench.rows("SELECT * FROM person ORDER BY beneficiary_id") == before


async def test_every_account_goes_to_its_owner_and_strangers_wait(bench, district, lists):
    await bench.payroll(lists[0])
    answer = await bench.accounts(lists[1])
    holders = district.account_file_people
    assert answer["accepted"] == len(holders)
    assert answer["waiting"] == sum(stranger.account is not None for stranger in district.strangers)
    true = {p.personal_number: p.account for p in holders}
    free_length = {"970422"}
    found = 0
    for identity, payee, wish in await known(bench):
        if payee.account is None:
            continue
        account = true[identity.personal_number]
        assert payee.account.bank_bin == account.bank_bin
        if account.bank_bin not in free_length:
            assert payee.account.number == account.number
        assert wish in ("account", "post")
        found += 1
    assert found == len(holders)


async def test_accounts_may_come_before_the_list(bench, district, lists):
    early = await bench.accounts(lists[1])
    assert early["accepted"] == 0
    await bench.payroll(lists[0])
    strangers = sum(stranger.account is not None for stranger in district.strangers)
    with_account = sum(payee.account is not None for _identity, payee, _wish in await known(bench))
    assert with_account == len(district.account_file_people)
    assert (await bench.rows("SELECT count(*) FROM waiting"))[0]["count"] == strangers


async def test_an_account_from_a_file_is_taken_when_an_event_brings_its_person(bench, district, lists):
    await bench.accounts(lists[1])
    person = next(p for p in district.account_file_people if p.account.mess is None and not p.mess)
    identity = Identity(
        full_name=person.full_name,
        birth_date=person.birth_date.isoformat(),
        sex=person.sex.value,
        personal_number=person.personal_number,
    )
    await bench.see(bench.enrolled(identity=identity))
    ((_identity, payee, _wish),) = await known(bench)
    assert payee.account.number == person.account.number


async def test_the_same_workbook_comes_back_with_result_and_reason(bench, lists):
    answer = await bench.payroll(lists[0])
    before = openpyxl.load_workbook(io.BytesIO(lists[0])).active
    after = openpyxl.load_workbook(bench.returned(answer)).active
    width = before.max_column
    assert [row[:width] for row in after.iter_rows(values_only=True)] == list(before.iter_rows(values_only=True))
    words = [row[width] for row in after.iter_rows(min_row=6, values_only=True)]
    assert words.count("Đã nhận") == answer["accepted"]
    assert words.count("TRÙNG") == answer["refused"]
    assert words.count("Bỏ qua") == words.count(None) == 1
    assert [after.cell(5, width + 1).value, after.cell(5, width + 2).value] == ["Kết quả", "Lý do"]


async def test_no_personal_data_is_readable_in_any_table(bench, district, lists):
    await bench.payroll(lists[0])
    await bench.accounts(lists[1])
    tables = await bench.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [await bench.rows(f"SELECT t::text AS row FROM {table['tablename']} AS t") for table in tables]
    text = "\n".join(row["row"] for of_table in rows for row in of_table)
    payloads = b"\n".join(row["payload"] for row in await bench.rows("SELECT payload FROM outbox")).decode()
    for person in district.people[:200]:
        for secret in filter(
            None, (person.personal_number, person.full_name, person.phone, person.account and person.account.number)
        ):
            assert secret not in text
            assert secret not in payloads


async def test_a_whole_district_is_taken(bench, tmp_path):
    district = make_district(444)
    payroll, accounts = written(district, tmp_path)
    answer = await bench.payroll(payroll)
    assert answer["refused"] == answer["reasons"]["DUPLICATE_ROW"]
    assert (await bench.rows("SELECT count(*) FROM person"))[0]["count"] == 10_172
    assert (await bench.accounts(accounts))["accepted"] == 850
