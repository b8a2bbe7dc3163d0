"""The bench itself: a small run passes its gate, a wrong one does not, and the page says what was found."""

import json

import pytest

from shared.words import Outcome
from tests.bench import documented_way, end_to_end, matching, page, replica, sampling, whole
from tests.bench.people import recipients
from tests.bench.remains import remains
from tests.bench.sampling import Sample

PEOPLE = 500


@pytest.fixture(scope="module")
async def run():
    """One small run from events to texts."""
    return await end_to_end.run(PEOPLE, lambda _text: None, name="bench-smoke")


@pytest.fixture
def found(run):
    """Results as a whole run leaves them, its other parts not run."""
    machine = {"processor": "a processor", "cores": 2, "memory_gb": 8, "system": "Linux", "versions": {"Python": "3.11"}}
    machine |= {"durability": {"PostgreSQL": {"fsync": "on"}, "Kafka": "one broker"}, "java_options": "-Xmx512m"}
    facts = {"synthetic": True, "size": "quick", "day": "2024-02-01", "commit": "abc", "load_before": 0.1, "machine": machine}
    made = {
        **facts,
        "failed": {},
        "minutes": 1.0,
        "end_to_end": [run],
        "documented_way": {"people": 100, "people_per_second": 10.0},
    }
    made["documented_way"]["cpu_us_per_person"] = {"sum": 9_000}
    made["ratios"] = page.ratios(made)
    return made | {"aims": page.aims(made)}


async def test_small_run_passes_its_gate(run):
    assert run["gate"]["differ"] == {}
    assert run["valid"]
    assert run["events"] > PEOPLE
    assert set(run["cpu_us_per_person"]) >= {"registry", "verification", "payout", "notify", "kafka", "postgres payout"}


async def test_the_documented_way_still_runs_on_our_tables():
    measured = await documented_way.run(100, lambda _text: None)
    assert measured["people"] == 100
    assert measured["people_per_second"] > 0


async def test_page_tells_figures_and_missed_aims(run, found, tmp_path):
    whole.write(found, tmp_path)
    text = (tmp_path / "benchmarks.md").read_text()
    assert f"| {PEOPLE} | {run['people_per_second']:,}" in text
    assert "**no**" in text
    assert "not run" in text
    assert "What remains" in text
    assert "the bare limit**" not in text  # not run either
    assert json.loads((tmp_path / "benchmarks.json").read_text())["end_to_end"][0]["people"] == PEOPLE
    assert (tmp_path / "benchmarks-speed.svg").read_text().count("<path") > 3


def test_what_remains_is_reckoned_from_the_largest_run(found):
    most = {"people": 1_000_000, "people_per_second": 750.0, "cpu_us_per_person": {"registry": 400.0, "postgres payout": 1_600.0}}
    limit = {"bare_limit": {"cpu_us_per_person": {"sum": 150}}}
    stage = {"python_us_each": 30.0, "postgres_us_each": 70.0, "wall_s": 70.0}
    parts = {"payroll": {"people": 1_000_000, "stages": {"build": stage}}, "list_import": {"rows": 1_000_000, "seconds": 250.0}}
    parts["replica"] = {"matches_per_second": 10_000, "python_us": 70.0, "postgres_us": 30.0}
    aims = ("people/s end to end", "share of the bare limit", "payroll build and pain.001", "import of a CSV list", "matches/s")
    made = found | limit | parts | {"end_to_end": [most]}
    told = remains(made | {"aims": [{"aim": aim, "met": False} for aim in aims]})
    assert "at least 50.0 s for 1,000,000 people on 2 cores; 70.0 s were taken" in told
    assert "leaves 360 us of 2 cores a row; 500 were taken" in told
    assert "at most 1,000/s, of which 750 (75%)" in told
    assert "leave 667 us" in told
    assert "leaves 300 us" in told
    assert "leave 50 us a person; 100 were taken: 70 us of Python" in told
    assert remains(found | {"aims": []}) == ""


async def test_a_run_that_loses_somebody_is_void(run, found):
    run = {**run, "valid": False}
    assert "**VOID**" in page.render(found | {"end_to_end": [run]})
    assert not whole.is_good(found | {"end_to_end": [run]})


async def test_checks_against_a_replica_are_right_and_their_aim_is_told(found):
    one = await replica.run(2_500, 700)
    assert (one["people"], one["valid"]) == (700, True)
    assert one["entries"] > 2_450
    assert 0 < one["share_of_rules_alone"] < 1
    told = found | {"replica": one}
    (aim,) = [aim for aim in page.aims(told) if aim["aim"].startswith("matches/s")]
    assert (aim["measured"], aim["met"]) == (one["matches_per_second"], one["matches_per_second"] >= 20_000)
    assert f"people checked a second against a replica of {one['entries']:,} entries" in page.render(told)
    assert page.aims(found)[-3]["met"] is None


def test_second_million_has_numbers_of_its_own():
    (first,), (second,) = (list(recipients(7, payer, 1)) for payer in (0, 100))
    numbers = [person.register[0][0] for person in (first, second)]
    assert [len(number) for number in numbers] == [12, 12]
    assert numbers[0][:3] != numbers[1][:3]


def test_people_are_the_same_for_a_seed_and_have_the_outcome_they_must_have():
    first = list(recipients(7, 3, 2_000))
    assert first == list(recipients(7, 3, 2_000))
    assert len({person.identity.get("personal_number") for person in first}) > 1_950
    assert {person.outcome for person in first} >= {Outcome.MATCH, Outcome.WEAK_MATCH, Outcome.DEAD, Outcome.MOVED}
    assert matching.run(2_000)["valid"]


def test_warm_up_and_cool_down_are_dropped_from_a_steady_rate():
    seen = [(float(second), 0 if second < 3 else min((second - 3) * 100, 5_000)) for second in range(61)]
    assert end_to_end.steady_rate(seen, people=5_000) == pytest.approx(100, rel=0.1)
    assert end_to_end.steady_rate(seen[:5], people=5_000) is None


def test_growing_memory_is_not_flat():
    samples = [Sample(float(at), {}, {"registry": 100.0 + at, "notify": 100.0}) for at in range(100)]
    assert sampling.flatness(samples) == {"registry": pytest.approx(1.36, abs=0.02), "notify": 1.0}
    assert sampling.peak_mb(samples)["registry"] == 199.0
    assert sampling.flatness(samples[:5]) == {}
