"""June 2025 is the district's, July the communes' (letter 3676 of the Health ministry): what June left open follows each person to the new
payer. Nobody is missed or paid twice, and area codes are not compared across the date: 18496 was a town and is a commune."""

from pathlib import Path

import pytest
from office import Office, Person, Refusal, replace
from test_answer_lost_is_unknown_until_statement import emit_statement

from ansinh import check, life, pipeline
from shared.events import Arrears
from shared.topics import Provider
from shared.words import HeldReason

JUNE, JULY, DISTRICT = "2025-06", "2025-07", "huyen-444"
TOWN, VALLEY = "xa-18496", "xa-18502"
MONTH_VND = 750_000


async def test_june_is_the_districts_and_july_the_communes(office: Office) -> None:
    cash = Person(area="18496", monthly_vnd=MONTH_VND)
    silent = Person(
        area="18496", monthly_vnd=MONTH_VND, account="3709000002506", bank_bin="970405"
    )  # bank-a never says that it paid
    rejected = Person(
        area="18502", monthly_vnd=MONTH_VND, account="0012345678906", bank_bin="970436"
    )  # bank-b rejects everything
    people = (cash, silent, rejected)
    await office.people_are_registered(*people)

    await _june(office, people)
    await _july_lists(office, cash, silent, rejected)
    for payer in (VALLEY, TOWN):
        await _pay(office, payer)
    await _pay(office, VALLEY)  # what bank-b rejected goes to the post
    await emit_statement(office, Provider.BANK_A)
    await office.at_rest()

    for person, july_vnd in ((cash, MONTH_VND), (silent, MONTH_VND), (rejected, 2 * MONTH_VND)):
        arrived = [p for p in await office.payments(person) if p["state"] in ("paid", "collected")]
        by_month = {month: sum(p["vnd"] for p in arrived if p["period"] == month) for month in (JUNE, JULY)}
        assert by_month == {JUNE: 0 if person is rejected else MONTH_VND, JULY: july_vnd}
        assert sum(by_month.values()) == 2 * MONTH_VND, "two months, once each"
    truth = [path for path in sorted((Path(office.addresses.folder) / "truth").glob("*.jsonl")) if path.stem != "sms"]
    verdicts = await check.run_checks(office.addresses.databases.__getitem__, truth)
    # Another story of this world sends poison, and that is set aside (I11).
    assert [verdict for verdict in verdicts if not verdict.ok and verdict.id != "I11"] == []


async def _june(office: Office, people: tuple[Person, ...]) -> None:
    """The district pays; it hands over only when every answer is in, and then what came back is carried."""
    await office.enrol(JUNE, DISTRICT, *people)
    await office.close_and_build(JUNE, DISTRICT)
    await office.sign(JUNE, DISTRICT)
    await office.answered()
    await office.client.post("payout", f"/v1/payrolls/{JUNE}/{DISTRICT}/expire-answers", actor="operator")
    with pytest.raises(Refusal) as open_answer:
        await life.finish(office.client, JUNE, DISTRICT)
    assert open_answer.value.code == "NOT_FINISHED"
    await emit_statement(office, Provider.BANK_A)
    finished = await life.finish(office.client, JUNE, DISTRICT)
    assert (finished["carried"], finished["vnd"]) == (1, MONTH_VND)
    with pytest.raises(Refusal) as closed:
        await office.close_and_build(JUNE, DISTRICT)
    assert closed.value.code == "PAYROLL_CLOSED", "the district cannot pay June any more: the commune does, as a sum carried over"


async def _july_lists(office: Office, cash: Person, silent: Person, rejected: Person) -> None:
    """The communes list everybody, June's carried sum with it. Two lists too many: the district's old software still sends one, which is
    nobody's list any more; and a commune lists somebody of another one, which both lists are taken with and only one may pay."""
    await office.enrol(JULY, DISTRICT, replace(cash, record=f"{cash.record}-old"))
    with pytest.raises(Refusal) as nobodys:
        await pipeline.close_list(office.client, JULY, DISTRICT)
    assert nobodys.value.code == "LIST_EMPTY"
    stray = replace(cash, record=f"{cash.record}-stray", area="18502", benefit_code="BT-8")
    await office.enrol(JULY, VALLEY, stray)
    await office.enrol(JULY, TOWN, cash, silent, sequence=2)
    message = office._enrolled(JULY, VALLEY, rejected, 2)
    line = message.line.model_copy(update={"unpaid": Arrears(periods=(JUNE,), vnd=MONTH_VND)})
    await office.publish([(rejected.record, message.model_copy(update={"line": line}))])
    for payer in (TOWN, VALLEY):
        await pipeline.close_list(office.client, JULY, payer)
    await office.at_rest()


async def _pay(office: Office, payer: str) -> None:
    """From building to the answers, where anything is to be paid. The valley holds what it lists for the town's person, though it builds
    first: the person belongs to the town."""
    shown = await office.close_and_build(JULY, payer)
    if shown["to_sign"]["check"]:
        await office.sign(JULY, payer)
        await office.answered()
    elsewhere = {HeldReason.PAID_ELSEWHERE: {"count": 1, "vnd": MONTH_VND}} if payer == VALLEY else {}
    assert shown["held"] == elsewhere
