"""What registry tells again for a new reader: everybody's snapshot, the frozen lines, the closings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from services.registry import store
from services.registry.sealing import Sealer
from services.registry.store import queries
from shared import topics
from shared.clock import Clock, period_of
from shared.database import Tx
from shared.events import BeneficiarySnapshot, DeclaredLine, EntitlementLine, ListClosing, Version
from shared.outbox import OutEvent
from shared.republishing import Pages
from shared.restoring import epoch_of

_FIRST = UUID(int=0)


async def snapshots(tx: Tx, after: str, most: int, *, sealer: Sealer, clock: Clock) -> Sequence[tuple[str, OutEvent]]:
    """People in order of their ids, each under the version that readers hold; after a restore under the new epoch."""
    epoch = await epoch_of(tx)
    if epoch > 1:  # what was told before a restore must not count as newer
        await store.one_registrar_at_a_time(tx)
        await queries.raise_epoch(tx, epoch=epoch, after=UUID(after) if after else _FIRST, most=most)
    found = []
    async for row in queries.snapshots_after(tx, after=UUID(after) if after else _FIRST, most=most):
        snapshot = snapshot_of_row(row, sealer, month=period_of(clock.today()))
        found.append((str(snapshot.beneficiary_id), OutEvent(snapshot.TOPIC, str(snapshot.beneficiary_id), snapshot)))
    return found


def snapshot_of_row(row: Mapping[str, Any], sealer: Sealer, *, month: str) -> BeneficiarySnapshot:
    """A person as readers are told of them. Of an erased one nothing is kept: the blocks that must stand are made here."""
    values = {name: value for name, value in row.items() if name not in ("epoch", "n")}
    values["version"] = {"epoch": row["epoch"], "n": row["n"]}
    if row["erased_at"]:
        values |= sealer.nobody(str(row["beneficiary_id"]), month)
    return BeneficiarySnapshot.model_validate(values, strict=False)


async def lines(tx: Tx, after: str, most: int) -> Sequence[tuple[str, OutEvent]]:
    """Frozen lines in order of their ids."""
    found = []
    async for row in queries.lines_after(tx, after=UUID(after) if after else _FIRST, most=most):
        line = EntitlementLine(
            entitlement_id=row["entitlement_id"],
            beneficiary_id=row["beneficiary_id"],
            period=row["period"],
            payer=row["payer"],
            area=row["area"],
            snapshot_version=Version(epoch=row["epoch"], n=row["n"]),
            declared_vnd=row["declared_vnd"],
            line=DeclaredLine.model_validate_json(row["line"]),
            ages=tuple(map(int, row["ages"].split(","))) if row["ages"] else (),
            circumstances=row["circumstances"],
        )
        found.append((str(line.entitlement_id), OutEvent(line.TOPIC, str(line.beneficiary_id), line)))
    return found


async def closings(tx: Tx, after: str, most: int) -> Sequence[tuple[str, OutEvent]]:
    """Closed lists in order of period and payer."""
    period, _, payer = after.partition(":")
    found = []
    async for row in queries.closings_after(tx, period=period, payer=payer, most=most):
        closing = ListClosing.model_validate({**row, "programmes": json.loads(row["programmes"])}, strict=False)
        place = f"{closing.period}:{closing.payer}"
        found.append((place, OutEvent(closing.TOPIC, place, closing)))
    return found


def pages(sealer: Sealer, clock: Clock) -> Mapping[str, Pages]:
    """What registry can tell again, by topic."""
    return {
        topics.REGISTRY_BENEFICIARY: partial(snapshots, sealer=sealer, clock=clock),
        topics.REGISTRY_ENTITLEMENT: lines,
        topics.REGISTRY_LIST: closings,
    }
