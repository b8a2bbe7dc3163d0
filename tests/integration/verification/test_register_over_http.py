"""The query service that misbehaves: no answer is unavailable, is asked again under its id, and nothing is ever held open meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from deploy.local.ports import free_ports
from services.verification.exchange import Exchange, NoAnswer, Silence
from services.verification.population_feed import Entry
from services.verification.population_register import Asked
from services.verification.register_client import HttpRegisterService, Question
from services.verification.settings import Settings
from shared.database import Database
from shared.events import AuditRecord
from shared.settings import UnsafeSettings
from shared.words import Outcome
from tests.integration.verification.conftest import MakeBench
from tests.integration.verification.register_world import AGAIN, AUTHORITY, ServiceWorld, asking, sandbox_service
from tests.integration.verification.verification_bench import Bench, a_register_line, an_identity


@pytest.fixture
async def world(make_bench: MakeBench) -> AsyncIterator[ServiceWorld]:
    async with sandbox_service(timeout_seconds=0.5) as (client, desk):
        world = ServiceWorld(await make_bench(Asked), client, desk)
        await world.know(a_register_line())
        yield world


START_AT = datetime(2024, 1, 20, tzinfo=UTC)


async def opened(bench: Bench) -> list[dict[str, Any]]:
    async with bench.database.session() as session:
        rows = await session.fetch("SELECT request_id, tries, due_at FROM question WHERE ended_at IS NULL ORDER BY request_id")
    return [dict(row) for row in rows]


@pytest.mark.parametrize("mood", ["slow", "failing", "cut", "truncated", "another_person", "another_question", "busy"])
async def test_spoilt_answer_is_none_and_is_asked_again_under_the_same_id(world: ServiceWorld, mood: str) -> None:
    await world.bench.see(world.bench.snapshot(an_identity()))
    await world.mood(mood)
    assert await world.asking.step() == 0
    assert await world.outcomes() == [Outcome.UNAVAILABLE]
    (question,) = await opened(world.bench)
    assert (question["tries"], question["due_at"]) == (1, world.bench.clock.now() + AGAIN)
    assert await world.asking.step() == 0  # not due yet
    world.bench.clock.move(timedelta(minutes=3))
    assert await world.asking.step() == 1
    assert await world.outcomes() == [Outcome.MATCH]
    assert (await world.asked())["ids"] == {str(question["request_id"]): 2}
    assert await opened(world.bench) == []


async def test_every_silence_is_told_by_its_kind(world: ServiceWorld) -> None:
    service, question = HttpRegisterService(Exchange(world.client), AUTHORITY), Question(uuid4(), an_identity())
    for mood, why in {
        "slow": Silence.TIMED_OUT, "failing": Silence.FAILED, "cut": Silence.AWAY, "truncated": Silence.UNREADABLE,
        "another_person": Silence.ABOUT_ANOTHER, "another_question": Silence.ABOUT_ANOTHER, "busy": Silence.BUSY,
    }.items():  # fmt: skip
        await world.mood(mood)
        with pytest.raises(NoAnswer) as said:
            await service.ask(question)
        assert said.value.why is why
        assert said.value.retry_after == (120 if mood == "busy" else 0)
        assert "Hòa" not in repr(said.value) + repr(question)


async def test_nobody_there_is_no_answer() -> None:
    (port,) = free_ports(1)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        with pytest.raises(NoAnswer) as said:
            await HttpRegisterService(Exchange(client), AUTHORITY).ask(Question(uuid4(), an_identity()))
    assert said.value.why is Silence.AWAY


async def test_strangers_token_is_refused_and_stays_unanswered(world: ServiceWorld) -> None:
    world.client.headers["Authorization"] = "Bearer another"
    await world.bench.see(world.bench.snapshot(an_identity()))
    assert await world.asking.step() == 0
    assert [row["tries"] for row in await opened(world.bench)] == [1]


async def test_officer_and_procedure_go_with_every_question_and_into_the_audit(world: ServiceWorld) -> None:
    await world.bench.see(world.bench.snapshot(an_identity()))
    await world.settle()
    assert (await world.asked())["officers"] == [[AUTHORITY.officer, AUTHORITY.procedure, 1]]
    world.bench.read_up_to = 0
    (audit,) = await world.bench._drain(AuditRecord)
    assert (audit.actor, audit.act, audit.subject) == (AUTHORITY.officer, "ask_person", f"{AUTHORITY.procedure}:1")


async def test_quota_is_counted_over_all_askers_and_over_time(world: ServiceWorld) -> None:
    people = [world.bench.snapshot(an_identity(personal_number=f"0421499910{n:02d}")) for n in range(12)]
    await world.bench.see(*people)
    askers = [asking(world.bench, HttpRegisterService(Exchange(world.client), AUTHORITY), by_day=5) for _ in range(3)]
    await asyncio.gather(*(asker.step() for asker in askers for _ in range(2)))
    assert sorted((await world.asked())["ids"].values()) == [1] * 5
    world.bench.clock.move(timedelta(seconds=61))
    await asyncio.gather(*(asker.step() for asker in askers))
    assert sorted((await world.asked())["ids"].values()) == [1] * 10


async def test_after_several_silences_nobody_is_asked_for_a_while(world: ServiceWorld) -> None:
    people = [world.bench.snapshot(an_identity(personal_number=f"0421499910{n:02d}")) for n in range(12)]
    await world.mood("failing", 100)
    await world.bench.see(*people[:6])
    await world.asking.step()
    await world.bench.see(*people[6:])
    assert await world.asking.step() == 0
    assert len((await world.asked())["ids"]) == 6
    await world.mood("good")
    world.bench.clock.move(AGAIN)
    assert await world.asking.step() == 1  # half open: one tries
    assert await world.asking.step() == 11


async def test_person_who_changed_is_asked_about_anew(world: ServiceWorld) -> None:
    who = uuid4()
    await world.bench.see(world.bench.snapshot(an_identity(full_name="Lê Văn Nam"), who=who))
    await world.mood("failing")
    await world.asking.step()
    await world.bench.see(world.bench.snapshot(an_identity(), who=who))
    world.bench.clock.move(AGAIN)
    await world.settle()
    assert (await world.outcomes())[-1] is Outcome.MATCH
    assert sorted((await world.asked())["ids"].values()) == [1, 1]


async def test_answer_about_what_a_person_was_judges_nobody(world: ServiceWorld) -> None:
    """The person changes between question and answer: the answer was to another question."""
    who = uuid4()

    async def change() -> None:
        await world.bench.see(world.bench.snapshot(an_identity(full_name="Nguyễn Thị Hoè"), who=who))

    await world.bench.see(world.bench.snapshot(an_identity(), who=who))
    assert await asking(world.bench, Meanwhile(world.service, change)).step() == 1
    assert set(await world.outcomes()) == {Outcome.UNAVAILABLE}
    await world.settle()
    assert await world.outcomes() == [Outcome.MISMATCH]


class Meanwhile:
    """A service during whose answer something happens."""

    def __init__(self, service: Any, what: Callable[[], Awaitable[None]]) -> None:
        self._service = service
        self._what = what

    async def ask(self, question: Question) -> list[Entry]:
        """Let it happen, then answer."""
        await self._what()
        return list(await self._service.ask(question))


async def test_question_is_stored_and_no_transaction_is_open_while_it_is_asked(world: ServiceWorld) -> None:
    seen: list[tuple[int, int]] = []

    async def look() -> None:
        async with world.bench.database.session() as session:
            stored = await session.fetchval("SELECT count(*) FROM question_sent JOIN question USING (request_id) WHERE tries = 1")
            idle = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
            )
            seen.append((stored, await session.fetchval(idle)))

    await world.bench.see(world.bench.snapshot(an_identity()))
    await asking(world.bench, Meanwhile(world.service, look)).step()
    assert seen == [(1, 0)]


async def test_asker_that_dies_amid_a_question_leaves_it_to_the_next(world: ServiceWorld) -> None:
    async def die() -> None:
        raise asyncio.CancelledError

    await world.bench.see(world.bench.snapshot(an_identity()))
    with pytest.raises(asyncio.CancelledError):
        await asking(world.bench, Meanwhile(world.service, die)).step()
    (left,) = await opened(world.bench)
    world.bench.clock.move(AGAIN)
    await world.settle()
    assert (await world.asked())["ids"] == {str(left["request_id"]): 1}
    assert await world.outcomes() == [Outcome.UNAVAILABLE, Outcome.MATCH]


async def test_renewals_wait_for_the_night(world: ServiceWorld) -> None:
    await world.bench.see(world.bench.snapshot(an_identity()))
    await world.settle()
    world.bench.clock.move(timedelta(days=31))  # 20 February, 9 in the morning
    await world.settle()
    assert len((await world.asked())["ids"]) == 1
    world.bench.clock.move(timedelta(hours=12))
    await world.settle()
    assert len((await world.asked())["ids"]) == 2


# --- what must never happen ----------------------------------------------------------------------------------------------------


async def a_question(database: Database, **changes: Any) -> UUID:
    async with database.session() as session:
        person = await session.fetchrow("SELECT beneficiary_id, identity_digest FROM person")
        values = {
            "request_id": uuid4(), "beneficiary_id": person["beneficiary_id"], "digest": person["identity_digest"], "about": "person",
            "officer": "a", "procedure": "b", "urgent": True, "made_at": START_AT, "due_at": START_AT,
        } | changes  # fmt: skip
        columns, places = ", ".join(values), ", ".join(f"${n}" for n in range(1, len(values) + 1))
        await session.execute(f"INSERT INTO question ({columns}) VALUES ({places})", *values.values())
    return UUID(str(values["request_id"]))


@pytest.mark.parametrize(
    "changes",
    [
        {"officer": ""},
        {"procedure": ""},
        {"officer": None},
        {"answer": "1"},
        {"answer": "1", "ended_at": START_AT},
        {"answer": "x"},
        {"about": "weather"},
    ],
)
async def test_no_question_without_officer_and_no_answer_without_asking(world: ServiceWorld, changes: dict[str, Any]) -> None:
    await world.bench.see(world.bench.snapshot(an_identity()))
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.NotNullViolationError)):
        await a_question(world.bench.database, **changes)


async def test_no_second_open_question_no_id_twice_no_change_of_what_was_asked(world: ServiceWorld) -> None:
    await world.bench.see(world.bench.snapshot(an_identity()))
    first = await a_question(world.bench.database)
    with pytest.raises(asyncpg.UniqueViolationError):
        await a_question(world.bench.database)
    async with world.bench.database.session() as session:
        for change in ("officer = 'c'", "digest = 'x'", "request_id = gen_random_uuid()", "tries = -1"):
            with pytest.raises(asyncpg.CheckViolationError):
                await session.execute(f"UPDATE question SET {change}")
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await session.execute("INSERT INTO question_sent VALUES (gen_random_uuid(), 1, 'person', $1)", START_AT)
        await session.execute("INSERT INTO question_sent VALUES ($1, 1, 'person', $2)", first, START_AT)
        with pytest.raises(asyncpg.UniqueViolationError):
            await session.execute("INSERT INTO question_sent VALUES ($1, 1, 'person', $2)", first, START_AT)
        with pytest.raises(asyncpg.CheckViolationError):
            await session.execute("UPDATE question_sent SET nth = 2")
        await session.execute("UPDATE question SET ended_at = $1", START_AT)
        with pytest.raises(asyncpg.CheckViolationError):
            await session.execute("UPDATE question SET ended_at = NULL")
    with pytest.raises(asyncpg.UniqueViolationError):
        await a_question(world.bench.database, request_id=first)


NAMED = {"asking_unit": "u", "asking_officer": "o", "asking_procedure": "p", "asking_integration": "i"}


@pytest.mark.parametrize("missing", NAMED)
def test_no_start_without_officer_and_procedure(missing: str, tmp_path: Any) -> None:
    common = {
        "postgres_dsn": "x",
        "kafka_bootstrap": "x",
        "port": 20_001,
        "keys_file": tmp_path,
        "register_url": "http://127.0.0.1:1",
    }
    assert Settings(**common, **NAMED).manner.authority.officer == "o"
    with pytest.raises(UnsafeSettings, match=missing):
        Settings(**common, **{name: said for name, said in NAMED.items() if name != missing})
