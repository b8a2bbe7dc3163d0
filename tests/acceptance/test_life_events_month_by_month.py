"""What happens to people between one list and the next (domain 2.2), through all services for four months: who is paid what, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from office import Office, Person, replace

from ansinh import life, pipeline
from sandbox.truth import away
from shared.events import Arrears, DeclaredLine
from shared.personal import Circumstances, Happened
from shared.words import HeldReason, LifeEvent, Programme

MARCH, APRIL, MAY, JUNE = "2024-03", "2024-04", "2024-05", "2024-06"
PAYER, OTHER = "so-18508", "so-18514"
MONTH, FUNERAL = 540_000, 7_200_000


@dataclass(frozen=True)
class Told(Person):
    """Somebody of whom the list says more than a line."""

    area: str = "18508"
    told: Circumstances | None = None

    def personal(self) -> dict[str, object]:
        """With the circumstances."""
        said = self.told.model_dump(mode="json", exclude_defaults=True) if self.told else None
        return super().personal() | ({"circumstances": said} if said else {})


def happened(event: LifeEvent, since: date, until: date | None = None) -> Told:
    """Somebody to whom this happens."""
    return Told(told=Circumstances(events=(Happened(event=event, since=since, until=until),)))


async def test_four_months_of_life(office: Office) -> None:
    dies, moves, moved_late, back, gone, forward = (Told() for _ in range(6))
    never = (gone, forward)  # nobody comes for their money; in June one of them does
    stopped = [
        happened(LifeEvent.PRISON, date(2024, 3, 10)),
        happened(LifeEvent.MISSING, date(2024, 3, 9)),
        happened(LifeEvent.CARE_HOME, date(2024, 3, 9)),
        happened(LifeEvent.REFUSED_CHECK, date(2024, 3, 5)),
    ]
    suspended = [happened(LifeEvent.CUSTODY, date(2024, 3, 1), date(2024, 6, 5)), happened(LifeEvent.GIVEN_UP, date(2024, 4, 2))]
    everybody = [dies, moves, moved_late, back, *never, *stopped, *suspended]
    await office.people_are_registered(*everybody)

    await office.enrol(MARCH, PAYER, *everybody)
    assert await month(office, MARCH, nobody_for=never) == {}

    await office.end(dies, "death", date(2024, 3, 20))
    await office.enrol(APRIL, PAYER, moves, moved_late, *never, *stopped, *suspended, sequence=20)
    await list_lines(office, APRIL, 20, (replace(dies, record=f"{dies.record}-mt"), funeral()))
    await pipeline.close_list(office.client, APRIL, PAYER)
    await office.at_rest()
    await office.end(moves, "moved_out", date(2024, 3, 15), sequence=21)
    assert await month(office, APRIL, nobody_for=never) == {HeldReason.NOT_OWED: 4, HeldReason.MOVED: 1}

    await office.end(moved_late, "moved_out", date(2024, 3, 15), sequence=22)
    await pipeline.until(lambda: claimed(office), within_seconds=60)
    (case,) = (await office.client.get("payout", "/v1/recoveries", payer=PAYER))["recoveries"]
    assert (case["beneficiary_id"], case["vnd"], case["reason"]) == (await office.beneficiary(moved_late), MONTH, "MOVED_OUT")

    await office.enrol(MAY, OTHER, replace(moves, record=f"{moves.record}-new", area="18514"), sequence=30)
    await office.enrol(MAY, PAYER, *never, *suspended, sequence=30)
    april_too = line(monthly_vnd=MONTH, arrears=Arrears(periods=(APRIL,), vnd=MONTH))
    await list_lines(office, MAY, 30, (back, april_too), (replace(dies, record=f"{dies.record}-mt"), funeral()))
    assert await month(office, MAY, nobody_for=never) == {HeldReason.NOT_OWED: 2, HeldReason.PAID_ELSEWHERE: 1}
    assert await month(office, MAY, OTHER) == {}

    for period in (MARCH, APRIL, MAY):
        assert (await life.finish(office.client, period, PAYER))["carried"] == len(never)
    came = replace(forward, told=Circumstances(events=(Happened(event=LifeEvent.RESUMED, since=date(2024, 6, 3)),)))
    all_of_it = line(monthly_vnd=MONTH, unpaid=Arrears(periods=(MARCH, APRIL, MAY), vnd=3 * MONTH))
    await list_lines(office, JUNE, 40, (gone, line(monthly_vnd=MONTH)), (came, all_of_it))
    assert await month(office, JUNE) == {HeldReason.NOT_COLLECTED: 1}
    assert [(one["state"], one["reason"]) for one in await office.payments(gone)] == [("expired", "NOAS")] * 3

    assert await received(office, dies) == {MARCH: MONTH, APRIL: FUNERAL}
    assert await received(office, moves) == {MARCH: MONTH, MAY: MONTH}
    assert await received(office, moved_late) == {MARCH: MONTH, APRIL: MONTH}
    assert await received(office, back) == {MARCH: MONTH, MAY: 2 * MONTH}
    assert (await received(office, gone), await received(office, forward)) == ({}, {JUNE: 4 * MONTH})
    for person in stopped:
        assert await received(office, person) == {MARCH: MONTH}
    for person in suspended:
        assert await received(office, person) == {MARCH: MONTH, APRIL: MONTH}


def line(**sums: object) -> DeclaredLine:
    """The benefit everybody here has."""
    same = {
        "programme": Programme.SOCIAL_ASSISTANCE,
        "benefit_code": "BT-5a1",
        "coefficient_hundredths": 150,
        "monthly_vnd": MONTH,
    }
    return DeclaredLine(**{**same, **sums})  # type: ignore[arg-type]


def funeral() -> DeclaredLine:
    """Twenty times the standard of the month of death."""
    return line(benefit_code="MT-BT", coefficient_hundredths=None, monthly_vnd=0, one_off_vnd=FUNERAL)


async def list_lines(office: Office, period: str, sequence: int, *listed: tuple[Person, DeclaredLine]) -> None:
    """People on a month's list, each with a line of their own."""
    said = [
        (person, office._enrolled(period, PAYER, person, sequence).model_copy(update={"line": one})) for person, one in listed
    ]
    await office.publish([(person.record, message) for person, message in said])


async def month(office: Office, period: str, payer: str = PAYER, *, nobody_for: Sequence[Person] = ()) -> dict[str, int]:
    """A list is closed and paid, and nobody comes for some of it; returns how many lines are held for which reason."""
    shown = await office.close_and_build(period, payer)
    drafts = [one["end_to_end_id"] for person in nobody_for for one in await office.payments(person) if one["state"] == "created"]
    assert len(drafts) == len(nobody_for)
    with away(Path(office.addresses.folder) / "truth" / "post.jsonl").open("a") as names:
        names.writelines(f"{identity}\n" for identity in drafts)
    await office.sign(period, payer)
    await office.answered()
    return {reason: found["count"] for reason, found in shown["held"].items()}


async def received(office: Office, person: Person) -> dict[str, int]:
    """VND that reached somebody, by the month of the list."""
    sums: dict[str, int] = {}
    for payment in await office.payments(person):
        if payment["state"] in ("paid", "collected"):
            sums[payment["period"]] = sums.get(payment["period"], 0) + payment["vnd"]
    return sums


async def claimed(office: Office) -> Sequence[object]:
    """Cases of the payer."""
    found: Sequence[object] = (await office.client.get("payout", "/v1/recoveries", payer=PAYER))["recoveries"]
    return found
