"""Three sides of a payroll that was sent: our ledger, the file that told the provider, what the provider's files prove.

Keys are end-to-end ids, never a name or an amount alone. What a statement that is whole does not name opens a break; the rest of the
breaks were opened when the files were booked.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Record
from lxml import etree

from services.payout import store_statements
from services.payout.breaks import Break, BreakType
from services.payout.hand_typed import shown, typed_amount, typed_id
from services.payout.post_returns import rows_of
from services.payout.sending import part_owner
from services.payout.store_sending import file_part
from services.payout.transfer_list import read_csv
from shared.database import Tx
from shared.ids import derived_id
from shared.topics import Provider
from shared.vault import Vault

_TRANSFER = "{*}CdtTrfTxInf"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is compared: a payroll, through one provider or all."""

    period: str
    payer: str
    provider: Provider | None = None


async def open_missing(tx: Tx, scope: Scope, *, days: int, at: datetime) -> int:
    """Open breaks for what is missing; returns how many are new. `days` after a payment a whole statement must name it."""
    missing = await store_statements.missing_payments(tx, scope.period, scope.payer, provider=scope.provider, days=days)
    return await store_statements.open_breaks(tx, [_missing(row) for row in missing], at)


async def compare(tx: Tx, vault: Vault, scope: Scope, *, opened: int) -> dict[str, Any]:
    """Say per batch what agrees, on one snapshot: it reads files of megabytes, so it writes nothing. `opened`: breaks that are new."""
    batches = [
        await _compared(tx, vault, row)
        for row in await store_statements.sent_batches(tx, scope.period, scope.payer, scope.provider)
    ]
    return {
        "period": scope.period,
        "payer": scope.payer,
        "batches": batches,
        "new_breaks": opened,
        "agrees": all(batch["agrees"] for batch in batches),
    }


def _missing(row: Record) -> Break:
    return Break(
        derived_id("break", BreakType.MISSING, row["instruction_id"]),
        BreakType.MISSING,
        Provider(row["provider"]),
        row["vnd"],
        end_to_end_id=row["end_to_end_id"],
        instruction_id=row["instruction_id"],
        batch_id=row["batch_id"],
    )


async def _compared(tx: Tx, vault: Vault, row: Record) -> dict[str, Any]:
    told = await _told(tx, vault, row)
    otherwise = 0 if told is None else await store_statements.told_otherwise(tx, row["batch_id"], told)
    sent = (row["sent_count"], row["sent_vnd"])
    sides = {
        "ledger": row["flown_vnd"] == row["sent_vnd"] and row["paid_vnd"] + row["dead_vnd"] + row["open_vnd"] == row["sent_vnd"],
        "file": (row["file_count"], row["file_vnd"]) == sent and otherwise == 0,
        "statement": row["open_breaks"] == row["unproven_count"] == row["open_count"] == 0,
    }
    return dict(row) | {"told_otherwise": otherwise, "sides": sides, "agrees": all(sides.values())}


async def _told(tx: Tx, vault: Vault, row: Record) -> Mapping[str, int] | None:
    """What the files of a batch say, read out of what was sealed when they were made; None where an erased person's went: then only their
    counts and sums are compared."""
    told: dict[str, int] = {}
    files = await store_statements.files_of_batch(tx, row["batch_id"])
    if any(file["is_emptied"] for file in files):
        return None
    for file in files:
        content, part = bytearray(), 0
        while sealed := await file_part(tx, file["path"], part):
            content += await asyncio.to_thread(vault.open, sealed, part_owner(file["owner"], part))
            part += 1
        told |= await asyncio.to_thread(_READERS[file["kind"]], bytes(content))
    return told


def _orders(content: bytes) -> dict[str, int]:
    """(end-to-end id, VND) of a pain.001 of ours."""
    told: dict[str, int] = {}
    for _event, element in etree.iterparse(io.BytesIO(content), events=("end",), tag=_TRANSFER, resolve_entities=False):
        told[str(element.findtext("{*}PmtId/{*}EndToEndId"))] = int(str(element.findtext("{*}Amt/{*}InstdAmt")))
        element.clear()
    return told


def _handed_out(content: bytes) -> dict[str, int]:
    """(end-to-end id, VND) of a postal list of ours."""
    told: dict[str, int] = {}
    for row in rows_of(content):
        ids = [found for cell in row if (found := typed_id(cell))]
        if ids:
            told[ids[0]] = next(vnd for cell in reversed(row) if shown(cell) and (vnd := typed_amount(cell)) is not None)
    return told


def _listed(content: bytes) -> dict[str, int]:
    """(end-to-end id, VND) of a CSV of transfers of ours."""
    return {transfer.end_to_end_id: transfer.vnd for transfer in read_csv(content)}


_READERS = {"pain.001": _orders, "postal_list": _handed_out, "transfer_csv": _listed}
