"""A sandbox bank or post office: reads payment orders from Kafka as any foreign system would and answers on its own topic.

SYNTHETIC: no money moves; what "really" happened is in the truth file (`sandbox/truth.py`), which is also the memory that survives a
restart. Offsets are committed only while nothing is parked or owed, so a restart hears everything unfinished again.

    python -m sandbox.provider --provider bank-a --bootstrap HOST:PORT --key bank-a.json --payout-key payout.public.json \\
        --truth bank-a.jsonl [--mix '{"lost": 1}'] [--group NAME]
    python -m sandbox.provider --provider bank-a --bootstrap HOST:PORT --truth bank-a.jsonl --emit-statement
    python -m sandbox.provider --provider bank-a --truth bank-a.jsonl --write-files FOLDER --account 9990000000001 --bank-bin 970405
"""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from joserfc.jwk import ECKey

from sandbox.provider_answers import Answer, Owed, Voice
from sandbox.provider_desk import Desk, Order, Recall, Refusal, Refused
from sandbox.provider_files import Account
from sandbox.provider_mix import Mix, decide
from sandbox.provider_recall import recalled
from sandbox.provider_written import write_files
from sandbox.truth import BatchState, TruthFile, TruthLocked, line_facts

COUNTER = "post"
OPENED_VND = 900_000_000_000
RECORDS_MAX = 4_000
POLL_MS = 100
RETRY_SECONDS = 0.5
DEADLINE_SECONDS = 20.0


class ProviderOffice:
    """Desk, memory and voice of one provider together. No Kafka in here."""

    def __init__(self, *, provider: str, desk: Desk, truth: TruthFile, mix: Mix) -> None:
        """`truth` is open and stays its caller's to close."""
        self._provider = provider
        self._desk = desk
        self._truth = truth
        self._mix = mix
        self._voice = Voice(provider)
        self._owed: dict[str, Owed] = {}
        self._to_repeat: list[Refused] = []
        self._recalls: list[Recall] = []
        self.unreadable = 0

    @property
    def idle(self) -> bool:
        """Nothing parked and nothing owed: what was read so far need never be read again."""
        return not self._owed and not self._desk.waiting and not self._recalls

    def take(self, topic: str, value: bytes | None, *, headers: Sequence[tuple[str, bytes]], now: float) -> None:
        """One record of either topic. What cannot be read, or speaks of a batch that is dealt with, is passed over."""
        try:
            body = json.loads(value or b"")
            batch_id = str(body["batch_id"])
            of_batches = topic.startswith("payout.batch.")
            if of_batches and body["kind"] == "cancel":
                recall = self._desk.recall_of(batch_id, str(body["jws"]), _moment(headers))
                if recall:
                    self._recalls.append(recall)
                    return
            if self._truth.batches.get(batch_id) is BatchState.CLOSED or batch_id in self._owed:
                return
            if of_batches:
                self._take_batch(batch_id, str(body["kind"]), str(body["jws"]), at=_moment(headers), now=now)
            elif batch_id not in self._truth.refusals:
                self._desk.take_line(batch_id, int(body["index"]), str(body["jwe"]), heard=now)
        except (ValueError, KeyError, TypeError):
            self.unreadable += 1

    def due(self, now: float) -> list[Answer]:
        """Decide what can be decided, put what happens now on record, and return what to say about it."""
        answers: list[Answer] = []
        for decided in self._desk.decided(now):
            answers += self._refuse(decided) if isinstance(decided, Refused) else self._act(decided, now)
        answers += self._recalled()
        answers += map(self._voice.refusal, self._to_repeat)
        self._to_repeat.clear()
        for owed in self._owed.values():
            while owed.stages and owed.due <= now:
                answers += self._reach(owed, now)
        return answers

    def said(self) -> None:
        """Everything returned by `due` so far was taken by the broker: batches without further stages are closed."""
        for batch_id in [key for key, owed in self._owed.items() if not owed.stages]:
            self._truth.mark_batch(batch_id, BatchState.CLOSED, self._owed.pop(batch_id).order.received_at)

    def _recalled(self) -> list[Answer]:
        """Answer wishes to cancel lines, once their batch is decided. A batch refused as a whole has its answer."""
        waiting, self._recalls = self._recalls, []
        answers: list[Answer] = []
        for recall in waiting:
            if self._desk.holds(recall.batch_id):
                self._recalls.append(recall)
            elif recall.batch_id not in self._truth.refusals:
                answers += recalled(recall, self._owed.get(recall.batch_id), self._truth, voice=self._voice, mix=self._mix)
        return answers

    def _take_batch(self, batch_id: str, kind: str, signed: str, *, at: datetime, now: float) -> None:
        """A refusal is final and said again when asked again; once acted on, it is too late to cancel."""
        if batch_id in self._truth.refusals:
            self._to_repeat.append(Refused(batch_id, at, Refusal(self._truth.refusals[batch_id])))
        elif kind == "manifest" or batch_id not in self._truth.batches:
            self._desk.take_batch(batch_id, kind, signed, at=at, heard=now)

    def _refuse(self, refused: Refused) -> list[Answer]:
        if refused.batch_id in self._truth.batches:  # begun before a restart and not heard whole again: what was paid stays paid
            _tell("batch_unfinished", batch_id=refused.batch_id)
            return []
        state = BatchState.CANCELLED if refused.reason is Refusal.CANCELLED else BatchState.REFUSED
        self._truth.mark_batch(refused.batch_id, state, refused.received_at, reason=refused.reason)
        _tell("batch_refused", batch_id=refused.batch_id, reason=refused.reason)
        return [self._voice.refusal(refused)]

    def _act(self, order: Order, now: float) -> list[Answer]:
        decisions = decide(order, self._mix, self._truth, counter=self._provider == COUNTER)
        if order.batch_id not in self._truth.batches:
            self._truth.mark_batch(order.batch_id, BatchState.ACTING, order.received_at)
        stages = deque(self._voice.stages(order, decisions, self._mix))
        self._owed[order.batch_id] = Owed(order, decisions, stages, now + stages[0].after_seconds)
        _tell("batch_received", batch_id=order.batch_id, count=len(order.lines))
        return []

    def _reach(self, owed: Owed, now: float) -> list[Answer]:
        stage = owed.stages.popleft()
        owed.reached += 1
        self._truth.add_lines(stage.facts)
        owed.due = now + owed.stages[0].after_seconds if owed.stages else now
        return stage.answers


async def serve(
    office: ProviderOffice, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, *, topic: str, stop: asyncio.Event
) -> None:
    """Read, decide, answer until told to stop. An answer the broker does not take is said again until it does."""
    unsaid: list[Answer] = []
    uncommitted = False
    while not stop.is_set():
        polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MAX)
        for records in polled.values():
            for record in records:
                office.take(record.topic, record.value, headers=record.headers, now=time.monotonic())
        uncommitted = uncommitted or bool(polled)
        unsaid += office.due(time.monotonic())
        if not await _published(producer, topic, unsaid):
            continue
        unsaid.clear()
        office.said()
        if uncommitted and office.idle:
            await _commit(consumer)
            uncommitted = False


async def emit_statement(provider: str, bootstrap: str, truth: Path) -> int:
    """Publish every fact of the truth file with basis `statement`; returns how many. The same statement again is a replay."""
    answers = Voice(provider).statement(line_facts(truth))
    producer = _producer(bootstrap)
    await producer.start()
    try:
        while not await _published(producer, f"payment.result.{provider}.v1", answers):
            pass
    finally:
        await producer.stop()
    return len(answers)


async def _published(producer: AIOKafkaProducer, topic: str, answers: Sequence[Answer]) -> bool:
    """Raises TimeoutError when neither answer nor error comes: aiokafka's producer may hang for ever (aiokafka#1101)."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            sent = [await producer.send(topic, answer.value, key=answer.key, headers=answer.headers) for answer in answers]
            await asyncio.gather(*sent)
    except KafkaError as error:
        _tell("answers_not_taken", code=type(error).__name__)
        await asyncio.sleep(RETRY_SECONDS)
        return False
    return True


async def _commit(consumer: AIOKafkaConsumer) -> None:
    try:
        await asyncio.wait_for(consumer.commit(), DEADLINE_SECONDS)
    except (KafkaError, TimeoutError) as error:  # heard again after a restart, which changes nothing
        _tell("offsets_not_committed", code=type(error).__name__)


def _producer(bootstrap: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5)


def _moment(headers: Sequence[tuple[str, bytes]]) -> datetime:
    """The customer's business time, the real one where it is missing."""
    given = dict(headers).get("ce_time", b"").decode("ascii", "replace")
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        return datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _tell(event: str, **fields: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


async def run(given: argparse.Namespace) -> None:
    """Open everything, serve until SIGTERM or SIGINT, close everything. Raises TruthLocked, OSError, KafkaError, ValueError."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    mix = Mix.of(json.loads(given.mix))
    desk = Desk(provider=given.provider, own=_key(given.key), customer=_key(given.payout_key), patience_seconds=given.patience)
    truth = TruthFile(given.truth)
    office = ProviderOffice(provider=given.provider, desk=desk, truth=truth, mix=mix)
    consumer = _consumer(given)
    producer = _producer(given.bootstrap)
    try:
        await producer.start()
        await consumer.start()
        _tell("ready", provider=given.provider)
        await serve(office, consumer, producer, topic=f"payment.result.{given.provider}.v1", stop=stop)
    finally:
        for each in (consumer, producer):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(each.stop(), DEADLINE_SECONDS)
        truth.close()
        _tell("stopped", unreadable=office.unreadable)


def _consumer(given: argparse.Namespace) -> AIOKafkaConsumer:
    group = given.group or f"sandbox-{given.provider}"
    return AIOKafkaConsumer(
        f"payout.batch.{given.provider}.v1",
        f"payout.instruction.{given.provider}.v1",
        bootstrap_servers=given.bootstrap,
        group_id=group,
        group_instance_id=group,  # the truth file lets only one live, so a restart takes its place back at once
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        session_timeout_ms=10_000,
        heartbeat_interval_ms=3_000,
    )


def _key(path: Path) -> ECKey:
    key: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return ECKey.import_key(key)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Sandbox bank or post office (synthetic, no money moves)")
    parser.add_argument("--provider", required=True, help="bank-a, bank-b or post")
    parser.add_argument("--bootstrap", help="needed for everything but --write-files")
    parser.add_argument("--truth", type=Path, required=True, help="append-only JSON lines, also the memory")
    parser.add_argument("--key", type=Path, help="this provider's private JWK")
    parser.add_argument("--payout-key", type=Path, help="payout's public JWK")
    parser.add_argument("--mix", default="{}", help="JSON object, see sandbox/provider_mix.py")
    parser.add_argument("--group", help="consumer group, default sandbox-<provider>")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds a manifest waits for its lines")
    parser.add_argument("--emit-statement", action="store_true", help="publish the truth file as a statement and end")
    parser.add_argument(
        "--write-files", type=Path, metavar="FOLDER", help="write statements and reports of the truth file and end"
    )
    parser.add_argument("--account", default="", help="the customer's account, as statements name it")
    parser.add_argument("--bank-bin", default="", help="this bank, as statements name it")
    given = parser.parse_args()
    if not (given.bootstrap or given.write_files):
        parser.error("--bootstrap is needed")
    if not (given.emit_statement or given.write_files) and not (given.key and given.payout_key):
        parser.error("--key and --payout-key are needed")
    return given


def main() -> int:
    """0 after a clean end, 2 when it cannot start."""
    given = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what matters raises
    try:
        if given.write_files:
            account = Account(given.account, given.bank_bin, OPENED_VND)
            paths = write_files(given.provider, given.truth, given.write_files, account=account)
            _tell("files", count=len(paths))
        elif given.emit_statement:
            _tell("statement", facts=asyncio.run(emit_statement(given.provider, given.bootstrap, given.truth)))
        else:
            asyncio.run(run(given))
    except (TruthLocked, OSError, KafkaError, ValueError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
