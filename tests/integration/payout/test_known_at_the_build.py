"""What registry knew at the closing, months that nobody collected, and other payers' lists, in the build on a real database."""

import asyncio
from datetime import date
from typing import Any

import asyncpg
import pytest

from services.payout.months import plus_months
from services.payout.recovering import RecoveryDesk
from shared.errors import BadRecord
from shared.events import Arrears, BeneficiarySnapshot, EntitlementLine
from shared.personal import Circumstances, Happened
from shared.topics import Provider
from shared.words import Channel, HeldReason, Life, LifeEvent, LineStatus, Outcome, Programme, Role
from tests.integration.payout.months_world import Entry, a_person, closed, held, pay, step, the_post_says
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, a_line, a_merit_line, an_account

OTHER = "xa-18502"
CHILD: dict[str, Any] = {"benefit_code": "BT-1a", "coefficient_hundredths": 250, "monthly_vnd": 900_000}
PRISON = Circumstances(events=(Happened(event=LifeEvent.PRISON, since=date(2023, 11, 3)),))


async def differences(bench: Bench, period: str = PERIOD) -> dict[str, Any]:
    answer = await bench.client.get(f"/v1/payrolls/{period}/{PAYER}/differences")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


# --- ages and circumstances ---------------------------------------------------------------------------------------------------


async def test_age_and_circumstances_reach_the_build_and_are_shown(bench: Bench) -> None:
    """Nobody is held for what nobody told; what stands against a line is shown with its reason."""
    people = [await a_person(bench) for _ in range(5)]
    untold, fitting, grown, away, both = (one.beneficiary_id for one in people)
    await closed(
        bench, PERIOD, PAYER,
        Entry(people[0], a_line(**CHILD)),
        Entry(people[1], a_line(**CHILD), (3, 3), Circumstances(requested=True)),
        Entry(people[2], a_line(**CHILD), (4, 4)),
        Entry(people[3], a_line(), (80, 80), PRISON),
        Entry(people[4], a_line(), (80, 80), PRISON),
        Entry(people[4], a_merit_line(), (80, 80), PRISON),
    )  # fmt: skip
    await pay(bench, PERIOD, PAYER)
    here = f"{PERIOD} {PAYER}"
    assert [(await held(bench, who))[here] for who in (untold, fitting, grown, away)] == [
        None, None, HeldReason.AMOUNT_DIFFERS, HeldReason.NOT_OWED,
    ]  # fmt: skip
    assert {line["held"] for line in (await bench.trace(both))["lines"]} == {HeldReason.NOT_OWED}, (
        "who ends, ends with everything"
    )
    found = await differences(bench)
    shown = {(line["beneficiary_id"], line["stop"]) for line in found["lines"]}
    assert shown == {(str(grown), None), (str(away), "PRISON"), (str(both), "PRISON")}
    [line] = [line for line in found["lines"] if line["stop"] is None]
    rule = "BT-1b@2021-07*assistance@2021-07"
    assert line["differences"] == [
        {"reason": "AGE_DIFFERS", "declared_vnd": 900_000, "owed_vnd": 540_000, "difference_vnd": 360_000, "rule": rule}
    ]
    assert found["unknown"]["BT-1a"] == {"age": 1, "circumstances": 2}
    assert "NCC-LS1" not in found["unknown"], "a code without conditions needs to know nothing"
    again = await step(bench, PERIOD, PAYER, "build")
    assert (again["batches"], again["newly_held"]) == ([], 0)


async def test_conservation_with_everything_known(bench: Bench) -> None:
    people = [await a_person(bench) for _ in range(3)]
    await closed(
        bench, PERIOD, PAYER,
        Entry(people[0], a_line(), (80, 80), PRISON), Entry(people[1], a_line(), (75, 75)), Entry(people[2], a_line(), (80, 80)),
    )  # fmt: skip
    await pay(bench, PERIOD, PAYER)
    lines = (await bench.page())["lines"]
    assert lines["postal"]["vnd"] + lines["held"]["vnd"] == lines["vnd"]
    assert (lines["undecided_vnd"], lines["held"]["count"]) == (0, 1)


async def test_circumstances_stand_nowhere_readable(bench: Bench) -> None:
    person = await a_person(bench)
    await closed(bench, PERIOD, PAYER, Entry(person, a_line(), (80, 80), PRISON))
    async with bench.database.session() as session:
        [row] = await session.fetch("SELECT ages, circumstances FROM line")
        assert row["ages"] == "80,80"
        assert row["circumstances"].startswith("v1.payee.")
        with pytest.raises(asyncpg.CheckViolationError, match="line_circumstances_sealed"):
            await session.execute(
                """INSERT INTO line (entitlement_id, beneficiary_id, period, payer, area, programme, declared_vnd, content, content_sha256,
                                     circumstances)
                   SELECT gen_random_uuid(), beneficiary_id, period, payer, area, programme, 0, content, '', 'in prison' FROM line"""
            )


async def test_a_line_told_again_with_circumstances_sealed_anew_is_the_same_line(bench: Bench) -> None:
    person = await a_person(bench)
    [line] = await closed(bench, PERIOD, PAYER, Entry(person, a_line(), (80, 80), PRISON))
    [anew] = await closed(bench, "2024-03", PAYER, Entry(person, a_line(), (80, 80), PRISON))
    again = line.model_copy(update={"circumstances": anew.circumstances})
    async with bench.database.transaction("test") as tx:
        await bench.handlers.on_entitlement(tx, bench.received([again]))
    async with bench.database.session() as session:
        [row] = await session.fetch("SELECT circumstances FROM line WHERE entitlement_id = $1", line.entitlement_id)
    assert row["circumstances"] == line.circumstances


async def test_circumstances_that_do_not_open_are_set_aside(bench: Bench) -> None:
    one, another = await a_person(bench), await a_person(bench)
    [line] = await closed(bench, "2024-03", PAYER, Entry(one, a_line(), (80, 80), PRISON))
    moved: EntitlementLine = line.model_copy(update={"beneficiary_id": another.beneficiary_id})
    with pytest.raises(BadRecord, match="SEALED_BLOCK"):
        async with bench.database.transaction("test") as tx:
            await bench.handlers.on_entitlement(tx, bench.received([moved]))


# --- months not collected -----------------------------------------------------------------------------------------------------


async def month(bench: Bench, period: str, entry: Entry, status: LineStatus | None = LineStatus.RETURNED) -> str | None:
    """One month of one person at the counter; why the line is held in the end."""
    await closed(bench, period, PAYER, entry)
    await pay(bench, period, PAYER)
    reason = (await held(bench, entry.snapshot.beneficiary_id))[f"{period} {PAYER}"]
    if reason is None and status:
        await the_post_says(bench, status, period)
    return reason


async def test_three_months_not_collected_suspend_and_coming_forward_resumes(bench: Bench) -> None:
    who = await a_person(bench)
    entry = Entry(who, a_line())
    months = [plus_months(PERIOD, n - 5) for n in range(7)]
    assert [await month(bench, period, entry) for period in months[:3]] == [None, None, None]
    assert await month(bench, months[3], entry) == HeldReason.NOT_COLLECTED
    assert await month(bench, months[4], entry) == HeldReason.NOT_COLLECTED, "a month in which nothing was sent ends no row"
    came = Happened(event=LifeEvent.RESUMED, since=date.fromisoformat(f"{months[5]}-03"))
    back = entry._replace(told=Circumstances(events=(came,)))
    assert await month(bench, months[5], back) is None, "one more month missed is the first of a new row"
    assert await month(bench, months[6], back) is None
    lines = {line["period"]: line["held"] for line in (await bench.trace(who.beneficiary_id))["lines"]}
    assert lines[months[3]] == HeldReason.NOT_COLLECTED, "what was suspended stays owed, as a later list's arrears"


async def test_a_collected_month_begins_anew_and_programmes_are_counted_apart(bench: Bench) -> None:
    who = await a_person(bench)
    entry = Entry(who, a_line())
    months = [plus_months(PERIOD, n) for n in range(5)]
    for period in months[:2]:
        assert await month(bench, period, entry) is None
    assert await month(bench, months[2], entry, LineStatus.PAID) is None
    assert await month(bench, months[3], entry) is None
    assert await month(bench, months[4], Entry(who, a_merit_line())) is None


@pytest.mark.parametrize("bench", [{"misses_max": 1}], indirect=True)
async def test_how_many_months_is_a_setting(bench: Bench) -> None:
    entry = Entry(await a_person(bench), a_line())
    assert await month(bench, PERIOD, entry) is None
    assert await month(bench, plus_months(PERIOD, 1), entry) == HeldReason.NOT_COLLECTED


async def test_only_expiry_counts_as_not_collected(bench: Bench) -> None:
    """A payment without an answer, and one the post could not take, say nothing about the person."""
    entry = Entry(await a_person(bench), a_line())
    months = [plus_months(PERIOD, n) for n in range(4)]
    assert await month(bench, months[0], entry) is None
    assert await month(bench, months[1], entry, LineStatus.REJECTED) is None
    assert await month(bench, months[2], entry, None) is None
    assert await month(bench, months[3], entry) is None


async def test_what_expired_and_was_collected_at_the_second_try_is_collected(bench: Bench) -> None:
    entry = Entry(await a_person(bench), a_line())
    months = [plus_months(PERIOD, n) for n in range(4)]
    for period in months[:2]:
        await month(bench, period, entry)
    await month(bench, months[2], entry)
    await pay(bench, months[2], PAYER)
    mail = await bench.mail(Provider.POST)
    answers = [
        bench.an_answer(Provider.POST, batch_id, line, LineStatus.PAID)
        for batch_id, (manifest, lines) in mail.items()
        if manifest.periods == (months[2],)
        for line in lines
    ][-1:]
    await bench.answer(*answers)
    assert await month(bench, months[3], entry) is None


# --- two payers ---------------------------------------------------------------------------------------------------------------

DISABLED: dict[str, Any] = {"benefit_code": "BT-6a", "coefficient_hundredths": 200, "monthly_vnd": 720_000}


@pytest.mark.parametrize("order", [(PAYER, OTHER), (OTHER, PAYER)])
async def test_benefits_that_exclude_each_other_are_paid_once_over_two_payers(bench: Bench, order: tuple[str, str]) -> None:
    """The one worth more, whoever builds first; benefits of another law are paid beside it."""
    who = await a_person(bench)
    await closed(bench, PERIOD, PAYER, Entry(who, a_line()), Entry(who, a_merit_line()))
    await closed(bench, PERIOD, OTHER, Entry(who, a_line(**DISABLED)))
    for payer in order:
        await pay(bench, PERIOD, payer)
    for payer in order:
        assert (await step(bench, PERIOD, payer, "build"))["batches"] == []
    lines = {(line["payer"], line["programme"]): line["held"] for line in (await bench.trace(who.beneficiary_id))["lines"]}
    assert lines == {
        (PAYER, Programme.SOCIAL_ASSISTANCE): HeldReason.PAID_ELSEWHERE, (PAYER, Programme.MERIT): None,
        (OTHER, Programme.SOCIAL_ASSISTANCE): None,
    }  # fmt: skip


async def test_what_was_paid_before_the_other_list_came_stays_paid(bench: Bench) -> None:
    who = await a_person(bench)
    await closed(bench, PERIOD, PAYER, Entry(who, a_line()))
    await pay(bench, PERIOD, PAYER)
    await closed(bench, PERIOD, OTHER, Entry(who, a_line(**DISABLED)))
    await pay(bench, PERIOD, OTHER)
    assert await held(bench, who.beneficiary_id) == {f"{PERIOD} {PAYER}": None, f"{PERIOD} {OTHER}": HeldReason.PAID_ELSEWHERE}


async def test_when_one_payment_dies_the_other_payer_may_pay(bench: Bench) -> None:
    who = await a_person(bench)
    await closed(bench, PERIOD, PAYER, Entry(who, a_line()))
    await pay(bench, PERIOD, PAYER)
    await closed(bench, PERIOD, OTHER, Entry(who, a_line(**DISABLED)))
    await pay(bench, PERIOD, OTHER)
    await the_post_says(bench, LineStatus.RETURNED, PERIOD)
    await pay(bench, PERIOD, OTHER)
    await pay(bench, PERIOD, PAYER)
    assert await held(bench, who.beneficiary_id) == {f"{PERIOD} {PAYER}": HeldReason.PAID_ELSEWHERE, f"{PERIOD} {OTHER}": None}


async def test_two_payers_that_build_at_once_pay_once(bench: Bench) -> None:
    people = [await a_person(bench) for _ in range(20)]
    for payer in (PAYER, OTHER):
        await closed(bench, PERIOD, payer, *(Entry(who, a_line()) for who in people))
    await asyncio.gather(*(step(bench, PERIOD, payer, "build") for payer in (PAYER, OTHER)))
    async with bench.database.session() as session:
        rows = await session.fetch("SELECT beneficiary_id FROM instruction")
    assert len(rows) == len({row["beneficiary_id"] for row in rows}) == len(people)


async def test_the_database_refuses_the_same_benefit_from_two_payers(bench: Bench) -> None:
    """Also from a build that never looked at the other list."""
    who = await a_person(bench)
    for payer in (PAYER, OTHER):
        await closed(bench, PERIOD, payer, Entry(who, a_line()))
    assert len((await step(bench, PERIOD, PAYER, "build"))["batches"]) == 1
    insert = """
        WITH one AS (INSERT INTO batch (batch_id, period, payer, provider, round, count, vnd, sha256, execution_date)
                     SELECT gen_random_uuid(), period, 'xa-18502', provider, 1, count, vnd, repeat('0', 64), execution_date FROM batch
                     RETURNING batch_id)
        INSERT INTO instruction (instruction_id, batch_id, beneficiary_id, part, attempt, provider, channel, area, vnd, end_to_end_id)
        SELECT gen_random_uuid(), one.batch_id, i.beneficiary_id, 1, 1, i.provider, i.channel, i.area, i.vnd, 'ABCDEFGH234567AB'
          FROM instruction i, one"""
    share = """INSERT INTO instruction_line (instruction_id, entitlement_id, piece, vnd)
               SELECT i.instruction_id, l.entitlement_id, 1, i.vnd FROM instruction i JOIN batch b USING (batch_id), line l
                WHERE b.payer = 'xa-18502' AND l.payer = 'xa-18502'"""
    async with bench.database.session() as session, session.transaction():
        await session.execute(insert)
        with pytest.raises(asyncpg.CheckViolationError, match="one payer pays a benefit of a month"):
            await session.execute(share)


# --- gifts --------------------------------------------------------------------------------------------------------------------

OLD: dict[str, Any] = {"benefit_code": "BT-6d", "coefficient_hundredths": 200, "monthly_vnd": 1_000_000}
GIFT: dict[str, Any] = {"coefficient_hundredths": None, "monthly_vnd": 0, "one_off_vnd": 400_000}


async def test_a_gift_rides_on_the_list_and_is_given_once(bench: Bench) -> None:
    """Tết 2026: one transfer with the month's benefit, once whatever group and whichever of its months; another sum is held."""
    who, wrong = await a_person(bench, account=an_account()), await a_person(bench)
    assistance, merit = (
        a_line(benefit_code="TET-2026-BT", **GIFT),
        a_line(benefit_code="TET-2026-NCC", programme=Programme.MERIT, **GIFT),
    )
    wrong_gift = a_line(benefit_code="TET-2026-BT", **(GIFT | {"one_off_vnd": 500_000}))
    december = await closed(
        bench, "2025-12", PAYER,
        Entry(who, a_line(**OLD)), Entry(who, assistance), Entry(who, merit), Entry(wrong, a_line(**OLD)), Entry(wrong, wrong_gift),
    )  # fmt: skip
    await pay(bench, "2025-12", PAYER)
    [(_manifest, [transfer])] = (await bench.mail(Provider.BANK_A)).values()
    assert transfer.amount_vnd == 1_400_000
    trace = {line["entitlement_id"]: line["held"] for line in (await bench.trace(who.beneficiary_id))["lines"]}
    gifts = sorted(str(trace[str(line.entitlement_id)]) for line in december[1:3])
    assert gifts == ["AMOUNT_DIFFERS", "None"], "in two groups, and given once"
    page = (await bench.client.get(f"/v1/payrolls/2025-12/{PAYER}")).json()
    assert page["held"] == {HeldReason.AMOUNT_DIFFERS: {"count": 2, "vnd": 900_000}}
    assert sum(page["ledger"].values()) == 0
    found = await differences(bench, "2025-12")
    told = {reason["reason"] for line in found["lines"] for reason in line["differences"]}
    assert told == {"HIGHER_PAID", "GIFT_DIFFERS"}
    assert found["without_rule"] == {}

    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.PAID))
    await closed(bench, "2026-01", PAYER, Entry(who, a_line(**OLD)), Entry(who, assistance))
    await pay(bench, "2026-01", PAYER)
    january = {line["programme"] + str(line["declared_vnd"]): line["held"] for line in (await bench.trace(who.beneficiary_id))["lines"]
               if line["period"] == "2026-01"}  # fmt: skip
    assert january == {"social_assistance1000000": None, "social_assistance400000": HeldReason.PAID_ELSEWHERE}


async def test_the_database_refuses_a_gift_in_two_months(bench: Bench) -> None:
    who = await a_person(bench)
    gift = a_line(benefit_code="TET-2026-BT", **GIFT)
    for period in ("2025-12", "2026-01"):
        await closed(bench, period, PAYER, Entry(who, gift))
    assert len((await step(bench, "2025-12", PAYER, "build"))["batches"]) == 1
    await given_twice(bench)


async def given_twice(bench: Bench) -> None:
    """The line of January is put into a payment although that of December is in one."""
    insert = """
        WITH one AS (INSERT INTO batch (batch_id, period, payer, provider, round, count, vnd, sha256, execution_date)
                     SELECT gen_random_uuid(), '2026-01', payer, provider, 1, count, vnd, repeat('0', 64), execution_date FROM batch
                     RETURNING batch_id)
        INSERT INTO instruction (instruction_id, batch_id, beneficiary_id, part, attempt, provider, channel, area, vnd, end_to_end_id)
        SELECT gen_random_uuid(), one.batch_id, i.beneficiary_id, 1, 1, i.provider, i.channel, i.area, i.vnd, 'ABCDEFGH234567AB'
          FROM instruction i, one"""
    share = """INSERT INTO instruction_line (instruction_id, entitlement_id, piece, vnd)
               SELECT i.instruction_id, l.entitlement_id, 1, i.vnd FROM instruction i JOIN batch b USING (batch_id), line l
                WHERE b.period = '2026-01' AND l.period = '2026-01'"""
    async with bench.database.session() as session, session.transaction():
        await session.execute(insert)
        with pytest.raises(asyncpg.CheckViolationError, match="a gift is given once"):
            await session.execute(share)


# --- on a death ---------------------------------------------------------------------------------------------------------------

FUNERAL: dict[str, Any] = {"benefit_code": "MT-BT", "coefficient_hundredths": None, "monthly_vnd": 0, "one_off_vnd": 7_200_000}


async def dead(bench: Bench, who: BeneficiarySnapshot, on: date) -> BeneficiarySnapshot:
    """Registry and register say so."""
    snapshot = bench.snapshot(who.beneficiary_id, life=Life.DEAD, died_on=on)
    await bench.see(snapshot)
    await bench.verify(bench.result(snapshot, Outcome.DEAD, died_on=on))
    return snapshot


async def test_funeral_money_and_what_was_owed_go_to_the_family_by_post_and_a_later_month_does_not(bench: Bench) -> None:
    """Died in February, told before March was built: of three lines of March two are paid."""
    who = await a_person(bench, account=an_account())
    await closed(bench, PERIOD, PAYER, Entry(who, a_line()))
    await pay(bench, PERIOD, PAYER)
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.PAID))
    gone = await dead(bench, who, date(2024, 2, 20))
    owed = a_line(monthly_vnd=0, arrears=Arrears(periods=("2024-01",), vnd=360_000))
    await closed(bench, "2024-03", PAYER, Entry(gone, a_merit_line()), Entry(gone, a_line(**FUNERAL)), Entry(gone, owed))
    await pay(bench, "2024-03", PAYER)
    page = (await bench.client.get(f"/v1/payrolls/2024-03/{PAYER}")).json()
    assert page["held"] == {HeldReason.DEAD: {"count": 1, "vnd": a_merit_line().declared_vnd}}
    [(_manifest, [transfer])] = (await bench.mail(Provider.POST)).values()
    assert (transfer.amount_vnd, transfer.channel, transfer.remark) == (
        7_560_000,
        Channel.COUNTER,
        "AN SINH 202403 GIA DINH NHAN",
    )
    assert [line.remark for _manifest, lines in (await bench.mail(Provider.BANK_A)).values() for line in lines] == [
        "AN SINH 202402"
    ]
    await the_post_says(bench, LineStatus.PAID, "2024-03")
    await RecoveryDesk(bench.database, bench.clock).look()
    assert (await bench.client.get("/v1/recoveries")).json()["recoveries"] == [], "nothing of it is claimed back"

    await closed(bench, "2024-04", PAYER, Entry(gone, a_line(**FUNERAL)))
    await pay(bench, "2024-04", PAYER)
    assert (await held(bench, who.beneficiary_id))[f"2024-04 {PAYER}"] == HeldReason.PAID_ELSEWHERE, "funeral money is paid once"


async def test_funeral_money_is_that_of_the_month_of_death_and_nobodys_while_no_death_is_known(bench: Bench) -> None:
    at_old_rate, at_new_rate, alive = [await a_person(bench) for _ in range(3)]
    old, new = await dead(bench, at_old_rate, date(2024, 6, 30)), await dead(bench, at_new_rate, date(2024, 7, 1))
    await closed(bench, "2024-08", PAYER, *(Entry(one, a_line(**FUNERAL)) for one in (old, new, alive)))
    await pay(bench, "2024-08", PAYER)
    found = [(await held(bench, one.beneficiary_id))[f"2024-08 {PAYER}"] for one in (old, new, alive)]
    assert found == [None, HeldReason.AMOUNT_DIFFERS, HeldReason.NOT_OWED]
    shown = (await differences(bench, "2024-08"))["lines"]
    [differs] = [line["differences"] for line in shown if line["held"] == "AMOUNT_DIFFERS"]
    told = {(one["reason"], one["owed_vnd"], one["rule"]) for one in differs}
    assert told == {("ON_DEATH_DIFFERS", 10_000_000, "FUNERAL:BT@2021-07*assistance@2024-07")}


async def test_a_death_that_was_taken_back_before_the_release_pays_nothing(bench: Bench) -> None:
    who = await a_person(bench)
    gone = await dead(bench, who, date(2024, 1, 20))
    await closed(bench, PERIOD, PAYER, Entry(gone, a_line(**FUNERAL)))
    for act in ("build", "check", "approve"):
        await step(bench, PERIOD, PAYER, act)
    await dead(bench, who, date(2024, 3, 20))  # the day was wrong: it is after the month of the list
    await step(bench, PERIOD, PAYER, "release")
    page = await bench.page()
    assert [(batch["state"], batch["sent_count"]) for batch in page["batches"]] == [("settled", 0)]


async def test_who_was_called_dead_by_mistake_is_paid_by_the_next_build_and_the_funeral_is_not(bench: Bench) -> None:
    who = await a_person(bench)
    await dead(bench, who, date(2024, 1, 20))
    await closed(bench, PERIOD, PAYER, Entry(who, a_line()), Entry(who, a_line(**FUNERAL)))
    alive = bench.snapshot(who.beneficiary_id)
    await bench.see(alive)
    await bench.verify(bench.result(alive))
    await pay(bench, PERIOD, PAYER)
    lines = {line["declared_vnd"]: line["held"] for line in (await bench.trace(who.beneficiary_id))["lines"]}
    assert lines == {360_000: None, 7_200_000: HeldReason.NOT_OWED}


async def test_the_database_refuses_funeral_money_twice_whatever_law_it_is_listed_under(bench: Bench) -> None:
    gone = await dead(bench, await a_person(bench), date(2024, 1, 20))
    merit = a_line(**(FUNERAL | {"benefit_code": "MT-NCC", "programme": Programme.MERIT}))
    for period, line in (("2025-12", a_line(**FUNERAL)), ("2026-01", merit)):
        await closed(bench, period, PAYER, Entry(gone, line))
    assert len((await step(bench, "2025-12", PAYER, "build"))["batches"]) == 1
    await given_twice(bench)


# --- carried over -------------------------------------------------------------------------------------------------------------


async def finish(bench: Bench, period: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {bench.issuer.token('chief', (Role.APPROVER,))}"}
    answer = await bench.client.post(f"/v1/payrolls/{period}/{PAYER}/finish", headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_unpaid_of_an_earlier_month_is_paid_when_that_month_is_finished_and_once(bench: Bench) -> None:
    """While February can still be paid by its own list, March must not pay it too; and April not what March paid."""
    february, march, april = (plus_months(PERIOD, n) for n in range(3))
    who = await a_person(bench)
    assert await month(bench, february, Entry(who, a_line())) is None
    with_unpaid = Entry(who, a_line(unpaid=Arrears(periods=(february,), vnd=360_000)))
    assert await month(bench, march, with_unpaid, None) == HeldReason.AMOUNT_DIFFERS
    [line] = (await differences(bench, march))["lines"]
    [told] = [one for one in line["differences"] if one["reason"] == "NOT_CARRIED"]
    assert (told["declared_vnd"], told["owed_vnd"]) == (360_000, 0)
    assert (await finish(bench, february))["vnd"] == 360_000
    await pay(bench, march, PAYER)
    assert (await held(bench, who.beneficiary_id))[f"{march} {PAYER}"] is None
    assert await month(bench, april, with_unpaid, None) == HeldReason.AMOUNT_DIFFERS


async def test_more_than_was_left_over_is_held_and_what_we_never_held_counts_as_declared(bench: Bench) -> None:
    february, march = PERIOD, plus_months(PERIOD, 1)
    one, other = await a_person(bench), await a_person(bench)
    assert await month(bench, february, Entry(one, a_line())) is None
    await finish(bench, february)
    more = a_line(unpaid=Arrears(periods=(february,), vnd=360_001))
    old = a_line(unpaid=Arrears(periods=("2023-11",), vnd=360_000))
    await closed(bench, march, PAYER, Entry(one, more), Entry(other, old))
    await pay(bench, march, PAYER)
    assert (await held(bench, one.beneficiary_id))[f"{march} {PAYER}"] == HeldReason.AMOUNT_DIFFERS
    assert await held(bench, other.beneficiary_id) == {f"{march} {PAYER}": None}
