"""A notify service on its own database, a gateway in memory, and hands to feed and watch them."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from services.notify import campaigns, receipts, store
from services.notify.handlers import Handlers
from services.notify.receipts import Receipt
from services.notify.sender import Sender
from services.notify.sms_gateway import Answer, NoAnswer, OutText, SmsGateway
from services.notify.store import Round
from shared import logs
from shared.clock import HandClock
from shared.database import Database
from shared.events import BY_TYPE, BeneficiarySnapshot, PaymentState, TextState, VerificationResult, Version
from shared.personal import Contact
from shared.records import Received
from shared.topics import Provider
from shared.vault import Kind, Vault
from shared.words import Channel, InstructionState, Life, MessageStatus, Outcome, Wish

DAYTIME = datetime(2024, 2, 1, 3, 0, tzinfo=UTC)  # 10:00 in Vietnam
PAUSE_SECONDS = 60.0
PATIENCE_SECONDS = 30.0


class MemoryGateway:
    """Keeps the contract of a gateway: an id is taken once. `mute`: takes the texts and gives no answer."""

    def __init__(self) -> None:
        self.taken: dict[UUID, OutText] = {}
        self.handed_over: list[UUID] = []
        self.here = True
        self.mute = False

    async def reachable(self) -> bool:
        return self.here

    async def send(self, texts: Sequence[OutText]) -> Mapping[UUID, Answer]:
        self.handed_over += [text.message_id for text in texts]
        for text in texts:
            if text.to.startswith("+84"):
                self.taken.setdefault(text.message_id, text)
        if self.mute:
            raise NoAnswer
        return {t.message_id: Answer.ACCEPTED if t.message_id in self.taken else Answer.REFUSED for t in texts}


@dataclass
class Bench:
    """The service under test with hands."""

    database: Database
    registry: Vault
    vault: Vault
    clock: HandClock
    gateway: SmsGateway
    offsets: "itertools.count[int]" = field(default_factory=itertools.count)
    read_up_to: int = 0
    versions: dict[UUID, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.use(self.gateway)

    def use(self, gateway: SmsGateway) -> None:
        """Send through this gateway from now on."""
        self.gateway = gateway
        self.handlers = Handlers(self.vault)
        self.sender = Sender(
            self.database, self.vault, clock=self.clock, gateway=self.gateway,
            ask_again_seconds=PAUSE_SECONDS, patience_seconds=PATIENCE_SECONDS, log=logs.configure("notify"),
        )  # fmt: skip

    def snapshot(self, phone: str | None = "+84912000001", *, who: UUID | None = None, **changes: Any) -> BeneficiarySnapshot:
        """Somebody to be reminded, one version above the last; `account=True` gives them an account."""
        who = who or uuid4()
        self.versions[who] = self.versions.get(who, 0) + 1
        account = changes.pop("account", False)
        fields: dict[str, Any] = {"payer": "huyen-444", "area": "18496", "life": Life.ALIVE, "wish": Wish.NONE, **changes}
        sealed = self.registry.seal(Kind.IDENTITY, str(who), "2024-01", b"{}")
        return BeneficiarySnapshot(
            beneficiary_id=who, version=Version(epoch=1, n=self.versions[who]), identity=sealed, payee=sealed,
            contact=self.registry.seal(Kind.CONTACT, str(who), "2024-01", Contact(phone=phone)) if phone else None,
            identity_digest="0" * 64, account_digest="1" * 64 if account else None, **fields,
        )  # fmt: skip

    async def see(self, *snapshots: BeneficiarySnapshot) -> None:
        """One batch of registry.beneficiary.v1."""
        async with self.database.transaction("test") as tx:
            await self.handlers.on_beneficiary(tx, self._received(snapshots))

    async def found_dead(self, who: UUID, seq: int = 1, outcome: Outcome = Outcome.DEAD) -> None:
        """One verification result."""
        result = VerificationResult(
            beneficiary_id=who, result_seq=seq, identity_digest="0" * 64, outcome=outcome, checked_at=self.clock.now()
        )
        async with self.database.transaction("test") as tx:
            await self.handlers.on_verification(tx, self._received([result]))

    async def paid_on_account(self, who: UUID) -> None:
        """One payment state."""
        state = PaymentState(
            beneficiary_id=who, instruction_id=uuid4(), state_seq=3, state=InstructionState.PAID, provider=Provider.BANK_A,
            channel=Channel.ACCOUNT, periods=("2024-02",), payer="huyen-444", attempt=1, vnd=360_000,
        )  # fmt: skip
        async with self.database.transaction("test") as tx:
            await self.handlers.on_payment(tx, self._received([state]))

    async def draw(self, number: int = 1, campaign: str = "tet-2024") -> bool:
        """Draw a round of everybody."""
        drawn = Round(campaign, number, None, "an-officer", self.clock.now())
        return await campaigns.draw_round(self.database, drawn, parts_max=1)

    async def send_all(self) -> None:
        """Steps until nothing is left to do now."""
        while await self.sender.step():
            pass

    async def receipt(self, message_id: UUID, status: MessageStatus = MessageStatus.DELIVERED, at: datetime = DAYTIME) -> int:
        """One receipt; returns how many texts it changed."""
        return await receipts.book(self.database, [Receipt(message_id, status, at)], self.clock.now())

    async def rounds(self, campaign: str = "tet-2024") -> list[dict[str, Any]]:
        """The campaign as HTTP shows it."""
        async with self.database.reading() as tx:
            return await store.campaign(tx, campaign)

    async def told(self) -> list[TextState]:
        """Text states published since the last call."""
        async with self.database.session() as session:
            rows = await session.fetch("SELECT id, type, payload FROM outbox WHERE id > $1 ORDER BY id", self.read_up_to)
        self.read_up_to = rows[-1]["id"] if rows else self.read_up_to
        return [TextState.model_validate_json(row["payload"]) for row in rows if BY_TYPE[row["type"]] is TextState]

    def _received(self, messages: Sequence[Any]) -> list[Received[Any]]:
        now = self.clock.now()
        return [Received(message, str(uuid4()), now, message.TOPIC, 0, next(self.offsets)) for message in messages]
