"""Two closed months of a payer paid in one go: one payment a person, every line and dong of its own month."""

from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ansinh.audit_books import Place
from ansinh.audit_prove import prove
from services.payout import store, store_building
from services.payout.recovering import RecoveryDesk
from shared.events import Arrears, AuditRecord, BeneficiarySnapshot, PaymentState
from shared.events import Entry as Told
from shared.topics import Provider
from shared.words import CancelOutcome, HeldReason, Life, LineStatus, Outcome, Programme, Role
from tests.integration.payout.joined_world import (
    APRIL,
    BOTH,
    JUNE,
    MAY,
    MERIT,
    ONE,
    answers,
    command,
    export,
    join,
    joined,
    page,
    rows,
    settlement,
    sums,
    whose,
)  # fmt: skip
from tests.integration.payout.months_world import Entry, a_person, closed, held, pay, step
from tests.integration.payout.payout_bench import PAYER, Bench, a_line, a_merit_line, an_account
from tests.integration.payout.recall_bench import word

DRAWN = "SELECT period, sum(vnd)::bigint AS vnd FROM posting WHERE credit LIKE 'budget:%' GROUP BY period"


async def test_who_is_in_both_months_gets_one_payment(bench: Bench, tmp_path: Path) -> None:
    both, first = await a_person(bench, account=an_account()), await a_person(bench)
    second, stranger = await a_person(bench, area="18502"), bench.snapshot()
    await bench.see(stranger)
    await bench.verify(bench.result(stranger, Outcome.NOT_FOUND))
    april = await closed(bench, APRIL, PAYER, Entry(both, a_line()), Entry(first, a_line()), Entry(stranger, a_line()))
    may = await closed(bench, MAY, PAYER, Entry(both, a_line()), Entry(both, a_merit_line()), Entry(second, a_line()))
    await joined(bench)
    assert (await join(bench)).json()["joined_now"] is False, "joining again changes nothing"
    await pay(bench, APRIL, PAYER)

    ((manifest, lines),) = (await bench.mail(Provider.BANK_A)).values()
    assert (manifest.periods, manifest.vnd) == ((APRIL, MAY), 2 * ONE + MERIT)
    assert [(line.amount_vnd, line.remark) for line in lines] == [(2 * ONE + MERIT, "AN SINH 202404 202405")]
    ((manifest, lines),) = (await bench.mail(Provider.POST)).values()
    assert manifest.periods == (APRIL, MAY)
    assert sorted(line.remark for line in lines) == ["AN SINH 202404", "AN SINH 202405"]
    assert await whose(bench, both.beneficiary_id) == [("sending", BOTH, 2 * ONE + MERIT)]
    assert await whose(bench, second.beneficiary_id) == [("sending", [MAY], ONE)]

    said = await answers(bench, Provider.BANK_A, LineStatus.PAID) + await answers(bench, Provider.POST, LineStatus.PAID)
    told = [state for state in await bench.told(PaymentState) if state.beneficiary_id == both.beneficiary_id]
    assert {(state.periods, state.state) for state in told} == {((APRIL, MAY), "sending"), ((APRIL, MAY), "paid")}
    shown = await page(bench)
    assert (shown["periods"], shown["lines"]["count"], shown["held"]) == (BOTH, 6, {"NOT_FOUND": {"count": 1, "vnd": ONE}})
    assert (shown["closing"]["count"], [one["count"] for one in shown["joined"]]) == (3, [3])
    assert sum(shown["ledger"].values()) == 0
    assert await page(bench, MAY) == shown, "May shows the payroll it is paid with"
    assert sums(await settlement(bench, APRIL)) == {
        "declared": 3 * ONE, "held": ONE, "payable": 2 * ONE, "sent": 2 * ONE, "paid_account": ONE, "paid_counter": ONE,
    }  # fmt: skip
    assert sums(await settlement(bench, MAY)) == {
        "declared": 2 * ONE + MERIT, "payable": 2 * ONE + MERIT, "sent": 2 * ONE + MERIT, "paid_account": ONE + MERIT, "paid_counter": ONE,
    }  # fmt: skip

    assert (await command(bench, "finish", Role.APPROVER)).json() == {"carried": 0, "vnd": 0}
    assert len(await rows(bench, "SELECT FROM payroll_closed")) == 2
    proof = prove(await export(bench, tmp_path / "audit", [april, may], said))
    assert proof.findings == []
    assert {
        (key[0], place): total[1] for key, places in proof.places.items() for place, total in places.items() if key[2] == "merit"
    } == {(MAY, Place.PAID): MERIT}


async def test_a_death_between_the_months_owes_the_first_and_not_the_second(bench: Bench) -> None:
    """Known before the build; and known only when the list has been approved: then it falls out whole, and April is paid after it."""
    early, late = await a_person(bench), await a_person(bench, account=an_account())
    alive = await a_person(bench)
    for month in BOTH:
        await closed(bench, month, PAYER, *(Entry(who, a_line()) for who in (early, late, alive)))
    await joined(bench)
    await dies(bench, early, date(2024, 4, 20))
    for act in ("build", "check", "approve"):
        await step(bench, APRIL, PAYER, act)
    assert await held(bench, early.beneficiary_id) == {f"{APRIL} {PAYER}": None, f"{MAY} {PAYER}": "DEAD"}
    await dies(bench, late, date(2024, 4, 21))
    assert (await step(bench, APRIL, PAYER, "release"))["dropped"] == 1
    assert await held(bench, late.beneficiary_id) == {f"{APRIL} {PAYER}": "NEXT_BUILD", f"{MAY} {PAYER}": "DEAD"}
    await waits_for_the_next_build(bench, ONE)
    await pay(bench, APRIL, PAYER)
    assert await whose(bench, early.beneficiary_id) == [("sending", [APRIL], ONE)]
    assert await whose(bench, late.beneficiary_id) == [("withdrawn", BOTH, 2 * ONE), ("sending", [APRIL], ONE)]
    assert await held(bench, late.beneficiary_id) == {f"{APRIL} {PAYER}": None, f"{MAY} {PAYER}": "DEAD"}
    assert {shown["channel"] for shown in (await bench.trace(late.beneficiary_id))["payments"]} == {"account", "counter"}
    for month, paid in ((APRIL, 3), (MAY, 1)):
        assert sums(await settlement(bench, month))["in_flight"] == paid * ONE


async def waits_for_the_next_build(bench: Bench, vnd: int, count: int = 1) -> None:
    """April is still owed to so many people, so much each: sheet, settlement and finishing say so."""
    (row,) = (await bench.client.get(f"/v1/periods/{APRIL}/go-no-go")).json()["payers"]
    assert (row["go"], row["checked"], row["to_build"]) == (False, False, count)
    assert row["todo"] == f"Lập đợt chi tiếp theo: {count} dòng vẫn được hưởng của khoản chi đã rút."
    total = await settlement(bench, APRIL)
    assert total["held_by_reason"]["NEXT_BUILD"] == {"count": count, "vnd": count * vnd}
    page_of = (await bench.client.get(f"/v1/settlements/{APRIL}/{PAYER}.html")).text
    assert "Lập đợt chi tiếp theo của kỳ này" in page_of
    assert (await command(bench, "finish", Role.APPROVER)).json()["code"] == "NOT_FINISHED"


async def test_two_people_withdraw_one_month_and_the_other_is_paid_by_the_next_round(bench: Bench) -> None:
    who, other = await a_person(bench), await a_person(bench)
    for month in BOTH:
        await closed(bench, month, PAYER, Entry(who, a_line()), Entry(other, a_line()))
    await joined(bench)
    for act in ("build", "check", "approve"):
        await step(bench, APRIL, PAYER, act)
    body = {"beneficiary_ids": [str(who.beneficiary_id)], "reason": "LATE_DEATH"}
    assert (await command(bench, "withdraw", Role.CHECKER, json=body | {"periods": [JUNE]})).json()["code"] == "NOT_ON_A_LIST"
    proposed = (await command(bench, "withdraw", Role.CHECKER, json=body | {"periods": [MAY]})).json()
    assert proposed["vnd"] == 2 * ONE, "the payment leaves whole"
    signed = await command(
        bench, "confirm-withdrawal", Role.APPROVER, sha256=proposed["sha256"], json={"sha256": proposed["sha256"]}
    )
    assert signed.json()["count"] == 1, signed.text
    assert [(one["periods"], one["count"]) for one in (await page(bench))["withdrawals"]] == [([MAY], 1)]
    await step(bench, APRIL, PAYER, "release")
    await waits_for_the_next_build(bench, ONE)
    await answers(bench, Provider.POST, LineStatus.PAID)
    finished = "INSERT INTO payroll_closed SELECT period, payer, 'a', now(), 't' FROM payroll"
    async with bench.database.session() as session:
        with pytest.raises(asyncpg.CheckViolationError, match="nothing owed waits for a build"):
            await session.execute(finished)
    await pay(bench, APRIL, PAYER)
    assert await whose(bench, who.beneficiary_id) == [("withdrawn", BOTH, 2 * ONE), ("sending", [APRIL], ONE)]
    assert await held(bench, who.beneficiary_id) == {f"{APRIL} {PAYER}": None, f"{MAY} {PAYER}": "WITHDRAWN"}
    for answer in await bench.answers_to(Provider.POST, LineStatus.PAID):
        await bench.answer(answer)
    assert (await command(bench, "finish", Role.APPROVER)).json() == {"carried": 0, "vnd": 0}


async def dies(bench: Bench, who: BeneficiarySnapshot, on: date) -> None:
    """The register and registry know it."""
    dead = bench.snapshot(who.beneficiary_id, an_account() if who.account_digest else None, life=Life.DEAD, died_on=on)
    await bench.see(dead)
    await bench.verify(bench.result(dead, Outcome.DEAD, died_on=on))


async def test_what_a_bank_rejects_goes_to_the_post_and_what_nobody_collects_is_carried_month_by_month(
    bench: Bench, tmp_path: Path
) -> None:
    rejected, never = await a_person(bench, account=an_account(bank_bin="970436")), await a_person(bench)
    lists = [await closed(bench, month, PAYER, Entry(rejected, a_line()), Entry(never, a_line())) for month in BOTH]
    await joined(bench)
    await pay(bench, APRIL, PAYER)
    said = await answers(bench, Provider.BANK_B, LineStatus.REJECTED, reason="AC04")
    said += await answers(bench, Provider.POST, LineStatus.RETURNED, reason="NOAS")
    heard = {one.end_to_end_id for one in said}
    assert (await page(bench))["lines"]["undecided_vnd"] == 4 * ONE
    assert sums(await settlement(bench, MAY)) == {
        "declared": 2 * ONE, "payable": 2 * ONE, "sent": 2 * ONE, "rejected": ONE, "expired": ONE, "back": 2 * ONE,
    }  # fmt: skip
    await pay(bench, APRIL, PAYER)
    ours = {one["end_to_end_id"] for one in (await bench.trace(rejected.beneficiary_id))["payments"]}
    second = [
        one if one.end_to_end_id in ours else one.model_copy(update={"status": LineStatus.RETURNED, "reason": "NOAS"})
        for one in await bench.answers_to(Provider.POST, LineStatus.PAID)
        if one.end_to_end_id not in heard
    ]
    await bench.answer(*second)
    assert await whose(bench, rejected.beneficiary_id) == [("rejected", BOTH, 2 * ONE), ("collected", BOTH, 2 * ONE)]
    finished = await command(bench, "finish", Role.APPROVER)
    assert finished.json() == {"carried": 2, "vnd": 2 * ONE}, finished.text
    for month in BOTH:
        total = await settlement(bench, month)
        assert (sums(total)["carried"], sums(total)["paid_counter"]) == (ONE, ONE)
    drawn = {row["period"]: row["vnd"] for row in await rows(bench, DRAWN)}
    assert drawn == {APRIL: 4 * ONE, MAY: 4 * ONE}, "each month's budget paid its own two lines, twice"
    proof = prove(await export(bench, tmp_path / "audit", lists, [*said, *second]))
    assert proof.findings == []
    assert {(key[0], str(place)): total for key, places in proof.places.items() for place, total in places.items()} == {
        (APRIL, "paid"): [1, ONE], (APRIL, "returned"): [1, ONE], (MAY, "paid"): [1, ONE], (MAY, "returned"): [1, ONE],
    }  # fmt: skip
    await closed(bench, JUNE, PAYER, Entry(never, a_line(unpaid=Arrears(periods=(APRIL, MAY), vnd=2 * ONE))))
    await pay(bench, JUNE, PAYER)
    assert (await whose(bench, never.beneficiary_id))[-1] == ("sending", [JUNE], 3 * ONE)


async def a_budget(bench: Bench, period: str, **programmes: int) -> None:
    """Written by one person and confirmed by another."""
    month = f"/v1/periods/{period}"
    maker = {"Authorization": f"Bearer {bench.issuer.token('writes', (Role.MAKER,))}"}
    opener = {"Authorization": f"Bearer {bench.issuer.token('opens', (Role.APPROVER,))}"}
    await bench.client.post(f"{month}/open", headers=opener)
    written = await bench.client.post(f"{month}/{PAYER}/budget", headers=maker, json={"programmes": programmes})
    sha256 = written.json()["sha256"]
    signer = {"Authorization": f"Bearer {bench.issuer.token('signs', (Role.APPROVER,), sha256=sha256)}"}
    answer = await bench.client.post(f"{month}/{PAYER}/confirm-budget", headers=signer, json={"sha256": sha256})
    assert answer.status_code == 200, answer.text


async def test_nothing_leaves_above_the_budget_of_either_month(bench: Bench) -> None:
    one, two = await a_person(bench), await a_person(bench)
    await closed(bench, APRIL, PAYER, Entry(one, a_line()))
    await closed(bench, MAY, PAYER, Entry(one, a_line()), Entry(two, a_line()))
    await joined(bench)
    await a_budget(bench, APRIL, social_assistance=10 * ONE)
    await a_budget(bench, MAY, social_assistance=2 * ONE - 1)
    for act in ("build", "check", "approve"):
        await step(bench, APRIL, PAYER, act)
    life = (await bench.client.get(f"/v1/payrolls/{APRIL}/{PAYER}/life")).json()
    assert [(row["period"], row["waiting_vnd"]) for row in life["budgets"]] == [(APRIL, ONE), (MAY, 2 * ONE)]
    assert ((await bench.client.get(f"/v1/payrolls/{MAY}/{PAYER}/life")).json())["paid_with"] == APRIL
    for month in BOTH:
        sheet = (await bench.client.get(f"/v1/periods/{month}/go-no-go")).json()
        assert [(row["payer"], row["budget"], row["totals"], row["approved"]) for row in sheet["payers"]] == [
            (PAYER, False, True, True)
        ]
    shown = await page(bench)
    refused = await command(bench, "release", Role.RELEASER, sha256=shown["to_sign"]["release"])
    assert (refused.status_code, refused.json()["code"]) == (409, "BUDGET_EXCEEDED")
    await a_budget(bench, MAY, social_assistance=2 * ONE)
    await step(bench, APRIL, PAYER, "release")
    used = await rows(bench, "SELECT period, used_vnd FROM budget_use ORDER BY period")
    assert [tuple(row) for row in used] == [(APRIL, ONE), (MAY, 2 * ONE)]
    low = (await bench.client.get(f"/v1/periods/{MAY}/go-no-go")).json()
    assert [row["budget"] for row in low["payers"]] == [True]


async def test_why_a_month_does_not_join(bench: Bench) -> None:
    who = await a_person(bench)

    async def said(period: str, month: str) -> str:
        return str((await join(bench, period, month)).json().get("code", "joined"))

    await closed(bench, APRIL, PAYER, Entry(who, a_line()))
    assert await said(APRIL, MAY) == await said(MAY, APRIL) == "NOT_CLOSED"
    await closed(bench, MAY, PAYER, Entry(who, a_line()))
    await closed(bench, JUNE, PAYER, Entry(who, a_line()))
    assert await said(APRIL, APRIL) == "MONTH_LEADS"
    assert await said(APRIL, MAY) == "joined"
    assert await said(MAY, JUNE) == await said(JUNE, MAY) == "MONTH_JOINED"
    assert await said(JUNE, APRIL) == "MONTH_LEADS"
    for act, role in (
        ("build", Role.MAKER),
        ("preview", Role.MAKER),
        ("finish", Role.APPROVER),
        ("expire-answers", Role.OPERATOR),
    ):
        answer = await command(bench, act, role, MAY)
        assert (answer.status_code, answer.json()["code"]) == (409, "MONTH_JOINED"), act
    signed = await command(bench, "release", Role.RELEASER, MAY, sha256="0" * 64)
    assert signed.json()["code"] == "MONTH_JOINED"
    await step(bench, APRIL, PAYER, "build")
    assert await said(APRIL, JUNE) == "ALREADY_BUILT"
    headers = {"Authorization": f"Bearer {bench.issuer.token('the-maker', (Role.MAKER,))}"}
    wrong = await bench.client.post(f"/v1/payrolls/{JUNE}/{PAYER}/join", headers=headers, json={"period": MAY})
    assert wrong.status_code == 403


async def part(bench: Bench, period: str = APRIL, month: str = MAY, role: Role = Role.APPROVER, **headers: str) -> Any:
    """An approver takes a join back."""
    headers["Authorization"] = f"Bearer {bench.issuer.token(f'the-{role}', (role,))}"
    return await bench.client.post(f"/v1/payrolls/{period}/{PAYER}/unjoin", headers=headers, json={"period": month})


async def test_a_join_is_taken_back_before_the_build_and_each_month_is_paid_by_itself(bench: Bench, tmp_path: Path) -> None:
    who = await a_person(bench)
    lists = [await closed(bench, month, PAYER, Entry(who, a_line())) for month in BOTH]
    assert (await part(bench)).json()["code"] == "NOT_JOINED"
    assert (await part(bench, JUNE)).json()["code"] == "NOT_CLOSED"
    await joined(bench)
    assert (await part(bench, MAY, APRIL)).json()["code"] == "NOT_JOINED"
    assert (await part(bench, role=Role.MAKER)).status_code == 403
    once = {"Idempotency-Key": "part-april-and-may"}
    for _again in range(2):
        answer = await part(bench, **once)
        assert (answer.status_code, answer.json()["parted"]) == (200, MAY), answer.text
    assert (await page(bench))["periods"] == [APRIL]
    assert [tuple(row) for row in await rows(bench, "SELECT period, joined, ended_by FROM payroll_join_ended")] == [
        (APRIL, MAY, "the-approver")
    ]
    await joined(bench)
    assert (await part(bench)).status_code == 200
    audit = [record.act for record in await bench.told(AuditRecord) if "join" in record.act]
    assert audit == ["payroll_join", "payroll_unjoin"] * 2
    for month in BOTH:
        await pay(bench, month, PAYER)
    assert await whose(bench, who.beneficiary_id) == [("sending", [APRIL], ONE), ("sending", [MAY], ONE)]
    assert (await join(bench)).json()["code"] == "ALREADY_BUILT"
    told = [fact for fact in await bench.told(Told) if fact.fact in ("joined", "parted")]
    assert [(fact.fact, fact.period, fact.month) for fact in told] == [("joined", APRIL, MAY), ("parted", APRIL, MAY)] * 2
    said = await answers(bench, Provider.POST, LineStatus.PAID)
    proof = prove(await export(bench, tmp_path / "audit", lists, said))
    assert proof.findings == []
    assert {(key[0], str(place)) for key, places in proof.places.items() for place in places} == {(APRIL, "paid"), (MAY, "paid")}


async def test_a_join_stays_once_something_was_built(bench: Bench) -> None:
    who = await a_person(bench)
    for month in BOTH:
        await closed(bench, month, PAYER, Entry(who, a_line()))
    await joined(bench)
    await step(bench, APRIL, PAYER, "build")
    for act in ("check", "approve", "release"):
        assert (await part(bench)).json()["code"] == "ALREADY_BUILT"
        await step(bench, APRIL, PAYER, act)
    assert (await part(bench)).json()["code"] == "ALREADY_BUILT"


async def test_a_month_that_is_not_whole_holds_back_the_payroll(bench: Bench) -> None:
    who = await a_person(bench)
    await closed(bench, APRIL, PAYER, Entry(who, a_line()))
    await closed(bench, MAY, PAYER, Entry(who, a_line()))
    await joined(bench)
    async with bench.database.session() as session:
        await session.execute("SET session_replication_role = replica")
        await session.execute("UPDATE closing SET vnd = vnd + 1 WHERE period = $1", MAY)
        await session.execute("SET session_replication_role = origin")
    answer = await command(bench, "build", Role.MAKER)
    assert (answer.status_code, answer.json()["code"]) == (409, "TOTALS_DIFFER")
    sheet = (await bench.client.get(f"/v1/periods/{APRIL}/go-no-go")).json()
    assert [row["totals"] for row in sheet["payers"]] == [False]


async def test_differences_are_those_of_all_months_whichever_is_asked_for(bench: Bench) -> None:
    one, two = await a_person(bench), await a_person(bench)
    unruled = a_merit_line(benefit_code="NCC-TB-21", monthly_vnd=1_384_000)
    await closed(bench, APRIL, PAYER, Entry(one, a_line(monthly_vnd=1)), Entry(two, unruled))
    await closed(bench, MAY, PAYER, Entry(one, a_line(monthly_vnd=2)), Entry(two, unruled))
    await joined(bench)
    await step(bench, APRIL, PAYER, "build")
    for month in BOTH:
        shown = (await bench.client.get(f"/v1/payrolls/{month}/{PAYER}/differences")).json()
        assert (shown["period"], shown["periods"], shown["without_rule"]) == (APRIL, BOTH, {"NCC-TB-21": 2})
        assert [(line["period"], line["differences"][0]["declared_vnd"]) for line in shown["lines"]] == [(APRIL, 1), (MAY, 2)]


async def test_preview_compares_every_month_with_the_one_before(bench: Bench) -> None:
    both, first = await a_person(bench), await a_person(bench)
    await closed(bench, APRIL, PAYER, Entry(both, a_line()), Entry(first, a_line()))
    await closed(bench, MAY, PAYER, Entry(both, a_line()))
    await joined(bench)
    shown = (await command(bench, "preview", Role.MAKER)).json()
    assert (shown["periods"], shown["lists"]) == (BOTH, [{"provider": "post", "count": 2, "vnd": 3 * ONE}])
    told = [(row["period"], row["beneficiary_id"], row["kind"], row["why"]) for row in shown["differences"]]
    assert sorted(told) == sorted(
        [(APRIL, str(who.beneficiary_id), "new", "first_on_list") for who in (both, first)]
        + [(MAY, str(first.beneficiary_id), "ended", "not_on_list")]
    )
    assert (await page(bench))["batches"] == []


@pytest.mark.parametrize("at_once", [2, 3, 2_000])
async def test_months_are_laid_side_by_side_person_by_person_however_they_are_read(bench: Bench, at_once: int) -> None:
    """People in all months, in one, with two benefits in one of them: each comes once, whole, month by month; nobody's line is lost."""
    people = [await a_person(bench) for _ in range(9)]
    lists = [
        await closed(
            bench, month, PAYER,
            *(Entry(who, a_line()) for place, who in enumerate(people) if place % 4 != number),
            *(Entry(who, a_merit_line()) for place, who in enumerate(people) if place % 3 == number),
        )
        for number, month in enumerate((APRIL, MAY, JUNE))
    ]  # fmt: skip
    for month in (MAY, JUNE):
        assert (await join(bench, APRIL, month)).status_code == 200
    found: list[Any] = []
    async with bench.database.reading() as tx:
        payroll = await store.payroll(tx, APRIL, PAYER)
        assert payroll is not None
        async for rows_of_people in store_building.of_several_months(tx, payroll, at_once):
            found.append([(row["beneficiary_id"], row["period"], row["entitlement_id"]) for row in rows_of_people])
    every = [one for page_of in found for one in page_of]
    assert every == sorted(every)
    assert sorted(line for _who, _month, line in every) == sorted(line.entitlement_id for lines in lists for line in lines)
    groups = [{who for who, _month, _line in page_of} for page_of in found]
    assert sum(len(group) for group in groups) == len(set().union(*groups)), "all lines of a person come together"
    await pay(bench, APRIL, PAYER)
    assert sum([vnd for who in people for _state, _months, vnd in await whose(bench, who.beneficiary_id)]) == sum(
        line.declared_vnd for lines in lists for line in lines
    )


async def test_another_payer_that_pays_a_joined_month_is_seen(bench: Bench) -> None:
    """The person is the other payer's, and both list them in May: April is paid here, May there, whoever builds first."""
    who = await a_person(bench, payer="xa-there")
    await closed(bench, APRIL, PAYER, Entry(who, a_line()))
    await closed(bench, MAY, PAYER, Entry(who, a_line()))
    await closed(bench, MAY, "xa-there", Entry(who, a_line()))
    await joined(bench)
    await pay(bench, APRIL, PAYER)
    await pay(bench, MAY, "xa-there")
    assert await held(bench, who.beneficiary_id) == {
        f"{APRIL} {PAYER}": None, f"{MAY} {PAYER}": "PAID_ELSEWHERE", f"{MAY} xa-there": None,
    }  # fmt: skip
    claims = await rows(bench, "SELECT what, who FROM paid_by WHERE beneficiary_id = $1 ORDER BY what", who.beneficiary_id)
    assert [tuple(row) for row in claims] == [(APRIL, PAYER), (MAY, "xa-there")]


async def test_a_gift_on_both_lists_is_given_with_the_earlier(bench: Bench) -> None:
    who, months = await a_person(bench), ("2025-12", "2026-01")
    gift = a_line(
        benefit_code="TET-2026-NCC", programme=Programme.MERIT, coefficient_hundredths=None, monthly_vnd=0, one_off_vnd=400_000
    )
    merit = a_merit_line(monthly_vnd=2_789_000)
    for month in months:
        await closed(bench, month, PAYER, Entry(who, merit), Entry(who, gift))
    assert (await join(bench, *months)).status_code == 200
    for _round in range(2):
        await pay(bench, months[0], PAYER)
        lines = (await bench.trace(who.beneficiary_id))["lines"]
        assert sorted((line["period"], line["held"] or "") for line in lines if line["declared_vnd"] == 400_000) == [
            (months[0], ""), (months[1], HeldReason.PAID_ELSEWHERE),
        ]  # fmt: skip
    assert await whose(bench, who.beneficiary_id) == [("sending", list(months), 2 * 2_789_000 + 400_000)]


async def test_what_two_people_cancel_is_kept_back_in_both_months_and_proved(bench: Bench, tmp_path: Path) -> None:
    gone, dead = await a_person(bench, account=an_account()), await a_person(bench)
    lists = [await closed(bench, month, PAYER, Entry(gone, a_line()), Entry(dead, a_line())) for month in BOTH]
    await joined(bench)
    await pay(bench, APRIL, PAYER)
    assert await cancelled(bench, gone) == {"asked": 1, "ended": 0, "kept_back": {APRIL: ONE, MAY: ONE}, "owed": {}}
    for month in BOTH:
        shown = (await bench.client.get(f"/v1/payrolls/{month}/{PAYER}/cancels")).json()
        assert (shown["period"], shown["periods"], [one["periods"] for one in shown["cancels"]]) == (APRIL, BOTH, [BOTH])
    said = [*await word(bench, CancelOutcome.CANCELLED), *await answers(bench, Provider.POST, LineStatus.PAID)]
    assert await held(bench, gone.beneficiary_id) == {f"{month} {PAYER}": "WITHDRAWN" for month in BOTH}
    await dies(bench, dead, date(2024, 4, 2))
    await RecoveryDesk(bench.database, bench.clock).look()
    assert [tuple(row) for row in await rows(bench, "SELECT period, vnd FROM recovery_case")] == [(MAY, ONE)]
    proof = prove(await export(bench, tmp_path / "audit", lists, said))
    assert proof.findings == []
    assert {(key[0], str(place)) for key, places in proof.places.items() for place in places} == {
        (month, place) for month in BOTH for place in ("held", "paid")
    }


async def cancelled(bench: Bench, who: BeneficiarySnapshot, **more: Any) -> dict[str, Any]:
    """Two people ask for the money back; returns what the second was told, without the hash."""
    body = {"beneficiary_ids": [str(who.beneficiary_id)], "reason": "RECALL", **more}
    proposed = (await command(bench, "cancel", Role.CHECKER, json=body)).json()
    sha256 = proposed["sha256"]
    asked = (await command(bench, "confirm-cancel", Role.APPROVER, sha256=sha256, json={"sha256": sha256})).json()
    assert {key: asked[key] for key in ("kept_back", "owed")} == {key: proposed[key] for key in ("kept_back", "owed")}
    return {key: value for key, value in asked.items() if key != "sha256"}


async def test_two_people_cancel_one_month_and_the_other_is_paid_by_the_next_round(bench: Bench, tmp_path: Path) -> None:
    """The provider stops the payment whole. What it paid of April is owed, unless the money is said to have left after all."""
    who, doubtful = await a_person(bench, account=an_account()), await a_person(bench, account=an_account(number="3709000000011"))
    lists = [await closed(bench, month, PAYER, Entry(who, a_line()), Entry(doubtful, a_line())) for month in BOTH]
    await joined(bench)
    await pay(bench, APRIL, PAYER)
    body = {"beneficiary_ids": [str(who.beneficiary_id)], "reason": "RECALL"}
    assert (await command(bench, "cancel", Role.CHECKER, json=body | {"periods": [JUNE]})).json()["code"] == "NOTHING_TO_CANCEL"
    assert (await command(bench, "cancel", Role.CHECKER, json=body | {"periods": [MAY], "after": "free"})).status_code == 422
    for one in (who, doubtful):
        assert await cancelled(bench, one, periods=[MAY]) == {
            "asked": 1,
            "ended": 0,
            "kept_back": {MAY: ONE},
            "owed": {APRIL: ONE},
        }
    shown = (await bench.client.get(f"/v1/payrolls/{MAY}/{PAYER}/cancels")).json()["cancels"]
    assert [(one["kept_back"], one["periods"], one["vnd"]) for one in shown] == [([MAY], BOTH, 2 * ONE)] * 2
    said = await word(bench, CancelOutcome.CANCELLED)
    april, may = f"{APRIL} {PAYER}", f"{MAY} {PAYER}"
    for one in (who, doubtful):
        assert await held(bench, one.beneficiary_id) == {april: "NEXT_BUILD", may: "WITHDRAWN"}
    await waits_for_the_next_build(bench, ONE, count=2)

    (paid,) = [
        one for one in await bench.answers_to(Provider.BANK_A, LineStatus.PAID)
        if one.end_to_end_id in {line["end_to_end_id"] for line in (await bench.trace(doubtful.beneficiary_id))["payments"]}
    ]  # fmt: skip
    await bench.answer(paid)
    assert await held(bench, doubtful.beneficiary_id) == {april: "WITHDRAWN", may: "WITHDRAWN"}, "never paid again on doubt"
    await pay(bench, APRIL, PAYER)
    assert await whose(bench, who.beneficiary_id) == [("cancelled", BOTH, 2 * ONE), ("sending", [APRIL], ONE)]
    assert await whose(bench, doubtful.beneficiary_id) == [("cancelled", BOTH, 2 * ONE)]
    assert await held(bench, who.beneficiary_id) == {april: None, may: "WITHDRAWN"}
    heard = {paid.end_to_end_id, *(one.end_to_end_id for one in said)}
    second = [one for one in await bench.answers_to(Provider.BANK_A, LineStatus.PAID) if one.end_to_end_id not in heard]
    await bench.answer(*second)
    proof = prove(await export(bench, tmp_path / "audit", lists, [*said, *second]))
    assert proof.findings == []
    assert {(key[0], str(place)): total[1] for key, places in proof.places.items() for place, total in places.items()} == {
        (APRIL, "held"): ONE, (APRIL, "paid"): ONE, (MAY, "held"): 2 * ONE,
    }  # fmt: skip
    for freed in (
        "UPDATE held SET until = now() WHERE reason = 'WITHDRAWN'",
        "UPDATE held SET reason = 'DEAD' WHERE reason = 'WITHDRAWN'",
    ):
        async with bench.database.session() as session:
            with pytest.raises(asyncpg.CheckViolationError, match="what two people keep back stays back"):
                await session.execute(freed)


async def test_a_month_that_nobody_joined_is_found_by_the_proof(bench: Bench, tmp_path: Path) -> None:
    who = await a_person(bench)
    lists = [await closed(bench, month, PAYER, Entry(who, a_line())) for month in BOTH]
    await joined(bench)
    await pay(bench, APRIL, PAYER)
    facts = [fact for fact in await bench.told(Told) if fact.fact == "joined"]
    assert [(fact.period, fact.month, fact.actor) for fact in facts] == [(APRIL, MAY, "the-approver")]
    async with bench.database.session() as session:
        await session.execute("SET session_replication_role = replica")
        await session.execute("DELETE FROM outbox WHERE convert_from(payload, 'UTF8') LIKE '%\"joined\"%'")
        await session.execute("SET session_replication_role = origin")
    findings = prove(await export(bench, tmp_path / "audit", lists, [])).findings
    assert [text for text in findings if f"is of {MAY}, which is not paid with it" in text]
