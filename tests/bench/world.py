"""A whole synthetic province on disk: per payer the events a ministry sends, the register's extract and what must come of it.

Made by several processes, a payer at a time, so memory does not grow with the number of people; kept under `.ansinh/bench-people` and made
again when the code that draws people changes. Events hold personal data as JWE under one content key per list; the keys lie beside
them, because nobody in here is real.
"""

from __future__ import annotations

import csv
import hashlib
import json
import multiprocessing
import os
import shutil
import struct
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from joserfc import jwe
from joserfc.jwk import OctKey

from services.verification.population_feed import COLUMNS
from tests.bench import people
from tests.bench.people import PEOPLE_PER_PAYER, Recipient, payer_name, recipients

ROOT = Path(__file__).parents[2]
PERIOD, SOURCE, SEED = "2024-02", "bench/ministry", 2024
TYPE = "vn.ansinh.ministry.{}.v1"
_HEAD = struct.Struct(">HBI")
_KINDS = ("enrolled", "account_registered", "list_closed")


@dataclass(frozen=True, slots=True)
class Event:
    """One record for the ministry's topic. `kind` names its CloudEvents type."""

    kind: str
    key: bytes
    value: bytes

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """What a foreign producer sends beside the value."""
        return headers(self.kind, str(uuid5(NAMESPACE_URL, f"{self.kind}:{self.key.decode()}")))


def headers(kind: str, event_id: str) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0, binary mode."""
    values = {"ce_specversion": "1.0", "ce_id": event_id, "ce_source": SOURCE, "ce_type": TYPE.format(kind)}
    values |= {"ce_time": "2024-01-24T02:00:00Z", "content-type": "application/json"}
    return [(name, text.encode()) for name, text in values.items()]


@dataclass(frozen=True, slots=True)
class Payer:
    """One payer's part of the province and its truth."""

    number: int
    folder: Path

    @property
    def name(self) -> str:
        """The payer's name in every message."""
        return payer_name(self.number)

    def truth(self) -> dict[str, Any]:
        """Counts that must come out, the list's content key among them."""
        found: dict[str, Any] = json.loads(self._file("json").read_text())
        return found

    def events(self) -> Iterator[Event]:
        """The payer's events in the order the ministry sends them."""
        with self._file("events").open("rb") as file:
            while head := file.read(_HEAD.size):
                key, kind, value = _HEAD.unpack(head)
                yield Event(_KINDS[kind], file.read(key), file.read(value))

    def extract(self) -> Path:
        """The payer's part of the population register, CSV."""
        return self._file("csv")

    def _file(self, suffix: str) -> Path:
        return self.folder / f"{self.name}.{suffix}"


def prepare(count: int, seed: int = SEED) -> list[Payer]:
    """The payers of a province of `count` people; drawn now unless they lie on disk already."""
    sizes = [min(PEOPLE_PER_PAYER, count - start) for start in range(0, count, PEOPLE_PER_PAYER)]
    code = hashlib.sha256(Path(people.__file__).read_bytes() + Path(__file__).read_bytes()).hexdigest()[:10]
    base = ROOT / ".ansinh" / "bench-people"
    for old in base.glob("*"):
        if not old.name.endswith(code):
            shutil.rmtree(old, ignore_errors=True)
    folder = base / f"{seed}-{code}"
    folder.mkdir(parents=True, exist_ok=True)
    payers = [Payer(number, folder / str(size)) for number, size in enumerate(sizes)]
    missing = [(payer, size, seed) for payer, size in zip(payers, sizes, strict=True) if not payer._file("json").exists()]
    for payer, _size, _seed in missing:
        payer.folder.mkdir(exist_ok=True)
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        list(pool.map(_write, missing))
    return payers


def _write(task: tuple[Payer, int, int]) -> None:
    payer, size, seed = task
    writer = _Writer(payer)
    with payer._file("events").open("wb") as events, payer.extract().open("w", encoding="utf-8", newline="") as extract:
        register = csv.writer(extract)
        register.writerow(COLUMNS)
        holders = []
        for person in recipients(seed, payer.number, size):
            events.writelines(writer.enrolled(person))
            register.writerows(person.register)
            if person.account:
                holders.append(person)
        events.writelines(writer.registered(person) for person in holders)
        events.write(writer.closed())
    payer._file("json").write_text(json.dumps(writer.truth()))


class _Writer:
    """Turns people into records and counts what must come of them."""

    def __init__(self, payer: Payer) -> None:
        self._payer = payer
        self._key = OctKey.generate_key(256, {"kid": f"list-{PERIOD}-{payer.name}"}, private=True)
        self._count: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._held: Counter[str] = Counter()

    def enrolled(self, person: Recipient) -> Iterator[bytes]:
        """One event per benefit."""
        self._count["people"] += 1
        self._count["phones"] += "phone" in person.details
        self._outcomes[person.outcome] += 1
        personal = self._seal({"identity": person.identity, **person.details})
        for place, line in enumerate(person.lines):
            self._count["lines"] += 1
            self._count["vnd"] += line["monthly_vnd"]
            if person.held:
                self._held[person.held] += 1
            record = f"r-{person.number:07d}-{place}"
            said = {"period": PERIOD, "payer": self._payer.name, "area": person.area, "line": line, "personal": personal}
            yield self._record("enrolled", record, said)

    def registered(self, person: Recipient) -> bytes:
        """The account as the commune police registers it."""
        self._count["accounts"] += 1
        said = {"account_source": "commune_police", "wish": "post" if person.wishes_post else "account"}
        personal = self._seal({"identity": person.identity, "account": person.account})
        return self._record("account_registered", f"a-{person.number:07d}", {**said, "personal": personal})

    def closed(self) -> bytes:
        """The ministry's own totals."""
        said = {"period": PERIOD, "payer": self._payer.name, "count": self._count["lines"], "vnd": self._count["vnd"]}
        return self._record("list_closed", f"list-{self._payer.name}", said)

    def truth(self) -> dict[str, Any]:
        """Counts, outcomes per person, held lines per reason, and the content key."""
        key = self._key.as_dict(private=True)
        return {**self._count, "events": self._count["events"], "outcomes": self._outcomes, "held": self._held, "key": key}

    def _seal(self, personal: dict[str, Any]) -> str:
        header = {"alg": "dir", "enc": "A256GCM", "kid": self._key.kid}
        return jwe.encrypt_compact(header, json.dumps(personal, ensure_ascii=False).encode(), self._key)

    def _record(self, kind: str, record: str, said: dict[str, Any]) -> bytes:
        self._count["events"] += 1
        sequence = 2 if kind == "list_closed" else 1
        data = {"source": SOURCE, "record": record, "source_sequence": sequence, **said}
        key, value = f"{SOURCE}:{record}".encode(), json.dumps(data, separators=(",", ":")).encode()
        return _HEAD.pack(len(key), _KINDS.index(kind), len(value)) + key + value
