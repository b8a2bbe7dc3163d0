"""The work of one trial: one payer's list for one month, from the population extract to the texts, in phases during which things fail.

Everything it chooses comes from its seed. What it asks of the services it asks as an office does: again, at the other copy's door, until
the answer shows that it is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from ansinh import pipeline, report
from ansinh.client import Client, Refusal
from shared import topics
from shared.clock import LOCAL
from tests.faults import people
from tests.faults.ministry import SOURCE, Ministry
from tests.faults.world import PATIENCE_SECONDS, Record, World

PERIOD = "2024-02"
BEGIN = datetime(2024, 1, 25, 9, 0, tzinfo=LOCAL)
RELEASED = datetime(2024, 1, 30, 9, 0, tzinfo=LOCAL)
PAID = datetime(2024, 2, 8, 9, 0, tzinfo=LOCAL)
DIED = date(2024, 1, 20)
OPEN_TEXTS = {"created", "sending", "unknown"}


class Work:
    """One payer's month. Phases run in order, each once."""

    def __init__(self, world: World, trial: str, seed: int, *, size: int = 48) -> None:
        """`trial` names payer, records and campaign; it must be new to this world."""
        self.world = world
        self.trial = trial
        self.payer = f"xa-{trial}"
        self.rng = Random(f"work:{seed}")
        self.people = people.draw(self.rng, trial, size)
        self.ministry = Ministry(world.folder, self.rng)
        self.records: list[Record] = []
        self.arrange: Callable[[list[list[Record]]], list[Record]] = self._shuffled
        self.phases: dict[str, Callable[[], Awaitable[None]]] = {
            "register": self.register, "enrol": self.enrol, "close": self.close, "build": self.build, "approve": self.approve,
            "withdraw": self.withdraw, "release": self.release, "answers": self.answers, "fallback": self.fallback,
            "texts": self.texts,
        }  # fmt: skip

    # --- phases ----------------------------------------------------------------------------------------------------------

    async def register(self) -> None:
        """The population register learns of them. The clock goes back to before the month, a little after the last trial's extract: an
        older one names nobody."""
        self.world.registered += 1
        self.world.set_clock(BEGIN + timedelta(minutes=self.world.registered))
        body = people.register_csv(self.people)
        await self.world.step(
            "extract",
            lambda client: client.post("verification", "/v1/population/extract", actor="operator", body=body, part=False),
        )
        await self.world.at_rest()

    async def enrol(self) -> None:
        """The ministry says who is on the list; records of one key in order, keys mixed."""
        said = [record for person in self.people for record in self.ministry.enrolment(PERIOD, self.payer, person)]
        self.records = self.arrange(said)
        await self.world.publish(topics.MINISTRY_BENEFICIARY, self.records)
        await self.world.at_rest()

    async def close(self) -> None:
        """The list is frozen."""
        await self.close_again()
        await self.world.at_rest()

    async def close_again(self) -> None:
        """What an office does that does not know that it has done it."""

        async def done(client: Client) -> bool:
            shown = await client.get("registry", f"/v1/lists/{PERIOD}/{self.payer}")
            return bool(shown["state"] == "closed")

        await self.world.step("close", lambda client: pipeline.close_list(client, PERIOD, self.payer), done)

    async def build(self) -> None:
        """Drafts."""
        await self.world.step("build", lambda client: pipeline.build(client, PERIOD, self.payer))

    async def approve(self) -> None:
        """Two people sign."""
        await self._sign("check")
        await self._sign("approve")

    async def withdraw(self) -> None:
        """Deaths told after the approval are taken off by a list that two people sign."""
        dead = list(people.of_kind(self.people, "late-death"))
        await self.world.publish(topics.MINISTRY_BENEFICIARY, [self.ministry.death(person, DIED) for person in dead])
        await self.world.at_rest()
        ids = [str(key) for key in (await self.beneficiaries([f"{person.record}.0" for person in dead])).values()]

        async def take_off(client: Client) -> None:
            await pipeline.withdraw(client, PERIOD, self.payer, beneficiary_ids=ids, reason="LATE_DEATH")

        async def done(_client: Client) -> bool:
            states = {str(row["beneficiary_id"]): row["state"] for row in await self.payments()}
            return all(states.get(key) == "withdrawn" for key in ids)

        await self.world.step("withdraw", take_off, done)

    async def release(self) -> None:
        """It leaves."""
        self.world.set_clock(RELEASED)
        await self._sign("release")

    async def release_again(self) -> None:
        """What an office does that does not know that it has done it."""
        await self._sign("release")

    async def answers(self) -> None:
        """Partners have closed every list they got; what stayed unanswered becomes unknown."""
        self.world.set_clock(PAID)
        await self._answered()
        await self._expire()

    async def fallback(self) -> None:
        """What was rejected is built again, now for the post, and goes the same way."""
        await self.build()
        for step in ("check", "approve", "release"):
            await self._sign(step)
        await self._answered()
        await self._expire()

    async def texts(self) -> None:
        """Those without an account are reminded."""
        path = f"/v1/campaigns/{self.campaign}"

        async def draw(client: Client) -> None:
            await client.post("notify", f"{path}/rounds/1", actor="operator", payer=self.payer)

        async def drawn(client: Client) -> bool:
            return bool((await client.get("notify", path))["rounds"])

        async def at_rest() -> bool:
            states = await self.world.ask(lambda client: report.texts(client, self.campaign))
            return not set(states) & OPEN_TEXTS

        await self.world.step("texts", draw, drawn)
        await pipeline.until(at_rest, within_seconds=PATIENCE_SECONDS)

    # --- looking ---------------------------------------------------------------------------------------------------------

    @property
    def campaign(self) -> str:
        """One campaign a trial."""
        return f"c-{self.trial}"[:40]

    async def beneficiaries(self, records: list[str]) -> dict[str, Any]:
        """record -> beneficiary id, of those registry knows."""
        rows = await self.world.rows("registry", "beneficiaries", source=SOURCE, records=records)
        return {row["record"]: row["beneficiary_id"] for row in rows}

    async def payments(self) -> list[Any]:
        """This payroll's payments."""
        return await self.world.rows("payout", "payments_of_list", period=PERIOD, payer=self.payer)

    def _shuffled(self, said: list[list[Record]]) -> list[Record]:
        """Keys mixed, each key's own order kept."""
        queues, out = [list(records) for records in said], []
        while queues:
            queue = self.rng.choice(queues)
            out.append(queue.pop(0))
            if not queue:
                queues.remove(queue)
        return out

    async def _sign(self, step: str) -> None:
        async def done(client: Client) -> bool:
            return not (await pipeline.status(client, PERIOD, self.payer))["to_sign"].get(step)

        await self.world.step(step, lambda client: pipeline.sign(client, PERIOD, self.payer, step=step), done)

    async def _answered(self) -> None:
        async def closed() -> bool:
            batches = await self.world.rows("payout", "sent_batches", period=PERIOD, payer=self.payer)
            states = report.partner_batches(self.world.folder / "truth")
            return all(states.get(b["batch_id"]) in ("closed", "refused") for b in batches if b["sent_count"])

        await self.world.at_rest()
        await pipeline.until(closed, within_seconds=PATIENCE_SECONDS)
        await self.world.at_rest()

    async def _expire(self) -> None:
        path = f"/v1/payrolls/{PERIOD}/{self.payer}/expire-answers"

        async def expire(client: Client) -> Any:
            return await client.post("payout", path, actor="operator")

        await self.world.ask(expire)


__all__ = ["PERIOD", "Refusal", "Work"]
