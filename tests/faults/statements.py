"""What passes the crash points of files that providers hand in, breaks and reconciliation."""

from __future__ import annotations

from pathlib import Path

from ansinh import statements
from ansinh.client import Client
from tests.faults.nemesis import Scene
from tests.faults.work import PERIOD

# Only a fee stands in it: it says nothing of a payment, so that what the month's partners did stays as they did it.
FEE = (
    ":20:{name}\n:25:970405/9990000000001\n:28C:1/1\n:60F:C240201VND50000,\n"
    ":61:240201D11000,NCHGNONREF//{name}\n:86:PHI DICH VU\n:62F:C240201VND39000,\n"
)


async def hand_in(scene: Scene) -> None:
    """A statement with a fee, which opens a break; again until it is answered."""
    path = await _written(scene)
    await scene.world.step("statement", lambda client: statements.take_file(client, "bank-a", path))


async def take_break(scene: Scene) -> None:
    """Somebody looks after the oldest break."""
    await hand_in(scene)

    async def take(client: Client) -> None:
        found = await client.get("payout", "/v1/breaks")
        await client.post("payout", f"/v1/breaks/{found['breaks'][0]['break_id']}/take", actor="operator")

    await scene.world.step("break", take)


async def take_break_under_a_key(scene: Scene) -> None:
    """The same under one Idempotency-Key, by an office that asks again: its answer is kept after what it did."""
    await hand_in(scene)
    key = f"break-{scene.rng.randrange(10**9):09d}"
    found: dict[str, str] = {}

    async def take(client: Client) -> None:
        if not found:
            found["id"] = (await client.get("payout", "/v1/breaks"))["breaks"][0]["break_id"]
        await client.post("payout", f"/v1/breaks/{found['id']}/take", actor="operator", key=key)

    await scene.world.step("break", take)


async def reconcile(scene: Scene) -> None:
    """Three sides of the month are compared."""
    await scene.world.step("reconcile", lambda client: statements.reconcile(client, PERIOD, scene.work.payer))


async def _written(scene: Scene) -> Path:
    name = f"FEE{scene.rng.randrange(10**9):09d}"
    path = scene.world.folder / "lists" / f"{name}.mt940"
    path.write_text(FEE.format(name=name), "utf-8")
    return path
