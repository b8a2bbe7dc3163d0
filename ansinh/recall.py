"""`ansinh payroll cancel` and `ansinh recoveries`: payments that were sent and must not be paid, and money that reached the wrong hands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from ansinh.asking import Name, Payer, Period, ask, show
from ansinh.cli_payroll import payroll
from ansinh.client import Client

recoveries = typer.Typer(
    help="Money that reached somebody who was not owed it: list, take, resolve, approve.", no_args_is_help=True
)
Case = Annotated[UUID, typer.Argument(help="The case, from `ansinh recoveries list`.")]
OWNER, SECOND = "operator", "approver"


async def cancel(
    client: Client,
    period: str,
    payer: str,
    *,
    beneficiary_ids: list[str],
    reason: str,
    after: str = "keep",
    periods: Sequence[str] = (),
) -> dict[str, Any]:
    """Ask sent payments back: the checker proposes, the approver signs the hash; then providers are asked. `periods`: of payments of
    several months only these are kept back. Raises Refusal."""
    path = f"/v1/payrolls/{period}/{payer}"
    body = {"beneficiary_ids": beneficiary_ids, "reason": reason, "after": after, "periods": list(periods)}
    sha256 = (await client.post("payout", f"{path}/cancel", actor="checker", body=body))["sha256"]
    done: dict[str, Any] = await client.post(
        "payout", f"{path}/confirm-cancel", actor=SECOND, body={"sha256": sha256}, sha256=sha256
    )
    return done


async def resolve(client: Client, case_id: str, *, ending: str, why: str) -> dict[str, Any]:
    """Propose how a case ends, as its owner; returns the hash to be signed. Raises Refusal."""
    body = {"ending": ending, "why": why}
    proposed: dict[str, Any] = await client.post("payout", f"/v1/recoveries/{case_id}/resolve", actor=OWNER, body=body)
    return proposed


async def approve(client: Client, case_id: str, sha256: str) -> dict[str, Any]:
    """The second signature ends a case. Raises Refusal."""
    done: dict[str, Any] = await client.post("payout", f"/v1/recoveries/{case_id}/approve", actor=SECOND, sha256=sha256)
    return done


@payroll.command("cancel")
def cancel_payments(
    period: Period,
    payer: Payer,
    *,
    beneficiary: Annotated[list[UUID], typer.Option()],
    reason: str = "LATE_DEATH",
    free: Annotated[bool, typer.Option(help="The next build may pay the lines again; without it they are kept back.")] = False,
    month: Annotated[
        list[str] | None, typer.Option(help="Of several months keep back only this one; the others wait for the next build.")
    ] = None,
    name: Name = "local",
) -> None:
    """Ask providers not to pay what was sent, signed by two. Example: ansinh payroll cancel 2024-02 huyen-444 --beneficiary ID"""
    asked: dict[str, Any] = {"beneficiary_ids": [str(one) for one in beneficiary], "reason": reason, "periods": month or ()}
    show(ask(name, lambda _a, client: cancel(client, period, payer, **asked, after="free" if free else "keep")))


@payroll.command("cancels")
def list_cancels(period: Period, payer: Payer, name: Name = "local") -> None:
    """What was asked back and what became of it. Example: ansinh payroll cancels 2024-02 huyen-444"""
    show(ask(name, lambda _a, client: client.get("payout", f"/v1/payrolls/{period}/{payer}/cancels")))


@payroll.command("expire-cancels")
def expire_cancels(period: Period, payer: Payer, name: Name = "local") -> None:
    """Cancels without a word in time become unknown; payments stay. Example: ansinh payroll expire-cancels 2024-02 huyen-444"""
    show(ask(name, lambda _a, client: client.post("payout", f"/v1/payrolls/{period}/{payer}/expire-cancels", actor=OWNER)))


@recoveries.command("list")
def list_recoveries(
    *,
    ended: Annotated[bool, typer.Option("--all", help="Ended ones too.")] = False,
    payer: Annotated[str | None, typer.Option(help="Only of this payer.")] = None,
    name: Name = "local",
) -> None:
    """Open cases, oldest first, with age and owner. Example: ansinh recoveries list"""
    query = {"open": str(not ended).lower(), **({"payer": payer} if payer else {})}
    show(ask(name, lambda _a, client: client.get("payout", "/v1/recoveries", **query)))


@recoveries.command("take")
def take_recovery(case: Case, name: Name = "local") -> None:
    """Look after a case from now on. Example: ansinh recoveries take ID"""
    show(ask(name, lambda _a, client: client.post("payout", f"/v1/recoveries/{case}/take", actor=OWNER)))


@recoveries.command("resolve")
def resolve_recovery(
    case: Case, *, ending: Annotated[str, typer.Option(help="recovered or waived")],
    why: Annotated[str, typer.Option(help="A code, e.g. NO_HEIRS.")],
    name: Name = "local",
) -> None:  # fmt: skip
    """Propose how a case ends and why. Example: ansinh recoveries resolve ID --ending recovered --why PAID_AT_COMMUNE"""
    show(ask(name, lambda _a, client: resolve(client, str(case), ending=ending, why=why)))


@recoveries.command("approve")
def approve_recovery(
    case: Case, sha256: Annotated[str, typer.Argument(help="What `resolve` gave.")], name: Name = "local"
) -> None:
    """The second signature ends a case. Example: ansinh recoveries approve ID SHA256"""
    show(ask(name, lambda _a, client: approve(client, str(case), sha256)))
