"""A handler and the records given to it: bad ones are told apart, the rest takes effect. Used for what is read and for what is redriven."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from shared.database import Tx
from shared.errors import BadRecord, code_of, is_trouble
from shared.events import Message
from shared.records import Received

Handler = Callable[[Tx, Sequence[Received[Any]]], Awaitable[None]]
"""Takes one partition's records in order on an open transaction: load, decide, save, emit. Never commits, sleeps or calls outside."""


async def apply(
    handler: Handler, tx: Tx, records: list[Received[Message]], *, log: structlog.stdlib.BoundLogger
) -> list[BadRecord]:
    """Run the handler; a record it complains about is left out, an unknown culprit is found by halving. Trouble goes up."""
    complaints: list[BadRecord] = []
    while records:
        try:
            async with tx.transaction():
                await handler(tx, records)
            return complaints
        except BadRecord as complaint:
            rest = [record for record in records if record.offset != complaint.offset]
            assert len(rest) < len(records), "a handler may only complain about records it was given"
            complaints.append(complaint)
            records = rest
        except Exception as error:
            if is_trouble(error):
                raise
            return complaints + await _culprit(handler, tx, records, error=error, log=log)
    return complaints


async def _culprit(
    handler: Handler, tx: Tx, records: list[Received[Message]], *, error: Exception, log: structlog.stdlib.BoundLogger
) -> list[BadRecord]:
    if len(records) == 1:
        one, code = records[0], code_of(error)
        log.error("record_failed", code=code, topic=one.topic, partition=one.partition, offset=one.offset)
        return [BadRecord(one.offset, code)]
    half = len(records) // 2
    first = await apply(handler, tx, records[:half], log=log)
    return first + await apply(handler, tx, records[half:], log=log)
