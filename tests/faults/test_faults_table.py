"""The table of faults is closed over the code: no crash point without a scenario. And what a seed chooses, it chooses again."""

from random import Random

import pytest

from shared import crashing
from tests.faults import people
from tests.faults.nemesis import added
from tests.faults.scenarios import STRUCK_ALONE, packs, table
from tests.faults.trial import drawn, in_order, plan
from tests.faults.world import World

TABLE = table()


@pytest.mark.parametrize("point", [point for point in crashing.inventory() if not point.startswith(STRUCK_ALONE)])
def test_every_crash_point_has_a_scenario(point):
    assert [name for name in TABLE if name.startswith("crash-") and name.endswith(point)]


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_phases_are_phases_of_the_work(row):
    phases = ("register", "enrol", "close", "build", "approve", "withdraw", "release", "answers", "fallback", "texts")
    assert row.phases
    assert set(row.phases) <= set(phases)
    assert row.what
    assert row.fault


@pytest.mark.parametrize("seed", range(1, 20))
def test_a_seed_chooses_again_what_it_chose(seed):
    first, second = (drawn(TABLE, seed, 1) for _ in range(2))
    assert [row.name for row in first] == [row.name for row in second]
    assert 2 <= len(first) <= 4
    assert not any(row.alone or row.own_world or row.last or row.brokers > 1 for row in first)
    planned = [plan(first, Random(seed)) for _ in range(2)]
    assert planned[0] == planned[1]
    assert people.draw(Random(seed), "t", 48) == people.draw(Random(seed), "t", 48)


def test_packs_hold_every_crash_point_that_leaves_the_world_whole_once():
    packed = [row.name for few in packs().values() for row in few]
    assert sorted(packed) == sorted(name for name, row in TABLE.items() if row.service and not (row.own_world or row.last))
    for name, few in packs().items():
        services = [row.service for row in few]
        assert all(row.in_a_row for row in few) or len(set(services)) == len(services), name
        assert name not in TABLE


def test_in_a_row_one_waits_for_the_other_and_one_alone_for_nobody():
    rows = [row for row in TABLE.values() if row.in_a_row][:2]
    other = TABLE["kill-payout"]
    scenes = [(row, None) for row in (*rows, other)]
    assert [[row.name for row, _ in part] for part in in_order(scenes)] == [[other.name], [row.name for row in rows]]
    assert in_order(scenes[1:]) == (scenes[1:], [])


def test_a_death_is_counted_for_the_point_it_happened_at():
    assert added(["a", "b"], ["a", "c", "b", "c"]) == ["c", "c"]
    assert added(["a"], ["a", "a"]) == ["a"]
    assert added(["a"], ["a"]) == []


def test_people_of_a_trial_are_of_every_kind_and_their_own():
    drawn_people = people.draw(Random(1), "trial.1.1", 48)
    assert {person.kind for person in drawn_people} == set(people.KINDS)
    numbers = [person.number for person in drawn_people]
    assert len(set(numbers)) == 48
    assert all(len(number) == 12 and number.isdigit() for number in numbers)
    assert not set(numbers) & {person.number for person in people.draw(Random(1), "trial.2.1", 48)}


def test_worlds_do_not_share_a_folder():
    assert World("a").folder != World("b").folder
