"""People who may be one are found across lists, communes and programmes; they wait for a person and nothing merges by itself."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.registry import store_people
from services.registry.looking import Looker
from services.registry.pairing import Pairing
from services.registry.pairs import Pair, PairReason, Paper
from services.registry.store_people import PairAfter
from shared import logs
from shared.actors import Actor
from shared.events import AuditRecord, Changed
from shared.personal import PersonalData
from shared.words import Role
from tests.integration.registry.registry_bench import SOURCE, Bench, a_line, an_identity

REVIEWER = Actor("reviewer", frozenset({Role.REVIEWER}), ("*",), None, "token")
SLIP = an_identity(personal_number="042149990002")


def a_looker(bench: Bench, **settings: Any) -> Looker:
    return Looker(bench.database, bench.clock, bench.registrar.sealer, areas=bench.areas, **settings)


def a_pairing(bench: Bench) -> Pairing:
    return Pairing(bench.database, bench.clock, bench.registrar.sealer, areas=bench.areas)


async def waiting(bench: Bench, payer: str | None = None) -> list[dict[str, Any]]:
    async with bench.database.reading() as tx:
        return await store_people.open_candidates(tx, payer, PairAfter(), 100)


async def two_who_may_be_one(bench: Bench) -> Pair:
    """The same woman on two districts' lists and two programmes, one digit apart."""
    await bench.see(
        bench.enrolled("r1"),
        bench.enrolled("r2", identity=SLIP, payer="huyen-443", area="18415", line=a_line(benefit_code="HT-1")),
        bench.enrolled(
            "r3", identity=an_identity(full_name="Lê Văn Tám", birth_date="1951-01-01", personal_number="042051123456")
        ),
    )
    await a_looker(bench).look()
    (found,) = await waiting(bench)
    return Pair(found["one"], found["other"])


@pytest.mark.parametrize("part_people", [1, 2, 500])
async def test_a_pair_is_found_across_lists_whatever_the_size_of_the_parts(bench: Bench, part_people: int) -> None:
    await bench.see(
        bench.enrolled("r1"),
        bench.enrolled("r2", identity=SLIP, payer="huyen-443", area="18415"),
        bench.enrolled(
            "r3", identity=an_identity(full_name="Lê Văn Tám", birth_date="1951-01-01", personal_number="042051123456")
        ),
    )
    looker = a_looker(bench, part_people=part_people)
    assert (await looker.look())["people"] == 3
    (found,) = await waiting(bench)
    assert found["evidence"]["number"] == "slip"
    assert {found["one_payer"], found["other_payer"]} == {"huyen-444", "huyen-443"}
    assert await looker.look() == {"people": 0, "candidates": 0, "wide_keys": 0}
    assert len(await waiting(bench, "huyen-443")) == 1
    assert await waiting(bench, "huyen-447") == []


async def test_pages_show_every_pair_once_the_likeliest_first(bench: Bench) -> None:
    await bench.see(
        *(bench.enrolled(f"r{n}", identity=an_identity(personal_number=f"04214999000{n}")) for n in range(4)),
        bench.enrolled("other", identity=an_identity(personal_number="042149990011", birth_date="1949-03-12")),
    )
    await a_looker(bench).look()
    whole, paged, after = await waiting(bench), list[dict[str, Any]](), PairAfter()
    async with bench.database.reading() as tx:
        while page := await store_people.open_candidates(tx, None, after, 1):
            paged, after = paged + page, PairAfter(*(page[0][name] for name in PairAfter._fields))
    assert len(whole) > 4
    assert len({pair["points"] for pair in whole}) > 1
    assert paged == whole


async def test_unasked_everybody_is_looked_at_part_after_part_with_a_rest_between_them(bench: Bench) -> None:
    await bench.see(*(bench.enrolled(f"r{n}", identity=an_identity(personal_number=f"04214999000{n}")) for n in range(7)))
    looker, stop = a_looker(bench, part_people=2, pause_seconds=0.0), asyncio.Event()
    looking = asyncio.create_task(looker.keep_looking(stop, logs.configure("registry")))
    async with asyncio.timeout(20):
        while (await bench.rows("SELECT count(*) AS people FROM looked_at"))[0]["people"] < 7:
            await asyncio.sleep(0.02)
    stop.set()
    await looking
    assert await looker.look() == {"people": 0, "candidates": 0, "wide_keys": 0}


async def test_unasked_nothing_more_is_looked_at_once_it_shall_stop(bench: Bench) -> None:
    await bench.see(*(bench.enrolled(f"r{n}", identity=an_identity(personal_number=f"04214999000{n}")) for n in range(7)))
    looker, stop = a_looker(bench, part_people=2, pause_seconds=3600.0), asyncio.Event()
    looking = asyncio.create_task(looker.keep_looking(stop, logs.configure("registry")))
    async with asyncio.timeout(20):
        while not (await bench.rows("SELECT count(*) AS people FROM looked_at"))[0]["people"]:
            await asyncio.sleep(0.02)
        stop.set()
        await looking
    assert (await looker.look())["people"] == 5


async def test_nothing_personal_stands_in_keys_or_candidates(bench: Bench) -> None:
    await two_who_may_be_one(bench)
    stored = await bench.rows(
        "SELECT to_jsonb(k)::text AS t FROM person_key k UNION ALL SELECT to_jsonb(c)::text FROM candidate c"
    )
    text = json.dumps([row["t"] for row in stored])
    assert not any(word in text for word in ("042149", "1949-03", "Hòa", "hoa|"))


async def test_a_key_too_many_share_is_told_and_left_aside(bench: Bench) -> None:
    await bench.see(*(
        bench.enrolled(f"r{n}", identity=an_identity(personal_number=f"04214999000{n}"), area="18502") for n in range(5)
    ))  # fmt: skip
    told = await a_looker(bench, shared_max=3).look()
    assert told["wide_keys"] > 0
    assert await waiting(bench) == []


async def test_told_apart_a_pair_waits_no_more_until_one_reads_otherwise(bench: Bench) -> None:
    pair = await two_who_may_be_one(bench)
    pairing = a_pairing(bench)
    seen = await pairing.see(pair, REVIEWER)
    assert {field["field"] for field in seen["fields"]} >= {"full_name", "personal_number"}
    await bench.told()
    assert not isinstance(await pairing.tell_apart(pair, seen["sight_id"], paper=Paper.IDENTITY_CARD, actor=REVIEWER), PairReason)
    assert {m.act for m in await bench.told() if isinstance(m, AuditRecord)} == {"pair_apart"}
    assert await waiting(bench) == []
    # The police give one of them another number: they may be one again, and the old decision says nothing about that.
    said = PersonalData(identity=an_identity(personal_number="042149990003"))
    await bench.see(Changed(source=SOURCE, record="r2", source_sequence=2, personal=bench.sealed(said)))
    assert (await a_looker(bench).look())["people"] == 1
    assert len(await waiting(bench)) == 1
    again = await pairing.tell_apart(pair, seen["sight_id"], paper=Paper.IDENTITY_CARD, actor=REVIEWER)
    assert again is PairReason.CHANGED_MEANWHILE


async def test_a_pair_that_is_unlike_now_is_no_candidate(bench: Bench) -> None:
    await two_who_may_be_one(bench)
    said = PersonalData(identity=an_identity(full_name="Trần Văn Lý", birth_date="1949-11-20", personal_number="042149990002"))
    await bench.see(Changed(source=SOURCE, record="r2", source_sequence=2, personal=bench.sealed(said)))
    await a_looker(bench).look()
    assert await waiting(bench) == []


async def test_nobody_decides_what_they_have_not_seen_nor_twice(bench: Bench) -> None:
    pair = await two_who_may_be_one(bench)
    pairing = a_pairing(bench)
    seen = await pairing.see(pair, REVIEWER)
    other = Actor("another", REVIEWER.roles, ("*",), None, "token")
    assert await pairing.tell_apart(pair, seen["sight_id"], paper=Paper.HOME_VISIT, actor=other) is PairReason.NOT_SEEN
    assert await pairing.tell_apart(pair, uuid4(), paper=Paper.HOME_VISIT, actor=REVIEWER) is PairReason.NOT_SEEN
    await pairing.tell_apart(pair, seen["sight_id"], paper=Paper.HOME_VISIT, actor=REVIEWER)
    again = await pairing.tell_apart(pair, seen["sight_id"], paper=Paper.HOME_VISIT, actor=REVIEWER)
    assert again is PairReason.ALREADY_DECIDED


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO candidate SELECT other, one, points, evidence, one_digest, other_digest, found_at FROM candidate",
        "INSERT INTO candidate SELECT one, one, points, evidence, one_digest, other_digest, found_at FROM candidate",
        "DELETE FROM pair_sight",
        "UPDATE pair_apart SET paper = 'HOME_VISIT'",
        "INSERT INTO pair_apart SELECT gen_random_uuid(), one, other, one_digest, other_digest || 'x', sight_id, paper, 'another', 't', "
        "decided_at FROM pair_apart",
        "INSERT INTO pair_apart SELECT gen_random_uuid(), one, other, one_digest, other_digest, sight_id, paper, decider, 't', "
        "decided_at FROM pair_apart",
    ],
)
async def test_database_keeps_pairs_and_decisions(bench: Bench, change: str) -> None:
    pair = await two_who_may_be_one(bench)
    pairing = a_pairing(bench)
    seen = await pairing.see(pair, REVIEWER)
    await pairing.tell_apart(pair, seen["sight_id"], paper=Paper.IDENTITY_CARD, actor=REVIEWER)
    with pytest.raises(asyncpg.PostgresError):
        async with bench.database.transaction("test") as tx:
            await tx.execute(change)
