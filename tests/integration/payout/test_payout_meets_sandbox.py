"""Payout and the sandbox providers, who know nothing of each other but the contract, settle a payroll to the last dong."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from sandbox.provider import ProviderOffice
from sandbox.provider_answers import Answer, Voice
from sandbox.provider_desk import Desk
from sandbox.provider_mix import Mix
from sandbox.truth import TruthFile, line_facts, outcomes
from shared.events import PaymentResult
from shared.topics import Provider
from shared.words import Outcome, Role
from tests.integration.payout.payout_bench import Bench, a_line, a_merit_line, an_account

MIX = Mix(rejected_per_10000=1_500, late_per_10000=1_000, returned_per_10000=800, expired_per_10000=800, lost=1, twice=1)


class Town:
    """The three sandbox providers, without Kafka between."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.now = 0.0
        self.read = 0
        self.files = {provider: folder / f"{provider}.jsonl" for provider in Provider}
        self.truths = {provider: TruthFile(path) for provider, path in self.files.items()}
        self.offices = {provider: self.office(provider, bench.provider_keys[provider]) for provider in Provider}

    def office(self, provider: Provider, own: ECKey) -> ProviderOffice:
        desk = Desk(provider=str(provider), own=own, customer=self.bench.payout_key)
        return ProviderOffice(provider=str(provider), desk=desk, truth=self.truths[provider], mix=MIX)

    async def day(self) -> None:
        """Everything published is read, everything due is answered and heard."""
        async with self.bench.database.session() as session:
            rows = await session.fetch("SELECT id, topic, payload FROM outbox WHERE id > $1 ORDER BY id", self.read)
        self.read = rows[-1]["id"] if rows else self.read
        headers = [("ce_time", self.bench.clock.now().isoformat().encode())]
        for provider, office in self.offices.items():
            for row in rows:
                if row["topic"] in (f"payout.batch.{provider}.v1", f"payout.instruction.{provider}.v1"):
                    office.take(row["topic"], row["payload"], headers=headers, now=self.now)
            for _stage in range(3):
                self.now += 10
                await self.hear(office.due(self.now))
                office.said()
            assert office.unreadable == 0

    async def hear(self, answers: list[Answer]) -> None:
        for answer in answers:
            await self.bench.answer(PaymentResult.model_validate_json(answer.value))

    async def statement(self) -> None:
        for provider, path in self.files.items():
            await self.hear(Voice(str(provider)).statement(line_facts(path)))


@pytest.fixture
def town(bench: Bench, tmp_path: Path) -> Iterator[Town]:
    town = Town(bench, tmp_path)
    yield town
    for truth in town.truths.values():
        truth.close()


async def test_district_is_settled_and_every_book_agrees(bench: Bench, town: Town) -> None:
    for number in range(120):
        account = an_account(number=f"3709{number:09d}", bank_bin=("970405", "970436")[number % 2]) if number % 3 else None
        lines = (a_line(), a_merit_line()) if number % 5 == 0 else (a_line(),)
        outcome = Outcome.NOT_FOUND if number % 17 == 0 else Outcome.MATCH
        await bench.enrol(*lines, account=account, outcome=outcome, home_delivery=number % 7 == 0)
    closing = await bench.close()
    await bench.pay()
    await town.day()
    await bench.post("expire-answers", "op", Role.OPERATOR)
    await bench.pay()  # what was rejected or came back goes to the post
    await town.day()
    await bench.post("expire-answers", "op", Role.OPERATOR)
    assert (await bench.page())["unknown"]["count"] > 0, "answers were lost"
    await town.statement()
    page = await bench.page()

    assert page["unknown"]["count"] == 0
    assert page["payments"].keys() >= {"paid", "collected", "rejected", "returned", "expired"}
    truth = {end_to_end_id: str(status) for path in town.files.values() for end_to_end_id, _vnd, status in outcomes(path)}
    said = {"paid": "paid", "collected": "paid", "rejected": "rejected", "returned": "returned", "expired": "returned"}
    async with bench.database.session() as session:
        ours = {
            row["end_to_end_id"]: said[row["state"]]
            for row in await session.fetch("SELECT end_to_end_id, state FROM instruction")
        }
        fates = {row["fate"] for row in await session.fetch("SELECT DISTINCT fate FROM result")}
    assert ours == truth
    assert fates == {"applied", "repeat"}
    assert sum(page["ledger"].values()) == 0
    assert page["ledger"]["paid"] == page["paid"]["vnd"]
    lines = page["lines"]
    open_vnd = closing.vnd - lines["cashless"]["vnd"] - lines["postal"]["vnd"] - lines["held"]["vnd"]
    assert lines["undecided_vnd"] == open_vnd, "what died again waits for the next build"
    again = await bench.step("build", "somebody")
    assert sum(draft["vnd"] for draft in again["batches"]) == open_vnd
