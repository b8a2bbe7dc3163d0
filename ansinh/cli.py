"""The command line. Exit codes: 0 done; 1 refused, or an invariant is broken; 2 wrong usage; 3 nothing is running."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from ansinh import check, check_watch, funnel, look, pipeline, report
from ansinh.asking import AsJson, Name, nothing_runs
from ansinh.asking import ask as _ask
from ansinh.asking import show as _print
from ansinh.client import Client, Refusal
from ansinh.demo import Demo
from ansinh.groups import Groups
from ansinh.installation import Addresses, Installation
from ansinh.processes import NotReady
from ansinh.tables import show_table
from deploy.local.unavailable import StackUnavailable
from shared.clock import LOCAL, clock_from
from shared.topics import Service

app = typer.Typer(
    help="An Sinh pays monthly benefits. Exit codes: 0 done, 1 refused, 2 usage, 3 nothing is running.",
    no_args_is_help=True,
    cls=Groups,
)
restored = typer.Typer(
    help="A service whose database was restored publishes nothing until two people agree.", no_args_is_help=True
)
letters = typer.Typer(help="Records a service set aside.", no_args_is_help=True)
app.add_typer(letters, name="deadletters")
app.add_typer(restored, name="restore")
app.command("funnel")(funnel.show_funnel)
app.command("visit")(funnel.record_visit)


@app.command()
def demo(
    people: Annotated[int, typer.Option(help="Recipients in the synthetic district.")] = 10_172,
    name: Name = "demo",
    as_json: AsJson = False,
) -> None:
    """Pay a synthetic district for 2024-02 end to end. Example: ansinh demo --people 2000"""
    console = Console(stderr=as_json)
    console.width = max(console.width, 130)  # a page that is cut off tells nothing
    run = Demo(name, people, console)
    try:
        made = asyncio.run(run.run())
    except (StackUnavailable, NotReady, Refusal) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    finally:
        run.end()
    if as_json:
        _print(made)
    else:
        report.show(made, console, name)
    good = all(verdict["ok"] for verdict in made["invariants"].values()) and made["settlement"]["balanced"]
    raise typer.Exit(0 if good else 1)


@app.command()
def up(
    name: Name = "local",
    business_time: Annotated[datetime | None, typer.Option(help="Start the clock here, e.g. 2024-01-20T09:00:00.")] = None,
    asking: Annotated[
        bool, typer.Option("--asking", help="Ask a sandbox register and banks about each person instead of keeping a replica.")
    ] = False,
) -> None:
    """Start everything, print addresses, keep it running until Ctrl-C. Example: ansinh up --business-time 2024-01-20T09:00:00"""
    moment = business_time.replace(tzinfo=LOCAL) if business_time else None
    installation = Installation(name, business_time=moment, fresh=False, asking=asking)
    try:
        asyncio.run(_keep_up(installation))
    except (StackUnavailable, NotReady) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    finally:
        installation.end()
        typer.echo("Stopped; data stays and goes on at the next start.")


async def _keep_up(installation: Installation) -> None:
    addresses = await installation.start(typer.echo)
    typer.echo(f"Kafka      {addresses.kafka}")
    for service, port in addresses.ports.items():
        typer.echo(f"{service:<12} http://127.0.0.1:{port}")
    if installation.clock_file.exists():
        now = clock_from(installation.clock_file).now().astimezone(LOCAL)
        typer.echo(f"Business time {now:%Y-%m-%d %H:%M}, by {installation.clock_file}; without that file the real one")
    typer.echo(f"Data, logs, keys: {addresses.folder}\nCtrl-C stops everything.")
    stop = _stopped()
    watching = asyncio.create_task(installation.supervisor.watch())
    await stop.wait()
    watching.cancel()


def _stopped() -> asyncio.Event:
    """Set by Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


@app.command("import")
def import_list(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    *,
    payer: Annotated[str, typer.Option(help="Who pays the people of this list.")],
    kind: Annotated[
        str, typer.Option(help="payroll, full (a payroll that is the whole list of its source), or accounts")
    ] = "payroll",
    period: Annotated[str | None, typer.Option(help="Needed for a payroll list.")] = None,
    source: Annotated[str, typer.Option(help="Who wrote the list.")] = "list-officer",
    dry_run: Annotated[bool, typer.Option(help="Only say what would happen.")] = False,
    name: Name = "local",
) -> None:
    """Hand in a list; it comes back beside itself under a new name.

    Example: ansinh import list.xlsx --payer huyen-444 --period 2024-02 --dry-run
    """
    query = (
        {"payer": payer, "source": source} | ({"period": period} if period else {}) | ({"full": "true"} if kind == "full" else {})
    )
    taken = "payroll" if kind == "full" else kind
    told = _ask(name, lambda _a, client: pipeline.import_list(client, taken, path, dry_run=dry_run, **query))
    _print(told)
    if dry_run:
        after = f"nothing was taken; what is wrong stands in {told['workbook']}; then the same without --dry-run"
    elif kind == "full":
        after = f"ansinh lists gone {period} {payer}: who is not on it any more is for you to decide"
    elif kind == "accounts":
        after = "ansinh registry waiting: accounts of people whom no list has brought yet" if told["waiting"] else ""
    else:
        after = f"when every file of the month is in: ansinh payroll close {period} {payer}"
    if after:
        typer.echo(f"Next: {after}", err=True)


@app.command()
def trace(beneficiary: UUID, name: Name = "local") -> None:
    """What each service knows of one person, without personal data. Example: ansinh trace BENEFICIARY_ID"""
    _print(_ask(name, lambda _a, client: look.trace(client, str(beneficiary))))


@app.command()
def topics(name: Name = "local") -> None:
    """Records per topic, and what each reader has still to read. Example: ansinh topics --name demo"""
    _print(_ask(name, lambda addresses, _c: look.flow(addresses)))


@letters.command("list")
def list_letters(name: Name = "local") -> None:
    """The newest set-aside records. Example: ansinh deadletters list"""
    _print(_ask(name, lambda addresses, _c: look.dead_letters(addresses)))


@letters.command()
def show(letter: UUID, name: Name = "local") -> None:
    """One set-aside record: origin and reason; the original stays sealed."""
    _print(_ask(name, lambda addresses, _c: look.dead_letter(addresses, letter)))


@letters.command()
def resume(
    service: Service,
    topic: str,
    partition: int,
    *,
    skip_cut: Annotated[
        bool, typer.Option(help="Retention has cut records before they were read: go on where the log begins.")
    ] = False,
    name: Name = "local",
) -> None:
    """Let a stopped partition go on after somebody has looked. Example: ansinh deadletters resume payout registry.list.v1 0

    After --skip-cut the writers must tell their state again: ansinh republish.
    """
    resume = look.resume_at_log_start if skip_cut else look.resume
    done = _ask(name, lambda addresses, _c: resume(addresses, service, topic=topic, partition=partition))
    _print({"resumed": bool(done)})


@letters.command()
def redrive(
    letter: Annotated[
        list[UUID] | None, typer.Argument(help="Which records; all that match the options when none is named.")
    ] = None,
    *,
    service: Annotated[Service | None, typer.Option(help="Only those of this service.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only those read from this topic.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only those set aside for this reason.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Only say what would happen.")] = False,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """Handle set-aside records again, inside their service. Example: ansinh deadletters redrive --reason SCHEMA_INVALID --dry-run

    Exit code 1 when one stays set aside, or a named one is not there to be taken.
    """
    services = [service] if service else list(Service)
    records = _ask(
        name,
        lambda _a, client: look.redrive(client, services, ids=letter or [], topic=topic, reason=reason, dry_run=dry_run),
    )
    if as_json:
        _print(records)
    else:
        for one in records:
            place = f"{one['topic']} {one['partition']} at {one['offset']}"
            typer.echo(f"{one['outcome']:<7} {one['dead_letter_id']}  {one['service']}: {place}  {one['reason'] or ''}".rstrip())
        typer.echo(f"{len(records)} records{', nothing was changed' if dry_run else ''}")
    missing = {str(one) for one in letter or ()} - {one["dead_letter_id"] for one in records}
    raise typer.Exit(int(bool(missing) or any(one["outcome"] != "taken" for one in records)))


@app.command()
def republish(
    service: Service,
    topic: Annotated[
        list[str] | None, typer.Argument(help="Which topics; all that the service can tell when none is named.")
    ] = None,
    *,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """Have a service tell its present state again, for a new reader. Example: ansinh republish registry registry.beneficiary.v1

    Interrupted, the same command goes on where it stopped. Whoever holds a message already ignores it.
    """

    def say(text: str) -> None:
        typer.echo(text, err=as_json)

    told = _ask(name, lambda _a, client: look.republish(client, service, topic or [], say=say))
    if as_json:
        _print(told)


@restored.command("status")
def restore_status(service: Service, name: Name = "local") -> None:
    """Whether a service may publish, and the statement to be signed. Example: ansinh restore status payout"""
    _print(_ask(name, lambda _a, client: look.restore_state(client, service)))


@restored.command("propose")
def propose_unlock(service: Service, name: Name = "local") -> None:
    """Sign first, as operator: its partners were asked what they did. Example: ansinh restore propose payout"""
    _print(_ask(name, lambda _a, client: look.sign_unlock(client, service, step="propose")))


@restored.command("confirm")
def confirm_unlock(service: Service, name: Name = "local") -> None:
    """Sign second, as approver: publishing goes on, under the new epoch. Example: ansinh restore confirm payout"""
    _print(_ask(name, lambda _a, client: look.sign_unlock(client, service, step="confirm")))


@restored.command("unlock")
def unlock(service: Service, name: Name = "local") -> None:
    """Both signatures of a local installation's actors, one after the other. Example: ansinh restore unlock payout"""

    async def both(_addresses: Addresses, client: Client) -> Any:
        await look.sign_unlock(client, service, step="propose")
        return await look.sign_unlock(client, service, step="confirm")

    _print(_ask(name, both))


@app.command("check")
def check_invariants(
    name: Name = "local",
    *,
    full: Annotated[
        bool, typer.Option(help="Read whole outboxes and hash whole lists too: minutes for a million people.")
    ] = False,
    every: Annotated[float | None, typer.Option(min=1, help="Ask again every so many seconds, until Ctrl-C.")] = None,
    metrics_port: Annotated[int, typer.Option(help="Where --every serves its metrics, on loopback.")] = 9464,
    dsn: Annotated[
        str | None,
        typer.Option(envvar="ANSINH_CHECK_DSN", help="Databases without an installation; {service} stands for a name."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run every invariant on the running system; exit code 1 when one is broken. Example: ansinh check --json"""

    async def ask() -> list[check.Verdict]:
        if dsn:
            return await check.run_checks(lambda service: dsn.replace("{service}", service), full=full)
        addresses = Addresses.read(name)
        truth = [path for path in sorted((Path(addresses.folder) / "truth").glob("*.jsonl")) if path.stem != "sms"]
        return await check.run_checks(lambda service: addresses.databases[service], truth, full=full)

    async def watch() -> None:
        await check_watch.watch(ask, every=every or 0, port=metrics_port, say=typer.echo, stop=_stopped())

    try:
        verdicts = asyncio.run(watch() if every else ask())
    except FileNotFoundError:
        raise nothing_runs(name) from None
    if verdicts is None:
        return
    if as_json:
        _print(check_watch.as_json(verdicts))
    else:
        show_table(check_watch.as_table(verdicts))
    raise typer.Exit(0 if all(v.ok for v in verdicts) else 1)
