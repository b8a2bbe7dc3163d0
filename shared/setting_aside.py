"""Records that cannot be taken are set aside, sealed, in the same transaction as the rest of their batch: nothing is lost or skipped.

Dead: can never be taken. Parked: speaks a word this release does not know; kept with an alarm, never counted as dead.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from shared import metrics
from shared.clock import Clock, period_of
from shared.database import Tx, load_queries
from shared.erasing import key_text, letter_ix
from shared.errors import BadRecord, Parked
from shared.events import DeadLetter
from shared.ids import derived_id
from shared.outbox import OutEvent, put_events
from shared.records import RawRecord, event_id_of, outside_text
from shared.topics import Service, dead_letter_topic
from shared.vault import Kind, Vault

queries = load_queries(__file__)


class SetAside:
    """Writes set-aside records and tells the dead-letter topic."""

    def __init__(self, service: Service, vault: Vault, clock: Clock) -> None:
        """The vault must hold the service's dead-letter key."""
        self._service = service
        self._vault = vault
        self._clock = clock

    async def save(self, tx: Tx, records: Sequence[RawRecord], bad: Sequence[BadRecord]) -> None:
        """Keep the sealed originals of the records complained about; read again, they change nothing."""
        by_offset = {record.offset: record for record in records}
        letters = [self._letter(by_offset[complaint.offset], complaint) for complaint in bad]
        if not letters:
            return
        await queries.set_aside(
            tx,
            topic=letters[0].topic,
            partition=letters[0].partition,
            at=self._clock.now(),
            ids=[letter.dead_letter_id for letter in letters],
            offsets=[letter.offset for letter in letters],
            event_ids=[letter.event_id for letter in letters],
            dispositions=[letter.disposition for letter in letters],
            reasons=[letter.reason for letter in letters],
            originals=[letter.original for letter in letters],
            key_ixs=[letter_ix(self._vault, key_text(by_offset[letter.offset].key)) for letter in letters],
        )
        topic = dead_letter_topic(self._service)
        keys = [outside_text(by_offset[letter.offset].key or b"") for letter in letters]
        events = [OutEvent(topic, key, letter) for key, letter in zip(keys, letters, strict=True)]
        await put_events(tx, events, self._clock.now())
        for letter in letters:
            metrics.DEAD_LETTERS.labels(letter.topic, letter.disposition, letter.reason).inc()

    def _letter(self, record: RawRecord, complaint: BadRecord) -> DeadLetter:
        letter_id = derived_id("dead_letter", self._service, record.topic, record.partition, record.offset)
        original = {
            "key": (record.key or b"").hex(),
            "value": (record.value or b"").hex(),
            "headers": [[name, (value or b"").hex()] for name, value in record.headers],
            "timestamp": record.timestamp,
        }
        month = period_of(self._clock.today())
        return DeadLetter(
            dead_letter_id=letter_id,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            event_id=event_id_of(record),
            disposition="parked" if isinstance(complaint, Parked) else "dead",
            reason=complaint.reason[:100],
            original=self._vault.seal(Kind.DEADLETTER, str(letter_id), month, json.dumps(original).encode()),
        )
