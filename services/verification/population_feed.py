"""The feed adapter of the population register: a CSV extract becomes `PopulationEntry` events, row by row. Pure up to `entries_of`.

A row that cannot be read is refused by row, column and rule; its value is never repeated. Columns: see COLUMNS. `birth_date` is
YYYY-MM-DD or YYYY, `status` alive, dead or moved, `status_date` the day of death or move.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import BinaryIO, Literal

from pydantic import TypeAdapter, ValidationError

from services.verification import store
from shared.clock import period_of
from shared.database import Database
from shared.events import PopulationEntry
from shared.fields import AreaCode
from shared.outbox import OutEvent, put_events
from shared.personal import Identity, RegisterIdentity
from shared.seen import Seen
from shared.vault import Kind, Vault

COLUMNS = (
    "personal_number", "old_number", "family_name", "middle_name", "given_name", "birth_date", "sex", "area_code", "status",
    "status_date", "replaced_by_number",
)  # fmt: skip
Status = Literal["alive", "dead", "moved"]
STATUSES: dict[str, Status] = {"alive": "alive", "dead": "dead", "moved": "moved"}
# Which column a field of the model was read from, where the names differ.
_COLUMN_OF = {"full_name": "family_name", "replaced_by": "replaced_by_number"}
_AREA = TypeAdapter(AreaCode | None)
# Rows per transaction: a long one would hold back every relay of the cluster.
CHUNK = 4_000
WHOLE_PERCENT_MIN = 80
LINE_MAX = 1 << 17
ERRORS_SHOWN = 100


class NotAnExtract(Exception):
    """The file is not a population extract; the text is a code of a closed list: NOT_UTF8, CSV, HEADER, EMPTY."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row that was left out. `row` counts from 1, the header being row 1; `column` may be empty."""

    row: int
    column: str
    rule: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One readable row."""

    number: str
    register: RegisterIdentity
    status: Status
    status_on: date | None
    area: str | None


@dataclass(slots=True)
class Looked:
    """What an extract holds: readable rows, refused ones, and the first of these."""

    entries: int = 0
    refused: int = 0
    errors: list[Refusal] = field(default_factory=list)


def look_through(file: BinaryIO) -> Looked:
    """Count the rows before any of them counts. Raises NotAnExtract when the file as a whole is something else."""
    looked = Looked()
    for row in read_extract(file):
        if isinstance(row, Entry):
            looked.entries += 1
            continue
        looked.refused += 1
        if len(looked.errors) < ERRORS_SHOWN:
            looked.errors.append(row)
    if not looked.entries and not looked.refused:
        raise NotAnExtract("EMPTY")
    return looked


def read_extract(file: BinaryIO) -> Iterator[Entry | Refusal]:
    """Row after row, whatever the size of the file: some 16 bytes of each stay, to know a number that comes twice.

    Raises NotAnExtract.
    """
    file.seek(0)
    seen = Seen()
    try:
        for number, row in enumerate(_rows(file), start=2):
            read = _entry(number, row)
            if isinstance(read, Entry) and seen.add(hashlib.sha256(read.number.encode()).digest()):
                read = Refusal(number, "personal_number", "DUPLICATE")
            yield read
    except UnicodeDecodeError:
        raise NotAnExtract("NOT_UTF8") from None


def _rows(file: BinaryIO) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(_lines(file))
    try:
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise NotAnExtract("HEADER")
        yield from reader
    except csv.Error:  # a quote that never ends
        raise NotAnExtract("CSV") from None


def _lines(file: BinaryIO) -> Iterator[str]:
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        while line := text.readline(LINE_MAX):
            if len(line) == LINE_MAX:
                raise NotAnExtract("CSV")
            yield line
    finally:
        text.detach()  # the file is the caller's to close


def entries_of(entries: Iterable[Entry], vault: Vault, as_of: datetime) -> Iterator[OutEvent]:
    """Sealed events, keyed by a pseudonym of the number that only this service can make."""
    for entry in entries:
        message = sealed(entry, vault, as_of)
        yield OutEvent(message.TOPIC, message.person_token, message)


def sealed(entry: Entry, vault: Vault, as_of: datetime) -> PopulationEntry:
    """What the register says of one person at a moment, with everything personal sealed."""
    token = vault.digest("population", entry.number.encode())
    return PopulationEntry(
        person_token=token,
        as_of=as_of,
        status=entry.status,
        status_on=entry.status_on,
        area=entry.area,
        sealed=vault.seal(Kind.POPULATION, token, period_of(as_of.date()), entry.register),
    )


def is_much_smaller(entries: int, held: int) -> bool:
    """Whether an extract holds so much less than the replica that it is likely a part of the register, or cut off."""
    return entries * 100 < held * WHOLE_PERCENT_MIN


async def publish(database: Database, vault: Vault, *, file: BinaryIO, entries: int, as_of: datetime, part: bool) -> None:
    """Announce the extract, then put its entries into the outbox in chunks. Cut off half way, it never counts as arrived: send the
    file again. `entries`: how many it was found to hold; `part`: of a register whose other entries stay as old as they are."""
    async with database.transaction("verification.announce_extract") as tx:
        await store.announce_extract(tx, as_of, entries, part=part)
    rows = (row for row in read_extract(file) if isinstance(row, Entry))

    def chunk() -> list[OutEvent]:
        return list(entries_of(islice(rows, CHUNK), vault, as_of))

    while events := await asyncio.to_thread(chunk):
        async with database.transaction("verification.publish_extract") as tx:
            await put_events(tx, events, as_of)


def _entry(number: int, row: dict[str, str]) -> Entry | Refusal:
    cells = {name: (row[name] or "").strip() for name in COLUMNS}
    if cells["status"] not in STATUSES:
        return Refusal(number, "status", "UNKNOWN_WORD")
    missing = next((column for column in ("personal_number", "birth_date") if not cells[column]), None)
    if missing:
        return Refusal(number, missing, "MISSING")
    try:
        status_on = date.fromisoformat(cells["status_date"]) if cells["status_date"] else None
    except ValueError:
        return Refusal(number, "status_date", "NOT_A_DATE")
    try:
        register = RegisterIdentity(identity=_identity(cells), replaced_by=cells["replaced_by_number"] or None)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][-1])
        return Refusal(number, _COLUMN_OF.get(field, field), "SHAPE")
    try:
        area = _AREA.validate_python(cells["area_code"] or None)
    except ValidationError:
        return Refusal(number, "area_code", "SHAPE")
    return Entry(cells["personal_number"], register, STATUSES[cells["status"]], status_on, area)


def _identity(cells: dict[str, str]) -> Identity:
    name = " ".join(cells[part] for part in ("family_name", "middle_name", "given_name") if cells[part])
    return Identity.model_validate(
        {
            "full_name": name,
            "birth_date": cells["birth_date"],
            "sex": cells["sex"] or None,
            "personal_number": cells["personal_number"],
            "old_number": cells["old_number"] or None,
        }
    )
