"""One stage of the documented way: a FastStream application as FastStream's and faststream-outbox's documentation write it.

A subscriber takes one record, opens one transaction with SQLAlchemy on the service's real tables, writes what its service keeps of that
record, and publishes through the outbox in the same transaction; the off-the-shelf relay carries the row to the next topic. No record is
sealed, opened, matched or built into a payroll here: every stage does less than the service it stands for.
"""

import logging
import sys
from collections.abc import Callable
from uuid import UUID, uuid5

import uvloop
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaResponse
from faststream.kafka.annotations import KafkaMessage
from faststream_outbox import OutboxBroker, make_outbox_table
from faststream_outbox.annotations import OutboxMessage
from sqlalchemy import Connection, MetaData, Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from shared import topics
from shared.events import BeneficiarySnapshot, Enrolled, Message, PaymentState, TextState, VerificationResult, Version
from shared.words import AccountCheck, AccountSource, Channel, InstructionState, Life, MessageStatus, Outcome, Wish
from tests.bench.documented_way_data import CAMPAIGN, NOW, SEALED, digest_of

LOG = logging.getLogger("documented_way")  # shows errors only: not a line per record
PARTITIONS = 4
PEOPLE = UUID("8a0f0c52-6d2c-4a57-9a39-3e1c3f1f0d11")
NEXT = {
    "registry": topics.REGISTRY_BENEFICIARY,
    "verification": topics.VERIFICATION_RESULT,
    "payout": topics.PAYOUT_PAYMENT,
    "notify": topics.NOTIFY_MESSAGE,
}
READS = {
    "registry": topics.MINISTRY_BENEFICIARY,
    "verification": topics.REGISTRY_BENEFICIARY,
    "payout": topics.VERIFICATION_RESULT,
    "notify": topics.PAYOUT_PAYMENT,
}
TABLES = {
    "registry": ("person", "source_record"),
    "verification": ("person", "verdict"),
    "payout": ("verdict",),
    "notify": ("account_payment", "message", "message_person"),
}


class Stage:
    """One service's brokers, tables and subscriber."""

    def __init__(self, service: str, *, bootstrap: str, dsn: str) -> None:
        """Wire without connecting. The pool is as large as ours."""
        self.service = service
        self._metadata = MetaData()
        self._engine = create_async_engine(
            dsn.replace("postgresql://", "postgresql+asyncpg://").split("?")[0], pool_size=10, max_overflow=10
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self._relay_table = make_outbox_table(self._metadata, table_name="relay_outbox")
        self.kafka = KafkaBroker(bootstrap, acks="all", enable_idempotence=True, logger=LOG)
        self.outbox = OutboxBroker(self._engine, outbox_table=self._relay_table, logger=LOG)
        self._subscribe()
        self._relay()

    async def run(self) -> None:
        """Until terminated, as `faststream run` would."""
        async with self._engine.begin() as connection:
            await connection.run_sync(self._relay_table.create, checkfirst=True)
            await connection.run_sync(self._reflect)
        app = FastStream(self.kafka, logger=LOG)
        app.after_startup(self.outbox.start)
        app.on_shutdown(self.outbox.stop)
        await app.run()

    def _reflect(self, connection: Connection) -> None:
        self._metadata.reflect(bind=connection, only=TABLES[self.service], resolve_fks=False)

    def _table(self, name: str) -> Table:
        return self._metadata.tables[name]

    def _subscribe(self) -> None:
        handle: Callable[[AsyncSession, bytes], object] = getattr(self, f"_{self.service}")

        # At least once: acknowledged after the transaction. With manual acknowledgement `max_workers` is one worker per partition.
        @self.kafka.subscriber(
            READS[self.service],
            group_id=self.service,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            max_workers=PARTITIONS,
            decoder=_raw,
        )
        async def take(body: bytes) -> None:
            async with self._sessions.begin() as session:
                await handle(session, body)  # type: ignore[misc]

    def _relay(self) -> None:
        publisher = self.kafka.publisher(NEXT[self.service])

        # Batches and workers are far above the library's defaults (10 rows, 1 worker, one delete per row).
        @publisher
        @self.outbox.subscriber(
            NEXT[self.service],
            max_workers=8,
            fetch_batch_size=200,
            terminal_flush_batch_size=100,
            min_fetch_interval=0.05,
            decoder=_raw_outbox,
        )
        async def relay(body: bytes, message: OutboxMessage) -> KafkaResponse:
            return KafkaResponse(body, key=message.headers["key"].encode())

    async def _publish(self, session: AsyncSession, key: UUID, message: Message) -> None:
        body = message.model_dump_json(exclude_none=True).encode()
        await self.outbox.publish(body, queue=NEXT[self.service], session=session, headers={"key": str(key)})

    # --- what each service keeps and tells ---------------------------------------------------------------------------------------

    async def _registry(self, session: AsyncSession, body: bytes) -> None:
        """A person and the record they came from; tells a snapshot."""
        event = Enrolled.model_validate_json(body)
        who = uuid5(PEOPLE, event.record)
        identity, account = digest_of(f"identity{event.record}"), digest_of(f"account{event.record}")
        snapshot = BeneficiarySnapshot(
            beneficiary_id=who, version=Version(epoch=1, n=1), payer=event.payer, area=event.area, life=Life.ALIVE, wish=Wish.NONE,
            account_source=AccountSource.BULK, identity=SEALED["identity"], payee=SEALED["payee"], delivery=SEALED["delivery"],
            contact=SEALED["contact"], identity_digest=identity, account_digest=account,
        )  # fmt: skip
        table = self._table("person")
        person = snapshot.model_dump(include=set(table.c.keys()))
        await session.execute(insert(table).values(**person, epoch=1, n=1, changed_at=NOW).on_conflict_do_nothing())
        await session.execute(
            insert(self._table("source_record"))
            .values(source=event.source, record=event.record, beneficiary_id=who, sequence=event.source_sequence, digest=identity)
            .on_conflict_do_nothing()
        )
        await self._publish(session, who, snapshot)

    async def _verification(self, session: AsyncSession, body: bytes) -> None:
        """The snapshot and a result; tells the result."""
        snapshot = BeneficiarySnapshot.model_validate_json(body)
        result = VerificationResult(
            beneficiary_id=snapshot.beneficiary_id, result_seq=1, identity_digest=snapshot.identity_digest,
            account_digest=snapshot.account_digest, outcome=Outcome.MATCH, account=AccountCheck.USABLE, checked_at=NOW,
        )  # fmt: skip
        kept = {"beneficiary_id", "payer", "identity", "payee", "identity_digest", "account_digest"}
        person = {**snapshot.model_dump(include=kept), "epoch": snapshot.version.epoch, "n": snapshot.version.n, "result_seq": 1}
        table = self._table("person")
        await session.execute(insert(table).values(person).on_conflict_do_nothing())
        verdict = {**result.model_dump(), "evidence": []}
        await session.execute(insert(self._table("verdict")).values(verdict).on_conflict_do_nothing())
        await self._publish(session, snapshot.beneficiary_id, result)

    async def _payout(self, session: AsyncSession, body: bytes) -> None:
        """The result, newer ones winning; tells that the person is paid."""
        result = VerificationResult.model_validate_json(body)
        table = self._table("verdict")
        row = insert(table).values(**result.model_dump(exclude={"evidence"}))
        changed = {
            name: row.excluded[name] for name in ("result_seq", "identity_digest", "account_digest", "outcome", "checked_at")
        }
        newer = table.c.result_seq < row.excluded.result_seq
        await session.execute(row.on_conflict_do_update(index_elements=["beneficiary_id"], set_=changed, where=newer))
        payment = PaymentState(
            beneficiary_id=result.beneficiary_id, instruction_id=uuid5(PEOPLE, str(result.beneficiary_id)), state_seq=1,
            state=InstructionState.PAID, provider=topics.Provider.BANK_A, channel=Channel.ACCOUNT, periods=("2024-02",),
            payer="huyen-444", attempt=1, vnd=360_000,
        )  # fmt: skip
        await self._publish(session, result.beneficiary_id, payment)

    async def _notify(self, session: AsyncSession, body: bytes) -> None:
        """The payment, the decision to send a text and whom it serves; tells the decision."""
        payment = PaymentState.model_validate_json(body)
        paid = {**payment.model_dump(include={"instruction_id", "beneficiary_id", "state_seq", "state"})}
        await session.execute(insert(self._table("account_payment")).values(paid).on_conflict_do_nothing())
        message_id = uuid5(PEOPLE, f"text{payment.beneficiary_id}")
        text = {"message_id": message_id, "campaign": CAMPAIGN, "round": 1, "parts": 1, "status": "created", "changed_at": NOW}
        more = {
            "phone_ix": message_id.bytes * 2,
            "contact": SEALED["contact"],
            "owner": payment.beneficiary_id,
            "accented": False,
        }
        served = {"campaign": CAMPAIGN, "round": 1, "beneficiary_id": payment.beneficiary_id, "message_id": message_id}
        await session.execute(insert(self._table("message")).values(**text, **more).on_conflict_do_nothing())
        await session.execute(insert(self._table("message_person")).values(served).on_conflict_do_nothing())
        state = TextState(
            message_id=message_id, campaign=CAMPAIGN, round=1, beneficiary_ids=(payment.beneficiary_id,),
            status=MessageStatus.CREATED, parts=1, at=NOW,
        )  # fmt: skip
        await self._publish(session, message_id, state)


async def _raw(message: KafkaMessage) -> bytes:
    """Models are parsed strictly from JSON text, so the body stays as it is."""
    return message.body


async def _raw_outbox(message: OutboxMessage) -> bytes:
    return message.body


if __name__ == "__main__":
    name, bootstrap, dsn = sys.argv[1:]
    uvloop.run(Stage(name, bootstrap=bootstrap, dsn=dsn).run())
