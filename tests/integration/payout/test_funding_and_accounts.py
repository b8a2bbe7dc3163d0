"""Money that we are funded with is no break where a setting says from whom it comes; a return whose id the bank lost always is one."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import asyncpg
import pytest
from pydantic import ValidationError

from sandbox.provider_files import Account, Movement, camt053, camt054, mt940
from services.payout.settings import Settings
from tests.integration.payout.payout_bench import PAYER, Bench
from tests.integration.payout.statement_world import (
    MADE_AT,
    OURS,
    booked,
    breaks,
    facts,
    hand_in,
    moved,
    reconciled,
    sent,
    states,
)

TREASURY, SOMEBODY = "3713000000042", "1900000000077"
FUNDED = Movement("NOTPROVIDED", 50_000_000, False, date(2024, 1, 30), None, "CR0001", TREASURY)
OWN = Account("1110000000001", "970405", 900_000_000)
OTHER = Account("2220000000002", "970405", 900_000_000)
DEBTORS = (
    {"payer": PAYER, "name": "UBND XA HUONG KHE", "account": OWN.number, "valid_from": "2024-01-01"},
    {"payer": "huyen-445", "name": "UBND XA KHAC", "account": OTHER.number, "valid_from": "2024-01-01"},
)
WRITERS: dict[str, Callable[[list[Movement]], bytes]] = {
    "camt.053": lambda happened: camt053(happened, OURS, message_id="S1", made_at=MADE_AT),
    "camt.053 02": lambda happened: camt053(happened, OURS, message_id="S1", made_at=MADE_AT, version="02"),
    "camt.054": lambda happened: camt054(happened, OURS, message_id="S1", made_at=MADE_AT),
    "mt940": lambda happened: mt940(happened, OURS, reference="M1", number=1, made_at=MADE_AT),
}
funded_by_treasury = pytest.mark.parametrize("bench", [{"funding_accounts": (TREASURY,)}], indirect=True)


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(("bench", "is_break"), [({}, True), ({"funding_accounts": (TREASURY,)}, False)], indirect=["bench"])
async def test_credit_of_the_treasury_is_a_break_by_default_and_funding_where_the_setting_says_so(
    bench: Bench, form: str, is_break: bool
) -> None:
    lines = await sent(bench)
    told = await hand_in(bench, WRITERS[form]([FUNDED, *booked(*facts(lines))]))
    assert await states(bench) == {"paid": 3}
    assert [(one["type"], one["vnd"], one["payers"]) for one in await breaks(bench)] == (
        [("extra", 50_000_000, ["*"])] if is_break else []
    )
    assert told["funding"] == ([] if is_break else [{"payers": ["*"], "count": 1, "vnd": 50_000_000}])
    whole = form != "camt.054"
    assert [one["vnd"] for one in (await reconciled(bench))["funding"]] == ([] if is_break or not whole else [50_000_000])


@funded_by_treasury
@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"counterparty": SOMEBODY}, "extra"),  # a return of which the bank lost the id, or somebody's mistake
        ({"counterparty": None}, "extra"),
        ({"reason": "AC04"}, "extra"),
        ({"reason": "ZZ99"}, "extra"),
        ({"end_to_end_id": "SLIPPEDIDSLIPPED"}, "unknown_id"),
    ],
)
async def test_what_may_be_a_return_is_always_looked_at(bench: Bench, form: str, changes: dict[str, str], kind: str) -> None:
    await sent(bench)
    told = await hand_in(bench, WRITERS[form]([moved(FUNDED, **changes)]))
    assert [(one["type"], one["vnd"]) for one in await breaks(bench)] == [(kind, 50_000_000)]
    assert told["funding"] == []
    assert await states(bench) == {"sending": 3}


@funded_by_treasury
@pytest.mark.parametrize("form", WRITERS)
async def test_money_that_goes_back_to_the_treasury_or_is_taken_back_is_looked_at(bench: Bench, form: str) -> None:
    await sent(bench)
    await hand_in(bench, WRITERS[form]([moved(FUNDED, out=True)]))
    assert [one["type"] for one in await breaks(bench)] == ["extra"]


@funded_by_treasury
@pytest.mark.parametrize(
    "said",
    [
        "<RmtInf><Ustrd>hoan tra {id}</Ustrd></RmtInf>",
        "<RtrInf><AddtlInf>hoan tra</AddtlInf></RtrInf>",
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>",
    ],
)
async def test_return_that_is_marked_anywhere_is_no_funding(bench: Bench, said: str) -> None:
    """Even from the Treasury's account: an id of ours in the remark, an empty reason, the bank's own code for returns."""
    line, *_rest = await sent(bench)
    content = WRITERS["camt.053"]([FUNDED]).replace(b"</TxDtls>", f"{said.format(id=line.end_to_end_id)}</TxDtls>".encode())
    await hand_in(bench, content)
    assert [one["type"] for one in await breaks(bench)] == ["extra"]


@pytest.mark.parametrize("bench", [{"debtors": DEBTORS, "funding_accounts": (TREASURY,)}], indirect=True)
async def test_file_of_two_accounts_says_which_of_ours_a_break_and_a_credit_stand_on(bench: Bench) -> None:
    lines = await sent(bench)
    first = camt053([FUNDED, *booked(*facts(lines))], OWN, message_id="S1", made_at=MADE_AT)
    stray = [moved(FUNDED, counterparty=SOMEBODY, vnd=7), moved(FUNDED, vnd=20_000_000, bank_ref="CR0002")]
    part = camt053(stray, OTHER, message_id="S1", made_at=MADE_AT)
    told = await hand_in(bench, first.replace(b"</Stmt></BkToCstmrStmt></Document>", b"</Stmt>" + part[part.index(b"<Stmt>") :]))
    assert [(one["vnd"], one["payers"]) for one in await breaks(bench)] == [(7, ["huyen-445"])]
    funding = {one["payers"][0]: one["vnd"] for one in told["funding"]}
    assert funding == {PAYER: 50_000_000, "huyen-445": 20_000_000}
    assert [(one["payers"], one["count"], one["vnd"]) for one in (await reconciled(bench))["funding"]] == [
        ([PAYER], 1, 50_000_000)
    ]


@funded_by_treasury
async def test_funding_told_by_two_whole_statements_counts_once(bench: Bench) -> None:
    lines = await sent(bench)
    for form in ("camt.053", "camt.054", "mt940"):
        await hand_in(bench, WRITERS[form]([FUNDED, *booked(*facts(lines))]))
    late = moved(FUNDED, bank_ref="CR0009", booked_on=date(2024, 2, 9))
    await hand_in(bench, camt053([late], OURS, message_id="S9", made_at=MADE_AT))
    assert [(one["count"], one["vnd"]) for one in (await reconciled(bench))["funding"]] == [(1, 50_000_000)], (
        "the other is next month's"
    )


@funded_by_treasury
@pytest.mark.parametrize(
    "changes",
    ["kind = 'paid'", "code = 'AC04'", "from_ix = NULL", "ours_ix = NULL", "fault = 'id'", "end_to_end_id = repeat('A', 16)"],
)
async def test_database_takes_nothing_else_for_funding(bench: Bench, changes: str) -> None:
    await sent(bench)
    await hand_in(bench, WRITERS["camt.053"]([FUNDED]))
    async with bench.database.session() as session:
        await session.execute("SET session_replication_role = replica")  # the guard of lines is off; the constraint holds alone
        with pytest.raises(asyncpg.CheckViolationError, match="funding_is_no_return"):
            await session.execute(f"UPDATE statement_line SET {changes} WHERE fate = 'funding'")


def test_account_of_ours_does_not_fund_us() -> None:
    with pytest.raises(ValidationError, match="an account of ours does not fund us"):
        Settings(
            postgres_dsn="unused", kafka_bootstrap="unused", port=20_001, keys_file=Path("unused"), debtor_account=OWN.number,
            funding_accounts=(OWN.number,),
        )  # fmt: skip
