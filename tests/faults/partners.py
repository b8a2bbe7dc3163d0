"""Faults of the outside world's answers: lost, late, twice, in part, contradictory, foreign."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import UUID

from ansinh.processes import ROOT
from sandbox.truth import LineFact, Reply, line_facts
from shared import events, words
from shared.topics import Provider, result_topic
from tests.faults.nemesis import Scene, Strike
from tests.faults.world import MIX, Record, World

ODD_PAYMENTS = 5
SEE_PAID_SECONDS = 20.0
KNOWN_PAID = {"paid", "collected"}
# `lost` and `twice` are counted over a partner's life; here: how many more.
MIXES: tuple[tuple[str, str, dict[str, float]], ...] = (
    ("lost", "paid, and never said so: unknown until the statement", {"lost": 6}),
    ("in-part", "half the list answered, the rest never; the list called complete", {"lost": 12, "rejected_per_10000": 3_000}),
    ("late", "every answer only after the list was called complete", {"late_per_10000": 10_000, "late_after_seconds": 3.0}),
    ("twice", "every answer two times", {"twice": 100}),
)


def mixed(mix: dict[str, float]) -> Strike:
    """Partners answer so from now on."""

    async def before(scene: Scene) -> None:
        for provider in Provider:
            told = Counter(fact.answer for fact in _facts(scene, provider))
            counted = {"lost": told[Reply.LOST], "twice": told[Reply.TWICE]}
            more = {name: mix[name] + counted.get(name, 0) for name in mix}
            await scene.world.set_mix(provider, **more)
            scene.hit()

    return before


async def wait(scene: Scene) -> None:
    """The partners do it."""
    scene.over()


async def unknown_until_statement(scene: Scene) -> list[str]:
    """A payment whose answer was lost is unknown, is not paid again, and is paid once the statement says so."""
    mine = {row["end_to_end_id"]: row for row in await scene.work.payments()}
    lost = {fact.end_to_end_id for provider in Provider for fact in _facts(scene, provider) if fact.answer is Reply.LOST}
    wrong = [
        f"{key} is {mine[key]['state']}, its answer was lost"
        for key in sorted(lost & mine.keys())
        if mine[key]["state"] != "unknown"
    ]
    for provider in Provider:
        await statement(scene.world, provider)
        await scene.world.set_mix(provider, **{name: MIX[name] for name in ("lost", "twice")})
    await scene.world.at_rest()
    after = {row["end_to_end_id"]: row["state"] for row in await scene.work.payments()}
    return wrong + [
        f"{key} is {after[key]} after the statement" for key in sorted(lost & after.keys()) if after[key] not in KNOWN_PAID
    ]


def _facts(scene: Scene, provider: Provider) -> list[LineFact]:
    return line_facts(scene.world.folder / "truth" / f"{provider}.jsonl")


async def statement(world: World, provider: Provider) -> None:
    """A partner says everything that really happened again, on the basis of its statement."""
    truth = world.folder / "truth" / f"{provider}.jsonl"
    command = ["-m", "sandbox.provider", "--provider", provider, "--bootstrap", world.addresses.kafka, "--truth", str(truth)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, "--emit-statement", cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


# --- odd answers -----------------------------------------------------------------------------------------------------------------


async def odd_answers(scene: Scene) -> None:
    """After the true answer to some payments: the same again, the contrary, another amount, another list, and about strangers."""
    deadline = monotonic() + SEE_PAID_SECONDS
    paid: list[Any] = []
    while len(paid) < ODD_PAYMENTS and monotonic() < deadline:
        paid = [row for row in await scene.work.payments() if row["state"] in KNOWN_PAID]
        await asyncio.sleep(0.1)
    for row in scene.rng.sample(paid, min(len(paid), ODD_PAYMENTS)):
        provider = Provider(row["provider"])
        for answer in _odd(scene, row, provider):
            await scene.world.publish(result_topic(provider), [_record(scene, answer)])
            scene.hit()
        scene.points.append(row["end_to_end_id"])
    scene.over()


def _odd(scene: Scene, row: Any, provider: Provider) -> list[events.PaymentResult]:
    about = {"batch_id": row["batch_id"], "end_to_end_id": row["end_to_end_id"], "amount_vnd": row["vnd"], "status": "paid"}
    stranger = "".join(scene.rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
    lines = [
        about,
        {**about, "status": "rejected", "reason": "AC04"},
        {**about, "status": "accepted"},
        {**about, "amount_vnd": row["vnd"] + 1},
        {**about, "batch_id": UUID(int=scene.rng.getrandbits(128), version=4)},
        {**about, "end_to_end_id": stranger},
    ]
    whole = {"kind": "batch_complete", "batch_id": row["batch_id"], "count": 1, "vnd": 1}
    return [_result(scene, provider, {"kind": "line", **line}) for line in lines] + [_result(scene, provider, whole)]


def _result(scene: Scene, provider: Provider, fields: dict[str, Any]) -> events.PaymentResult:
    words_of = {"kind": words.ResultKind, "status": words.LineStatus}
    given = {name: words_of[name](value) if name in words_of else value for name, value in fields.items()}
    result_id = UUID(int=scene.rng.getrandbits(128), version=4)
    return events.PaymentResult(result_id=result_id, provider=provider, occurred_at=datetime.now(UTC), **given)


def _record(scene: Scene, answer: events.PaymentResult) -> Record:
    headers = [("ce_id", str(answer.result_id).encode()), ("ce_type", answer.TYPE.encode())]
    return str(answer.batch_id).encode(), answer.model_dump_json(exclude_none=True).encode(), headers, None


async def nothing_fell_back(scene: Scene) -> list[str]:
    """Money that left stays paid in our books, or returned when it really came back."""
    states = {row["end_to_end_id"]: row["state"] for row in await scene.work.payments()}
    ids, scene.points = scene.points, []
    return [f"{key} fell from paid to {states[key]}" for key in ids if states[key] not in KNOWN_PAID | {"returned"}]
