"""What was sent is asked back while partners pay, and deaths are told when the money is out."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from ansinh import pipeline, recall
from ansinh.client import Client, Refusal
from sandbox.truth import Status, line_facts
from shared import topics
from shared.topics import Provider
from tests.faults.nemesis import Scene
from tests.faults.work import DIED, PERIOD

ASKED_PEOPLE = 8
SEE_SENT_SECONDS, SEE_CASE_SECONDS = 30.0, 60.0
IN_FLIGHT, PAID = {"sending", "accepted", "issued", "unknown"}, {"paid", "collected"}
ENDED_BEFORE = {"ALREADY_PAID", "NOTHING_TO_CANCEL", "NOT_SENT", "CANCEL_UNKNOWN"}
MIXES: tuple[tuple[str, str, dict[str, float]], ...] = (
    ("race", "asked back while partners pay, some in time, some too late", {"pay_after_seconds": 1.5}),
    (
        "silent",
        "asked back, partners pay all the same and never say a word",
        {"pay_after_seconds": 1.5, "cancel_silent_per_10000": 10_000},
    ),
)


async def race(scene: Scene) -> None:
    """As soon as payments are on their way, two people ask some of them back."""
    deadline = monotonic() + SEE_SENT_SECONDS
    found: list[str] = []
    while not found and monotonic() < deadline:
        found = sorted({str(row["beneficiary_id"]) for row in await scene.work.payments() if row["state"] in IN_FLIGHT})
        await asyncio.sleep(0.05)
    for who in scene.rng.sample(found, min(len(found), ASKED_PEOPLE)):
        await scene.world.step("cancel", lambda client, who=who: _asked_back(client, scene.work.payer, who))
        scene.hit()
    scene.over()


async def _asked_back(client: Client, payer: str, who: str) -> None:
    """One person's payments, so that doing it again is the same; whoever was paid meanwhile cannot be asked back."""
    try:
        await recall.cancel(client, PERIOD, payer, beneficiary_ids=[who], reason="RECALL")
    except Refusal as refused:
        if refused.code not in ENDED_BEFORE:
            raise


async def words_and_deeds(scene: Scene) -> list[str]:
    """What we call cancelled was not paid and never will be, what was too late was; what nobody answered is in flight or paid."""
    folder = scene.world.folder / "truth"
    really = {fact.end_to_end_id: fact.status for p in Provider for fact in line_facts(folder / f"{p}.jsonl")}
    wrong = []
    for row in await scene.world.rows("payout", "cancels_of_list", period=PERIOD, payer=scene.work.payer):
        key, wish, state, did = row["end_to_end_id"], row["wish"], row["state"], really.get(row["end_to_end_id"])
        if (wish == "cancelled") != (did is Status.CANCELLED) or (wish == "cancelled") != (state == "cancelled"):
            wrong.append(f"{key}: the wish is {wish}, the payment {state}, its provider did {did}")
        elif wish == "too_late" and did not in (Status.PAID, Status.RETURNED):
            wrong.append(f"{key}: too late, its provider did {did}")
        elif row["paid_again"]:
            wrong.append(f"{key}: kept back and in another payment")
    for provider in Provider:
        await scene.world.set_mix(provider)
    await scene.world.at_rest()
    return wrong


# --- recovery cases ----------------------------------------------------------------------------------------------------------


async def death_told_late(scene: Scene) -> None:
    """Somebody who was paid had died the month before: a case opens by itself."""
    await _dies(scene)
    await pipeline.until(lambda: _a_case(scene, "recoveries"), within_seconds=SEE_CASE_SECONDS)


async def case_is_ended(scene: Scene) -> None:
    """The same, and two people end the case; again until each step is answered."""
    await death_told_late(scene)

    async def end(client: Client) -> None:
        case = (await client.get("payout", "/v1/recoveries"))["recoveries"][0]["case_id"]
        await client.post("payout", f"/v1/recoveries/{case}/take", actor="operator")
        sha256 = (await recall.resolve(client, case, ending="waived", why="NO_HEIRS"))["sha256"]
        await recall.approve(client, case, sha256)

    async def ended(client: Client) -> bool:
        shown = await client.get("payout", "/v1/recoveries", open="false")
        return any(case["ending"] == "waived" and case["ended_at"] for case in shown["recoveries"])

    await scene.world.step("recovery", end, ended)


async def _dies(scene: Scene) -> None:
    alive = [person for person in scene.work.people if person.kind in ("bank-a", "post")]
    ids = await scene.work.beneficiaries([f"{person.record}.0" for person in alive])
    paid = {row["beneficiary_id"] for row in await _paid(scene)}
    chosen = next(person for person in alive if ids.get(f"{person.record}.0") in paid)
    await scene.world.publish(topics.MINISTRY_BENEFICIARY, [scene.work.ministry.death(chosen, DIED)])


async def _paid(scene: Scene) -> list[Any]:
    deadline = monotonic() + SEE_SENT_SECONDS
    rows: list[Any] = []
    while not rows and monotonic() < deadline:
        rows = [row for row in await scene.work.payments() if row["state"] in PAID]
        await asyncio.sleep(0.1)
    return rows


async def _a_case(scene: Scene, query: str) -> bool:
    return bool(await scene.world.rows("payout", query))
