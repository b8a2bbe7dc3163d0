"""What registry's event path costs per person, apart: the handlers on a real PostgreSQL, no broker. Run with
`python -m tests.bench.registry_path [people] [--profile]`; prints CPU microseconds per person, Python's and PostgreSQL's, by stage.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any
from uuid import UUID

from joserfc.jwk import OctKey

from shared.clock import HandClock
from shared.events import ListOpened, Message, PaymentState, VerificationResult
from shared.personal import Account, Delivery, Identity, PersonalData
from shared.topics import Provider
from shared.words import AccountCheck, Channel, InstructionState, Outcome
from tests.bench.alone import Stages, alone, feed, raws
from tests.integration.registry.registry_bench import PAYER, PERIOD, SOURCE, START, Bench


@asynccontextmanager
async def registry_alone() -> AsyncIterator[tuple[Bench, int]]:
    """A registry on a PostgreSQL of its own; also the server's pid."""
    async with alone("registry") as place:
        yield Bench(place.database, place.keys, HandClock(START)), place.server


def personal(rng: Random, number: int) -> PersonalData:
    """A made-up person; two in three have an account."""
    name = " ".join(rng.choice(("Nguyễn", "Trần", "Thị", "Văn", "Hòa", "Lành", "Đức", "Sáu", "Bảy", "Én")) for _ in range(4))
    identity = Identity(
        full_name=name,
        birth_date=f"{rng.randint(1930, 1990)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        sex="female",
        personal_number=f"042{number:09}",
    )
    account = Account(bank_bin="970405", number=f"3709{number:09}", holder=name.upper()) if number % 3 else None
    return PersonalData(identity=identity, account=account, delivery=Delivery(hamlet=f"Thôn {number % 9}"), phone="0912000001")


def enrolments(bench: Bench, key: OctKey, people: int) -> Iterator[Message]:
    """A list opened, then everybody on it."""
    yield ListOpened(
        source=SOURCE, record="list", source_sequence=1, period=PERIOD, payer=PAYER, content_key=bench.sealed_key(key)
    )
    rng = Random(1)
    for number in range(people):
        yield bench.enrolled(f"r{number}", key=key, personal=personal(rng, number))


def results(ids: Sequence[tuple[UUID, str, str | None]], at: Any) -> Iterator[Message]:
    """Everybody verified."""
    for who, identity, account in ids:
        yield VerificationResult(
            beneficiary_id=who, result_seq=1, identity_digest=identity, account_digest=account, outcome=Outcome.MATCH,
            account=AccountCheck.USABLE if account else None, checked_at=at,
        )  # fmt: skip


def payments(ids: Sequence[tuple[UUID, str, str | None]], state: InstructionState, seq: int) -> Iterator[Message]:
    """One state of everybody's payment."""
    for who, _identity, account in ids:
        yield PaymentState(
            beneficiary_id=who, instruction_id=UUID(int=who.int ^ 1), state_seq=seq, state=state, periods=(PERIOD,),
            provider=Provider.BANK_A if account else Provider.POST, channel=Channel.ACCOUNT if account else Channel.COUNTER,
            payer=PAYER, attempt=1, vnd=360_000,
        )  # fmt: skip


async def run(people: int, *, profile: bool = False) -> dict[str, dict[str, int]]:
    """CPU microseconds per person by stage."""
    async with registry_alone() as (bench, server):
        stages = Stages(people, server, profile=profile)
        key = OctKey.import_key(OctKey.generate_key(256).as_dict() | {"kid": "list-1"})
        handlers = bench.handlers
        enrolled = raws(enrolments(bench, key, people))
        await stages.stage("enrol", feed(bench.database, handlers.on_ministry, enrolled))
        await stages.stage("again", feed(bench.database, handlers.on_ministry, enrolled))
        ids = [tuple(row) for row in await bench.rows("SELECT beneficiary_id, identity_digest, account_digest FROM person")]
        verified = raws(results(ids, START))
        await stages.stage("verified", feed(bench.database, handlers.on_verification, verified))
        await stages.stage("close", bench.close())
        for seq, state in enumerate((InstructionState.CREATED, InstructionState.ACCEPTED, InstructionState.PAID), start=1):
            states = raws(payments(ids, state, seq))
            await stages.stage(state, feed(bench.database, handlers.on_payment, states))
        stages.show_profile()
        return stages.costs


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:] if word.isdigit()]
    print(json.dumps(asyncio.run(run(*(wanted or [20_000]), profile="--profile" in sys.argv))))
