"""Records as the broker gave them: what FastStream would make of them is left out."""

from __future__ import annotations

from typing import Any

from aiokafka import ConsumerRecord
from faststream.kafka import KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER


async def unread(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    """FastStream's parser decodes every header as UTF-8 and drops the whole batch, silently, over one that is not or has no value."""
    return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def raw(message: Any) -> Any:
    """The records again."""
    return message.raw_message
