"""`ansinh payroll`: one payer's payroll from the opened month to the day nothing moves any more. One demo actor per role."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from ansinh import life, pipeline, settlement, what_if
from ansinh.asking import AsJson, Name, Payer, Period, ask, show
from ansinh.client import Client, Refusal
from ansinh.installation import Addresses
from ansinh.next_step import next_steps
from ansinh.result_ages import old_results
from ansinh.tables import show_table
from shared.clock import LOCAL
from shared.words import Programme

payroll = typer.Typer(
    help="One payer's payroll: open, budget, confirm, close, join, unjoin, preview, build, check, approve, endorse, release, withdraw,"
    " cancel, settle, finish; go-no-go, settlement. Each step says what comes next.",
    no_args_is_help=True,
)
PayerOrAll = Annotated[str, typer.Argument(help="Payer code, or '*' for all payers.")]


def _step(name: str, whose: tuple[str, str], step: Callable[[Client], Awaitable[Any]]) -> None:
    """Take a step, print its answer, and tell on the other stream what comes next; after a refusal too."""

    async def taken(_addresses: Addresses, client: Client) -> tuple[Any, Refusal | None, list[str]]:
        try:
            return await step(client), None, await next_steps(client, *whose)
        except Refusal as refusal:
            return None, refusal, await next_steps(client, *whose)

    done, refusal, after = ask(name, taken)
    if refusal:
        typer.echo(str(refusal), err=True)
    else:
        show(done)
    for line in after:
        typer.echo(line, err=True)
    if refusal:
        raise typer.Exit(1)


@payroll.command("open")
def open_period(period: Period, name: Name = "local") -> None:
    """Open a month, so that payers may get budgets for it. Example: ansinh payroll open 2024-02"""
    show(ask(name, lambda _a, client: life.open_period(client, period)))
    typer.echo(f"Next: ansinh payroll budget {period} PAYER --programme PROGRAMME=VND", err=True)


@payroll.command()
def budget(
    period: Period,
    payer: Payer,
    *,
    programme: Annotated[list[str], typer.Option(help="PROGRAMME=VND, once for each programme.")],
    name: Name = "local",
) -> None:
    """Write a budget (maker); it binds once `confirm`ed. Example: ansinh payroll budget 2024-02 huyen-444 --programme merit=9000000000"""
    rows = dict(_budget_row(text) for text in programme)
    _step(name, (period, payer), lambda client: life.budget(client, period, payer, rows=rows))


@payroll.command()
def confirm(period: Period, payer: Payer, name: Name = "local") -> None:
    """Sign the budget that waits (approver). Example: ansinh payroll confirm 2024-02 huyen-444"""
    _step(name, (period, payer), lambda client: life.confirm_budget(client, period, payer))


def _budget_row(text: str) -> tuple[str, int]:
    named, _, vnd = text.partition("=")
    if named not in set(Programme) or not vnd.isascii() or not vnd.isdigit():
        raise typer.BadParameter(f"{text}: PROGRAMME=VND, PROGRAMME one of {', '.join(Programme)}")
    return named, int(vnd)


@payroll.command()
def close(period: Period, payer: Payer, name: Name = "local") -> None:
    """Freeze the list; says when results are older than allowed. Example: ansinh payroll close 2024-02 huyen-444"""
    for line in ask(name, lambda _a, client: old_results(client, payer)):
        typer.echo(line, err=True)
    _step(name, (period, payer), lambda client: life.close(client, period, payer))


@payroll.command()
def join(
    period: Period, payer: Payer, month: Annotated[str, typer.Argument(help="A further closed month, e.g. 2024-03.")],
    *, name: Name = "local",
) -> None:  # fmt: skip
    """Pay a further closed month with this one (approver), before anything of either is built. Example: ansinh payroll join 2024-02
    huyen-444 2024-03"""
    _step(name, (period, payer), lambda client: life.join(client, period, payer, month=month))


@payroll.command()
def unjoin(
    period: Period, payer: Payer, month: Annotated[str, typer.Argument(help="A month that joined, e.g. 2024-03.")],
    *, name: Name = "local",
) -> None:  # fmt: skip
    """Take a join back (approver), before anything of either month is built. Example: ansinh payroll unjoin 2024-02 huyen-444 2024-03"""
    _step(name, (period, payer), lambda client: life.unjoin(client, period, payer, month=month))


@payroll.command()
def build(period: Period, payer: Payer, name: Name = "local") -> None:
    """Build drafts from every line that is not paid yet (maker). Example: ansinh payroll build 2024-02 huyen-444"""
    _step(name, (period, payer), lambda client: pipeline.build(client, period, payer))


@payroll.command()
def preview(
    period: Period, payer: Payer, *, csv: Annotated[Path | None, typer.Option(help="Write the differences here.")] = None,
    name: Name = "local",
) -> None:  # fmt: skip
    """What a build would make, and how it differs from last month; nothing is kept. Example: ansinh payroll preview 2024-02 huyen-444"""
    _step(name, (period, payer), lambda client: life.preview(client, period, payer, to=csv))


@payroll.command("check")
def check_lists(period: Period, payer: Payer, name: Name = "local") -> None:
    """Sign the drafts (checker). Example: ansinh payroll check 2024-02 huyen-444"""
    _step(name, (period, payer), lambda client: pipeline.sign(client, period, payer, step="check"))


@payroll.command()
def approve(period: Period, payer: Payer, name: Name = "local") -> None:
    """Sign the checked lists (approver). Example: ansinh payroll approve 2024-02 huyen-444"""
    _step(name, (period, payer), lambda client: pipeline.sign(client, period, payer, step="approve"))


@payroll.command()
def endorse(period: Period, payer: Payer, name: Name = "local") -> None:
    """Sign lists above the tier (province). Example: ansinh payroll endorse 2024-02 huyen-444"""
    _step(name, (period, payer), lambda client: life.endorse(client, period, payer))


@payroll.command()
def release(
    period: Period, payer: Payer, *, emergency: Annotated[str | None, typer.Option(help="In a freeze: the reason, a code.")] = None,
    name: Name = "local",
) -> None:  # fmt: skip
    """Send the approved lists minus withdrawals (releaser). Example: ansinh payroll release 2024-02 huyen-444"""
    if emergency:
        _step(name, (period, payer), lambda client: life.release_in_emergency(client, period, payer, reason=emergency))
    else:
        _step(name, (period, payer), lambda client: pipeline.sign(client, period, payer, step="release"))


@payroll.command()
def withdraw(
    period: Period,
    payer: Payer,
    *,
    beneficiary: Annotated[list[UUID], typer.Option()],
    reason: str = "LATE_DEATH",
    month: Annotated[
        list[str] | None, typer.Option(help="Of several months only this one; the others wait for the next build.")
    ] = None,
    name: Name = "local",
) -> None:
    """Take people off approved lists, signed by two. Example: ansinh payroll withdraw 2024-02 huyen-444 --beneficiary ID"""
    asked: dict[str, Any] = {"beneficiary_ids": [str(one) for one in beneficiary], "reason": reason, "periods": month or ()}
    _step(name, (period, payer), lambda client: pipeline.withdraw(client, period, payer, **asked))


@payroll.command()
def differences(period: Period, payer: Payer, name: Name = "local") -> None:
    """Lines held because the rate tables contradict them, and why. Example: ansinh payroll differences 2024-02 huyen-444"""
    show(ask(name, lambda _a, client: pipeline.differences(client, period, payer)))


@payroll.command()
def omitted(period: Period, payer: Payer, name: Name = "local") -> None:
    """What is owed and stands on no list: left over, on a death, gifts. Example: ansinh payroll omitted 2024-02 huyen-444"""
    show(ask(name, lambda _a, client: client.get("payout", f"/v1/payrolls/{period}/{payer}/omitted")))


@payroll.command("what-if")
def what_if_rates(
    period: Annotated[str, typer.Option(help="Whose lines are computed, e.g. 2026-07")],
    *,
    rates: Annotated[
        list[Path], typer.Option(exists=True, dir_okay=False, help="Other rows of standards.csv, rates.csv or overrides.csv.")
    ],
    at: Annotated[str | None, typer.Option(help="In which month the rates are asked; the period's own when not said.")] = None,
    payer: Annotated[str | None, typer.Option(help="Only the lines of this payer.")] = None,
    lines: Annotated[Path | None, typer.Option(help="Write every line to this CSV file too.")] = None,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """What a period would cost by other rates; changes nothing. Example: ansinh payroll what-if --period 2026-07 --rates new.csv"""
    found = ask(name, lambda _a, client: what_if.ask(client, what_if.question(period, rates, at=at, payer=payer), lines))
    if as_json:
        show(found)
    else:
        for table in what_if.tables(found):
            show_table(table)


@payroll.command()
def status(period: Period, payer: Payer, name: Name = "local") -> None:
    """Where every line and every dong is. Example: ansinh payroll status 2024-02 huyen-444"""
    show(ask(name, lambda _a, client: pipeline.status(client, period, payer)))


@payroll.command("show")
def show_life(period: Period, payer: Payer, name: Name = "local") -> None:
    """Period, budget and use, what waits for the province, freezes. Example: ansinh payroll show 2024-02 huyen-444"""
    show(ask(name, lambda _a, client: life.show(client, period, payer)))


@payroll.command()
def settle(period: Period, payer: Payer, name: Name = "local") -> None:
    """What providers left unanswered becomes unknown; says what keeps the payroll open. Example: ansinh payroll settle 2024-02 huyen-444"""
    _step(name, (period, payer), lambda client: life.settle(client, period, payer))


@payroll.command()
def finish(period: Period, payer: Payer, name: Name = "local") -> None:
    """Carry over what came back; from then on nothing moves. Example: ansinh payroll finish 2024-02 huyen-444"""
    _step(name, (period, payer), lambda client: life.finish(client, period, payer))


@payroll.command()
def tier(
    payer: PayerOrAll, from_period: Period, *, above_vnd: Annotated[int | None, typer.Option(help="None: no such signature.")] = None,
    name: Name = "local",
) -> None:  # fmt: skip
    """Above this sum the province signs too. Example: ansinh payroll tier '*' 2024-02 --above-vnd 20000000000"""
    show(ask(name, lambda _a, client: life.tier(client, payer, from_period, above_vnd=above_vnd)))


@payroll.command()
def freeze(payer: PayerOrAll, starts: datetime, ends: datetime, *, reason: str = "YEAR_END", name: Name = "local") -> None:
    """Release nothing between two moments. Example: ansinh payroll freeze '*' 2024-12-31T00:00:00 2025-01-02T00:00:00"""
    between = starts.replace(tzinfo=LOCAL), ends.replace(tzinfo=LOCAL)
    show(ask(name, lambda _a, client: life.freeze(client, payer, between, reason=reason)))


@payroll.command("go-no-go")
def go_no_go(
    *, period: Annotated[str, typer.Option(help="Payroll period, e.g. 2024-02")], as_json: AsJson = False, name: Name = "local"
) -> None:
    """The sheet of the evening of the 24th, one row per payer; exit code 1 unless all are green. Says when results are older than allowed.

    Example: ansinh payroll go-no-go --period 2024-02
    """

    async def look(_addresses: Addresses, client: Client) -> tuple[Any, list[str]]:
        sheet = await life.go_no_go(client, period)
        return sheet, [line for row in sheet["payers"] for line in await old_results(client, row["payer"])]

    sheet, old = ask(name, look)
    if as_json:
        typer.echo(json.dumps(sheet, ensure_ascii=False, indent=1))
    else:
        show_table(_sheet(sheet["payers"]))
    for line in old:
        typer.echo(line, err=True)
    raise typer.Exit(int(not sheet["go"]))


@payroll.command("settlement")
def show_settlement(
    period: Period,
    payer: Annotated[str | None, typer.Argument(help="Only this payer; all when not said.")] = None,
    *,
    xlsx: Annotated[
        Path | None, typer.Option(help="Write the workbook here, every commune and who is carried over in it.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page that prints here.")] = None,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """Where every line and dong is; exit code 1 when it does not balance. Example: ansinh payroll settlement 2024-02 --xlsx q.xlsx"""
    files = [path for path in (xlsx and xlsx.with_suffix(".xlsx"), html and html.with_suffix(".html")) if path]

    async def asked(_addresses: Addresses, client: Client) -> dict[str, Any]:
        for path in files:
            await settlement.save(client, period, payer, to=path)
        return await settlement.ask(client, period, payer)

    found = ask(name, asked)
    if as_json:
        show(found)
    else:
        for table in settlement.tables(found):
            show_table(table)
        for line in [*settlement.verdict(found), *(f"Written: {path}" for path in files)]:
            typer.echo(line)
    raise typer.Exit(int(not found["balanced"]))


@payroll.command()
def drill(period: Period, payer: Payer, name: Name = "local", *, as_json: AsJson = False) -> None:
    """Replay an old payroll apart by the settings of payout; no message leaves. Example: ansinh payroll drill 2024-02 huyen-444"""
    from ansinh import drill as drilling  # builds payout itself: two seconds of imports that no other command needs

    async def replayed(addresses: Addresses, client: Client) -> drilling.Drilled:
        return await drilling.drill(addresses, period, payer, settings=await client.get("payout", "/v1/settings"))

    done = ask(name, replayed)
    if as_json:
        show(done.as_json())
        return
    console = Console()
    console.print(f"[bold red]{drilling.LABEL}[/] {period} {payer}: nothing was sent, nothing was kept")
    table = Table("provider", "payments now", "VND now", "payments then", "VND then", title=drilling.LABEL)
    for provider in sorted({*done.lists, *done.then}):
        now, then = done.lists.get(provider, (0, 0)), done.then.get(provider, (0, 0))
        table.add_row(provider, *(f"{value:,}" for value in (*now, *then)))
    show_table(table)
    show_table(_sheet([done.sheet]))
    if done.refused:
        console.print(f"{drilling.LABEL}: [red]{done.refused[0]} was refused, {done.refused[1]}[/]; nothing after it was tried")
    console.print(f"{drilling.LABEL}: nobody was told, so nothing is acknowledged")
    console.print(f"{drilling.LABEL}: {sum(done.unsent.values())} messages stayed in its outbox and went with it")


def _sheet(payers: list[dict[str, object]]) -> Table:
    table = Table()
    questions = [name for name in (payers[0] if payers else {}) if name not in ("payer", "go", "todo", "to_build")]
    for title in ("payer", *questions, "todo"):
        table.add_column(title)
    for row in payers:
        answers = ("[green]yes[/]" if row[question] else "[red]NO[/]" for question in questions)
        table.add_row(str(row["payer"]), *answers, str(row["todo"]))
    return table
