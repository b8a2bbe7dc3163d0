"""Whose an account is: the same tests whether the list's own word stands in or a bank is asked; then the bank that misbehaves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from sandbox.holder_service import HolderDesk, make_app
from services.verification import store_questions
from services.verification.account_check import HolderAnswer
from services.verification.account_holders import AskedBanks, Declared
from services.verification.ages import Ages
from services.verification.asking import Asking
from services.verification.exchange import Exchange, NoAnswer, Silence
from services.verification.holder_client import HolderQuestion, HttpHolderService, Said
from services.verification.population_register import Replica
from shared.words import AccountCheck
from tests.integration.verification.conftest import MakeBench
from tests.integration.verification.register_world import AGAIN, AUTHORITY, TOKEN, asking_banks, served
from tests.integration.verification.verification_bench import Bench, a_register_line, an_account, an_identity

ANSWER_NO_NAMES = "970444"


@dataclass
class HolderWorld:
    """A verification service; with a client also a bank."""

    bench: Bench
    client: httpx.AsyncClient | None = None

    def __post_init__(self) -> None:
        self.asking: Asking | None = None
        if self.client is not None:
            self.service = HttpHolderService(Exchange(self.client), AUTHORITY)
            self.asking = asking_banks(self.bench, self.service)

    async def know(self, *accounts: dict[str, str]) -> None:
        """The bank knows these accounts; `holder` as it tells it."""
        if self.client is not None:
            (await self.client.put("/sandbox/accounts", json=list(accounts))).raise_for_status()

    async def settle(self) -> None:
        """Ask until nothing is due."""
        while self.asking and await self.asking.step():
            pass

    async def mood(self, mood: str, times: int = 1) -> None:
        """Spoil the next answers."""
        assert self.client
        (await self.client.post("/sandbox/mood", json={"mood": mood, "times": times})).raise_for_status()

    async def asked(self) -> dict[str, int]:
        """Ids the bank saw, and how often."""
        assert self.client
        return dict((await self.client.get("/sandbox/asked")).json()["ids"])


def known(holder: str = "NGUYEN THI HOA", **changes: str) -> dict[str, str]:
    return {"bank": "970405", "number": "3709000000001", "result": "NAME", "holder": holder} | changes


async def a_bench(make_bench: MakeBench, *adapter: Any) -> Bench:
    bench = await make_bench(Replica, *adapter)
    await bench.load(a_register_line(), a_register_line(personal_number="042149990002"))
    return bench


@pytest.fixture(params=["declared", "banks"])
async def world(request: pytest.FixtureRequest, make_bench: MakeBench) -> AsyncIterator[HolderWorld]:
    if request.param == "declared":
        yield HolderWorld(await a_bench(make_bench))
        return
    async with served(make_app(HolderDesk(TOKEN)), 5.0) as client:
        yield HolderWorld(await a_bench(make_bench, AskedBanks), client)


@pytest.fixture
async def asked(make_bench: MakeBench) -> AsyncIterator[HolderWorld]:
    async with served(make_app(HolderDesk(TOKEN)), 0.5) as client:
        world = HolderWorld(await a_bench(make_bench, AskedBanks), client)
        await world.know(known())
        yield world


@pytest.mark.parametrize(
    ("holder", "finding"),
    [
        ("NGUYEN THI HOA", AccountCheck.USABLE),
        ("N***** T** H**", AccountCheck.CANNOT_VERIFY),
        ("N***** V** H**", AccountCheck.NAME_MISMATCH),
        ("LE VAN NAM", AccountCheck.NAME_MISMATCH),
    ],
)
async def test_finding_follows_from_what_is_said_of_the_holder(world: HolderWorld, holder: str, finding: AccountCheck) -> None:
    await world.know(known(holder))
    await world.bench.see(world.bench.snapshot(an_identity(), an_account(holder=holder)))
    await world.settle()
    assert (await world.bench.told())[-1].account is finding


async def test_bank_that_answers_no_names_is_not_asked(world: HolderWorld) -> None:
    await world.bench.see(world.bench.snapshot(an_identity(), an_account(bank_bin=ANSWER_NO_NAMES)))
    await world.settle()
    assert (await world.bench.told())[-1].account is AccountCheck.CANNOT_VERIFY
    assert world.client is None or await world.asked() == {}


async def test_shape_and_bank_come_first(world: HolderWorld) -> None:
    await world.bench.see(world.bench.snapshot(an_identity(), an_account(number="0" * 9)))
    await world.settle()
    assert (await world.bench.told())[-1].account is AccountCheck.NUMBER_SHAPE


async def test_account_that_many_claim_is_nobodys(world: HolderWorld) -> None:
    await world.know(known())
    people = [world.bench.snapshot(an_identity(personal_number=f"04214999000{n}"), an_account()) for n in (1, 2)]
    await world.bench.see(*people)
    await world.settle()
    last = {result.beneficiary_id: result.account for result in await world.bench.told()}
    assert last == dict.fromkeys((person.beneficiary_id for person in people), AccountCheck.SHARED_ACCOUNT)


async def test_same_account_again_falls_silent_and_another_is_judged(world: HolderWorld) -> None:
    await world.know(known(), known(number="3709000000002", holder="LE VAN NAM"))
    who = uuid4()
    await world.bench.see(world.bench.snapshot(an_identity(), an_account(), who=who))
    await world.settle()
    await world.bench.told()
    await world.bench.see(world.bench.snapshot(an_identity(), an_account(), who=who))
    await world.settle()
    assert await world.bench.told() == []
    await world.bench.see(world.bench.snapshot(an_identity(), an_account(number="3709000000002", holder="LE VAN NAM"), who=who))
    await world.settle()
    assert (await world.bench.told())[-1].account is AccountCheck.NAME_MISMATCH


async def test_declared_is_never_unavailable() -> None:
    assert await Declared().answers(None, []) == {}  # type: ignore[arg-type]


# --- the bank that is asked ----------------------------------------------------------------------------------------------------


async def test_banks_word_counts_more_than_the_lists(asked: HolderWorld) -> None:
    await asked.know(known("LE VAN NAM"))
    await asked.bench.see(asked.bench.snapshot(an_identity(), an_account()))
    assert [result.account for result in await asked.bench.told()] == [AccountCheck.UNAVAILABLE]
    await asked.settle()
    assert [result.account for result in await asked.bench.told()] == [AccountCheck.NAME_MISMATCH]


REFUSED = [
    ("CANNOT_VERIFY", "CANNOT_VERIFY"),
    ("OLD_ID_NOT_LINKED", "ACC_ID_MISMATCH"),
    ("NOT_FOUND", "ACC_NOT_FOUND"),
    ("CLOSED", "ACC_CLOSED"),
    ("LOCKED", "ACC_LOCKED"),
]


@pytest.mark.parametrize(("result", "code"), REFUSED)
async def test_refusal_of_a_bank_verifies_nobody_and_is_kept_with_the_answer(asked: HolderWorld, result: str, code: str) -> None:
    who = uuid4()
    await asked.know(known("", result=result))
    await asked.bench.see(asked.bench.snapshot(an_identity(), an_account(), who=who))
    await asked.settle()
    assert (await asked.bench.told())[-1].account is AccountCheck.CANNOT_VERIFY
    async with asked.bench.database.reading() as tx:
        (kept,) = await store_questions.holder_answers(tx, who)
        assert (kept["answer"], kept["refusal"], kept["holds"]) == ("cannot_verify", code, True)
        assert await store_questions.refusals(tx) == {code: 1}
    for other in ("answer = 'match'", "answer = NULL", "about = 'person', answer = '1'"):
        with pytest.raises(asyncpg.CheckViolationError):
            async with asked.bench.database.transaction("test") as tx:
                await tx.execute(f"ALTER TABLE question DISABLE TRIGGER question_only_forward; UPDATE question SET {other}")


async def test_name_that_a_bank_gives_is_no_refusal(asked: HolderWorld) -> None:
    await asked.bench.see(asked.bench.snapshot(an_identity(), an_account()))
    await asked.settle()
    async with asked.bench.database.reading() as tx:
        assert await store_questions.refusals(tx) == {}


@pytest.mark.parametrize("mood", ["slow", "failing", "cut", "truncated", "another_person", "another_question", "busy"])
async def test_spoilt_answer_is_none_and_is_asked_again_under_the_same_id(asked: HolderWorld, mood: str) -> None:
    await asked.bench.see(asked.bench.snapshot(an_identity(), an_account()))
    await asked.mood(mood)
    await asked.settle()
    assert [result.account for result in await asked.bench.told()] == [AccountCheck.UNAVAILABLE]
    asked.bench.clock.move(3 * AGAIN)
    await asked.settle()
    assert [result.account for result in await asked.bench.told()] == [AccountCheck.USABLE]
    assert list((await asked.asked()).values()) == [2]


async def test_name_that_changed_is_another_question(asked: HolderWorld) -> None:
    who = uuid4()
    await asked.bench.see(asked.bench.snapshot(an_identity(), an_account(), who=who))
    await asked.settle()
    await asked.bench.see(asked.bench.snapshot(an_identity(full_name="Nguyễn Thị Hoà"), an_account(), who=who))
    await asked.settle()
    assert list((await asked.asked()).values()) == [1, 1]
    assert (await asked.bench.told())[-1].account is AccountCheck.USABLE


async def test_silences_and_words_of_the_port(asked: HolderWorld) -> None:
    question = HolderQuestion(uuid4(), an_account(), "Nguyễn Thị Hòa")
    assert await asked.service.ask(question) == Said(HolderAnswer.MATCH)
    await asked.know(known("N* T** H**"))
    assert await asked.service.ask(question) == Said(HolderAnswer.MASKED)
    await asked.know(known(" "))
    with pytest.raises(NoAnswer) as said:
        await asked.service.ask(question)
    assert said.value.why is Silence.UNREADABLE
    assert "3709" not in repr(question) + repr(said.value)


async def test_account_given_up_is_asked_about_no_more(asked: HolderWorld) -> None:
    who = uuid4()
    await asked.mood("failing")
    await asked.bench.see(asked.bench.snapshot(an_identity(), an_account(), who=who))
    await asked.settle()
    await asked.bench.see(asked.bench.snapshot(an_identity(), who=who))
    asked.bench.clock.move(timedelta(hours=1))
    await asked.settle()
    assert list((await asked.asked()).values()) == [1]
    assert (await asked.bench.told())[-1].account is None


# --- what a bank said grows old ------------------------------------------------------------------------------------------------


async def until(world: HolderWorld, who: UUID) -> datetime | None:
    async with world.bench.database.session() as session:
        return await session.fetchval("SELECT holder_until FROM person WHERE beneficiary_id = $1", who)  # type: ignore[no-any-return]


async def paid_on_account(world: HolderWorld) -> UUID:
    who = UUID(int=14 * 24 * 3_600)  # hers ends in the middle of the window
    await world.bench.see(world.bench.snapshot(an_identity(), an_account(), who=who))
    await world.settle()
    assert (await world.bench.told())[-1].account is AccountCheck.USABLE
    return who


async def test_banks_word_is_renewed_before_it_ends_and_the_system_stays_silent(asked: HolderWorld) -> None:
    who = await paid_on_account(asked)
    first = await until(asked, who)
    assert first == Ages().holder_until(asked.bench.clock.now(), who)
    asked.bench.clock.move(first - asked.bench.clock.now() - timedelta(days=31))
    await asked.settle()
    assert list((await asked.asked()).values()) == [1]
    asked.bench.clock.move(timedelta(days=2))
    await asked.settle()
    assert list((await asked.asked()).values()) == [1]  # it is day, and nobody waits for it
    asked.bench.clock.move(timedelta(hours=12))
    await asked.settle()
    assert list((await asked.asked()).values()) == [1, 1]
    renewed = await until(asked, who)
    assert renewed is not None
    assert renewed > first
    assert await asked.bench.told() == []


async def test_word_of_a_bank_that_falls_silent_pays_nobody_for_ever(asked: HolderWorld) -> None:
    who = await paid_on_account(asked)
    await asked.mood("failing", 1_000)
    ends = await until(asked, who)
    assert ends is not None
    asked.bench.clock.move(ends - asked.bench.clock.now() - timedelta(seconds=1))
    await asked.bench.waiting.judge_page()
    assert await asked.bench.told() == []
    asked.bench.clock.move(timedelta(seconds=1))
    assert await asked.bench.waiting.judge_page() == 1
    assert [result.account for result in await asked.bench.told()] == [AccountCheck.UNAVAILABLE]
    assert await asked.bench.waiting.judge_page() == 0
    await asked.mood("failing", 0)
    asked.bench.clock.move(timedelta(days=1))
    await asked.settle()
    assert [result.account for result in await asked.bench.told()] == [AccountCheck.USABLE]


async def test_list_that_names_somebody_else_needs_no_bank(asked: HolderWorld) -> None:
    who = uuid4()
    await asked.bench.see(asked.bench.snapshot(an_identity(), an_account(holder="LE VAN NAM"), who=who))
    await asked.settle()
    assert await until(asked, who) is None
