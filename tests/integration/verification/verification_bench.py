"""A verification service on its own database, fed with snapshots as registry would seal them."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from services.verification import population_feed
from services.verification.handlers import Handlers
from services.verification.judging import Judge
from services.verification.population_feed import COLUMNS, look_through
from services.verification.waiting import Waiting
from shared.clock import HandClock
from shared.database import Database
from shared.events import BY_TYPE, BeneficiarySnapshot, PopulationEntry, VerificationResult, Version
from shared.personal import Account, Identity, Payee
from shared.records import Received
from shared.vault import Kind, Vault
from shared.words import Life, Wish

START = datetime(2024, 1, 20, 2, 0, tzinfo=UTC)


def a_register_line(**changes: str) -> dict[str, str]:
    """One line of the extract."""
    line = {
        "personal_number": "042149990001", "old_number": "", "family_name": "Nguyễn", "middle_name": "Thị", "given_name": "Hòa",
        "birth_date": "1949-03-02", "sex": "female", "area_code": "18496", "status": "alive", "status_date": "",
        "replaced_by_number": "",
    }  # fmt: skip
    return {**line, **changes}


def an_identity(**changes: Any) -> Identity:
    """The identity that agrees with `a_register_line`."""
    same = {"full_name": "Nguyễn Thị Hòa", "birth_date": "1949-03-02", "sex": "female", "personal_number": "042149990001"}
    return Identity(**{**same, **changes})


def an_account(**changes: str) -> Account:
    """Her own account at a bank that answers name questions."""
    return Account(**{**{"bank_bin": "970405", "number": "3709000000001", "holder": "NGUYEN THI HOA"}, **changes})


@dataclass
class Bench:
    """The service under test with hands: `see` feeds snapshots, `load` an extract, `told` drains what it published."""

    database: Database
    registry: Vault
    vault: Vault
    clock: HandClock
    handlers: Handlers
    waiting: Waiting
    judge: Judge
    offset: int = 0
    read_up_to: int = 0
    versions: dict[UUID, int] = field(default_factory=dict)

    def snapshot(self, identity: Identity, account: Account | None = None, *, who: UUID | None = None) -> BeneficiarySnapshot:
        """A snapshot one version above the last of this person."""
        who = who or uuid4()
        self.versions[who] = self.versions.get(who, 0) + 1
        payee = Payee(full_name=identity.full_name, account=account)
        return BeneficiarySnapshot(
            beneficiary_id=who, version=Version(epoch=1, n=self.versions[who]), payer="huyen-444", area="18496", life=Life.ALIVE,
            wish=Wish.ACCOUNT if account else Wish.NONE,
            identity=self.registry.seal(Kind.IDENTITY, str(who), "2024-01", identity),
            payee=self.registry.seal(Kind.PAYEE, str(who), "2024-01", payee),
            identity_digest=self.registry.digest("identity", identity.model_dump_json().encode()),
            account_digest=self.registry.digest("account", account.model_dump_json().encode()) if account else None,
        )  # fmt: skip

    async def see(self, *snapshots: BeneficiarySnapshot) -> None:
        """One batch of registry.beneficiary.v1."""
        async with self.database.transaction("test") as tx:
            await self.handlers.on_beneficiary(tx, self._received(snapshots))

    async def load(self, *lines: dict[str, str], parts: int = 1, part: bool = False) -> None:
        """Hand in an extract, or a part of one, and let its entries arrive in so many batches."""
        messages = await self.publish(*lines, part=part)
        for batch in range(parts):
            await self.arrive(messages[batch::parts])

    async def publish(self, *lines: dict[str, str], part: bool = False) -> list[PopulationEntry]:
        """Hand in an extract; returns the messages on their way."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
        file = io.BytesIO(text.getvalue().encode())
        looked = look_through(file)
        assert not looked.refused
        now = self.clock.now()
        await population_feed.publish(self.database, self.vault, file=file, entries=looked.entries, as_of=now, part=part)
        return await self._drain(PopulationEntry)

    async def arrive(self, messages: Sequence[PopulationEntry]) -> None:
        """One batch of population.person.v1, then what runs beside it: people who waited for the register are judged."""
        async with self.database.transaction("test") as tx:
            await self.handlers.on_population(tx, self._received(messages))
        while await self.waiting.judge_page():
            pass

    async def told(self) -> list[VerificationResult]:
        """Results published since the last call."""
        return await self._drain(VerificationResult)

    def _received(self, messages: Sequence[Any]) -> list[Received[Any]]:
        self.offset += len(messages)
        first = self.offset - len(messages)
        now = self.clock.now()
        return [Received(message, str(uuid4()), now, message.TOPIC, 0, first + i) for i, message in enumerate(messages)]

    async def _drain(self, model: type[Any]) -> list[Any]:
        async with self.database.session() as session:
            rows = await session.fetch("SELECT id, type, payload FROM outbox WHERE id > $1 ORDER BY id", self.read_up_to)
        self.read_up_to = rows[-1]["id"] if rows else self.read_up_to
        parsed = [BY_TYPE[row["type"]].model_validate_json(row["payload"]) for row in rows]
        return [message for message in parsed if isinstance(message, model)]
