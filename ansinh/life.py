"""The steps of a payroll's life around build and release, one function each, by the demo actors of a local installation."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ansinh import pipeline
from ansinh.client import Client, Refusal


def _path(period: str, payer: str) -> str:
    return f"/v1/payrolls/{period}/{payer}"


async def open_period(client: Client, period: str) -> Any:
    """Open a month."""
    return await client.post("payout", f"/v1/periods/{period}/open", actor="approver")


async def budget(client: Client, period: str, payer: str, *, rows: Mapping[str, int]) -> Any:
    """The maker writes the sheet, VND per programme; a second person confirms it."""
    path = f"/v1/periods/{period}/{payer}/budget"
    return await client.post("payout", path, actor="maker", body={"programmes": dict(rows)})


async def confirm_budget(client: Client, period: str, payer: str) -> Any:
    """The approver signs the hash of the sheet that waits. Raises Refusal when none does."""
    waits = (await show(client, period, payer))["budget_waits"]
    if waits is None:
        raise Refusal("BUDGET_UNKNOWN", "no budget waits for a second signature; write one first")
    sha256 = waits["sha256"]
    path = f"/v1/periods/{period}/{payer}/confirm-budget"
    return await client.post("payout", path, actor="approver", body={"sha256": sha256}, sha256=sha256)


async def close(client: Client, period: str, payer: str) -> Any:
    """Freeze the list, and wait until payout holds all of it, so that the next step finds it."""
    closing = await pipeline.close_list(client, period, payer)

    async def held() -> bool:
        try:
            page = await pipeline.status(client, period, payer)
        except Refusal:
            return False
        return bool(len(page["periods"]) > 1 or page["lines"]["count"] == closing["count"])  # a month that joined was whole

    try:
        await pipeline.until(held)
    except TimeoutError:
        raise Refusal(
            "LINES_MISSING", "the list is closed, payout has not read all of it; wait and look at `ansinh topics`"
        ) from None
    return closing


async def join(client: Client, period: str, payer: str, *, month: str) -> Any:
    """A further closed month is paid with this payroll."""
    return await client.post("payout", f"{_path(period, payer)}/join", actor="approver", body={"period": month})


async def unjoin(client: Client, period: str, payer: str, *, month: str) -> Any:
    """A month that joined is paid by itself again."""
    return await client.post("payout", f"{_path(period, payer)}/unjoin", actor="approver", body={"period": month})


async def preview(client: Client, period: str, payer: str, *, to: Path | None = None) -> Any:
    """The build rolled back, with how many people differ from the month before and why; who they are goes into a file."""
    shown: dict[str, Any] = await client.post("payout", f"{_path(period, payer)}/preview", actor="maker")
    differences = shown.pop("differences")
    if to:
        to.write_text(as_csv(differences), "utf-8")
    return shown | {"people_who_differ": len(differences), "written": str(to) if to else None}


def as_csv(differences: Sequence[Mapping[str, Any]]) -> str:
    """The differences for a spreadsheet, a row a person."""
    out = io.StringIO()
    if differences:
        writer = csv.DictWriter(out, list(differences[0]))
        writer.writeheader()
        writer.writerows(differences)
    return out.getvalue()


async def show(client: Client, period: str, payer: str) -> Any:
    """Period, budget, freezes, what waits for the province."""
    return await client.get("payout", f"{_path(period, payer)}/life")


async def endorse(client: Client, period: str, payer: str) -> Any:
    """The province signs the hash over the lists that wait for it."""
    sha256 = (await show(client, period, payer))["to_endorse"]
    return await client.post("payout", f"{_path(period, payer)}/endorse", actor="province", sha256=sha256)


async def release_in_emergency(client: Client, period: str, payer: str, *, reason: str) -> Any:
    """Release in a freeze, by name and for a reason."""
    sha256 = (await pipeline.status(client, period, payer))["to_sign"]["release"]
    body = {"emergency_reason": reason}
    return await client.post("payout", f"{_path(period, payer)}/release", actor="emergency", body=body, sha256=sha256)


async def settle(client: Client, period: str, payer: str) -> Any:
    """What providers left unanswered becomes unknown, once they said that they are done or their time is over."""
    return await client.post("payout", f"{_path(period, payer)}/expire-answers", actor="operator")


async def finish(client: Client, period: str, payer: str) -> Any:
    """Nothing moves from now on."""
    return await client.post("payout", f"{_path(period, payer)}/finish", actor="approver")


async def tier(client: Client, payer: str, from_period: str, *, above_vnd: int | None) -> Any:
    """From a period on the province signs above this sum."""
    body = {"payer": payer, "from_period": from_period, "above_vnd": above_vnd}
    return await client.post("payout", "/v1/tiers", actor="province", body=body)


async def freeze(client: Client, payer: str, between: tuple[datetime, datetime], *, reason: str) -> Any:
    """Nothing is released between two moments."""
    body = {"payer": payer, "starts_at": between[0].isoformat(), "ends_at": between[1].isoformat(), "reason": reason}
    return await client.post("payout", "/v1/freezes", actor="approver", body=body)


async def go_no_go(client: Client, period: str) -> Any:
    """One row per payer."""
    return await client.get("payout", f"/v1/periods/{period}/go-no-go")
