"""A payout service on its own database, fed as registry, verification and the providers would feed it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey

from services.payout.files import FileWriter
from services.payout.handlers import Handlers
from services.payout.papers import papers
from services.payout.printing import Printer
from shared.clock import HandClock
from shared.database import Database
from shared.events import (
    BY_TYPE,
    BatchMessage,
    BeneficiarySnapshot,
    DeclaredLine,
    EntitlementLine,
    InstructionMessage,
    ListClosing,
    Manifest,
    PaymentResult,
    VerificationResult,
    Version,
)
from shared.ids import add_to_digest, digest_hex
from shared.issuing import Issuer
from shared.personal import Account, Delivery, Payee, ProviderLine
from shared.process import Runtime
from shared.records import Received
from shared.topics import Provider, result_topic
from shared.vault import Kind, Vault
from shared.words import AccountCheck, Basis, Life, LineStatus, Outcome, Programme, ResultKind, Role, Wish

START = datetime(2024, 1, 25, 2, 0, tzinfo=UTC)
PERIOD, PAYER = "2024-02", "huyen-444"
PATH = f"/v1/payrolls/{PERIOD}/{PAYER}"
ROLES = {"build": Role.MAKER, "check": Role.CHECKER, "approve": Role.APPROVER, "release": Role.RELEASER}


def a_line(**changes: Any) -> DeclaredLine:
    """An older person's monthly assistance of 360,000."""
    same = {
        "programme": Programme.SOCIAL_ASSISTANCE,
        "benefit_code": "BT-5c",
        "coefficient_hundredths": 100,
        "monthly_vnd": 360_000,
    }
    return DeclaredLine(**{**same, **changes})


def a_merit_line(**changes: Any) -> DeclaredLine:
    """A martyr's relative of the same month."""
    return DeclaredLine(**{"programme": Programme.MERIT, "benefit_code": "NCC-LS1", "monthly_vnd": 2_055_000, **changes})


def an_account(**changes: str) -> Account:
    """Her own account."""
    return Account(**{"bank_bin": "970405", "number": "3709000000001", "holder": "NGUYEN THI HOA", **changes})


@dataclass
class Bench:
    """The service under test with hands."""

    database: Database
    registry: Vault
    vault: Vault
    clock: HandClock
    handlers: Handlers
    client: httpx.AsyncClient
    issuer: Issuer
    provider_keys: Mapping[Provider, ECKey]
    payout_key: ECKey
    runtime: Runtime
    offset: int = 0
    read_up_to: int = 0
    lines: list[EntitlementLine] = field(default_factory=list)
    versions: dict[UUID, int] = field(default_factory=dict)
    seqs: dict[UUID, int] = field(default_factory=dict)

    # --- the topics it reads -------------------------------------------------------------------------------------------------

    def snapshot(self, who: UUID | None = None, account: Account | None = None, **changes: Any) -> BeneficiarySnapshot:
        """A snapshot one version above the last of this person."""
        who = who or uuid4()
        self.versions[who] = self.versions.get(who, 0) + 1
        name = changes.pop("full_name", "Nguyễn Thị Hòa")
        delivery = changes.pop("delivery", Delivery(hamlet="Xóm 3", address="Số 7"))
        seal = lambda kind, block: self.registry.seal(kind, str(who), PERIOD, block)  # noqa: E731
        same: dict[str, Any] = {
            "beneficiary_id": who, "version": Version(epoch=1, n=self.versions[who]), "payer": PAYER, "area": "18496",
            "life": Life.ALIVE, "wish": Wish.ACCOUNT if account else Wish.NONE, "identity": seal(Kind.IDENTITY, b"{}"),
            "payee": seal(Kind.PAYEE, Payee(full_name=name, account=account, authorisation=changes.pop("authorisation", None))),
            "delivery": seal(Kind.DELIVERY, delivery) if delivery else None, "identity_digest": self.registry.digest("identity", who.bytes),
            "account_digest": self.registry.digest("account", account.model_dump_json().encode()) if account else None,
        }  # fmt: skip
        return BeneficiarySnapshot(**{**same, **changes})

    def result(self, snapshot: BeneficiarySnapshot, outcome: Outcome = Outcome.MATCH, **changes: Any) -> VerificationResult:
        """What verification says of exactly this snapshot."""
        who = snapshot.beneficiary_id
        self.seqs[who] = self.seqs.get(who, 0) + 1
        same: dict[str, Any] = {
            "beneficiary_id": who, "result_seq": self.seqs[who], "identity_digest": snapshot.identity_digest,
            "account_digest": snapshot.account_digest, "outcome": outcome,
            "account": AccountCheck.USABLE if snapshot.account_digest else None, "checked_at": self.clock.now(),
        }  # fmt: skip
        return VerificationResult(**{**same, **changes})

    async def enrol(
        self,
        *lines: DeclaredLine,
        account: Account | None = None,
        outcome: Outcome | None = Outcome.MATCH,
        died_on: date | None = None,
        found: AccountCheck | None = None,
        **changes: Any,
    ) -> UUID:
        """A person with frozen lines and, unless `outcome` is None, a verification result."""
        snapshot = self.snapshot(account=account, **changes)
        await self.see(snapshot)
        if outcome:
            checked = {"account": found} if found else {}
            await self.verify(self.result(snapshot, outcome, died_on=died_on, **checked))
        self.freeze(snapshot, *(lines or (a_line(),)))
        return snapshot.beneficiary_id

    def freeze(self, snapshot: BeneficiarySnapshot, *lines: DeclaredLine) -> None:
        """Put lines on the list that `close` will close."""
        for line in lines:
            self.lines.append(
                EntitlementLine(
                    entitlement_id=uuid4(), beneficiary_id=snapshot.beneficiary_id, period=PERIOD, payer=PAYER, area=snapshot.area,
                    snapshot_version=snapshot.version, declared_vnd=line.declared_vnd, line=line,
                )
            )  # fmt: skip

    async def see(self, *snapshots: BeneficiarySnapshot) -> None:
        """One batch of registry.beneficiary.v1."""
        async with self.database.transaction("test") as tx:
            await self.handlers.on_beneficiary(tx, self.received(snapshots))

    async def verify(self, *results: VerificationResult) -> None:
        """One batch of verification.result.v1."""
        async with self.database.transaction("test") as tx:
            await self.handlers.on_verification(tx, self.received(results))

    async def close(self, **changes: Any) -> ListClosing:
        """The list's lines arrive, then its closing."""
        async with self.database.transaction("test") as tx:
            await self.handlers.on_entitlement(tx, self.received(self.lines))
        digest = 0
        for line in self.lines:
            digest = add_to_digest(digest, line.canonical())
        same: dict[str, Any] = {
            "period": PERIOD, "payer": PAYER, "count": len(self.lines), "vnd": sum(line.declared_vnd for line in self.lines),
            "digest": digest_hex(digest), "programmes": (), "closed_at": self.clock.now(),
        }  # fmt: skip
        closing = ListClosing(**{**same, **changes})
        async with self.database.transaction("test") as tx:
            await self.handlers.on_list(tx, self.received([closing]))
        return closing

    async def answer(self, *answers: PaymentResult, topic: str | None = None) -> None:
        """One batch of a provider's topic."""
        name = topic or result_topic(answers[0].provider)
        async with self.database.transaction("test") as tx:
            await self.handlers.on_payment_result(tx, self.received(answers, name))

    def received(self, messages: Sequence[Any], topic: str | None = None) -> list[Received[Any]]:
        """Messages as one partition's batch."""
        self.offset += len(messages)
        first, now = self.offset - len(messages), self.clock.now()
        return [Received(m, str(uuid4()), now, topic or m.TOPIC, 0, first + i) for i, m in enumerate(messages)]

    # --- commands ------------------------------------------------------------------------------------------------------------

    async def post(self, act: str, actor: str, role: Role, *, sha256: str | None = None, json: Any = None) -> httpx.Response:
        """One command by one actor."""
        token = self.issuer.token(actor, (role,), sha256=sha256)
        return await self.client.post(f"{PATH}/{act}", headers={"Authorization": f"Bearer {token}"}, json=json)

    async def step(self, act: str, actor: str | None = None) -> dict[str, Any]:
        """One step that must succeed, signed with the hash the payroll shows."""
        page = await self.page() if act != "build" else {"sha256": None}
        answer = await self.post(act, actor or f"the-{ROLES[act]}", ROLES[act], sha256=page["sha256"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def pay(self) -> dict[str, Any]:
        """Build, check, approve, release."""
        for act in ("build", "check", "approve"):
            await self.step(act)
        return await self.step("release")

    async def print_lists(self) -> int:
        """What follows a release by itself: lists are printed, prints are written. Returns how many lists."""
        made = await Printer(self.runtime, papers(self.runtime.settings)).print_missing()
        await FileWriter(self.database, self.vault, self.clock, folder=self.runtime.settings.files_dir).write_missing()
        return made

    async def page(self) -> dict[str, Any]:
        """The payroll as people see it."""
        answer = await self.client.get(PATH)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def trace(self, who: UUID) -> dict[str, Any]:
        """One person's trace."""
        return dict((await self.client.get(f"/v1/trace/{who}")).json())

    # --- what it published ---------------------------------------------------------------------------------------------------

    async def told(self, model: type[Any], topic: str | None = None) -> list[Any]:
        """Everything published of one type so far, in order."""
        async with self.database.session() as session:
            rows = await session.fetch("SELECT topic, type, payload FROM outbox ORDER BY id")
        rows = [row for row in rows if topic is None or row["topic"] == topic]
        parsed = [BY_TYPE[row["type"]].model_validate_json(row["payload"]) for row in rows if BY_TYPE[row["type"]] is model]
        return list(parsed)

    async def mail(self, provider: Provider) -> dict[UUID, tuple[Manifest, list[ProviderLine]]]:
        """What one provider can read with its own key: manifest and lines per batch."""
        lines = await self.told(InstructionMessage, f"payout.instruction.{provider}.v1")
        opened = {}
        for message in await self.told(BatchMessage, f"payout.batch.{provider}.v1"):
            if message.kind != "manifest":
                continue
            manifest = Manifest.model_validate_json(jws.deserialize_compact(message.jws, self.payout_key).payload)
            key = OctKey.import_key(
                json.loads(jwe.decrypt_compact(manifest.batch_key, self.provider_keys[provider]).plaintext or b"")
            )
            mine = sorted((m for m in lines if m.batch_id == message.batch_id), key=lambda m: m.index)
            plain = [jwe.decrypt_compact(m.jwe, key).plaintext or b"" for m in mine]
            opened[message.batch_id] = manifest, [ProviderLine.model_validate_json(text) for text in plain]
        return opened

    async def answers_to(self, provider: Provider, status: LineStatus, **changes: Any) -> list[PaymentResult]:
        """An answer of one kind to every line this provider has."""
        return [
            self.an_answer(provider, batch_id, line, status, **changes)
            for batch_id, (_manifest, lines) in (await self.mail(provider)).items()
            for line in lines
        ]

    def an_answer(
        self, provider: Provider, batch_id: UUID, line: ProviderLine, status: LineStatus, **changes: Any
    ) -> PaymentResult:
        """One answer about one line."""
        same: dict[str, Any] = {
            "result_id": uuid4(), "provider": provider, "batch_id": batch_id, "kind": ResultKind.LINE,
            "end_to_end_id": line.end_to_end_id, "status": status, "amount_vnd": line.amount_vnd, "basis": Basis.ANSWER,
            "occurred_at": self.clock.now(),
        }  # fmt: skip
        return PaymentResult(**{**same, **changes})

    def about_batch(self, provider: Provider, batch_id: UUID, kind: ResultKind, **changes: Any) -> PaymentResult:
        """One answer about a whole batch."""
        return PaymentResult(
            result_id=uuid4(), provider=provider, batch_id=batch_id, kind=kind, occurred_at=self.clock.now(), **changes
        )
