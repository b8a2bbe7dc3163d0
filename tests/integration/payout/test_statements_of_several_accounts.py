"""Payers with accounts of their own: their statements are ours, prove their own payments and say nothing about another account's."""

from datetime import UTC, date, datetime, timedelta

import pytest

from sandbox.provider_files import Account, camt053, camt054, mt940
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, an_account
from tests.integration.payout.statement_world import (
    MADE_AT,
    OURS,
    Line,
    booked,
    breaks,
    facts,
    hand_in,
    lines_of,
    moved,
    reconciled,
    sent,
    states,
)

OWN = Account("1110000000001", "970405", 900_000_000)
OTHER = Account("2220000000002", "970405", 900_000_000)
DEBTORS = (
    {"payer": PAYER, "name": "UBND XA HUONG KHE", "account": OWN.number, "valid_from": "2024-01-01"},
    {"payer": "huyen-445", "name": "UBND XA KHAC", "account": OTHER.number, "valid_from": "2024-01-01"},
)
own_accounts = pytest.mark.parametrize("bench", [{"debtors": DEBTORS}], indirect=True)


def written(form: str, lines: list[Line], account: Account) -> bytes:
    happened = booked(*facts(lines))
    if form == "mt940":
        return mt940(happened, account, reference="M1", number=1, made_at=MADE_AT)
    write = {"camt.053": camt053, "camt.054": camt054}[form]
    return write(happened, account, message_id="S1", made_at=MADE_AT)


@own_accounts
@pytest.mark.parametrize("form", ["camt.053", "camt.054", "mt940"])
async def test_statement_of_a_payers_own_account_proves_its_payments(bench: Bench, form: str) -> None:
    lines = await sent(bench)
    await hand_in(bench, written(form, lines, OWN))
    assert await states(bench) == {"paid": 3}
    assert await breaks(bench) == []


@own_accounts
async def test_one_file_may_be_about_two_accounts_of_ours_and_none_of_others(bench: Bench) -> None:
    lines = await sent(bench)
    first = camt053(booked(*facts(lines)), OWN, message_id="S1", made_at=MADE_AT)
    part = camt053([], OTHER, message_id="S1", made_at=MADE_AT)
    both = first.replace(b"</Stmt></BkToCstmrStmt></Document>", b"</Stmt>" + part[part.index(b"<Stmt>") :])
    assert both.count(b"<Stmt>") == 2
    foreign = both.replace(OTHER.number.encode(), b"3330000000003")
    assert (await hand_in(bench, foreign, status=422))["code"] == "ACCOUNT_FOREIGN"
    assert await states(bench) == {"sending": 3}
    await hand_in(bench, both)
    assert await states(bench) == {"paid": 3}


@own_accounts
async def test_nothing_of_another_account_is_told_missing(bench: Bench) -> None:
    """Both accounts' statements are whole for long after the payments; only the one that is debited could name them."""
    lines = await sent(bench)
    stray = moved(booked(*facts(lines))[0], end_to_end_id="NOTPROVIDED", booked_on=date(2024, 2, 20))
    for name, account in (("S1", OTHER), ("S2", OURS)):
        await hand_in(bench, camt053([stray], account, message_id=name, made_at=MADE_AT))
    report = await reconciled(bench)
    assert (report["new_breaks"], [batch["statements_to"] for batch in report["batches"]]) == (0, [None])
    assert await breaks(bench, type="missing") == []
    some = [*booked(*facts(lines[:2])), moved(stray, bank_ref="FEE9")]
    await hand_in(bench, camt053(some, OWN, message_id="S3", made_at=MADE_AT))
    assert (await reconciled(bench))["new_breaks"] == 1
    assert [one["end_to_end_id"] for one in await breaks(bench, type="missing")] == [lines[2].end_to_end_id]


SATURDAY = datetime(2024, 2, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("bench", "released", "told"),
    [
        ({"execution_shift": "previous", "execution_day": 10}, datetime(2024, 2, 5, 2, tzinfo=UTC), "2024-02-07"),
        ({"execution_shift": "previous"}, SATURDAY, "2024-02-05"),
        ({"execution_shift": "next"}, SATURDAY, "2024-02-05"),
        ({"execution_shift": "none"}, SATURDAY, "2024-02-03"),
    ],
    indirect=["bench"],
)
async def test_payment_is_due_on_the_day_its_bank_was_told(bench: Bench, released: datetime, told: str) -> None:
    """Money that moves on that day is on time, the day before it is too early, and it is missing `statement_days` after it."""
    bench.clock.move(released - bench.clock.now())
    await bench.enrol(account=an_account())
    await bench.enrol(account=an_account(number="3709000000002"))
    await bench.close()
    await bench.pay()
    day = date.fromisoformat(told)
    async with bench.database.session() as session:
        assert await session.fetchval("SELECT told_on FROM batch WHERE period = $1", PERIOD) == day
    first, second = booked(*facts(await lines_of(bench, "bank-a")))
    early = moved(second, booked_on=day - timedelta(days=1))
    await hand_in(bench, camt053([moved(first, booked_on=day), early], OURS, message_id="S1", made_at=MADE_AT))
    assert await states(bench) == {"paid": 1, "sending": 1}
    assert [one["type"] for one in await breaks(bench)] == ["date"]
