"""Payments on their way through a bank, and files the bank writes about them. SYNTHETIC: written by the sandbox's own writers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import httpx

from sandbox.provider_files import Account, Movement, movements
from sandbox.truth import LineFact, Reply, Status
from shared.topics import Provider
from shared.words import Role
from tests.integration.payout.payout_bench import Bench, an_account

PAID_AT = datetime(2024, 2, 1, 2, tzinfo=UTC)
BACK_AT = datetime(2024, 2, 3, 2, tzinfo=UTC)
MADE_AT = datetime(2024, 2, 9, 2, tzinfo=UTC)
OURS = Account("9990000000001", "970405", 900_000_000)


@dataclass(frozen=True)
class Line:
    """One payment as a bank has it."""

    batch_id: str
    end_to_end_id: str
    vnd: int
    account: str | None


async def sent(bench: Bench, people: int = 3, provider: Provider = Provider.BANK_A) -> list[Line]:
    """So many payments that left, in the provider's order."""
    for number in range(people):
        account = an_account(number=f"37090000000{number:02d}") if provider is Provider.BANK_A else None
        await bench.enrol(account=account)
    await bench.close()
    await bench.pay()
    return await lines_of(bench, provider)


async def lines_of(bench: Bench, provider: Provider) -> list[Line]:
    """What a provider was told."""
    return [
        Line(str(batch_id), line.end_to_end_id, line.amount_vnd, line.account.number if line.account else None)
        for batch_id, (_manifest, lines) in (await bench.mail(provider)).items()
        for line in lines
    ]


def facts(
    lines: Sequence[Line], status: Status = Status.PAID, *, reason: str | None = None, at: datetime = PAID_AT
) -> list[LineFact]:
    """The same happened to each of these payments."""
    return [
        LineFact("bank-a", line.batch_id, number, line.end_to_end_id, line.vnd, status, reason, Reply.ONCE, at)
        for number, line in enumerate(lines)
    ]


def booked(*happened: LineFact) -> list[Movement]:
    """Bookings of what happened."""
    return movements(happened)


def moved(one: Movement, **changes: Any) -> Movement:
    """A booking that differs."""
    same = {
        name: getattr(one, name) for name in ("end_to_end_id", "vnd", "out", "booked_on", "reason", "bank_ref", "counterparty")
    }
    return Movement(**{**same, **changes})


DAY_BEFORE = date(2024, 1, 31)


async def hand_in(bench: Bench, content: bytes, provider: Provider = Provider.BANK_A, *, status: int = 200) -> dict[str, Any]:
    """A file at the door."""
    token = bench.issuer.token("the-operator", (Role.OPERATOR,))
    answer = await bench.client.post(f"/v1/statements/{provider}", content=content, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def breaks(bench: Bench, **query: str) -> list[dict[str, Any]]:
    """Open breaks."""
    answer = await bench.client.get("/v1/breaks", params=query)
    return list(answer.json()["breaks"])


async def step(bench: Bench, break_id: str, act: str, *, actor: str, role: Role = Role.OPERATOR, **given: Any) -> httpx.Response:
    """One step on a break by one person. `sha256`: what the token signs; `key`: the Idempotency-Key."""
    token = bench.issuer.token(actor, (role,), sha256=given.pop("sha256", None))
    headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": given.pop("key")} if "key" in given else {})
    return await bench.client.post(f"/v1/breaks/{break_id}/{act}", headers=headers, json=given or None)


async def resolved(bench: Bench, break_id: str, remedy: str) -> httpx.Response:
    """Owned, proposed and approved by two people; the answer to the last step."""
    assert (await step(bench, break_id, "take", actor="an-owner")).status_code == 200
    proposed = await step(bench, break_id, "resolve", actor="an-owner", remedy=remedy)
    assert proposed.status_code == 200, proposed.text
    sha256 = proposed.json()["sha256"]
    return await step(bench, break_id, "approve", actor="a-second", role=Role.APPROVER, sha256=sha256)


async def reconciled(bench: Bench) -> dict[str, Any]:
    """The three sides compared."""
    token = bench.issuer.token("the-operator", (Role.OPERATOR,))
    answer = await bench.client.post("/v1/reconciliations/2024-02/huyen-444", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def states(bench: Bench) -> dict[str, int]:
    """Payments per state."""
    return {state: shown["count"] for state, shown in (await bench.page())["payments"].items()}
