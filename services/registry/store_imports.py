"""SQL of files that are taken in parts. The text is in `queries.sql`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from services.registry.import_report import Counts, Report, read_back, stored
from services.registry.keying import Keys
from services.registry.store import queries
from shared.database import Tx


@dataclass(frozen=True, slots=True)
class Import:
    """A file that is handed in. `period` is None for an account list; `is_full`: it says to be the whole list of its source."""

    import_id: UUID
    kind: str
    source: str
    payer: str
    period: str | None
    sha256: str
    actor: str
    at: datetime
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """A file that is being taken. `ordinal` is the sequence of its rows, `uptos` the last rows of the parts taken so far."""

    import_id: UUID
    ordinal: int
    uptos: Sequence[int] = ()


async def begin_import(tx: Tx, file: Import) -> Begun:
    """Write a file down, or find it as it was left; another file for the same list that was left half taken gives way."""
    same = {"kind": file.kind, "source": file.source, "payer": file.payer, "period": file.period, "sha256": file.sha256}
    if file.kind != "undo":  # an undoing that was interrupted is gone on with, whatever else is undone meanwhile
        await queries.leave_imports(tx, **same)
    await queries.begin_import(tx, **same, import_id=file.import_id, actor=file.actor, at=file.at, is_full=file.is_full)
    row = await queries.running_import(tx, **same)
    parts = [part["upto_row"] async for part in queries.parts_of_import(tx, import_id=row["import_id"])]
    return Begun(row["import_id"], row["ordinal"], parts)


async def parts_taken(tx: Tx, import_id: UUID) -> int | None:
    """How many parts of a file are taken; the file is ours until the transaction ends. None when it is not being taken any more."""
    held = await queries.lock_import(tx, import_id=import_id)
    return None if held is None else int((await queries.count_parts(tx, import_id=import_id))["parts"])


async def save_part(tx: Tx, import_id: UUID, part_no: int, *, upto: int, told: Report) -> None:
    """This part is taken."""
    await queries.save_part(tx, import_id=import_id, part_no=part_no, upto_row=upto, told=stored(told))


async def people_with(tx: Tx, keys: Mapping[int, Keys]) -> dict[UUID, int]:
    """People of ours with one of these numbers, or such a name and birth date: row number by person."""
    if not keys:
        return {}
    found = queries.people_with(
        tx,
        row_nos=list(keys),
        number_ixs=[one.number for one in keys.values()],
        old_number_ixs=[one.old_number for one in keys.values()],
        name_birth_ixs=[one.name_birth for one in keys.values()],
    )
    return {row["beneficiary_id"]: row["row_no"] async for row in found}


async def told_of(tx: Tx, import_id: UUID, part_no: int) -> Report:
    """What was told of a part."""
    return read_back((await queries.told_of_part(tx, import_id=import_id, part_no=part_no))["told"])


async def end_import(tx: Tx, import_id: UUID, counts: Counts) -> None:
    """Write down what became of a file's rows."""
    await queries.end_import(tx, import_id=import_id, **asdict(counts))


async def half_taken(tx: Tx, period: str, payer: str) -> bool:
    """Whether a file of this list is taken only in part."""
    return bool((await queries.half_taken(tx, period=period, payer=payer))["half"])
