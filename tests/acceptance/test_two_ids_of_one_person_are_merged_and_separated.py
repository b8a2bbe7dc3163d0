"""A woman stands on two lists under two numbers a digit apart: merged by two reviewers, each benefit is paid once; then taken back."""

import re
from dataclasses import dataclass, replace
from typing import Any

from office import Office, Person
from test_people_asked_about_and_reviewed import typed

PERIOD, NEXT = "2024-02", "2024-03"
HERE, THERE = "gop-a", "gop-b"


@dataclass(frozen=True)
class Mistyped(Person):
    """Somebody under a number that is not theirs."""

    called: str = ""

    @property
    def given(self) -> str:
        """Named as they are."""
        return self.called


def mistyped(right: Person, **changes: Any) -> Mistyped:
    number = f"{right.number[:6]}7{right.number[7:]}"  # numbers of this world are counted from zero: nobody has this one
    return Mistyped(number=number, area=right.area, called=right.given, **changes)


async def seen(office: Office, pair: dict[str, Any], actor: str) -> str:
    place = f"/v1/people/pairs/{pair['one']}/{pair['other']}/sights"
    return str((await office.client.post("registry", place, actor=actor))["sight_id"])


async def done_by_two(office: Office, kind: str, pair: dict[str, Any], *, goes: str, stays: str) -> dict[str, Any]:
    body = {"kind": kind, "merged_id": goes, "survivor_id": stays, "paper": "IDENTITY_CARD"}
    body["sight_id"] = await seen(office, pair, "reviewer")
    proposed = await office.client.post("registry", "/v1/people/merges", actor="reviewer", body=body)
    said = {"sight_id": await seen(office, pair, "second-reviewer")}
    path = f"/v1/people/merges/{proposed['act_id']}/confirm"
    done: dict[str, Any] = await office.client.post("registry", path, actor="second-reviewer", body=said)
    await office.at_rest()
    return done


async def outcome(office: Office, beneficiary_id: str) -> str:
    (row,) = await office.rows("registry", "SELECT outcome FROM verified WHERE beneficiary_id = $1", beneficiary_id)
    return str(row["outcome"])


async def test_two_ids_of_one_person_are_merged_and_separated(office: Office) -> None:
    right = Person(area="18502")
    twice = mistyped(right)
    other_benefit = replace(
        twice, record=f"{twice.record}-2", benefit_code="NCC-LS1", monthly_vnd=2_055_000, coefficient_hundredths=None
    )
    await office.people_are_registered(right)
    await office.enrol(PERIOD, HERE, right)
    await office.enrol(PERIOD, THERE, twice, other_benefit)
    stays, goes = await office.beneficiary(right), await office.beneficiary(twice)
    assert stays != goes
    assert await outcome(office, goes) == "not_found"

    await office.client.post("registry", "/v1/people/look", actor="operator")
    (pair,) = (await office.client.get("registry", "/v1/people/candidates", payer=THERE))["pairs"]
    assert {pair["one"], pair["other"]} == {stays, goes}
    shown = await typed(office.installation.name, "registry", "see", goes, stays)
    (numbers,) = (line for line in shown.splitlines() if "personal_number" in line)
    sides = {stays: right.number, goes: twice.number}
    assert re.findall("[0-9]{12}", numbers) == [sides[pair["one"]], sides[pair["other"]]]
    assert "--sight" in shown
    await done_by_two(office, "merge", pair, goes=goes, stays=stays)
    assert (await outcome(office, stays), await outcome(office, goes)) == ("match", "duplicate")
    assert (await office.client.get("registry", "/v1/people/candidates", payer=THERE))["pairs"] == []

    for payer, vnd in ((HERE, 540_000), (THERE, 2_055_000)):  # what stood twice is paid once
        shown = await office.close_and_build(PERIOD, payer)
        assert shown["postal"] == {"payments": 1, "vnd": vnd}
        await office.sign(PERIOD, payer)
    await office.answered()
    assert sorted(payment["vnd"] for payment in await office.payments(right)) == [540_000, 2_055_000]
    (away,) = await office.rows("payout", "SELECT merged FROM person WHERE beneficiary_id = $1", goes)
    assert away["merged"]

    await office.enrol(NEXT, THERE, other_benefit, sequence=2)
    done = await done_by_two(office, "unmerge", pair, goes=goes, stays=stays)
    assert done["rows_too_late"] == 1  # of the month that was paid
    assert (await outcome(office, stays), await outcome(office, goes)) == ("match", "not_found")
    (row,) = await office.rows("registry", "SELECT beneficiary_id FROM list_row WHERE period = $1 AND payer = $2", NEXT, THERE)
    assert str(row["beneficiary_id"]) == goes
