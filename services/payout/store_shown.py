"""SQL of what people look at: one payroll, one person. Reads only; the text is in `queries.sql`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.payout.batch import STEP_FROM, joint_sha256
from services.payout.store import Payroll
from shared.database import Tx, load_queries

queries = load_queries(__file__)
_ENDS = {"paid": ("paid", "collected"), "returned": ("returned", "expired"), "unknown": ("unknown",)}


async def _all(rows: AsyncIterator[Record]) -> list[dict[str, Any]]:
    return [dict(row) async for row in rows]


async def payroll_page(tx: Tx, payroll: Payroll) -> dict[str, Any]:
    """Everything about one payroll that fits a page: closing, lists with signatures, where lines and money are, files."""
    names = {"period": payroll.period, "payer": payroll.payer}
    months = {"periods": list(payroll.periods), "payer": payroll.payer}
    batches = await _batches(tx, names)
    held = await _all(queries.held_by_reason(tx, **months))
    return {
        **names,
        "periods": payroll.periods,
        "closing": _closing(payroll),
        "joined": [{"period": one.period, **_closing(one)} for one in payroll.joined],
        **_to_sign(batches),
        "batches": batches,
        "lines": await _lines(tx, payroll),
        **await _payments(tx, names),
        "held": {row["reason"]: {"count": row["count"], "vnd": row["vnd"]} for row in held},
        **await _accounts(tx, payroll),
        "ledger": {row["account"]: row["balance"] for row in await _all(queries.ledger(tx, **months))},
        "withdrawals": await _all(queries.shown_withdrawals(tx, **names)),
        "files": await _all(queries.shown_files(tx, **names)),
    }


async def trace(tx: Tx, beneficiary_id: UUID) -> dict[str, Any] | None:
    """All that payout holds of one person, without what is sealed; None for a stranger."""
    person = await queries.trace_person(tx, id=beneficiary_id)
    lines = await _all(queries.trace_lines(tx, id=beneficiary_id))
    if person is None and not lines:
        return None
    return {
        "beneficiary_id": beneficiary_id,
        "person": dict(person) if person else None,
        "lines": lines,
        "payments": await _all(queries.trace_payments(tx, id=beneficiary_id)),
        "results": await _all(queries.trace_results(tx, id=beneficiary_id)),
    }


def _closing(payroll: Payroll) -> dict[str, Any]:
    return {"count": payroll.count, "vnd": payroll.vnd, "digest": payroll.digest, "closed_at": payroll.closed_at}


async def _batches(tx: Tx, names: dict[str, str]) -> list[dict[str, Any]]:
    batches = await _all(queries.shown_batches(tx, **names))
    approvals = await _all(queries.shown_approvals(tx, **names))
    for batch in batches:
        mine = [approval for approval in approvals if approval["batch_id"] == batch["batch_id"]]
        batch["approvals"] = [{"step": a["step"], "actor": a["actor"], "at": a["at"]} for a in mine]
        batch["withdrawn"] = None if batch["sent_count"] is None else batch["count"] - batch["sent_count"]
    return batches


def _to_sign(batches: list[dict[str, Any]]) -> dict[str, Any]:
    """Per step the hash a token must name, or None when no list waits for it; `sha256` is that of the first step that waits."""
    waiting = {step: [b["sha256"] for b in batches if b["state"] == state] for step, state in STEP_FROM.items()}
    hashes = {str(step): joint_sha256(lists) if lists else None for step, lists in waiting.items()}
    return {"sha256": next((sha256 for sha256 in hashes.values() if sha256), None), "to_sign": hashes}


async def _lines(tx: Tx, payroll: Payroll) -> dict[str, Any]:
    row = await queries.line_totals(tx, period=payroll.period, periods=list(payroll.periods), payer=payroll.payer)
    kinds = ("cashless", "postal", "held")
    shown: dict[str, Any] = {kind: {"count": row[f"{kind}_count"], "vnd": row[f"{kind}_vnd"]} for kind in kinds}
    shown["undecided_vnd"] = row["vnd"] - sum(row[f"{kind}_vnd"] for kind in kinds)
    return {"count": row["count"], "vnd": row["vnd"], **shown}


async def _payments(tx: Tx, names: dict[str, str]) -> dict[str, Any]:
    """Live payments cashless and postal, payments per state, and the three ends people ask for."""
    rows = await _all(queries.payments_by_state(tx, **names))
    dead = ("rejected", "returned", "expired", "withdrawn", "cancelled")
    shown: dict[str, Any] = {}
    for name, cashless in (("cashless", True), ("postal", False)):
        live = [row for row in rows if row["cashless"] is cashless and row["state"] not in dead]
        shown[name] = {"payments": sum(r["count"] for r in live), "vnd": sum(r["vnd"] for r in live)}
    for name, states in _ENDS.items():
        shown[name] = _sum(rows, states)
    shown["payments"] = {state: _sum(rows, (state,)) for state in sorted({row["state"] for row in rows})}
    return shown


def _sum(rows: list[dict[str, Any]], states: tuple[str, ...]) -> dict[str, int]:
    found = [row for row in rows if row["state"] in states]
    return {"count": sum(row["count"] for row in found), "vnd": sum(row["vnd"] for row in found)}


async def _accounts(tx: Tx, payroll: Payroll) -> dict[str, Any]:
    """The funnel: account exists, wished, verified, paid on it; and why each holder was not paid on it."""
    months = list(payroll.periods)
    rows = await _all(queries.account_funnel(tx, period=payroll.period, periods=months, payer=payroll.payer))
    funnel = {
        "exists": sum(row["holders"] for row in rows),
        "wished": sum(row["wished"] for row in rows),
        "verified": sum(row["verified"] for row in rows),
        "paid": sum(row["holders"] for row in rows if row["gap"] is None),
    }
    return {"accounts": funnel, "account_gap": {row["gap"]: row["holders"] for row in rows if row["gap"]}}
