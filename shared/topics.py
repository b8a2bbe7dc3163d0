"""The map of topics: name, key, writer, readers, partitions, retention. Nothing else in the tree names a topic.

Rules that hold for every topic (docs/decisions/0003-topics-never-change-shape.md): no compaction, a topic is never recreated,
its partition count is frozen for its version, `LogAppendTime`, business time only in the `ce_time` header.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 24 * 60 * 60 * 1000
RETENTION_MS = 35 * DAY_MS  # longer than the worst outage plus a replay of one payroll period


class Service(StrEnum):
    """The four services of ours that consume and produce."""

    REGISTRY = "registry"
    VERIFICATION = "verification"
    PAYOUT = "payout"
    NOTIFY = "notify"


class Provider(StrEnum):
    """Who executes payments. A bank pays into accounts of any bank; the post pays at counters and at home."""

    BANK_A = "bank-a"
    BANK_B = "bank-b"
    POST = "post"


CASHLESS_PROVIDERS = (Provider.BANK_A, Provider.BANK_B)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: who writes it, who reads it, what its key is. `readers` holds service and outside names."""

    name: str
    key: str
    writer: str
    readers: tuple[str, ...]
    partitions: int
    what: str
    retention_ms: int = RETENTION_MS


MINISTRY_BENEFICIARY = "ministry.beneficiary.v1"
REGISTRY_BENEFICIARY = "registry.beneficiary.v1"
REGISTRY_ENTITLEMENT = "registry.entitlement.v1"
REGISTRY_LIST = "registry.list.v1"
POPULATION_PERSON = "population.person.v1"
VERIFICATION_RESULT = "verification.result.v1"
PAYOUT_PAYMENT = "payout.payment.v1"
PAYOUT_ENTRY = "payout.entry.v1"
NOTIFY_MESSAGE = "notify.message.v1"
AUDIT = "audit.v1"


def batch_topic(provider: Provider) -> str:
    """Signed manifests, withdrawals and cancels for one provider."""
    return f"payout.batch.{provider}.v1"


def instruction_topic(provider: Provider) -> str:
    """Encrypted payment lines for one provider."""
    return f"payout.instruction.{provider}.v1"


def result_topic(provider: Provider) -> str:
    """What one provider answers; the public contract of docs/events/payment.result.v1.json."""
    return f"payment.result.{provider}.v1"


def dead_letter_topic(service: Service) -> str:
    """Records a service could not take: origin, reason code, sealed original."""
    return f"{service}.deadletter.v1"


def _provider_topics(provider: Provider) -> tuple[Topic, ...]:
    outside = (str(provider),)
    return (
        Topic(batch_topic(provider), "batch_id", "payout", outside, 1, "signed manifest of a batch"),
        Topic(instruction_topic(provider), "batch_id", "payout", outside, 1, "one encrypted payment line"),
        Topic(result_topic(provider), "batch_id", str(provider), ("payout",), 1, "what became of batch and line"),
    )


TOPICS: tuple[Topic, ...] = (
    Topic(
        MINISTRY_BENEFICIARY,
        "source:record",
        "ministries",
        ("registry",),
        4,
        "who is entitled, account and wish",
    ),
    Topic(
        REGISTRY_BENEFICIARY,
        "beneficiary_id",
        "registry",
        ("verification", "payout", "notify"),
        4,
        "versioned snapshot of a person",
    ),
    Topic(REGISTRY_ENTITLEMENT, "beneficiary_id", "registry", ("payout",), 4, "line frozen at list closing"),
    Topic(
        REGISTRY_LIST,
        "period:payer",
        "registry",
        ("verification", "payout"),
        1,
        "closing: count, VND and digest",
    ),
    Topic(POPULATION_PERSON, "person_token", "population-feed", ("verification",), 4, "one register entry"),
    Topic(
        VERIFICATION_RESULT,
        "beneficiary_id",
        "verification",
        ("registry", "payout", "notify"),
        4,
        "outcome with evidence",
    ),
    *(topic for provider in Provider for topic in _provider_topics(provider)),
    Topic(PAYOUT_PAYMENT, "beneficiary_id", "payout", ("registry", "notify", "console"), 4, "state of a payment"),
    Topic(PAYOUT_ENTRY, "period:payer", "payout", ("auditors",), 1, "held lines, postings, approvals"),
    Topic(NOTIFY_MESSAGE, "message_id", "notify", ("registry", "console"), 4, "state of one text"),
    Topic(AUDIT, "actor", "all", ("auditors",), 1, "acts and sights of personal data"),
    *(Topic(dead_letter_topic(s), "original key", str(s), ("console",), 1, "set-aside records") for s in Service),
)

BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}


def written_by(service: Service) -> tuple[Topic, ...]:
    """Topics that only one service's outbox writes, in table order; the population feed is part of verification."""
    writers = {str(service)} | ({"population-feed"} if service is Service.VERIFICATION else set())
    return tuple(topic for topic in TOPICS if topic.writer in writers)


def read_by(service: Service) -> tuple[Topic, ...]:
    """Topics one service consumes, in table order."""
    return tuple(topic for topic in TOPICS if str(service) in topic.readers)
