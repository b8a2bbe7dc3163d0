"""Every message that crosses a topic, as a frozen pydantic model, grouped by topic.

CloudEvents 1.0, Kafka binding, binary mode: `ce_*` headers, the value is the JSON of one model. Readers ignore unknown fields; an unknown
word parks the record. Nothing personal in the clear: `Sealed` is AES-256-GCM by `shared/vault.py`, `Jose` a compact JWE or JWS.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared import ids, topics, words
from shared.ages import Age
from shared.evidence import FieldEvidence
from shared.facts import Fact
from shared.fields import AreaCode, Block, Digest, Jose, Opaque, Period, Sealed, Vnd


class Message(BaseModel):
    """Base of all messages. `TYPE` is the CloudEvents type, `TOPIC` the default topic."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)
    TYPE: ClassVar[str]
    TOPIC: ClassVar[str]


# --- ministry.beneficiary.v1: the public door -----------------------------------------------------------------------------


class Arrears(Block):
    """Money owed for earlier periods (truy linh) or carried over unpaid; a list shows it only with both periods and sum."""

    periods: tuple[Period, ...] = Field(min_length=1, max_length=60)
    vnd: Vnd


class DeclaredLine(Block):
    """What a list says one benefit of one person is worth this period, with the inputs it was made from. All VND are whole dong."""

    programme: words.Programme
    benefit_code: Annotated[str, Field(pattern=r"^[A-Z0-9][A-Za-z0-9-]{1,15}$")]
    coefficient_hundredths: Annotated[int, Field(ge=0, le=10_000)] | None = None
    monthly_vnd: Vnd
    carer_vnd: Vnd = 0
    arrears: Arrears | None = None
    one_off_vnd: Vnd = 0
    unpaid: Arrears | None = None
    scaled: bool = False

    @property
    def declared_vnd(self) -> int:
        """The line's total: monthly, carer, arrears, one-off and unpaid from earlier."""
        earlier = (self.arrears.vnd if self.arrears else 0) + (self.unpaid.vnd if self.unpaid else 0)
        return self.monthly_vnd + self.carer_vnd + self.one_off_vnd + earlier


class MinistryMessage(Message):
    """What all upstream events carry. A lower `source_sequence` for the same (source, record) is recorded and has no effect."""

    TOPIC: ClassVar[str] = topics.MINISTRY_BENEFICIARY
    source: Opaque
    record: Opaque
    source_sequence: Annotated[int, Field(ge=0)]


class Enrolled(MinistryMessage):
    """A person is on a payer's list with one benefit. `personal` is a JWE of `PersonalData` for registry."""

    TYPE: ClassVar[str] = "vn.ansinh.ministry.enrolled.v1"
    period: Period
    payer: Opaque
    area: AreaCode
    line: DeclaredLine
    personal: Jose


class Changed(MinistryMessage):
    """The record now reads like this (new amount, new area, new personal data); absent fields stay as they were."""

    TYPE: ClassVar[str] = "vn.ansinh.ministry.changed.v1"
    area: AreaCode | None = None
    line: DeclaredLine | None = None
    personal: Jose | None = None


class Ended(MinistryMessage):
    """The record ended. `death` and `moved_out` speak of the person, so of every record of theirs."""

    TYPE: ClassVar[str] = "vn.ansinh.ministry.ended.v1"
    reason: words.EndReason
    on: date


class Reinstated(MinistryMessage):
    """The person of this record is alive: the death said of them was a mistake. Money on that death is taken off the lists first."""

    TYPE: ClassVar[str] = "vn.ansinh.ministry.reinstated.v1"


class AccountRegistered(MinistryMessage):
    """An account exists for the person whose identity stands in `personal` (with the `account` part filled)."""

    TYPE: ClassVar[str] = "vn.ansinh.ministry.account_registered.v1"
    account_source: words.AccountSource
    wish: words.Wish = words.Wish.ACCOUNT
    personal: Jose


class WishRecorded(MinistryMessage):
    """The person of (source, record) wishes to be paid this way from now on; `reason` is an R_* code of docs/GLOSSARY.md."""

    TYPE: ClassVar[str] = "vn.ansinh.ministry.wish_recorded.v1"
    wish: words.Wish
    reason: Annotated[str, Field(pattern=r"^R_[A-Z]+$")] | None = None
    cannot_until: date | None = None


class CollectorNamed(MinistryMessage):
    """Somebody may collect for the person between two dates; who it is stands in `personal` (the `collector` part)."""

    TYPE: ClassVar[str] = "vn.ansinh.ministry.collector_named.v1"
    valid_from: date
    valid_until: date | None = None
    personal: Jose


class ListOpened(MinistryMessage):
    """A list begins. `content_key` (JWE for registry) holds the symmetric JWK under whose `kid` the list's `personal` are sealed."""

    TYPE: ClassVar[str] = "vn.ansinh.ministry.list_opened.v1"
    period: Period
    payer: Opaque
    content_key: Jose | None = None


class ListClosed(MinistryMessage):
    """The upstream's own totals: registry closes only when its rows agree."""

    TYPE: ClassVar[str] = "vn.ansinh.ministry.list_closed.v1"
    period: Period
    payer: Opaque
    count: Annotated[int, Field(ge=0)]
    vnd: Vnd


# --- registry ---------------------------------------------------------------------------------------------------------------


class Version(Block):
    """(epoch, n): n rises only when published content changes, epoch by an explicit command after a restore."""

    epoch: Annotated[int, Field(ge=1)]
    n: Annotated[int, Field(ge=1)]


class BeneficiarySnapshot(Message):
    """What registry knows of a person now; an older version is ignored. `erased_at`: readers take out all they hold, for good."""

    TYPE: ClassVar[str] = "vn.ansinh.registry.beneficiary.v1"
    TOPIC: ClassVar[str] = topics.REGISTRY_BENEFICIARY
    beneficiary_id: UUID
    version: Version
    payer: Opaque
    area: AreaCode
    life: words.Life
    died_on: date | None = None
    moved_out_on: date | None = None
    wish: words.Wish
    account_source: words.AccountSource | None = None
    home_delivery: bool = False
    cannot: bool = False
    identity: Sealed
    payee: Sealed
    delivery: Sealed | None = None
    contact: Sealed | None = None
    identity_digest: Digest
    account_digest: Digest | None = None
    delivery_digest: Digest | None = None
    merged_into: UUID | None = None
    erased_at: AwareDatetime | None = None


class EntitlementLine(Message):
    """One line frozen at list closing; never changes; other content is an alarm. `ages`: `shared.ages.reached`; absent: not known."""

    TYPE: ClassVar[str] = "vn.ansinh.registry.entitlement.v1"
    TOPIC: ClassVar[str] = topics.REGISTRY_ENTITLEMENT
    entitlement_id: UUID
    beneficiary_id: UUID
    period: Period
    payer: Opaque
    area: AreaCode
    snapshot_version: Version
    declared_vnd: Vnd
    line: DeclaredLine
    ages: tuple[Age, ...] = Field(default=(), max_length=6, exclude_if=lambda ages: not ages)
    circumstances: Sealed | None = Field(default=None, exclude_if=lambda block: block is None)

    def canonical(self) -> bytes:
        """The bytes the closing digest is made of: id, person and declared VND."""
        return ids.line_canonical(self.entitlement_id, self.beneficiary_id, of=(self.period, self.payer), vnd=self.declared_vnd)


class ProgrammeTotal(Block):
    """Count and VND of one programme within a closing."""

    programme: words.Programme
    count: Annotated[int, Field(ge=0)]
    vnd: Vnd


class ListClosing(Message):
    """A payer's list of one period is frozen: readers may rely on exactly these totals. Digest: `shared.ids.add_to_digest`."""

    TYPE: ClassVar[str] = "vn.ansinh.registry.list_closed.v1"
    TOPIC: ClassVar[str] = topics.REGISTRY_LIST
    period: Period
    payer: Opaque
    count: Annotated[int, Field(ge=0)]
    vnd: Vnd
    digest: Digest
    programmes: tuple[ProgrammeTotal, ...]
    closed_at: AwareDatetime


# --- population and verification ----------------------------------------------------------------------------------------------


class PopulationEntry(Message):
    """One entry of the population register as our feed adapter read it. `sealed` holds a `RegisterIdentity`."""

    TYPE: ClassVar[str] = "vn.ansinh.population.person.v1"
    TOPIC: ClassVar[str] = topics.POPULATION_PERSON
    person_token: Opaque
    as_of: AwareDatetime
    status: Literal["alive", "dead", "moved"]
    status_on: date | None = None
    area: AreaCode | None = None
    sealed: Sealed


class VerificationResult(Message):
    """What verification thinks of one person's identity and account, for exactly the digests it names."""

    TYPE: ClassVar[str] = "vn.ansinh.verification.result.v1"
    TOPIC: ClassVar[str] = topics.VERIFICATION_RESULT
    beneficiary_id: UUID
    result_seq: Annotated[int, Field(ge=1)]
    identity_digest: Digest
    account_digest: Digest | None = None
    outcome: words.Outcome
    evidence: tuple[FieldEvidence, ...] = ()
    died_on: date | None = None
    account: words.AccountCheck | None = None
    checked_at: AwareDatetime


# --- payout and providers -----------------------------------------------------------------------------------------------------


class BatchMessage(Message):
    """To a provider: `jws` is a compact JWS by payout over a `Manifest`."""

    TYPE: ClassVar[str] = "vn.ansinh.payout.batch.v1"
    TOPIC: ClassVar[str] = "payout.batch.<provider>.v1"
    batch_id: UUID
    kind: Literal["manifest", "cancel"]
    jws: Jose


class Manifest(Block):
    """The signed statement of a batch. `lines_sha256` is SHA-256 over the concatenated SHA-256 of each line's JWE text, by index."""

    batch_id: UUID
    provider: topics.Provider
    payer: Opaque
    periods: tuple[Period, ...] = Field(min_length=1)
    count: Annotated[int, Field(ge=0)]
    vnd: Vnd
    currency: Literal["VND"] = "VND"
    execution_date: date
    approved_sha256: Digest
    sent_sha256: Digest
    withdrawn: Annotated[int, Field(ge=0)]
    lines_sha256: Digest
    batch_key: Jose
    made_at: AwareDatetime


class InstructionMessage(Message):
    """To a provider: one payment line. Park it until the manifest agrees. `jwe` (`dir`, A256GCM) holds a `ProviderLine`."""

    TYPE: ClassVar[str] = "vn.ansinh.payout.instruction.v1"
    TOPIC: ClassVar[str] = "payout.instruction.<provider>.v1"
    batch_id: UUID
    index: Annotated[int, Field(ge=0)]
    jwe: Jose


class PaymentResult(Message):
    """What a provider answers. Public contract. A line names its end-to-end id, a batch kind its counts, a cancel its outcome."""

    TYPE: ClassVar[str] = "vn.ansinh.payment.result.v1"
    TOPIC: ClassVar[str] = "payment.result.<provider>.v1"
    result_id: UUID
    provider: topics.Provider
    batch_id: UUID
    kind: words.ResultKind
    end_to_end_id: Annotated[str, Field(pattern=r"^[A-Z2-7]{16}$")] | None = None
    status: words.LineStatus | None = None
    outcome: words.CancelOutcome | None = None
    amount_vnd: Vnd | None = None
    reason: Annotated[str, Field(pattern=r"^[A-Z0-9]{4}$")] | None = None
    basis: words.Basis = words.Basis.ANSWER
    count: Annotated[int, Field(ge=0)] | None = None
    vnd: Vnd | None = None
    occurred_at: AwareDatetime


class PaymentState(Message):
    """The state of one payment, without account data. Readers ignore a `state_seq` not above the one they hold."""

    TYPE: ClassVar[str] = "vn.ansinh.payout.payment.v1"
    TOPIC: ClassVar[str] = topics.PAYOUT_PAYMENT
    beneficiary_id: UUID
    instruction_id: UUID
    state_seq: Annotated[int, Field(ge=1)]
    state: words.InstructionState
    provider: topics.Provider
    channel: words.Channel
    periods: tuple[Period, ...]
    payer: Opaque
    attempt: Annotated[int, Field(ge=1)]
    vnd: Vnd
    reason: str | None = None


class EntryMessage(Message):
    """What facts of one payroll that were made together share."""

    TOPIC: ClassVar[str] = topics.PAYOUT_ENTRY
    period: Period
    payer: Opaque
    at: AwareDatetime


class Entry(EntryMessage, Fact):
    """One fact: what a person decided or is told."""

    TYPE: ClassVar[str] = "vn.ansinh.payout.entry.v1"


class EntryBook(EntryMessage):
    """Facts that come by the thousand, many to a message: lines put into instructions, postings."""

    TYPE: ClassVar[str] = "vn.ansinh.payout.entries.v1"
    facts: tuple[Fact, ...] = Field(min_length=1, max_length=1_000)


# --- notify, audit, dead letters ------------------------------------------------------------------------------------------------


class TextState(Message):
    """The state of one text; it may serve several people who share a phone."""

    TYPE: ClassVar[str] = "vn.ansinh.notify.message.v1"
    TOPIC: ClassVar[str] = topics.NOTIFY_MESSAGE
    message_id: UUID
    campaign: Opaque
    round: Annotated[int, Field(ge=1)]
    beneficiary_ids: tuple[UUID, ...]
    status: words.MessageStatus
    parts: Annotated[int, Field(ge=1, le=10)]
    at: AwareDatetime


class AuditRecord(Message):
    """Somebody did something, or saw personal data."""

    TYPE: ClassVar[str] = "vn.ansinh.audit.v1"
    TOPIC: ClassVar[str] = topics.AUDIT
    actor: str
    act: str
    subject: str
    at: AwareDatetime


class DeadLetter(Message):
    """A record a service set aside. `original` is sealed; headers are kept inside it."""

    TYPE: ClassVar[str] = "vn.ansinh.deadletter.v1"
    TOPIC: ClassVar[str] = "<service>.deadletter.v1"
    dead_letter_id: UUID
    topic: str
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]
    event_id: str | None = None
    disposition: Literal["dead", "parked"]
    reason: str
    original: Sealed


BY_TYPE: dict[str, type[Message]] = {model.TYPE: model for model in list(globals().values()) if hasattr(model, "TYPE")}
"""CloudEvents type -> model: how a consumed record finds its model."""
