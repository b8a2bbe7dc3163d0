"""Creating topics as the table of topics says, and refusing a topic that exists in another shape."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any, Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

VISIBLE_WITHIN_S = 15.0


class TopicSpec(Protocol):
    """What is needed of one topic of the table."""

    @property
    def name(self) -> str:
        """Name, version included."""

    @property
    def partitions(self) -> int:
        """Partition count, frozen for this version."""

    @property
    def retention_ms(self) -> int:
        """Milliseconds a record is kept."""


class TopicRefused(Exception):
    """A topic could not be created, or exists with another partition count than the table says."""


async def create_topics(bootstrap: str, specs: Iterable[TopicSpec], *, replication: int = 1) -> None:
    """Create the topics that do not exist, then wait until the broker shows every one as specified.

    Existing topics are left as they are. Raises TopicRefused when the broker refuses one, when one exists
    with another partition count (order per key would break), or when one does not show up in time.
    """
    wanted = {spec.name: spec for spec in specs}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        missing = wanted.keys() - set(await admin.list_topics())
        if missing:
            await _create(admin, [wanted[name] for name in sorted(missing)], replication)
        await _until_as_specified(admin, wanted)
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, specs: list[TopicSpec], replication: int) -> None:
    response = await admin.create_topics([_new_topic(spec, replication) for spec in specs])
    for name, code, *_ in response.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):  # another starter may have been first
            raise TopicRefused(f"Topic {name} was not created: {for_code(code).__name__}.")


def _new_topic(spec: TopicSpec, replication: int) -> NewTopic:
    configs = {
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(spec.retention_ms),
    }
    return NewTopic(spec.name, spec.partitions, replication, topic_configs=configs)


async def _until_as_specified(admin: AIOKafkaAdminClient, wanted: dict[str, TopicSpec]) -> None:
    """A created topic reaches the broker's own view a moment later than the controller's answer."""
    deadline = time.monotonic() + VISIBLE_WITHIN_S
    while unseen := wanted.keys() - await _partition_counts(admin, wanted):
        if time.monotonic() > deadline:
            raise TopicRefused(f"Not there after {VISIBLE_WITHIN_S:.0f} s: {', '.join(sorted(unseen))}.")
        await asyncio.sleep(0.05)
    for name, partitions in (await _partition_counts(admin, wanted)).items():
        if partitions != wanted[name].partitions:
            raise TopicRefused(
                f"Topic {name} has {partitions} partitions, the table says {wanted[name].partitions}. "
                "The count is frozen per version: restore the table, or make the next version of the topic."
            )


async def _partition_counts(admin: AIOKafkaAdminClient, wanted: dict[str, TopicSpec]) -> dict[str, int]:
    """Partition counts of the wanted topics that exist and have a leader everywhere.

    Only topics that exist are described: elsewhere a broker may create whatever it is asked about.
    """
    present = sorted(wanted.keys() & set(await admin.list_topics()))
    described = await admin.describe_topics(present) if present else []
    return {topic["topic"]: len(topic["partitions"]) for topic in described if _is_led(topic)}


def _is_led(topic: dict[str, Any]) -> bool:
    return topic["error_code"] == 0 and all(one["error_code"] == 0 for one in topic["partitions"])
