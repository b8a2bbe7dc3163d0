"""What notify costs per person, apart: the handlers and the drawing of a round on a real PostgreSQL, no broker, nothing sent.

    python -m tests.bench.notify_path [people] [--profile]

Prints CPU microseconds per person, Python's and PostgreSQL's, by stage.
"""

import asyncio
import json
import resource
import sys
from uuid import UUID

from services.notify.campaigns import draw_round
from services.notify.handlers import Handlers
from services.notify.store import Round
from shared.events import BeneficiarySnapshot, PaymentState, VerificationResult
from shared.topics import Provider
from shared.vault import Vault
from shared.words import AccountCheck, Channel, InstructionState, Outcome
from tests.bench.alone import Stages, alone, feed, raws
from tests.bench.verification_path import everybody, snapshot
from tests.integration.verification.verification_bench import START


def result(told: BeneficiarySnapshot) -> VerificationResult:
    """Verified."""
    return VerificationResult(
        beneficiary_id=told.beneficiary_id, result_seq=1, identity_digest=told.identity_digest, account_digest=told.account_digest,
        outcome=Outcome.MATCH, account=AccountCheck.USABLE if told.account_digest else None, checked_at=START,
    )  # fmt: skip


def payment(told: BeneficiarySnapshot, state: InstructionState, seq: int) -> PaymentState:
    """One state of a person's payment."""
    account = told.account_digest is not None
    return PaymentState(
        beneficiary_id=told.beneficiary_id, instruction_id=UUID(int=told.beneficiary_id.int ^ 1), state_seq=seq, state=state,
        provider=Provider.BANK_A if account else Provider.POST, channel=Channel.ACCOUNT if account else Channel.COUNTER,
        periods=("2024-02",), payer="huyen-444", attempt=1, vnd=360_000,
    )  # fmt: skip


async def run(people: int, *, profile: bool = False) -> dict[str, dict[str, int]]:
    """CPU microseconds per person by stage."""
    async with alone("notify") as place:
        stages = Stages(people, place.server, profile=profile)
        registry, handlers = Vault.load(place.keys / "registry.json"), Handlers(Vault.load(place.keys / "notify.json"))
        known = everybody(people)
        first, second = ([snapshot(registry, person, n=n) for person in known] for n in (1, 2))
        await stages.stage("person", feed(place.database, handlers.on_beneficiary, raws(first)))
        await stages.stage("newer", feed(place.database, handlers.on_beneficiary, raws(second)))
        await stages.stage("verified", feed(place.database, handlers.on_verification, raws(map(result, first))))
        for seq, state in enumerate((InstructionState.CREATED, InstructionState.ACCEPTED, InstructionState.PAID), start=1):
            paid = raws(payment(told, state, seq) for told in first)
            await stages.stage(state, feed(place.database, handlers.on_payment, paid))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        drawn = Round("bench", 1, None, "bench", START)
        await stages.stage("draw", draw_round(place.database, drawn, parts_max=2))
        print(f"drawing grew memory by {(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024} MB")
        stages.show_profile()
        return stages.costs


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:] if word.isdigit()]
    print(json.dumps(asyncio.run(run(*(wanted or [20_000]), profile="--profile" in sys.argv))))
