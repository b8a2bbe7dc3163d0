"""Hands for asking payments back: who signs, what the provider reads, what it says."""

from typing import Any
from uuid import UUID, uuid4

from joserfc import jws

from shared.cancels import CancelRequest
from shared.events import BatchMessage, PaymentResult
from shared.topics import Provider
from shared.words import CancelOutcome, ResultKind, Role
from tests.integration.payout.payout_bench import Bench, an_account


async def sent(bench: Bench, people: int = 1) -> list[UUID]:
    """So many people whose payments are on their way through bank-a."""
    found = [await bench.enrol(account=an_account(number=f"370900000000{number}")) for number in range(people)]
    await bench.close()
    await bench.pay()
    return found


async def ask(bench: Bench, *people: UUID, after: str = "keep", reason: str = "LATE_DEATH") -> str:
    """Two people ask these payments back; returns the hash they signed."""
    body = {"beneficiary_ids": [str(who) for who in people], "reason": reason, "after": after}
    proposed = await bench.post("cancel", "checker-1", Role.CHECKER, json=body)
    assert proposed.status_code == 200, proposed.text
    sha256 = str(proposed.json()["sha256"])
    confirmed = await bench.post("confirm-cancel", "approver-1", Role.APPROVER, sha256=sha256, json={"sha256": sha256})
    assert confirmed.status_code == 200, confirmed.text
    return sha256


async def asked_of(bench: Bench, provider: Provider = Provider.BANK_A) -> list[CancelRequest]:
    """The cancels one provider can read, their signature verified."""
    told = [m for m in await bench.told(BatchMessage, f"payout.batch.{provider}.v1") if m.kind == "cancel"]
    payloads = [jws.deserialize_compact(message.jws, bench.payout_key).payload for message in told]
    return [CancelRequest.model_validate_json(payload) for payload in payloads]


async def word(bench: Bench, outcome: CancelOutcome, request: CancelRequest | None = None, **changes: Any) -> list[PaymentResult]:
    """The provider says what became of every payment it was asked about; returns what it said."""
    said = []
    for one in [request] if request else await asked_of(bench):
        for identity in one.end_to_end_ids:
            same: dict[str, Any] = {
                "result_id": uuid4(), "provider": one.provider, "batch_id": one.batch_id, "kind": ResultKind.CANCEL,
                "end_to_end_id": identity, "outcome": outcome, "occurred_at": bench.clock.now(),
            }  # fmt: skip
            said.append(PaymentResult(**{**same, **changes}))
    await bench.answer(*said)
    return said


async def state_of(bench: Bench, who: UUID) -> list[str]:
    """The states of one person's payments."""
    return [payment["state"] for payment in (await bench.trace(who))["payments"]]


async def cancels(bench: Bench) -> dict[str, int]:
    """Wishes to cancel of the payroll by state."""
    shown = (await bench.client.get("/v1/payrolls/2024-02/huyen-444/cancels")).json()["cancels"]
    return {row["state"]: row["count"] for row in shown}


async def ledger(bench: Bench) -> dict[str, int]:
    """Balances that are not zero; their sum is."""
    balances = {account: vnd for account, vnd in (await bench.page())["ledger"].items() if vnd}
    assert sum(balances.values()) == 0
    return balances
