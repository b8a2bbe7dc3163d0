"""What was said on the topics, in files an auditor keeps: JSON lines, one file per topic, partition and day, and a manifest with hashes.

A file is only ever added to. What a crash left half written is cut off at the last whole line, and the next offset is the one behind it:
so every record stands in the files exactly once, however often the export was stopped.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

MANIFEST = "manifest.json"
FORMAT = 1
_NAME = re.compile(r"([0-9]+)-([0-9]{4}-[0-9]{2}-[0-9]{2})\.jsonl")
_BLOCK = 1 << 20


class FilesDiffer(Exception):
    """The files are not what their manifest says, or not what this version writes. The text names the file."""


@dataclass(frozen=True, slots=True)
class Said:
    """One record of a topic. `value` is exactly what was on the topic."""

    topic: str
    partition: int
    offset: int
    at: datetime
    key: str
    type: str
    id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class FileMark:
    """One file of the manifest. `sha256` is over its first `size` bytes."""

    path: str
    first_offset: int
    last_offset: int
    records: int
    size: int
    sha256: str


class Partition:
    """The files of one partition, open at their end."""

    def __init__(self, folder: Path, topic: str, partition: int) -> None:
        """Find where the files end, cutting off a line that a crash left half written. Raises FilesDiffer."""
        self._folder = folder / topic
        self._root, self._topic, self._partition = folder, topic, partition
        self.next_offset = 0
        self._day: date | None = None
        self._file: IO[bytes] | None = None
        self._hash = hashlib.sha256()
        self._mark: FileMark | None = None
        days = sorted(day for number, day in _days(self._folder) if number == partition)
        if days:
            self._open(days[-1])

    def add(self, records: Sequence[Said]) -> None:
        """Write records, which follow the last one, and see them on disk."""
        for said in records:
            day = max(said.at.astimezone(UTC).date(), self._day or date.min)
            if day != self._day:
                self._sync()
                self._open(day)
            self._write(said)
        self._sync()

    def close(self) -> None:
        """Everything is on disk."""
        self._sync()
        if self._file:
            self._file.close()

    @property
    def mark(self) -> FileMark | None:
        """The file that is being written."""
        return self._mark

    def _open(self, day: date) -> None:
        if self._file:
            self._file.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._partition}-{day}.jsonl"
        self._file = path.open("a+b")
        self._day, self._hash, self._mark = day, hashlib.sha256(), None
        self._file.seek(0)
        whole = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            self._note(path, line, offset=int(json.loads(line)["offset"]))
            whole += len(line)
        self._file.truncate(whole)
        self._file.seek(whole)
        self._sync()

    def _write(self, said: Said) -> None:
        assert self._file is not None
        if said.offset < self.next_offset:
            raise FilesDiffer(f"{self._topic} {self._partition}: offset {said.offset} is there already")
        line = _line(said)
        self._file.write(line)
        self._note(Path(self._file.name), line, offset=said.offset)

    def _note(self, path: Path, line: bytes, *, offset: int) -> None:
        self._hash.update(line)
        old = self._mark
        self._mark = FileMark(
            path=str(path.relative_to(self._root)),
            first_offset=old.first_offset if old else offset,
            last_offset=offset,
            records=old.records + 1 if old else 1,
            size=len(line) + (old.size if old else 0),
            sha256="",
        )
        self.next_offset = offset + 1

    def _sync(self) -> None:
        if self._file is None or self._mark is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._mark = FileMark(**{**asdict(self._mark), "sha256": self._hash.hexdigest()})


def _line(said: Said) -> bytes:
    body: dict[str, Any] = {"offset": said.offset, "at": int(said.at.timestamp() * 1000), "key": said.key, "type": said.type}
    body["id"] = said.id
    try:
        body["value"] = said.value.decode()
    except UnicodeDecodeError:
        body["value_base64"] = base64.b64encode(said.value).decode()
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _days(folder: Path) -> list[tuple[int, date]]:
    found = (_NAME.fullmatch(path.name) for path in folder.glob("*.jsonl"))
    return [(int(match[1]), date.fromisoformat(match[2])) for match in found if match]


def read_manifest(folder: Path) -> dict[str, FileMark]:
    """The files by path. Raises FilesDiffer when it is missing or of another format."""
    try:
        body = json.loads((folder / MANIFEST).read_text("utf-8"))
        if body["format"] != FORMAT:
            raise FilesDiffer(f"{MANIFEST}: format {body['format']}")
        return {mark["path"]: FileMark(**mark) for mark in body["files"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FilesDiffer(f"{MANIFEST}: cannot be read") from error


def write_manifest(folder: Path, marks: Mapping[str, FileMark]) -> str:
    """Put the manifest in its place in one move; returns its SHA-256, which an auditor notes down elsewhere."""
    body = {"format": FORMAT, "files": [asdict(marks[path]) for path in sorted(marks)]}
    text = json.dumps(body, indent=1).encode()
    part = folder / f".{MANIFEST}.part"
    with part.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / MANIFEST)
    return hashlib.sha256(text).hexdigest()


def unlike_manifest(folder: Path) -> list[str]:
    """Files that are gone, shorter or other than the manifest says, and files it does not name."""
    marks = read_manifest(folder)
    found = [text for mark in marks.values() if (text := unlike(folder, mark))]
    there = {str(path.relative_to(folder)) for path in folder.glob("*/*.jsonl")}
    return sorted(found + [f"{path}: not in the manifest" for path in there - marks.keys()])


def unlike(folder: Path, mark: FileMark) -> str | None:
    """What is wrong with one file; None when it begins as it was exported."""
    path, hashed = folder / mark.path, hashlib.sha256()
    if not path.is_file():
        return f"{mark.path}: gone"
    left = mark.size
    with path.open("rb") as file:
        while left and (block := file.read(min(left, _BLOCK))):
            hashed.update(block)
            left -= len(block)
    return None if not left and hashed.hexdigest() == mark.sha256 else f"{mark.path}: not what was exported"


def read_partition(folder: Path, topic: str, partition: int) -> Iterator[Said]:
    """Every whole record of a partition, in order. Raises FilesDiffer for a line that cannot be read."""
    for day in sorted(day for number, day in _days(folder / topic) if number == partition):
        path = folder / topic / f"{partition}-{day}.jsonl"
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield _said(topic, partition, line, place=f"{path.relative_to(folder)}:{number}")


def partitions(folder: Path, topic: str) -> list[int]:
    """The partitions of a topic that have files."""
    return sorted({number for number, _day in _days(folder / topic)})


def _said(topic: str, partition: int, line: bytes, *, place: str) -> Said:
    try:
        body = json.loads(line)
        value = body["value"].encode() if "value" in body else base64.b64decode(body["value_base64"])
        at = datetime.fromtimestamp(body["at"] / 1000, UTC)
        return Said(topic, partition, body["offset"], at, body["key"], body["type"], body["id"], value)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FilesDiffer(f"{place}: cannot be read") from error
