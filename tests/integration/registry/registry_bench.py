"""A registry service on its own database, with hands: import files, see events, close lists, read what was published."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwe
from joserfc.jwk import ECKey, OctKey

from services.registry import store_funnel, store_lists
from services.registry.account_ranks import AccountRanks
from services.registry.areas import Areas
from services.registry.door import Door
from services.registry.gone import Gatekeeper
from services.registry.handlers import Handlers, Registrar
from services.registry.importing import Importer, Request
from services.registry.inbox import Inbox
from services.registry.lists import ListCloser
from services.registry.reading import Tables
from services.registry.refusals import CloseReason
from services.registry.undoing import Undoer
from shared import logs
from shared.clock import HandClock
from shared.database import Database
from shared.events import (
    BY_TYPE,
    BeneficiarySnapshot,
    DeclaredLine,
    Enrolled,
    EntitlementLine,
    ListClosing,
    Message,
    MinistryMessage,
)
from shared.personal import Identity, PersonalData
from shared.records import Received
from shared.vault import Vault
from shared.words import Programme

START = datetime(2024, 1, 20, 2, 0, tzinfo=UTC)
PERIOD, PAYER, SOURCE = "2024-02", "huyen-444", "sandbox/ministry"


def an_identity(**changes: Any) -> Identity:
    """Somebody with a number."""
    same = {"full_name": "Nguyễn Thị Hòa", "birth_date": "1949-03-02", "sex": "female", "personal_number": "042149990001"}
    return Identity(**{**same, **changes})


def a_line(**changes: Any) -> DeclaredLine:
    """A month's assistance."""
    return DeclaredLine(
        **{
            "programme": Programme.SOCIAL_ASSISTANCE,
            "benefit_code": "BT-5c",
            "coefficient_hundredths": 100,
            "monthly_vnd": 360_000,
        }
        | changes
    )


class Bench:
    """The service under test."""

    def __init__(self, database: Database, keys: Path, clock: HandClock) -> None:
        self.database, self.clock = database, clock
        self.vault = Vault.load(keys / "registry.json")
        self._public = ECKey.import_key(json.loads((keys / "registry.json").read_text())["private"])
        self.areas = Areas.from_files()
        self.registrar = Registrar(self.vault, clock, AccountRanks.from_file(), areas=self.areas)
        self.door = Door(self.vault, clock, self.registrar, areas=self.areas)
        self.handlers = Handlers(self.door.take)
        self.inbox = Inbox(keys / "lists")
        self.importer = self.an_importer()
        self.closer = ListCloser(database, clock, logs.configure("registry"), sealer=self.registrar.sealer)
        self.gatekeeper = Gatekeeper(database, clock, self.registrar)
        self.undoer = Undoer(database, clock, self.registrar, part_rows=7)
        self._offsets = count()
        self._read = 0

    def an_importer(self, **settings: Any) -> Importer:
        """Another one, as a second process has it."""
        return Importer(self.database, self.clock, self.registrar, tables=Tables(), inbox=self.inbox, **settings)

    async def payroll(self, body: bytes, *, dry_run: bool = False, period: str = PERIOD, is_full: bool = False) -> dict[str, Any]:
        """Hand in a payroll list."""
        said = {"source": SOURCE, "period": period, "is_full": is_full}
        return await self.importer.take(await self.handed("payroll", body, dry_run=dry_run, **said))

    async def accounts(self, body: bytes, *, dry_run: bool = False) -> dict[str, Any]:
        """Hand in an account list."""
        return await self.importer.take(
            await self.handed("accounts", body, source="sandbox/police", period=None, dry_run=dry_run)
        )

    async def handed(self, kind: str, body: bytes, *, dry_run: bool = False, **said: Any) -> Request:
        """A file in registry's hands."""

        async def blocks() -> AsyncIterator[bytes]:
            yield body

        handed = await self.inbox.receive(blocks())
        return Request(kind, handed.path, handed.sha256, payer=PAYER, actor="officer", dry_run=dry_run, **said)

    def returned(self, answer: dict[str, Any]) -> Path:
        """The returned list."""
        found = self.inbox.returned(UUID(answer["import_id"]))
        assert found
        return found.path

    def sealed(self, personal: PersonalData, key: OctKey | None = None) -> str:
        """As a ministry encrypts it, under its list's content key where one is given."""
        header = {"alg": "dir", "enc": "A256GCM", "kid": key.kid} if key else {"alg": "ECDH-ES", "enc": "A256GCM"}
        return jwe.encrypt_compact(header, personal.model_dump_json(exclude_none=True).encode(), key or self._public)

    def sealed_key(self, key: OctKey) -> str:
        """A list's content key for registry."""
        return jwe.encrypt_compact({"alg": "ECDH-ES", "enc": "A256GCM"}, json.dumps(key.as_dict()).encode(), self._public)

    def enrolled(self, record: str = "r1", seq: int = 1, *, key: OctKey | None = None, **changes: Any) -> Enrolled:
        """An enrolment."""
        personal = changes.pop("personal", None) or PersonalData(identity=changes.pop("identity", None) or an_identity())
        same = {"source": SOURCE, "record": record, "source_sequence": seq, "period": PERIOD, "payer": PAYER, "area": "18496"}
        return Enrolled(**{**same, "line": a_line(), "personal": self.sealed(personal, key), **changes})

    async def see(self, *messages: MinistryMessage) -> None:
        """Events at the Kafka door, one batch."""
        async with self.database.transaction("test") as tx:
            await self.handlers.on_ministry(tx, [self.received(m) for m in messages])

    def received(self, message: Message) -> Received[Any]:
        """A message as the runtime hands it over."""
        return Received(message, str(uuid4()), self.clock.now(), message.TOPIC, 0, next(self._offsets))

    async def close(self, period: str = PERIOD) -> ListClosing | CloseReason:
        """Close the list."""
        return await self.closer.close(period, PAYER, actor="officer")

    async def told(self) -> list[Message]:
        """What was published since the last time, in order."""
        rows = await self.rows("SELECT id, type, payload FROM outbox WHERE id > $1 ORDER BY id", self._read)
        self._read = rows[-1]["id"] if rows else self._read
        return [BY_TYPE[row["type"]].model_validate_json(row["payload"]) for row in rows]

    async def snapshots(self) -> list[BeneficiarySnapshot]:
        """Snapshots published since the last time."""
        return [message for message in await self.told() if isinstance(message, BeneficiarySnapshot)]

    async def lines(self) -> list[EntitlementLine]:
        """Frozen lines published since the last time."""
        return [message for message in await self.told() if isinstance(message, EntitlementLine)]

    async def funnel(self) -> list[dict[str, Any]]:
        """The cells of the period's funnel."""
        async with self.database.reading() as tx:
            return await store_funnel.cells(tx, PERIOD, self.clock.today(), None)

    async def trace(self, beneficiary_id: UUID) -> dict[str, Any]:
        """What may be shown of a person."""
        async with self.database.reading() as tx:
            return await store_lists.trace(tx, beneficiary_id) or {}

    async def rows(self, sql: str, *values: Any) -> Sequence[Any]:
        """What a table holds."""
        async with self.database.reading() as tx:
            return await tx.fetch(sql, *values)  # type: ignore[no-any-return]

    async def fates(self) -> list[tuple[str, str | None]]:
        """(fate, reason) of every statement."""
        return [(row["fate"], row["reason"]) for row in await self.rows("SELECT fate, reason FROM source_event ORDER BY id")]
