"""The hand-over of July 2025 over every old unit and every new commune: a small share holds, and what does not hold is noticed."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest

from tests.bench import hand_over
from tests.bench.hand_over import Found, Line, proved
from tests.bench.hand_over_people import AREAS, FIRST_DAY, JULY, JUNE, LAST_DAY, MONTHLY_VND, residents

PEOPLE = 450


async def test_nobody_is_missed_and_nobody_is_paid_twice():
    found = await hand_over.run(PEOPLE, lambda _text: None, name="bench-hand-over-small")
    assert found["broken"] == []
    assert [proof for proof, holds in found["proofs"].items() if not holds] == []
    assert found["valid"]
    assert (found["old units"], found["payers"]) == (209, (12, 69))
    assert found["placed"]["waiting"] > found["placed"]["decided"] > 0
    assert set(found["placed"]["fates"]) == {"applied"}


def test_people_live_in_every_unit_of_both_times():
    everybody = list(residents(PEOPLE))
    assert everybody == list(residents(PEOPLE))
    assert {one.old for one in everybody} == {area.code for area in AREAS.on(LAST_DAY)}
    assert {one.home for one in everybody} == {area.code for area in AREAS.on(FIRST_DAY)}
    assert {one.home in AREAS.successors(one.old, LAST_DAY, FIRST_DAY) for one in everybody} == {True}
    split = Counter((one.hamlet[:4], one.is_open) for one in everybody if not one.hamlet.startswith("Thôn 1"))
    assert {is_open for _, is_open in split} == {True, False}
    assert {one.has_number for one in everybody} == {True, False}
    assert len({one.personal_number for one in everybody}) == len({one.given for one in everybody}) == PEOPLE


EVERYBODY = list(residents(225))
IDS = {one.record: UUID(int=one.number) for one in EVERYBODY}
OPEN = frozenset(IDS[one.record] for one in EVERYBODY if one.is_open)


def good() -> Found:
    """What the databases hold when everything went well."""
    june = [Line(IDS[one.record], JUNE, one.district, one.old, MONTHLY_VND) for one in EVERYBODY]
    stays = [one for one in EVERYBODY if not one.dies and not one.is_open]
    lines = june + [Line(IDS[one.record], JULY, one.commune, one.home, MONTHLY_VND) for one in stays]
    paid = {(line.who, line.period, line.payer): line.vnd for line in lines}
    return Found(IDS, lines, paid, OPEN, {}, {"PAYER_OTHER_TIME": 5, "DUPLICATE_ROW": 5})


def test_what_holds_is_proved():
    assert OPEN
    assert set(proved(EVERYBODY, good()).values()) == {True}


LAST = good().lines[-1]
ELSEWHERE = replace(LAST, payer="xa-18496" if LAST.payer != "xa-18496" else "xa-18502")


@pytest.mark.parametrize(
    ("changes", "noticed"),
    [
        ({"lines": good().lines[:-1]}, "everybody who stays entitled is on one list of July or waits for a decision"),
        ({"lines": [*good().lines, ELSEWHERE]}, "everybody who stays entitled is on one list of July or waits for a decision"),
        ({"lines": [*good().lines[:-1], ELSEWHERE]}, "everybody is listed where they live now"),
        ({"lines": [*good().lines[:-1], replace(LAST, payer="huyen-444")]}, "districts pay June and communes July"),
        ({"lines": [*good().lines[:-1], replace(LAST, vnd=1)]}, "not a dong came up or was lost"),
        ({"paid": {}}, "every line was paid once and whole, and nothing else was"),
        (
            {"paid": {**good().paid, (LAST.who, JULY, "huyen-444"): MONTHLY_VND}},
            "nobody was paid by two payers in one month",
        ),
        ({"cases": frozenset()}, "who waits is who nobody decided about"),
        ({"refused": {"DUPLICATE_ROW": 5}}, "the strays were refused"),
    ],
)
def test_what_does_not_hold_is_noticed(changes, noticed):
    assert not proved(EVERYBODY, replace(good(), **changes))[noticed]
