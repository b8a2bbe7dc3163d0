"""The settlement report of a real payroll: every dong in one place, the ledger beside the payments, the same in JSON, page and workbook."""

import io
from collections import Counter
from datetime import timedelta
from typing import Any

import openpyxl
import pytest

from sandbox.provider_files import camt053
from services.payout import store_settlement
from services.payout.settlement import Report
from shared.events import Entry
from shared.topics import Provider
from shared.words import LineStatus, Outcome, Role
from tests.integration.invariant_world import plant
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, a_line, a_merit_line, an_account
from tests.integration.payout.statement_world import MADE_AT, OURS, booked, breaks, facts, hand_in, lines_of, moved, resolved

PATH = f"/v1/settlements/{PERIOD}"
ONE, MERIT = 360_000, 2_055_000


async def report(bench: Bench, payer: str | None = PAYER) -> Report:
    async with bench.database.reading() as tx:
        found = await store_settlement.report(tx, PERIOD, payer)
    assert found is not None
    return found


async def shown(bench: Bench) -> dict[str, Any]:
    answer = await bench.client.get(f"{PATH}/{PAYER}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def amounts(total: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Measure -> (count, VND), what is not zero."""
    return {name: (value["count"], value["vnd"]) for name, value in total.items() if isinstance(value, dict) and value.get("vnd")}


@pytest.fixture
async def mixed(bench: Bench) -> Bench:
    """Two benefits on one account, an account that is rejected, counter, home, somebody who never comes, a stranger; all lists left."""
    await bench.enrol(a_line(), a_merit_line(), account=an_account())
    await bench.enrol(account=an_account(bank_bin="970436"))
    await bench.enrol()
    await bench.enrol(home_delivery=True, area="18502")
    await bench.enrol(area="18502")
    await bench.enrol(outcome=Outcome.NOT_FOUND)
    await bench.close()
    await bench.pay()
    return bench


async def post_answers(bench: Bench, *, comes: int) -> None:
    """So many at the counter or at home get their money; the others do not come."""
    paid = await bench.answers_to(Provider.POST, LineStatus.PAID)
    returned = [one.model_copy(update={"status": LineStatus.RETURNED, "reason": "NOT_COLLECTED"}) for one in paid[comes:]]
    await bench.answer(*paid[:comes], *returned)


async def test_nothing_is_built_yet_and_all_of_it_is_early(bench: Bench) -> None:
    assert (await bench.client.get(PATH)).json()["code"] == "NOT_CLOSED"
    await bench.enrol(a_line(), a_merit_line(), account=an_account())
    await bench.close()
    found = await shown(bench)
    assert (found["balanced"], found["faults"]) == (True, [])
    assert amounts(found["total"]) == dict.fromkeys(("declared", "payable", "not_built"), (2, ONE + MERIT))
    await bench.step("build")
    assert amounts((await shown(bench))["total"])["listed"] == (2, ONE + MERIT)


async def test_every_line_is_in_one_place_while_answers_come(mixed: Bench) -> None:
    found = await shown(mixed)
    assert (found["balanced"], found["faults"]) == (True, [])
    whole = amounts(found["total"])
    assert whole["held"] == (1, ONE)
    assert whole["in_flight"] == whole["payable"] == (6, 5 * ONE + MERIT)
    assert whole["sent"] == (6, 5 * ONE + MERIT), "a payment of two programmes counts in each"
    assert found["total"]["held_by_reason"] == {"NOT_FOUND": {"count": 1, "vnd": ONE}}

    await mixed.answer(*await mixed.answers_to(Provider.BANK_A, LineStatus.PAID))
    await mixed.answer(*await mixed.answers_to(Provider.BANK_B, LineStatus.REJECTED, reason="AC04"))
    await post_answers(mixed, comes=2)
    found = await shown(mixed)
    assert found["balanced"], found["faults"]
    whole = amounts(found["total"])
    assert whole["paid_account"] == (2, ONE + MERIT)
    assert (whole["rejected"], whole["expired"], whole["back"]) == ((1, ONE), (1, ONE), (2, 2 * ONE))
    assert sum(whole.get(place, (0, 0))[1] for place in ("paid_counter", "paid_home")) == 2 * ONE
    by_row = {(row["programme"], row["area"], row["provider"]): amounts(row) for row in found["rows"]}
    assert by_row["merit", "18496", "bank-a"]["paid_account"] == (1, MERIT)
    assert by_row["social_assistance", "18496", "bank-b"] == {
        "declared": (1, ONE), "payable": (1, ONE), "sent": (1, ONE), "rejected": (1, ONE), "back": (1, ONE),
    }  # fmt: skip
    money = {one["provider"]: amounts(one) for one in found["providers"]}
    assert money["bank-b"] == {"drawn": (1, ONE), "to_give_back": (1, ONE)}
    assert money["post"] == {"drawn": (3, 3 * ONE), "paid": (2, 2 * ONE), "to_give_back": (1, ONE)}


async def test_paid_again_by_post_is_paid_once_and_the_bank_still_owes_it_back(mixed: Bench) -> None:
    await mixed.answer(*await mixed.answers_to(Provider.BANK_B, LineStatus.REJECTED, reason="AC04"))
    await mixed.pay()
    found = await shown(mixed)
    assert found["balanced"], found["faults"]
    whole = amounts(found["total"])
    assert (whole["sent"][1], whole["rejected"], "back" in whole) == (6 * ONE + MERIT, (1, ONE), False)
    assert {one["provider"]: amounts(one)["to_give_back"] for one in found["providers"] if "to_give_back" in amounts(one)} == {
        "bank-b": (1, ONE)
    }
    assert found["carry_over"] == []


@pytest.mark.parametrize("bench", [{"limit_vnd": 1_000_000}], indirect=True)
async def test_a_line_cut_in_parts_counts_once_and_balances(bench: Bench) -> None:
    await bench.enrol(a_line(), a_merit_line(), account=an_account())
    await bench.close()
    await bench.pay()
    parts = await bench.answers_to(Provider.BANK_A, LineStatus.PAID)
    await bench.answer(parts[0].model_copy(update={"status": LineStatus.REJECTED, "reason": "AM09"}), *parts[1:])
    found = await shown(bench)
    assert found["balanced"], found["faults"]
    assert found["total"]["declared"] == {"count": 2, "vnd": ONE + MERIT}
    assert found["total"]["back"]["vnd"] == parts[0].amount_vnd


async def test_what_came_back_is_carried_with_the_people_and_their_months(mixed: Bench) -> None:
    await mixed.answer(*await mixed.answers_to(Provider.BANK_A, LineStatus.PAID))
    await mixed.answer(*await mixed.answers_to(Provider.BANK_B, LineStatus.REJECTED, reason="AC04"))
    await post_answers(mixed, comes=1)
    before = (await shown(mixed))["carry_over"]
    assert Counter((one["state"], one["carried"]) for one in before) == {("rejected", False): 1, ("expired", False): 2}
    assert (await mixed.post("finish", "chief", Role.APPROVER)).status_code == 200
    found = await shown(mixed)
    assert found["balanced"], found["faults"]
    assert amounts(found["total"])["carried"] == (3, 3 * ONE)
    assert "back" not in amounts(found["total"])
    assert found["lists"][0]["finished_at"]
    assert all(one["carried"] and one["months"] == 1 and one["vnd"] == ONE for one in found["carry_over"])
    dead = found["carry_over"][0]["beneficiary_id"]
    async with mixed.database.session() as session:
        await session.execute(
            """INSERT INTO line SELECT gen_random_uuid(), beneficiary_id, '2024-01', payer, area, programme, declared_vnd, content,
                                       content_sha256 FROM line WHERE beneficiary_id = $1""",
            dead,
        )
    assert {one["beneficiary_id"]: one["months"] for one in (await shown(mixed))["carry_over"]}[dead] == 2


async def test_unknown_answers_and_what_a_bank_gave_back_of_a_double_movement(mixed: Bench) -> None:
    mixed.clock.move(timedelta(days=4))
    assert (await mixed.post("expire-answers", "the-operator", Role.OPERATOR)).json() == {"unknown": 5}
    assert amounts((await shown(mixed))["total"])["unknown"][1] == 5 * ONE + MERIT
    happened = facts(await lines_of(mixed, Provider.BANK_A))
    twice = moved(booked(*happened)[0], bank_ref="SECOND")
    await hand_in(mixed, camt053([*booked(*happened), twice], OURS, message_id="S1", made_at=MADE_AT))
    (one,) = await breaks(mixed)
    assert one["type"] == "duplicate"
    assert (await resolved(mixed, one["break_id"], "recovered")).status_code == 200
    [told] = [entry for entry in await mixed.told(Entry) if entry.fact == "break"]
    assert (told.payer, told.period, told.vnd, told.debit) == (PAYER, PERIOD, ONE + MERIT, "recovered:bank-a")
    found = await shown(mixed)
    assert found["balanced"], found["faults"]
    assert [amounts(row)["recovered"] for row in found["rows"] if "recovered" in amounts(row)] == [(1, ONE + MERIT)]
    assert {one["provider"]: amounts(one).get("recovered") for one in found["providers"]}["bank-a"] == (1, ONE + MERIT)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM held", "không rõ ở đâu"),
        ("DELETE FROM instruction_line WHERE instruction_id = (SELECT instruction_id FROM instruction WHERE provider = 'post' LIMIT 1)",
         "không rõ ở đâu"),
        ("INSERT INTO held SELECT entitlement_id, 'DEAD', 1, now() FROM instruction_line il JOIN instruction USING (instruction_id) "
         "WHERE provider = 'post' LIMIT 1", "chi vượt khai báo 1 đồng"),
        ("DELETE FROM posting WHERE debit = 'in_flight:bank-b'", "sổ cái ghi gửi 0 khoản"),
        ("UPDATE posting SET vnd = vnd + 1 WHERE debit = 'in_flight:bank-b'", "sổ cái ghi gửi 1 khoản 360001 đồng"),
        ("UPDATE instruction SET state = 'created' WHERE provider = 'bank-b'", "lệnh chi 0 khoản"),
        ("DELETE FROM line WHERE entitlement_id = (SELECT entitlement_id FROM held)", "danh sách chốt 7 dòng"),
    ],
)  # fmt: skip
async def test_what_a_mistake_in_the_database_would_do_is_red_and_named(
    mixed: Bench, stack: Any, statement: str, said: str
) -> None:
    async with mixed.database.session() as session:
        dsn = stack.postgres_dsn(await session.fetchval("SELECT current_database()"))
    await plant(dsn, statement)
    found = await shown(mixed)
    assert not found["balanced"]
    assert [fault for fault in found["faults"] if said in fault], found["faults"]
    page = (await mixed.client.get(f"{PATH}/{PAYER}.html")).text
    assert "KHÔNG KHỚP" in page
    assert said in page


async def test_page_and_workbook_say_what_the_report_says_and_name_no_person(mixed: Bench) -> None:
    await mixed.answer(*await mixed.answers_to(Provider.BANK_B, LineStatus.REJECTED, reason="AC04"))
    found = await shown(mixed)
    for path in (PATH, f"{PATH}/{PAYER}"):
        page = await mixed.client.get(f"{path}.html")
        assert page.headers["content-type"].startswith("text/html")
        assert "Khớp" in page.text
        assert "Xã Hà Linh" in page.text
        content = await mixed.client.get(f"{path}.xlsx")
        book = openpyxl.load_workbook(io.BytesIO(content.content), read_only=True)
        rows = [tuple(row) for row in book["Quyết toán"].iter_rows(min_row=4, values_only=True)]
        assert [row[:1] + row[2:3] + row[4:5] for row in rows[:-1]] == [
            (row["payer"], row["area"], row["provider"]) for row in found["rows"]
        ]
        assert {row[-1] for row in rows} == {"Khớp"}
        written = " ".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
        for secret in ("Nguyễn", "NGUYEN", "3709000000001"):
            assert secret not in written + page.text
    assert (await mixed.client.get(f"{PATH}/nobody")).json()["code"] == "NOT_CLOSED"
    assert (await mixed.client.get("/v1/settlements/2024-13.html")).status_code == 422


async def test_its_transaction_could_not_write(mixed: Bench) -> None:
    """Whole period and one payer agree, and the snapshot is read-only."""
    assert (await report(mixed)).rows == (await report(mixed, None)).rows
    async with mixed.database.reading() as tx:
        assert await tx.fetchval("SHOW transaction_read_only") == "on"
        assert await tx.fetchval("SHOW transaction_isolation") == "repeatable read"
