"""The published samples, and what a foreign or future producer may do to one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.schemas import FOLDER

SAMPLES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted((FOLDER / "samples").glob("*.json"))
}
ON_TOPICS = {name: sample for name, sample in SAMPLES.items() if "headers" in sample}


@dataclass(frozen=True)
class Record:
    """A Kafka record as the runtime sees it."""

    topic: str
    value: bytes
    headers: list[tuple[str, bytes]]
    key: bytes = b""
    partition: int = 0
    offset: int = 7
    timestamp: int = 1_706_000_000_000


def record_of(sample: dict[str, Any], data: object = None) -> Record:
    """The sample as a record, with other data when given."""
    headers = [(name, value.encode()) for name, value in sample["headers"].items()]
    return Record(sample["topic"], json.dumps(sample["data"] if data is None else data).encode(), headers, sample["key"].encode())


def with_unknown_fields(value: Any) -> Any:
    """The same data from a future producer: a new field in every object."""
    if isinstance(value, dict):
        return {key: with_unknown_fields(part) for key, part in value.items()} | {"field_of_the_future": {"deep": [1]}}
    return [with_unknown_fields(part) for part in value] if isinstance(value, list) else value


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) below a value."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])
