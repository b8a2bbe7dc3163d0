"""`ansinh lists`: the list officer's work around a file: the template, what an office calls its columns, who is gone, a file undone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ansinh.asking import AsJson, Name, Payer, Period, ask
from ansinh.asking import show as print_json
from ansinh.client import Client
from ansinh.installation import Addresses
from services.registry.cells import folded
from services.registry.gone import DECISIONS_MAX
from shared.clock import LOCAL
from shared.words import EndReason

SERVICE, OFFICER = "registry", "officer"
Kind = Annotated[Literal["payroll", "accounts"], typer.Argument(help="Which kind of list.")]
Source = Annotated[str, typer.Option(help="Who writes the list.")]
Records = Annotated[list[str], typer.Argument(help="Records, as `ansinh lists gone` names them.")]
Reason = Annotated[EndReason, typer.Option(help="Why they are entitled no longer.")]
Since = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Since which day.")]
Replace = Annotated[bool, typer.Option("--replace", help="What was saved before counts no more.")]
lists = typer.Typer(
    help="Around a list: template, columns of an office, who is gone from a full list, a whole file undone.", no_args_is_help=True
)


@lists.command()
def template(
    kind: Kind,
    file: Annotated[Path, typer.Argument(help="Where to write it; never over a file that is there.")],
    name: Name = "local",
) -> None:
    """An empty list to fill in, with the codes it may use. Example: ansinh lists template payroll list.xlsx"""
    if file.exists():
        raise typer.BadParameter(f"{file} is there already")
    ask(name, lambda _a, client: client.fetch(SERVICE, f"/v1/lists/template/{kind}", file, actor=OFFICER))
    typer.echo(f"{file}: fill in the first sheet; then ansinh import {file} --payer PAYER --period 2024-02 --dry-run")


@lists.command()
def columns(
    kind: Kind,
    payer: Payer,
    words: Annotated[
        list[str] | None, typer.Argument(help='What stands in the header, and the column meant: "Tiền tháng=Mức trợ cấp"')
    ] = None,
    *,
    replace: Replace = False,
    source: Source = "list-officer",
    name: Name = "local",
) -> None:
    """Show, or add to, what an office calls its columns; nothing behind = leaves a column aside.

    Example: ansinh lists columns payroll huyen-444 "Nơi ở=Xã" "Ghi thêm="
    """
    path, office = f"/v1/lists/columns/{kind}", {"payer": payer, "source": source}
    if not words:
        print_json(ask(name, lambda _a, client: client.get(SERVICE, path, **office)))
        return
    if wrong := [word for word in words if "=" not in word]:
        raise typer.BadParameter(f"{wrong[0]}: write header=column, or header= for one to leave aside")
    said = {folded(header): column for header, column in (word.rsplit("=", 1) for word in words)}

    async def save(_addresses: Addresses, client: Client) -> Any:
        before = {} if replace else (await client.get(SERVICE, path, **office))["columns"]
        return await client.post(SERVICE, path, actor=OFFICER, body={"columns": before | said}, **office)

    print_json(ask(name, save))


@lists.command()
def gone(period: Period, payer: Payer, *, source: Source = "list-officer", as_json: AsJson = False, name: Name = "local") -> None:
    """Who was on the list and is not in the newest full file, by the row that had them last. Nobody ends by being absent.

    Example: ansinh lists gone 2024-02 huyen-444
    """
    found = ask(name, lambda _a, client: client.get(SERVICE, _gone(period, payer), source=source))
    if as_json:
        print_json(found)
        return
    for row in found["candidates"]:
        typer.echo(f"{row['record']}  {row['area']}  {row['benefit_code']:<8}{row['declared_vnd']:>12,}  {_fate(row)}")
    typer.echo(f"{len(found['candidates'])} gone, {found['undecided']} undecided")
    if found["undecided"]:
        office = f"{period} {payer}" + (f" --source {source}" if source != "list-officer" else "")
        typer.echo(
            f"Next: ansinh lists end {office} RECORD ... --reason death --on 2024-01-31, or ansinh lists keep {office} RECORD ...",
            err=True,
        )


@lists.command()
def end(
    period: Period,
    payer: Payer,
    records: Records,
    *,
    reason: Reason,
    on: Since,
    source: Source = "list-officer",
    name: Name = "local",
) -> None:
    """End what is gone, all records named or none. Example: ansinh lists end 2024-02 huyen-444 RECORD --reason death --on 2024-01-31"""
    _decide(name, _gone(period, payer), source=source, decisions=[_end(record, reason, on.date()) for record in records])


@lists.command("end-refused")
def end_refused(
    period: Period,
    payer: Payer,
    records: Records,
    *,
    reason: Reason,
    on: Since,
    source: Source = "list-officer",
    name: Name = "local",
) -> None:
    """End whom the file has, in a row that was refused: only when they are no longer entitled all the same.

    Example: ansinh lists end-refused 2024-02 huyen-444 RECORD --reason death --on 2024-01-31
    """
    decisions = [{**_end(record, reason, on.date()), "although_in_file": True} for record in records]
    _decide(name, _gone(period, payer), source=source, decisions=decisions)


@lists.command()
def keep(period: Period, payer: Payer, records: Records, *, source: Source = "list-officer", name: Name = "local") -> None:
    """Keep what is gone: its absence was a mistake. Example: ansinh lists keep 2024-02 huyen-444 RECORD"""
    _decide(name, _gone(period, payer), source=source, decisions=[{"record": record, "choice": "keep"} for record in records])


@lists.command()
def alive(period: Period, payer: Payer, records: Records, *, source: Source = "list-officer", name: Name = "local") -> None:
    """Take back a death that was a mistake; money on it leaves open lists first. Example: ansinh lists alive 2024-02 huyen-444 RECORD"""
    body, path = {"records": list(records)}, f"/v1/lists/{period}/{payer}/alive"
    print_json(ask(name, lambda _a, client: client.post(SERVICE, path, actor=OFFICER, body=body, source=source)))


@lists.command()
def undo(
    import_id: Annotated[str, typer.Argument(help="The file, as `ansinh import` named it: import_id.")], name: Name = "local"
) -> None:
    """Undo a whole file while its list is open; what somebody said later holds. Example: ansinh lists undo IMPORT_ID"""
    print_json(ask(name, lambda _a, client: client.post(SERVICE, f"/v1/imports/{import_id}/undo", actor=OFFICER)))


def _fate(row: Mapping[str, Any]) -> str:
    """What was decided, and where the officer finds the person: in a row of a file of theirs."""
    decided = f"{row['choice']} {row['reason'] or ''}".strip() if row["choice"] else "?"
    again = ", stands again" if row["choice"] == "end" and row["state"] == "active" else ""
    handed = datetime.fromisoformat(row["last_handed_at"]).astimezone(LOCAL) if row["last_handed_at"] else None
    last = f"  row {row['last_row']} of the file of {handed:%Y-%m-%d %H:%M}" if handed else ""
    refused = f"  in the newest file, refused: row {row['refused_row']}" if row["refused_row"] else ""
    return f"{decided}{again}{last}{refused}"


def _gone(period: str, payer: str) -> str:
    return f"/v1/lists/{period}/{payer}/gone"


def _end(record: str, reason: EndReason, on: date) -> dict[str, Any]:
    return {"record": record, "choice": "end", "reason": reason, "on": on.isoformat()}


def _decide(name: str, path: str, *, source: str, decisions: list[dict[str, Any]]) -> None:
    if len(decisions) > DECISIONS_MAX:
        raise typer.BadParameter(f"at most {DECISIONS_MAX} records at a time")
    print_json(
        ask(name, lambda _a, client: client.post(SERVICE, path, actor=OFFICER, body={"decisions": decisions}, source=source))
    )
