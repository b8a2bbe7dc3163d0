"""Namesakes through files, keys and database: the same list twice changes nothing, an account waits for its own person."""

from dataclasses import replace
from typing import Any

import pytest
from registry_bench import PAYER, Bench, a_line, an_identity

from shared.personal import PersonalData

pytestmark = pytest.mark.asyncio

LISTED = "Họ và tên,Ngày sinh,Số CCCD,Xã,Mã nhóm,Mức trợ cấp tháng,Ghi chú"
ACCOUNTS = "Họ và tên,Ngày sinh,Xã,Ngân hàng,Số tài khoản,Tên chủ tài khoản"
LAN = "Nguyễn Thị Lan"


def listed(*rows: str) -> bytes:
    return "\n".join((LISTED, *rows)).encode()


async def accounts_of(bench: Bench, payer: str, number: str, commune: str = "") -> dict[str, Any]:
    body = f"{ACCOUNTS}\n{LAN},01/01/1950,{commune},Agribank,{number},NGUYEN THI LAN\n".encode()
    request = await bench.handed("accounts", body, source="sandbox/police", period=None)
    return await bench.importer.take(replace(request, payer=payer))


async def people(bench: Bench) -> int:
    return len(await bench.rows("SELECT FROM person"))


@pytest.mark.parametrize("born", ["1940", "05/1940"])
async def test_a_year_of_birth_is_one_person_in_every_file(bench: Bench, born: str) -> None:
    row = f"Phạm Thị Mận,{born},,Xã Hà Linh,BT-5c,360000"
    first = await bench.payroll(listed(f"{row},a"))
    again = await bench.payroll(listed(f"{row},b"))
    await bench.payroll(listed(f"{row},c"), period="2024-03")
    assert (first["accepted"], again["unchanged"], await people(bench)) == (1, 1, 1)


async def test_a_number_under_another_name_is_told_by_row_and_column(bench: Bench) -> None:
    rows = (
        "Trần Văn Bảy,06/05/1949,042049000007,Xã Hà Linh,BT-5c,360000,",
        "Lê Thị Tám,12/11/1949,042049000007,Xã Hà Linh,BT-5c,360000,",
    )
    answer = await bench.payroll(listed(*rows))
    assert answer["reasons"] == {"NUMBER_CLASH": 1}
    assert [(error["row"], error["column"]) for error in answer["errors"]] == [(3, "C: Số định danh/CCCD")]
    assert await people(bench) == 1


async def test_accounts_of_namesakes_wait_beside_each_other_each_for_the_person_of_its_own_list(bench: Bench) -> None:
    for payer, number in ((PAYER, "3709000000044"), ("huyen-449", "3709000000049")):
        for _ in range(2):
            assert (await accounts_of(bench, payer, number))["waiting"] == 1
    assert len(await bench.rows("SELECT FROM waiting")) == 2
    personal = PersonalData(identity=an_identity(full_name=LAN, birth_date="1950-01-01", personal_number=None, sex=None))
    there = {"payer": "huyen-449", "area": "18754", "personal": personal}
    await bench.see(bench.enrolled("r1", line=a_line(), **there))
    (person,) = await bench.rows("SELECT beneficiary_id, payee FROM person")
    payee = bench.registrar.sealer.open_payee(str(person["beneficiary_id"]), person["payee"])
    assert payee.account is not None
    assert payee.account.number == "3709000000049"
    assert len(await bench.rows("SELECT FROM waiting")) == 1


async def test_an_account_waits_on_while_its_person_is_on_another_payers_list(bench: Bench) -> None:
    body = "Họ và tên,Số CCCD,Ngân hàng,Số tài khoản,Tên chủ tài khoản\nNguyễn Thị Hòa,042149990001,Agribank,3709000000001,NGUYEN THI HOA\n"
    assert (await bench.accounts(body.encode()))["waiting"] == 1
    await bench.see(bench.enrolled("r1", payer="huyen-449", area="18754"))
    assert [row["account_source"] for row in await bench.rows("SELECT account_source FROM person")] == [None]
    await bench.see(bench.enrolled("r1", 2, period="2024-03"))
    assert [row["account_source"] for row in await bench.rows("SELECT account_source FROM person")] == ["commune_police"]
    assert await bench.rows("SELECT FROM waiting") == []


async def test_a_trial_says_of_namesakes_what_the_taking_says(bench: Bench) -> None:
    rows = [f"{LAN},01/01/1950,,{commune},BT-5c,360000," for commune in ("Xã Hà Linh", "18496", "Xã Hà Linh")]
    importer = bench.an_importer(part_rows=1)
    told = [
        await importer.take(await bench.handed("payroll", listed(*rows), source="s", period="2024-02", dry_run=dry_run))
        for dry_run in (True, False)
    ]
    assert [(answer["accepted"], answer["reasons"]) for answer in told] == [(2, {"DUPLICATE_ROW": 1})] * 2


async def test_who_was_kept_under_the_letters_of_a_name_is_found(bench: Bench) -> None:
    """Keys made before names with i and y had one: the row of the next list still finds its person."""
    row = "Trần Thị Lý,02/03/1949,,Xã Hà Linh,BT-5c,360000,"
    await bench.payroll(listed(row))
    old = bench.vault.index("name_birth", "tran thi ly|1949-03-02")
    async with bench.database.session() as session:
        await session.execute("UPDATE person SET name_birth_ix = $1, name_area_ix = NULL", old)
    await bench.payroll(listed(row), period="2024-03")
    assert await people(bench) == 1
