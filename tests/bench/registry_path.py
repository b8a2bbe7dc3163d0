"""What registry's event path costs per person, apart: the handlers on a real PostgreSQL, no broker. Run with
`python -m tests.bench.registry_path [people] [--profile]`; prints CPU microseconds per person, Python's and PostgreSQL's, by stage.
"""

import asyncio
import cProfile
import json
import os
import pstats
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import monotonic, process_time
from typing import Any
from uuid import UUID, uuid4

from joserfc.jwk import OctKey

from deploy.local.databases import migrate
from deploy.local.postgres import PostgresServer
from shared.clock import HandClock
from shared.database import Database
from shared.events import ListOpened, Message, PaymentState, VerificationResult
from shared.keyfiles import make_key_files
from shared.personal import Account, Delivery, Identity, PersonalData
from shared.records import parse_all
from shared.topics import Provider
from shared.words import AccountCheck, Channel, InstructionState, Outcome
from tests.integration.registry.registry_bench import PAYER, PERIOD, SOURCE, START, Bench

ROOT = Path(__file__).parents[2]
BATCH = 1_000
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as the broker gives it."""

    value: bytes
    headers: Sequence[tuple[str, bytes]]
    offset: int
    topic: str
    key: bytes | None = None
    partition: int = 0
    timestamp: int = 1_706_000_000_000


def raw(message: Message, offset: int) -> Raw:
    """A message as it stands in a topic."""
    headers = {"ce_id": str(uuid4()), "ce_type": message.TYPE, "ce_time": "2024-01-20T09:00:00+07:00"}
    value = message.model_dump_json(exclude_none=True).encode()
    return Raw(value, [(name, text.encode()) for name, text in headers.items()], offset, message.TOPIC)


@asynccontextmanager
async def registry_alone() -> AsyncIterator[tuple[Bench, int]]:
    """A registry on a PostgreSQL of its own; also the server's pid."""
    home = ROOT / ".ansinh" / f"bench-registry-{os.getpid()}" / "postgres"
    server = PostgresServer(ROOT, home)
    try:
        dsn = (await asyncio.to_thread(server.start, fresh=True)).replace("/postgres?", "/registry?")
        await asyncio.to_thread(migrate, dsn, "registry")
        with tempfile.TemporaryDirectory() as keys:
            make_key_files(Path(keys))
            database = await Database.open(dsn, size=4)
            assert server.pid
            yield Bench(database, Path(keys), HandClock(START)), server.pid
            await database.close()
    finally:
        server.stop()
        for folder in (server.home, home.parent):
            shutil.rmtree(folder, ignore_errors=True)


def cpu_of_children(pid: int) -> float:
    """CPU seconds of a process and all its live children."""
    seconds = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid or stat.parent.name == str(pid):
            seconds += int(fields[11]) + int(fields[12])
    return seconds / _TICKS


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


async def feed(bench: Bench, handler: Callable[..., Awaitable[None]], messages: Sequence[Raw]) -> None:
    """As the consumer does it: parse, one transaction per batch."""
    for start in range(0, len(messages), BATCH):
        good, bad = parse_all(messages[start : start + BATCH])
        assert not bad
        async with bench.database.transaction("test") as tx:
            await handler(tx, good)


class Stages:
    """Runs stages and prints what each cost per person."""

    def __init__(self, people: int, server: int, *, profile: bool) -> None:
        """`server`: pid of the PostgreSQL server."""
        self._people, self._server = people, server
        self._profile = cProfile.Profile() if profile else None
        self.costs: dict[str, dict[str, int]] = {}

    async def stage(self, name: str, work: Awaitable[object]) -> None:
        """Await the work and measure it."""
        python, server, began = process_time(), cpu_of_children(self._server), monotonic()
        if self._profile:
            self._profile.enable()
        await work
        if self._profile:
            self._profile.disable()
        spent = (process_time() - python, cpu_of_children(self._server) - server, monotonic() - began)
        self.costs[name] = {
            word: round(seconds * 1e6 / self._people) for word, seconds in zip(("python", "postgres", "wall"), spent, strict=True)
        }
        print(f"{name:10} {self.costs[name]}", flush=True)

    def show_profile(self) -> None:
        """Where Python's time went."""
        if self._profile:
            pstats.Stats(self._profile).sort_stats("tottime").print_stats(45)


async def run(people: int, *, profile: bool = False) -> dict[str, dict[str, int]]:
    """CPU microseconds per person by stage."""
    async with registry_alone() as (bench, server):
        stages = Stages(people, server, profile=profile)
        key = OctKey.import_key(OctKey.generate_key(256).as_dict() | {"kid": "list-1"})
        handlers = bench.handlers
        enrolled = [raw(m, n) for n, m in enumerate(enrolments(bench, key, people))]
        await stages.stage("enrol", feed(bench, handlers.on_ministry, enrolled))
        await stages.stage("again", feed(bench, handlers.on_ministry, enrolled))
        ids = [tuple(row) for row in await bench.rows("SELECT beneficiary_id, identity_digest, account_digest FROM person")]
        verified = [raw(m, n) for n, m in enumerate(results(ids, START))]
        await stages.stage("verified", feed(bench, handlers.on_verification, verified))
        await stages.stage("close", bench.close())
        for seq, state in enumerate((InstructionState.CREATED, InstructionState.ACCEPTED, InstructionState.PAID), start=1):
            states = [raw(m, n) for n, m in enumerate(payments(ids, state, seq))]
            await stages.stage(state, feed(bench, handlers.on_payment, states))
        stages.show_profile()
        return stages.costs


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:] if word.isdigit()]
    print(json.dumps(asyncio.run(run(*(wanted or [20_000]), profile="--profile" in sys.argv))))
