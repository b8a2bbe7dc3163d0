"""SQL of the life of a payroll around its build: budgets, signatures above a tier, freezes, closing. The text is in `queries_life.sql`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from services.payout.emitting import Entries
from services.payout.store import Payroll
from shared.actors import Actor
from shared.database import Tx, load_queries
from shared.ids import random_id
from shared.outbox import OutEvent

queries = load_queries(__file__, "queries_life.sql")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One budget sheet: who wrote it, whether somebody confirmed it."""

    version: int
    proposed_by: str
    confirmed_by: str | None


async def head(tx: Tx, entries: Entries) -> list[OutEvent]:
    """The end of the payer's ledger chain as a message; nothing before its first posting."""
    row = await queries.chain_end(tx, payer=entries.payer)
    return [entries.head(row["seq"], row["sha256"], row["posting_id"])] if row else []


# --- periods and budgets ------------------------------------------------------------------------------------------------------


async def open_period(tx: Tx, period: str, actor: Actor, at: datetime) -> bool:
    """Open a month; False when it was open already."""
    return bool([row async for row in queries.open_period(tx, period=period, actor=actor.id, at=at, token=actor.token)])


async def opened(tx: Tx, period: str) -> Record | None:
    """Who opened a month, and when."""
    row: Record | None = await queries.opened_period(tx, period=period)
    return row


async def confirmed_budgets(tx: Tx, period: str, payer: str) -> int:
    """How many versions were confirmed."""
    return int((await queries.budgets_confirmed(tx, period=period, payer=payer))["count"])


async def propose_budget(
    tx: Tx, sha256: str, rows: Mapping[str, int], *, where: tuple[str, str], version: int, actor: Actor, at: datetime
) -> None:
    """Keep a sheet for (period, payer)."""
    period, payer = where
    await queries.propose_budget(
        tx, sha256=sha256, period=period, payer=payer, version=version, actor=actor.id, at=at, token=actor.token
    )
    programmes = sorted(rows)
    await queries.add_budget_rows(tx, sha256=sha256, programmes=programmes, vnds=[rows[name] for name in programmes])


async def budget_sheet(tx: Tx, sha256: str, period: str, payer: str) -> Sheet | None:
    """One sheet of this payroll."""
    row = await queries.budget_sheet(tx, sha256=sha256, period=period, payer=payer)
    return Sheet(row["version"], row["proposed_by"], row["confirmed_by"]) if row else None


async def waiting_sheet(tx: Tx, period: str, payer: str) -> Record | None:
    """The newest sheet that a second person may still sign: hash, version, who wrote it, VND."""
    row: Record | None = await queries.waiting_sheet(tx, period=period, payer=payer)
    return row


async def budget_below_use(tx: Tx, sha256: str, period: str, payer: str) -> int:
    """How many programmes have spent more than this sheet would allow."""
    return int((await queries.budget_below_use(tx, sha256=sha256, period=period, payer=payer))["count"])


async def confirm_budget(tx: Tx, sha256: str, actor: Actor, at: datetime) -> list[Record]:
    """The sheet is in force; returns its rows."""
    await queries.confirm_budget(tx, sha256=sha256, actor=actor.id, at=at, token=actor.token)
    return [row async for row in queries.budget_rows(tx, sha256=sha256)]


async def budgets(tx: Tx, periods: Sequence[str], payer: str, *, payroll: str) -> list[Record]:
    """Per month and programme: budget (None: never confirmed), what has left, what waits on the lists of the payroll named. VND."""
    return [row async for row in queries.budgets(tx, periods=list(periods), payer=payer, payroll=payroll)]


async def leaving_budgets(tx: Tx, payroll: Payroll, batches: Sequence[Record], dropped: Collection[UUID]) -> list[Record]:
    """Per month and programme of which something would leave: budget (None: never confirmed), what has left, what of these lists would
    leave. VND."""
    ids = [batch["batch_id"] for batch in batches]
    rows = queries.leaving_budgets(tx, payer=payroll.payer, ids=ids, dropped=sorted(dropped))
    return [row async for row in rows]


# --- signatures, freezes, closing -----------------------------------------------------------------------------------------------


async def to_endorse(tx: Tx, payroll: Payroll, batches: Sequence[Record]) -> list[Record]:
    """Those of these batches that the province must sign and has not."""
    ids = [batch["batch_id"] for batch in batches]
    row = await queries.above_tier(tx, period=payroll.period, payer=payroll.payer, ids=ids)
    if row["above_vnd"] is None or (row["vnd"] or 0) <= row["above_vnd"]:
        return []
    signed = {row["batch_id"] async for row in queries.endorsed(tx, ids=ids)}
    return [batch for batch in batches if batch["batch_id"] not in signed]


async def set_tier(tx: Tx, payer: str, from_period: str, *, above_vnd: int | None, actor: Actor, at: datetime) -> None:
    """From this period on the province signs above this sum."""
    await queries.set_tier(
        tx, payer=payer, from_period=from_period, above_vnd=above_vnd, actor=actor.id, at=at, token=actor.token
    )


async def set_freeze(tx: Tx, payer: str, between: tuple[datetime, datetime], *, reason: str, actor: Actor, at: datetime) -> UUID:
    """Nothing of this payer is released between these moments; returns the freeze's id."""
    identity = random_id()
    await queries.set_freeze(
        tx,
        freeze_id=identity,
        payer=payer,
        starts_at=between[0],
        ends_at=between[1],
        reason=reason,
        actor=actor.id,
        at=at,
        token=actor.token,
    )
    return identity


async def freezes(tx: Tx, payer: str, at: datetime) -> list[Record]:
    """Freezes that are not over."""
    return [row async for row in queries.freezes(tx, payer=payer, at=at)]


async def frozen(tx: Tx, payer: str, at: datetime) -> bool:
    """Whether nothing may be released now."""
    return bool((await queries.frozen(tx, payer=payer, at=at))["count"])


async def release_in_emergency(tx: Tx, batches: Sequence[Record], *, reason: str, actor: Actor, at: datetime) -> None:
    """Keep who lets these batches leave in a freeze, and why."""
    ids = [batch["batch_id"] for batch in batches]
    await queries.release_in_emergency(tx, ids=ids, actor=actor.id, reason=reason, at=at, token=actor.token)


async def unfinished(tx: Tx, payroll: Payroll) -> int:
    """Lists and lines that keep a payroll from being closed, those that a next build would pay among them."""
    row = await queries.unfinished(tx, period=payroll.period, periods=list(payroll.periods), payer=payroll.payer)
    return int(row["lists"] + row["lines"] + row["waiting"])


async def close(tx: Tx, payroll: Payroll, actor: Actor, at: datetime) -> list[Record]:
    """Carry over what came back, then let nothing move; returns what is carried, each of its own month."""
    names = {"periods": list(payroll.periods), "payer": payroll.payer}
    carried = [row async for row in queries.carry(tx, **names, at=at)]
    await queries.close_payroll(tx, **names, actor=actor.id, at=at, token=actor.token)
    return carried


async def closed(tx: Tx, period: str, payer: str) -> Record | None:
    """Who closed a payroll, and when."""
    row: Record | None = await queries.closed(tx, period=period, payer=payer)
    return row


# --- several months -----------------------------------------------------------------------------------------------------------


async def join_month(tx: Tx, payroll: Payroll, joined: str, *, actor: Actor, at: datetime) -> int:
    """A month is paid with this payroll from now on; returns how often it was parted before."""
    names = {"period": payroll.period, "payer": payroll.payer, "joined": joined}
    await queries.join_month(tx, **names, actor=actor.id, at=at, token=actor.token)
    return int((await queries.parted_before(tx, payer=payroll.payer, joined=joined))["count"])


async def part_month(tx: Tx, payroll: Payroll, joined: str, *, actor: Actor, at: datetime) -> int:
    """A month is paid by itself again; returns how often it was parted before."""
    names = {"period": payroll.period, "payer": payroll.payer, "joined": joined}
    before = int((await queries.parted_before(tx, payer=payroll.payer, joined=joined))["count"])
    await queries.end_join(tx, **names, actor=actor.id, at=at, token=actor.token)
    await queries.part_month(tx, **names)
    return before


async def decided_since_joined(tx: Tx, payroll: Payroll, joined: str) -> int:
    """Lines that a build has held since a month joined."""
    names = {"period": payroll.period, "payer": payroll.payer, "joined": joined}
    return int((await queries.decided_since_joined(tx, **names))["count"])


# --- looking ----------------------------------------------------------------------------------------------------------------


async def go_no_go(tx: Tx, period: str, before: str) -> list[Record]:
    """What the sheet asks of every payer of a period or the one before."""
    return [row async for row in queries.go_no_go(tx, period=period, before=before)]


async def differences(tx: Tx, payroll: Payroll, period: str, before: str) -> list[Record]:
    """Everybody whose month, one of this payroll's, differs from the one before."""
    names = {"payroll": payroll.period, "payer": payroll.payer}
    return [row async for row in queries.differences(tx, **names, period=period, before=before)]


async def kept_answer(tx: Tx, actor: str, key: str) -> Record | None:
    """The answer an actor got under a key."""
    row: Record | None = await queries.kept_answer(tx, actor=actor, key=key)
    return row


async def keep_answer(tx: Tx, actor: str, key: str, *, asked: str, answer: tuple[int, str], at: datetime) -> bool:
    """Keep (status, body) under a key; the first stays, and then this is False."""
    status, body = answer
    kept = queries.keep_answer(tx, actor=actor, key=key, request_sha256=asked, status=status, body=body, at=at)
    return bool([row async for row in kept])
