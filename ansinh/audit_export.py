"""`ansinh audit export`: the closing, entry and provider topics copied to files, continuously, each record exactly once by its offset."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from ansinh.audit_files import MANIFEST, FileMark, FilesDiffer, Partition, Said, read_manifest, unlike, write_manifest
from shared import topics
from shared.topics import Provider, batch_topic, instruction_topic, result_topic

NAMES = (
    topics.REGISTRY_LIST,
    topics.REGISTRY_ENTITLEMENT,
    topics.PAYOUT_ENTRY,
    topics.PAYOUT_PAYMENT,
    *(topic(provider) for provider in Provider for topic in (batch_topic, instruction_topic, result_topic)),
)
"""What conservation is proved from, and the sealed orders beside it: no personal data in the clear."""
EXPORTED = tuple((name, topics.BY_NAME[name].partitions) for name in NAMES)
RECORDS_MAX = 5_000
POLL_MS = 500


class Cut(Exception):
    """Retention cut records before they were exported. The text names topic, partition and offsets."""


@dataclass
class Exported:
    """What one run did."""

    records: int = 0
    manifest_sha256: str = ""
    per_topic: dict[str, int] = field(default_factory=dict)


class Exporter:
    """Copies records of the topics into a folder, from where its files end."""

    def __init__(self, folder: Path, bootstrap: str, names: Iterable[tuple[str, int]] = EXPORTED) -> None:
        """`names`: topics with their partitions. Raises FilesDiffer when a file is not what was written."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._marks: dict[str, FileMark] = read_manifest(folder) if (folder / MANIFEST).exists() else {}
        places = [TopicPartition(name, n) for name, count in names for n in range(count)]
        self._files = {place: Partition(folder, place.topic, place.partition) for place in places}
        for files in self._files.values():
            mark = self._marks.get(files.mark.path) if files.mark else None
            if mark and (wrong := unlike(folder, mark)):
                self._close()
                raise FilesDiffer(wrong)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="none",
        )
        self.done = Exported()

    async def run(self, stop: asyncio.Event, *, follow: bool) -> Exported:
        """Copy until told to stop; without `follow`, until where the topics ended when it began. Raises Cut, KafkaError, OSError."""
        await self._consumer.start()
        try:
            ends = await self._begin()
            while not stop.is_set() and (follow or await self._behind(ends)):
                await self._next()
            self._save()
        finally:
            await self._consumer.stop()
            self._close()
        return self.done

    def _close(self) -> None:
        for files in self._files.values():
            files.close()

    async def _begin(self) -> dict[TopicPartition, int]:
        places = list(self._files)
        self._consumer.assign(places)
        begins = await self._consumer.beginning_offsets(places)
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(places)
        for place, files in self._files.items():
            if not begins[place] <= files.next_offset <= ends[place]:
                said = f"files end before {files.next_offset}, the topic holds {begins[place]} to {ends[place]}"
                raise Cut(f"{place.topic} {place.partition}: {said}")
            self._consumer.seek(place, files.next_offset)
        return ends

    async def _behind(self, ends: dict[TopicPartition, int]) -> bool:
        """Whether a record is still to come. Markers of foreign transactions at an end are no records: the position passes them."""
        for place, end in ends.items():
            if await self._consumer.position(place) < end:
                return True
        return False

    async def _next(self) -> None:
        polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MAX)
        for place, records in polled.items():
            await asyncio.to_thread(self._files[place].add, [_said(record) for record in records])
            self.done.records += len(records)
            self.done.per_topic[place.topic] = self.done.per_topic.get(place.topic, 0) + len(records)
        if polled:
            self._save()

    def _save(self) -> None:
        marks = {files.mark.path: files.mark for files in self._files.values() if files.mark}
        self._marks |= marks
        self.done.manifest_sha256 = write_manifest(self._folder, self._marks)


def _said(record: ConsumerRecord[bytes, bytes]) -> Said:
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    key = (record.key or b"").decode("utf-8", "replace")
    named = headers.get("ce_type", ""), headers.get("ce_id", "")
    return Said(record.topic, record.partition, record.offset, at, key, *named, record.value or b"")


async def export(folder: Path, bootstrap: str, *, follow: bool, stop: asyncio.Event) -> Exported:
    """One run of the export. Raises FilesDiffer, Cut, KafkaError, OSError."""
    return await Exporter(folder, bootstrap).run(stop, follow=follow)
