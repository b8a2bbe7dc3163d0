"""The cashless funnel: everybody on a list once, at one stage, with one next action; both directions of a wish."""

import asyncio
import signal
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.payout import channel
from services.payout.authorisation import opened_account
from services.registry import store_funnel, store_republish
from services.registry.http_funnel import added_up, shares
from services.registry.passing import DayWatch
from services.registry.visits import Heard, VisitEvidence, VisitReason, VisitRefusal, Visits
from shared import crashing
from shared.actors import Actor
from shared.events import AccountRegistered, BeneficiarySnapshot, CollectorNamed, PaymentState, VerificationResult, WishRecorded
from shared.ids import random_id
from shared.personal import Account, Circumstances, Collector, PersonalData
from shared.topics import Provider
from shared.words import AccountCheck, AccountSource, Channel, InstructionState, Outcome, Role, Wish
from tests.faults.scenarios import DAYS
from tests.integration.registry.registry_bench import PAYER, PERIOD, SOURCE, an_identity

# People as registry keeps them, made by the thousand; sealed blocks stand for real ones, nothing opens them here. Commune by turns of 7.
PEOPLE = """
INSERT INTO person (beneficiary_id, epoch, n, payer, area, life, wish, account_source, home_delivery, identity, payee, identity_digest,
                    account_digest, changed_at, birth_year)
SELECT lpad(to_hex(i), 32, '0')::uuid, 1, 1, 'huyen-444', (18490 + i % 7)::text, 'alive',
       CASE WHEN i < $2 THEN 'account' ELSE 'none' END, CASE WHEN i < $2 THEN 'commune_police' END, false, 'v1.identity.x', 'v1.payee.x',
       repeat('a', 64), CASE WHEN i < $2 THEN repeat('b', 64) END, '2024-01-20Z', 1930 + i % 80
  FROM generate_series(0, $1 - 1) i
"""
RECORDS = "INSERT INTO source_record SELECT 's', beneficiary_id::text, beneficiary_id, 1, 'd' FROM person"
ROWS = """
INSERT INTO list_row (source, record, period, beneficiary_id, payer, area, benefit_code, declared_vnd, line, state)
SELECT 's', beneficiary_id::text || code, '2024-02', beneficiary_id, payer, area, code, 1,
       jsonb_build_object('programme', CASE code WHEN 'NCC' THEN 'merit' ELSE 'social_assistance' END), 'active'
  FROM person CROSS JOIN (VALUES ('BT', 1), ('NCC', 10)) AS of (code, nth)
 WHERE ('x' || right(beneficiary_id::text, 7))::bit(28)::integer % nth = 0
"""
VERIFIED = """
INSERT INTO verified SELECT beneficiary_id, 1, 'match', 'usable', identity_digest, account_digest, '2024-01-20Z' FROM person
"""
PAID = """
INSERT INTO payment
SELECT gen_random_uuid(), beneficiary_id, 3, 'paid', 'bank-a', 'account', ARRAY['2024-02'], payer, 1, 1, NULL, '2024-02-01Z'
  FROM person WHERE account_digest IS NOT NULL ORDER BY beneficiary_id LIMIT $1
"""


async def fill(bench, people: int, holders: int, paid: int) -> None:
    """A district on the list of the period."""
    async with bench.database.transaction("test") as tx:
        await tx.execute(PEOPLE, people, holders)
        for statement in (RECORDS, ROWS, VERIFIED):
            await tx.execute(statement)
        await tx.execute(PAID, paid)


@pytest.mark.parametrize(
    ("people", "holders", "paid", "exists_share", "paid_share"),
    [(10_172, 905, 700, 890, 688), (10_708, 1_992, 574, 1_860, 536)],
    ids=["Hương Khê, January 2024", "the province's 18.6 % and 5.36 % of December 2023, a tenth of its people"],
)
async def test_published_figures_come_out_as_they_went_in(bench, people, holders, paid, exists_share, paid_share):
    await fill(bench, people, holders, paid)
    cells = await bench.funnel()
    total = added_up(cells)
    assert (total["people"], total["base"], total["exists"], total["paid"]) == (people, people, holders, paid)
    assert total["exists"] == total["wished"] == total["verified"]
    found = shares(total)
    assert (found["exists_per_10000"], found["paid_per_10000"]) == (exists_share, paid_share)
    assert {cell["area"] for cell in cells} == {str(18490 + turn) for turn in range(7)}
    assert {cell["programme"] for cell in cells} == {"social_assistance", "several"}
    assert {cell["age_band"] for cell in cells} == {"under_16", "16_59", "60_69", "70_79", "80_plus"}
    async with bench.database.reading() as tx:
        actions = await store_funnel.actions(tx, PERIOD, bench.clock.today(), None)
        assert sum(row["people"] for row in actions) == people
        assert {row["action"]: row["people"] for row in actions}["await_payment"] == holders - paid
        pages, after = [], None
        while page := await store_funnel.people(
            tx, PERIOD, bench.clock.today(), payer=PAYER, action="await_payment", after=after, most=100
        ):
            pages += page
            after = page[-1]["beneficiary_id"]
    assert len(pages) == len({row["beneficiary_id"] for row in pages}) == holders - paid


OTHERS = """
WITH paper AS (UPDATE person SET paper_from = '2024-01-01', paper_until = LAST_DAY) UPDATE verified SET account = 'name_mismatch'
"""
NEXT = [
    ("UPDATE person SET life = 'dead', died_on = '2024-02-01'", "gone", "none", None),
    ("UPDATE person SET cannot_reason = 'R_WEAK', cannot_until = '2024-12-31'", "cannot", "none", None),
    ("UPDATE person SET cannot_reason = 'R_WEAK', cannot_until = '2024-02-01'", "cannot", "review_cannot", "R_WEAK"),
    ("UPDATE person SET cannot_reason = 'R_WEAK'", "cannot", "review_cannot", "R_WEAK"),
    ("UPDATE person SET cannot_reason = 'R_WEAK', cannot_until = '2024-01-19'", "verified", "review_cannot", "R_WEAK"),
    (PAID.replace("LIMIT $1", "LIMIT 1"), "paid", "none", None),
    (PAID.replace("LIMIT $1", "LIMIT 1").replace("2024-02'", "2024-01'"), "verified", "await_payment", None),
    (
        PAID.replace("'paid'", "'rejected'").replace("1, 1, NULL", "1, 1, 'AC04'").replace("LIMIT $1", ""),
        "verified",
        "repair_account",
        "AC04",
    ),
    ("DELETE FROM verified", "wished", "await_register", None),
    ("UPDATE verified SET outcome = 'not_found'", "wished", "review_identity", "not_found"),
    ("UPDATE person SET wish = 'post'", "exists", "ask_reason", None),
    ("UPDATE person SET wish = 'post', wish_reason = 'R_FEE'", "exists", "answer_reason", "R_FEE"),
    ("UPDATE person SET account_digest = NULL, account_source = NULL", "no_account", "open_account", None),
    ("UPDATE person SET account_digest = NULL, account_source = NULL, wish = 'none'", "no_account", "visit", None),
    (
        "UPDATE person SET account_digest = NULL, account_source = NULL, wish = 'none', contact = 'v1.contact.x'",
        "no_account",
        "remind",
        None,
    ),
    ("UPDATE person SET wish = 'none'", "exists", "ask_wish", None),
    ("UPDATE person SET account_digest = repeat('c', 64)", "wished", "await_check", None),
    ("UPDATE verified SET account = 'cannot_verify'", "wished", "ask_bank", "cannot_verify"),
    ("UPDATE verified SET account = 'name_mismatch'", "wished", "correct_account", "name_mismatch"),
    (OTHERS.replace("LAST_DAY", "NULL"), "verified", "await_payment", None),
    (OTHERS.replace("LAST_DAY", "'2024-12-31'"), "verified", "await_payment", None),
    (OTHERS.replace("LAST_DAY", "'2024-02-10'"), "verified", "renew_paper", "name_mismatch"),
    (OTHERS.replace("LAST_DAY", "'2024-01-19'"), "wished", "renew_paper", "name_mismatch"),
    ("UPDATE person SET account_source = 'bulk'", "verified", "confirm_use", None),
    ("UPDATE person SET area = '18500'", "verified", "await_payment", None),
]


@pytest.mark.parametrize(("changed", "stage", "action", "reason"), NEXT)
async def test_a_person_has_one_stage_and_one_next_action(bench, changed, stage, action, reason):
    await fill(bench, 1, 1, 0)
    async with bench.database.transaction("test") as tx:
        await tx.execute(changed)
        (row,) = await store_funnel.people(tx, PERIOD, bench.clock.today(), payer=None, action=None, after=None, most=10)
    assert (row["stage"], row["action"], row["reason"]) == (stage, action, reason)


# --- one person on the way there and back ------------------------------------------------------------------------------------------


def an_account(bench, seq: int) -> AccountRegistered:
    account = Account(bank_bin="970405", number="3709000000001", holder="NGUYEN THI HOA")
    personal = bench.sealed(PersonalData(identity=an_identity(), account=account))
    return AccountRegistered(
        source="police", record="a1", source_sequence=seq, account_source=AccountSource.COMMUNE_POLICE, personal=personal
    )


def a_wish(wish: Wish, seq: int, reason: str | None = None) -> WishRecorded:
    return WishRecorded(source=SOURCE, record="r1", source_sequence=seq, wish=wish, reason=reason)


async def heard(bench, result: VerificationResult | None = None, payment: PaymentState | None = None) -> None:
    async with bench.database.transaction("test") as tx:
        if result:
            await bench.handlers.on_verification(tx, [bench.received(result)])
        if payment:
            await bench.handlers.on_payment(tx, [bench.received(payment)])


async def where(bench) -> tuple[str, str, str | None]:
    async with bench.database.reading() as tx:
        (row,) = await store_funnel.people(tx, PERIOD, bench.clock.today(), payer=None, action=None, after=None, most=10)
    return row["stage"], row["action"], row["reason"]


async def test_a_person_goes_through_every_stage_and_back_to_cash(bench):
    for said in (bench.enrolled(), a_wish(Wish.POST, 2, "R_PIN"), an_account(bench, 1)):
        await bench.see(said)
    assert await where(bench) == ("wished", "await_register", None)
    who = (await bench.snapshots())[-1]
    match = VerificationResult(
        beneficiary_id=who.beneficiary_id, result_seq=1, identity_digest=who.identity_digest, account_digest=who.account_digest,
        outcome=Outcome.MATCH, account=AccountCheck.USABLE, checked_at=bench.clock.now(),
    )  # fmt: skip
    await heard(bench, match)
    assert await where(bench) == ("verified", "await_payment", None)
    paid = PaymentState(
        beneficiary_id=who.beneficiary_id, instruction_id=random_id(), state_seq=3, state=InstructionState.PAID, provider=Provider.BANK_A,
        channel=Channel.ACCOUNT, periods=(PERIOD,), payer=PAYER, attempt=1, vnd=360_000,
    )  # fmt: skip
    await heard(bench, payment=paid)
    assert await where(bench) == ("paid", "none", None)
    await bench.see(a_wish(Wish.POST, 3, "R_FEE"))
    assert await where(bench) == ("paid", "win_back", "R_FEE")
    (cell,) = await bench.funnel()
    assert (cell["paid"], cell["back_to_cash"]) == (1, 1)
    changes = (await bench.trace(who.beneficiary_id))["wish_changes"]
    assert [(row["wish_before"], row["wish"], row["reason"]) for row in changes] == [
        ("none", "post", "R_PIN"),
        ("post", "account", None),
        ("account", "post", "R_FEE"),
    ]
    before = await whole(bench)
    async with bench.database.transaction("test") as tx:
        await tx.execute("DELETE FROM verified")
        await tx.execute("DELETE FROM payment")
    assert await whole(bench) != before
    for _time in range(2):  # every record again from offset 0, and once more
        await heard(bench, match, paid)
        assert await whole(bench) == before


async def whole(bench) -> list[dict[str, Any]]:
    async with bench.database.reading() as tx:
        return await store_funnel.people(tx, PERIOD, bench.clock.today(), payer=None, action=None, after=None, most=10)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE wish_change SET reason = NULL",
        "DELETE FROM wish_change",
        "INSERT INTO wish_change SELECT beneficiary_id, epoch, n, wish, 'none', NULL, at FROM wish_change",
        "INSERT INTO wish_change SELECT beneficiary_id, epoch, n + 1, wish, wish, NULL, at FROM wish_change",
        "UPDATE person SET birth_year = 20",
    ],
)
async def test_the_history_of_wishes_is_never_rewritten(bench, sql):
    await bench.see(bench.enrolled(), an_account(bench, 1))
    await bench.see(a_wish(Wish.POST, 2, "R_TRUST"))
    assert len(await bench.rows("SELECT FROM wish_change")) == 1
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with bench.database.transaction("test") as tx:
            await tx.execute(sql)


# --- accounts of others ------------------------------------------------------------------------------------------------------------

OWN = Account(bank_bin="970405", number="3709000000001", holder="NGUYEN THI HOA")
SONS = Account(bank_bin="970415", number="109900000001", holder="TRAN VAN CON")
SON = Collector(full_name="Trần Văn Con", paper_number="UQ-7/2024", valid_from=date(2024, 1, 1), valid_until=date(2024, 6, 30))


def account_of(bench, record: str, account: Account, paper: Collector | None = None) -> AccountRegistered:
    personal = bench.sealed(PersonalData(identity=an_identity(), account=account, collector=paper))
    source = AccountSource.COMMUNE_POLICE
    return AccountRegistered(source="police", record=record, source_sequence=1, account_source=source, personal=personal)


def a_collector(bench, seq: int, since: date, named: Collector) -> CollectorNamed:
    personal = bench.sealed(PersonalData(collector=named))
    return CollectorNamed(source=SOURCE, record="r1", source_sequence=seq, valid_from=since, personal=personal)


def payout_chooses(bench, told: BeneficiarySnapshot, on: date) -> tuple[str, channel.Choice]:
    """Which account payout reads, and how it pays on a day after the bank named each account's holder."""
    account, paper = opened_account(bench.vault, told)
    assert account
    known = channel.Snapshot(
        life=told.life, died_on=None, wish=told.wish, home_delivery=False, can_be_delivered=False, bank_bin=account.bank_bin,
        identity_digest=told.identity_digest, account_digest=told.account_digest, paper=paper,
    )  # fmt: skip
    check = AccountCheck.USABLE if account == OWN else AccountCheck.NAME_MISMATCH
    verdict = channel.Verdict(told.identity_digest, told.account_digest, Outcome.MATCH, None, check)
    return account.number, channel.way(known, verdict, period=f"{on:%Y-%m}", terms=channel.Terms(on=on))


@pytest.mark.parametrize(("own_comes", "ends"), [("before the paper", "by its day"), ("while it holds", "by revoking")])
async def test_an_own_account_counts_again_when_the_paper_ends(bench, own_comes, ends):
    said = [account_of(bench, "own", OWN), account_of(bench, "sons", SONS, SON)]
    await bench.see(bench.enrolled())
    for one in said if own_comes == "before the paper" else reversed(said):
        await bench.see(one)
    days, february, july = DayWatch(bench.database, bench.clock, bench.registrar), date(2024, 2, 5), date(2024, 7, 5)
    by_paper = (await bench.snapshots())[-1]
    number, choice = payout_chooses(bench, by_paper, february)
    assert (number, choice.channel) == (SONS.number, Channel.ACCOUNT)
    assert payout_chooses(bench, by_paper, july)[1].channel is Channel.COUNTER, "payout judges the day itself"
    if ends == "by its day":
        bench.clock.move(timedelta(days=163))  # 1 July
        assert (await days.tell(), await days.tell()) == (1, 0)
    else:
        revoked = SON.model_copy(update={"scope": "account", "revoked_on": bench.clock.today()})
        await bench.see(a_collector(bench, 5, date(2024, 1, 1), revoked))
        assert await days.tell() == 0
    (told,) = await bench.snapshots()
    number, choice = payout_chooses(bench, told, july)
    assert (number, choice.channel, choice.gap) == (OWN.number, Channel.ACCOUNT, None)
    renewed = SON.model_copy(update={"scope": "account", "paper_number": "UQ-9/2024", "valid_until": None, "valid_from": july})
    await bench.see(a_collector(bench, 6, july, renewed))
    number, choice = payout_chooses(bench, (await bench.snapshots())[-1], july)
    assert (number, choice.channel) == (SONS.number, Channel.ACCOUNT)


async def test_an_account_is_set_aside_only_sealed_and_beside_another(bench):
    await bench.see(bench.enrolled(), account_of(bench, "own", OWN))
    for wrong in ("aside = 'v1.payee.x', account_digest = NULL", "aside = 'v1.contact.x'"):
        with pytest.raises(asyncpg.CheckViolationError):
            async with bench.database.transaction("test") as tx:
                await tx.execute(f"UPDATE person SET {wrong}")


# --- home visits -------------------------------------------------------------------------------------------------------------------

OFFICER = Actor("officer-1", frozenset({Role.LIST_OFFICER}), ("*",), None, "token-1")
LATER = date(2024, 7, 1)


async def test_a_visit_changes_the_person_and_keeps_who_decided_on_what(bench):
    await bench.see(bench.enrolled())
    await bench.see(a_wish(Wish.POST, 2, "R_PIN"))
    who = (await bench.snapshots())[-1].beneficiary_id
    visits = Visits(bench.database, bench.clock, bench.registrar)
    cannot = Heard(Wish.POST, VisitReason.IMMOBILE, VisitEvidence.SEEN_AT_HOME, LATER)
    assert await visits.take(who, cannot, OFFICER) == 1
    assert (await where(bench))[0] == "cannot"
    assert [snapshot.cannot for snapshot in await bench.snapshots()] == [True]
    assert await visits.take(who, Heard(Wish.ACCOUNT), OFFICER) == 2
    assert await visits.take(who, Heard(Wish.ACCOUNT), OFFICER) == 3
    assert (await where(bench))[0] == "no_account"
    trace = await bench.trace(who)
    assert [(one["nth"], one["reason"], one["evidence"], one["review_on"], one["decider"]) for one in trace["visits"]] == [
        (1, "R_IMMOBILE", "SEEN_AT_HOME", LATER, "officer-1"),
        (2, None, None, None, "officer-1"),
        (3, None, None, None, "officer-1"),
    ]
    assert [(one["wish"], one["reason"]) for one in trace["wish_changes"]] == [("post", "R_PIN"), ("account", None)]
    assert [one["fate"] for one in trace["statements"]][-3:] == ["applied", "applied", "repeated"]


async def test_a_day_of_review_that_has_passed_is_told_once_and_ends_with_the_next_word(bench):
    await bench.see(bench.enrolled())
    await bench.see(bench.enrolled("r2", identity=an_identity(personal_number="042149990002", full_name="Lê Thị Bé")))
    who = (await bench.snapshots())[0].beneficiary_id
    visits = Visits(bench.database, bench.clock, bench.registrar)
    days = DayWatch(bench.database, bench.clock, bench.registrar, part_people=1)
    await visits.take(who, Heard(Wish.POST, VisitReason.WEAK, VisitEvidence.HEALTH_PAPER, date(2024, 1, 21)), OFFICER)
    assert [told.cannot for told in await bench.snapshots()] == [True]
    bench.clock.move(timedelta(days=1))
    assert await days.tell() == 0, "the day itself counts"
    bench.clock.move(timedelta(days=1))
    assert await days.tell() == 1
    assert [(told.beneficiary_id, told.cannot) for told in await bench.snapshots()] == [(who, False)]
    assert (await days.tell(), await bench.snapshots()) == (0, [])
    async with bench.database.reading() as tx:
        again = await store_republish.snapshots(tx, "", 10, sealer=bench.registrar.sealer, clock=bench.clock)
    assert [event.message.cannot for _, event in again] == [False, False]
    await visits.take(who, Heard(Wish.POST, VisitReason.HABIT), OFFICER)
    (row,) = await bench.rows("SELECT cannot_reason, wish_reason FROM person WHERE beneficiary_id = $1", who)
    assert tuple(row) == (None, "R_HABIT")


async def test_a_process_that_dies_telling_it_has_told_nobody_or_everybody(bench, stack, keys):
    await bench.see(bench.enrolled())
    cannot = Heard(Wish.POST, VisitReason.WEAK, VisitEvidence.HEALTH_PAPER, date(2024, 1, 21))
    await Visits(bench.database, bench.clock, bench.registrar).take((await bench.snapshots())[0].beneficiary_id, cannot, OFFICER)
    await bench.snapshots()
    async with bench.database.session() as session:
        dsn = stack.postgres_dsn(await session.fetchval("SELECT current_database()"))
    bench.clock.move(timedelta(days=2))
    points = [point for point in crashing.inventory() if point.startswith(DAYS)]
    assert len(points) == 2
    told = []
    for point in sorted(points, reverse=True):  # before the commit, then after it
        given = (
            "-m",
            "tests.integration.registry.days_once",
            dsn,
            str(keys / "registry.json"),
            bench.clock.now().isoformat(),
            point,
        )
        process = await asyncio.create_subprocess_exec(sys.executable, *given, cwd=Path(__file__).parents[3])
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL, "it died where it was told to"
        told.append([snapshot.cannot for snapshot in await bench.snapshots()])
    assert told == [[], [False]]
    assert await DayWatch(bench.database, bench.clock, bench.registrar).tell() == 0


async def test_a_change_that_shows_nothing_else_tells_that_the_day_has_passed(bench):
    await bench.see(bench.enrolled())
    who = (await bench.snapshots())[0].beneficiary_id
    cannot = Heard(Wish.POST, VisitReason.WEAK, VisitEvidence.HEALTH_PAPER, date(2024, 1, 21))
    await Visits(bench.database, bench.clock, bench.registrar).take(who, cannot, OFFICER)
    bench.clock.move(timedelta(days=2))
    await bench.snapshots()
    studying = PersonalData(identity=an_identity(), circumstances=Circumstances(studying=True))
    await bench.see(bench.enrolled(seq=9, personal=studying))
    assert [told.cannot for told in await bench.snapshots()] == [False]


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (Heard(Wish.NONE), VisitRefusal.WISH_MISSING),
        (Heard(Wish.POST), VisitRefusal.REASON_MISSING),
        (Heard(Wish.POST, VisitReason.WEAK, None, LATER), VisitRefusal.EVIDENCE_INCOMPLETE),
        (Heard(Wish.POST, VisitReason.WEAK, VisitEvidence.HEALTH_PAPER), VisitRefusal.EVIDENCE_INCOMPLETE),
        (Heard(Wish.ACCOUNT, None, VisitEvidence.HEALTH_PAPER, LATER), VisitRefusal.EVIDENCE_INCOMPLETE),
        (Heard(Wish.ACCOUNT, VisitReason.WEAK, VisitEvidence.HEALTH_PAPER, LATER), VisitRefusal.WISHES_AND_CANNOT),
        (Heard(Wish.POST, VisitReason.WEAK, VisitEvidence.HEALTH_PAPER, date(2024, 1, 20)), VisitRefusal.REVIEW_DAY_BAD),
        (Heard(Wish.POST, VisitReason.WEAK, VisitEvidence.HEALTH_PAPER, date(2026, 1, 21)), VisitRefusal.REVIEW_DAY_BAD),
    ],
)
async def test_what_code_refuses_the_table_refuses_too(bench, heard, why):
    await bench.see(bench.enrolled())
    who = (await bench.snapshots())[-1].beneficiary_id
    assert await Visits(bench.database, bench.clock, bench.registrar).take(who, heard, OFFICER) is why
    assert await bench.rows("SELECT FROM home_visit") == []
    with pytest.raises(asyncpg.CheckViolationError):
        async with bench.database.transaction("test") as tx:
            await store_funnel.save_visit(
                tx, visit_id=random_id(), beneficiary_id=who, nth=1, wish=heard.wish, reason=heard.reason, evidence=heard.evidence,
                review_on=heard.review_on, visited_on=bench.clock.today(), decider="d", decider_token="t", at=bench.clock.now(),
            )  # fmt: skip
