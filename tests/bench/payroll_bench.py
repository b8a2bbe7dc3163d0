"""Payroll of many synthetic people on one payout service and a real PostgreSQL: CPU and wall seconds per stage, memory, file bytes.

`python -m tests.bench.payroll_bench --people 1000000 --payers 100`. The service runs inside this process, without Kafka: its handlers
get what the topics would bring, its commands come over its own HTTP routes. Making the synthetic input is not counted. The figures
stand only when every line is accounted for, the ledger sums to zero and every file is what its hash and the schema say.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvloop
from lxml import etree

from deploy.local.databases import migrate
from deploy.local.stack import KAFKA_ADDRESS, LocalStack
from deploy.local.xsd import ensure_xsd
from services.payout import bank_file
from services.payout.app import build
from services.payout.papers import papers
from services.payout.printing import Printer
from services.payout.settings import Settings
from shared import logs, topics
from shared.actors import ActorGate
from shared.clock import HandClock
from shared.collecting import collect_less_often
from shared.database import Database
from shared.events import ListClosing, Message, PaymentResult
from shared.ids import add_to_digest, digest_hex
from shared.issuing import Issuer
from shared.keyfiles import make_key_files
from shared.process import App, Runtime
from shared.records import parse_all
from shared.topics import Provider, Service, result_topic
from shared.vault import Vault
from shared.web import make_app
from shared.words import LineStatus, ResultKind, Role
from tests.bench import office_path
from tests.bench.payroll_people import PERIOD, People

ROOT = Path(__file__).parents[2]
START = datetime(2024, 1, 25, 2, 0, tzinfo=UTC)
CHUNK = 2_000
OFFICES_AT_ONCE = 4
POSTAL_PEOPLE = 100_000
STEPS = {"build": Role.MAKER, "check": Role.CHECKER, "approve": Role.APPROVER, "release": Role.RELEASER}
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """Seconds of one stage: on the wall, of this process, of PostgreSQL with all its workers."""

    wall: float = 0.0
    python: float = 0.0
    postgres: float = 0.0


@dataclass
class Record:
    """What Kafka would hand over."""

    topic: str
    offset: int
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    partition: int = 0
    timestamp: int = 0
    key: bytes | None = None


@dataclass
class Bench:
    """One payout service with a meter."""

    app: App
    runtime: Runtime
    database: Database
    client: httpx.AsyncClient
    issuer: Issuer
    people: People
    clock: HandClock
    postgres: int
    files: Path
    costs: dict[str, Cost] = field(default_factory=dict)
    longest: dict[str, float] = field(default_factory=dict)
    rss: int = 0
    bytes: dict[str, int] = field(default_factory=dict)
    peak: int = 0
    offset: int = 0
    dsn: str = ""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside towards a stage."""
        cost = self.costs.setdefault(name, Cost())
        before = (perf_counter(), process_time(), tree_seconds(self.postgres))
        yield
        took = perf_counter() - before[0]
        cost.wall += took
        cost.python += process_time() - before[1]
        cost.postgres += tree_seconds(self.postgres) - before[2]
        self.longest[name] = max(self.longest.get(name, 0.0), took)

    async def take(self, stage: str, topic: str, messages: Sequence[Message]) -> None:
        """One batch of one topic: parsed as the runtime parses it, then handled in one transaction."""
        records = [self._record(topic, message) for message in messages]
        with self.stage("parse"):
            good, bad = parse_all(records)
        assert not bad
        with self.stage(stage):
            async with self.database.transaction("bench.take") as tx:
                await self.app.consumes[topic](tx, good)

    def _record(self, topic: str, message: Message) -> Record:
        self.offset += 1
        headers = [("ce_id", str(uuid4()).encode()), ("ce_type", message.TYPE.encode()), ("ce_time", START.isoformat().encode())]
        return Record(topic, self.offset, message.model_dump_json(exclude_none=True).encode(), headers)

    async def feed(self, payer: str, count: int, *, account: bool) -> ListClosing:
        """A payer's people, verdicts, frozen lines and closing arrive."""
        digest = lines = vnd = 0
        for start in range(0, count, CHUNK):
            snapshots, results, frozen = self.people.some(payer, range(start, min(start + CHUNK, count)), account=account)
            await self.take("snapshots", topics.REGISTRY_BENEFICIARY, snapshots)
            await self.take("verdicts", topics.VERIFICATION_RESULT, results)
            await self.take("lines", topics.REGISTRY_ENTITLEMENT, frozen)
            for line in frozen:
                digest = add_to_digest(digest, line.canonical())
            lines, vnd = lines + len(frozen), vnd + sum(line.declared_vnd for line in frozen)
        closing = ListClosing(
            period=PERIOD, payer=payer, count=lines, vnd=vnd, digest=digest_hex(digest), programmes=(), closed_at=START
        )
        await self.take("lines", topics.REGISTRY_LIST, [closing])
        return closing

    async def pay(self, payers: Sequence[str], prefix: str = "") -> None:
        """Four people of each of these offices take a payroll from its lines to what leaves; some offices at a time, each after another."""
        at_once = asyncio.Semaphore(OFFICES_AT_ONCE)

        async def one(payer: str, act: str, token: str) -> None:
            async with at_once:
                await self._command(payer, act, token)

        for act, role in STEPS.items():
            tokens = [await self._token(payer, act, role) for payer in payers]
            with self.stage(prefix + act):
                await asyncio.gather(*(one(payer, act, token) for payer, token in zip(payers, tokens, strict=True)))
        self.rss = self.rss or rss_mb()
        self.peak = self.peak or _highest_mb()  # later peaks would count what the bench itself holds to check files

    async def _token(self, payer: str, act: str, role: Role) -> str:
        page = await self.page(payer) if act != "build" else {"sha256": None}
        return self.issuer.token(f"the-{act}", (role,), sha256=page["sha256"])

    async def _command(self, payer: str, act: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self.client.post(f"/v1/payrolls/{PERIOD}/{payer}/{act}", headers=headers)
        assert answer.status_code == 200, answer.text

    async def page(self, payer: str) -> dict[str, Any]:
        """The payroll as people see it."""
        answer = await self.client.get(f"/v1/payrolls/{PERIOD}/{payer}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def answer_all(self, payer: str) -> None:
        """Every provider says that it has the batch, then that it paid every line."""
        for batch_id, provider, sent in await self._sent(payer):
            whole = self._about(provider, batch_id, ResultKind.BATCH_RECEIVED)
            await self.take("answers", result_topic(provider), [whole])
            for start in range(0, len(sent), CHUNK):
                answers = [
                    self._about(
                        provider, batch_id, ResultKind.LINE, status=LineStatus.PAID, end_to_end_id=identity, amount_vnd=vnd
                    )
                    for identity, vnd in sent[start : start + CHUNK]
                ]
                await self.take("answers", result_topic(provider), answers)

    def _about(self, provider: Provider, batch_id: UUID, kind: ResultKind, **said: Any) -> PaymentResult:
        return PaymentResult(result_id=uuid4(), provider=provider, batch_id=batch_id, kind=kind, occurred_at=START, **said)

    async def _sent(self, payer: str) -> list[tuple[UUID, Provider, list[tuple[str, int]]]]:
        async with self.database.reading() as tx:
            batches = await tx.fetch("SELECT batch_id, provider FROM batch WHERE payer = $1 AND period = $2", payer, PERIOD)
            return [
                (row["batch_id"], Provider(row["provider"]), [tuple(sent) for sent in await tx.fetch(_SENT, row["batch_id"])])
                for row in batches
            ]


_SENT = "SELECT end_to_end_id, vnd FROM instruction WHERE batch_id = $1 AND state = 'sending' ORDER BY end_to_end_id"


def rss_mb() -> int:
    """What this process holds now, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20


def tree_seconds(pid: int) -> float:
    """CPU seconds of a process, its living children and those it has buried."""
    total = 0.0
    for one in (pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(map(int, fields[11:15] if one == pid else fields[11:13])) / TICK
    return total


@asynccontextmanager
async def service(folder: Path) -> AsyncIterator[Bench]:
    """A payout service over its own PostgreSQL, alone on it."""
    stack = await asyncio.to_thread(
        LocalStack.start, ROOT, f"bench-payroll-{os.getpid()}", fresh=True, environment={KAFKA_ADDRESS: "none"}
    )
    try:
        await asyncio.to_thread(migrate, stack.postgres_dsn("payout"), "payout")
        make_key_files(folder / "keys")
        database, clock = await Database.open(stack.postgres_dsn("payout")), HandClock(START)
        settings = Settings(  # type: ignore[call-arg]
            postgres_dsn="unused",
            kafka_bootstrap="unused",
            port=20_001,
            keys_file=folder / "keys" / "payout.json",
            files_dir=folder / "files",
        )
        vault, gate = Vault.load(settings.keys_file), ActorGate(json.loads(settings.keys_file.read_text())["issuer"], clock)
        runtime = Runtime(Service.PAYOUT, settings, database, vault, clock, gate, logs.configure("payout"))
        app = build(runtime)
        web = make_app("bench", list)
        assert app.router
        web.include_router(app.router)
        collect_less_often()  # as in a service's process
        async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://bench", timeout=None) as client:
            yield Bench(
                app,
                runtime,
                database,
                client,
                Issuer(folder / "keys" / "actor-issuer.json", clock),
                People(Vault.load(folder / "keys" / "registry.json"), START),
                clock,
                stack.pids["postgres"],
                folder / "files",
                dsn=stack.postgres_dsn("payout"),
            )
        await database.close()
    finally:
        await asyncio.to_thread(stack.remove)


def check_page(page: dict[str, Any], closing: ListClosing, *, answered: bool) -> None:
    """The gate: count and VND are conserved, the ledger sums to zero and says what the payments say."""
    lines, places = page["lines"], ("cashless", "postal", "held")
    assert (lines["count"], lines["vnd"], lines["undecided_vnd"]) == (closing.count, closing.vnd, 0)
    assert sum(lines[place]["count"] for place in places) == closing.count
    assert sum(lines[place]["vnd"] for place in places) == closing.vnd
    assert sum(page["ledger"].values()) == 0
    live = page["cashless"]["vnd"] + page["postal"]["vnd"]
    in_flight = sum(balance for account, balance in page["ledger"].items() if account.startswith("in_flight"))
    assert (page["ledger"].get("paid", 0), in_flight) == ((live, 0) if answered else (0, live))
    assert {batch["state"] for batch in page["batches"]} == {"settled" if answered else "sent"}
    assert sum(batch["sent_count"] for batch in page["batches"]) == sum(p["count"] for p in page["payments"].values())


def check_files(bench: Bench, page: dict[str, Any]) -> None:
    """Every file of the payroll is there as it was hashed; a bank file fits the schema, holds the batch, and is made again byte by byte."""
    schema = etree.XMLSchema(etree.parse(ensure_xsd(ROOT)))
    for file in page["files"]:
        path = bench.files / file["path"]
        with path.open("rb") as opened:
            digest = sha256()
            while block := opened.read(2**20):
                digest.update(block)
        assert digest.hexdigest() == file["sha256"]
        bench.bytes[file["kind"]] = bench.bytes.get(file["kind"], 0) + file["size"]
        if file["kind"] == "pain.001":
            with bench.stage("pain.001 schema"):
                root = etree.parse(path).getroot()
                assert schema.validate(root), "a bank file does not fit the schema"
            totals = root.find(".//{*}GrpHdr/{*}NbOfTxs"), root.find(".//{*}GrpHdr/{*}CtrlSum")
            assert [int(total.text) for total in totals] == [file["count"], file["vnd"]]
            _make_again(bench, path.read_bytes(), root)
        path.unlink()


def _make_again(bench: Bench, content: bytes, root: etree._Element) -> None:
    transfers = [_transfer(payment) for payment in root.iter("{*}CdtTrfTxInf")]
    head = content[: content.index(b"<CdtTrfTxInf>")]
    with bench.stage("pain.001"):
        made = sha256(head)
        for start in range(0, len(transfers), CHUNK):
            made.update(bank_file.transactions(transfers[start : start + CHUNK]))
        made.update(bank_file.TAIL)
    assert made.digest() == sha256(content).digest()


def _transfer(payment: etree._Element) -> bank_file.Transfer:
    paths = (
        "PmtId/{*}EndToEndId",
        "Amt/{*}InstdAmt",
        "Cdtr/{*}Nm",
        "CdtrAgt//{*}MmbId",
        "CdtrAcct/{*}Id/{*}Othr/{*}Id",
        "RmtInf/{*}Ustrd",
    )
    found = [str(payment.findtext("{*}" + path)) for path in paths]
    return bank_file.Transfer(found[0], int(found[1]), *found[2:])


async def run(people: int, payers: int, *, postal: bool = True) -> dict[str, Any]:
    """The figures of so many people over so many payers, all on accounts but the held, then one payer whose people all go to the post."""
    folder = Path(tempfile.mkdtemp(prefix="payroll-bench-"))
    try:
        async with service(folder) as bench:
            baseline = rss_mb()
            names = [f"payer-{number:04d}" for number in range(payers)]
            await _offices(bench, names, people // payers)
            figures = _figures(bench, people, baseline)
            figures["office"] = await office_path.measure(bench, names, people)
            return figures | (await _postal(bench, min(people, POSTAL_PEOPLE)) if postal else {})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _offices(bench: Bench, payers: Sequence[str], people: int) -> None:
    closings = [await bench.feed(payer, people, account=True) for payer in payers]
    await bench.pay(payers)
    for payer, closing in zip(payers, closings, strict=True):
        check_page(await bench.page(payer), closing, answered=False)
        await bench.answer_all(payer)
        page = await bench.page(payer)
        check_page(page, closing, answered=True)
        check_files(bench, page)


async def _postal(bench: Bench, people: int) -> dict[str, Any]:
    closing = await bench.feed("postal", people, account=False)
    await bench.pay(["postal"], "postal ")
    page = await bench.page("postal")
    check_page(page, closing, answered=False)
    check_files(bench, page)
    cost = bench.costs["postal release"]
    per = POSTAL_PEOPLE / people
    size = sum(file["size"] for file in page["files"])
    return {
        "postal_release_per_100k": {name: round(value * per, 2) for name, value in vars(cost).items()},
        "postal_print_per_100k": {name: round(value * per, 2) for name, value in (await _printed(bench)).items()},
        "postal_bytes": size,
    }


async def _printed(bench: Bench) -> dict[str, float]:
    """Seconds on the wall and of the printing processes' CPU, all lists one after the other."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    await Printer(bench.runtime, papers(bench.runtime.settings)).print_missing()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": perf_counter() - began, "cpu": spent}


def _figures(bench: Bench, people: int, baseline: int) -> dict[str, Any]:
    stages = {
        name: {
            "wall_s": round(cost.wall, 2),
            "python_s": round(cost.python, 2),
            "postgres_s": round(cost.postgres, 2),
            "longest_s": round(bench.longest[name], 2),
            "python_us_each": round(cost.python / people * 1e6, 1),
            "postgres_us_each": round(cost.postgres / people * 1e6, 1),
        }
        for name, cost in bench.costs.items()
    }
    counted = [cost for name, cost in bench.costs.items() if not name.startswith("pain.001")]
    return {
        "people": people,
        "stages": stages,
        "build_s": stages["build"]["wall_s"],
        "pain001_s": stages["pain.001"]["wall_s"],
        "pain001_schema_s": stages["pain.001 schema"]["wall_s"],
        "build_and_pain001_cpu_s": sum(
            stages[name][kind] for name in ("build", "pain.001") for kind in ("python_s", "postgres_s")
        ),
        "bytes": bench.bytes,
        "python_us_each": round(sum(cost.python for cost in counted) / people * 1e6, 1),
        "postgres_us_each": round(sum(cost.postgres for cost in counted) / people * 1e6, 1),
        "rss_mb": {"before": baseline, "after": bench.rss, "peak": bench.peak},
    }


def _highest_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--payers", type=int, default=100)
    parser.add_argument("--no-postal", action="store_true")
    asked = parser.parse_args()
    json.dump(uvloop.run(run(asked.people, asked.payers, postal=not asked.no_postal)), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
