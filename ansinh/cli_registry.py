"""`ansinh registry`: who is who. Ids, points and findings; only `see` prints personal data, for the reviewer's eyes, and is audited."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from ansinh.asking import AsJson, Name, ask
from ansinh.asking import show as print_json
from ansinh.cli_placing import split
from ansinh.client import Client, Refusal
from ansinh.erasing import erased_elsewhere
from ansinh.tables import show_table
from services.registry.erasing import ErasureCause, ErasureReason, Requester
from services.registry.merging import ActKind, MergeReason
from services.registry.pairs import Pair, Paper
from shared.clock import LOCAL

SERVICE, REVIEWER, SECOND, OPERATOR = "registry", "reviewer", "second-reviewer", "operator"
One = Annotated[UUID, typer.Argument(help="Beneficiary id, as `ansinh registry candidates` names it.")]
Other = Annotated[UUID, typer.Argument(help="The other one.")]
Sight = Annotated[UUID, typer.Option(help="What was seen, as `ansinh registry see` names it.")]
registry = typer.Typer(help="Who is who: people who may be one, and what was decided.", no_args_is_help=True)
registry.add_typer(split, name="split")


@registry.command()
def look(name: Name = "local") -> None:
    """Look at everybody who changed for people who may be one. Example: ansinh registry look"""
    print_json(ask(name, lambda _a, client: client.post(SERVICE, "/v1/people/look", actor=OPERATOR)))


@registry.command()
def candidates(
    payer: Annotated[str | None, typer.Option(help="Only pairs with somebody of this payer.")] = None,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """Pairs that wait for a decision, the likeliest first. Example: ansinh registry candidates --payer huyen-444"""
    query = {"payer": payer} if payer else {}
    pairs = ask(name, lambda _a, client: client.every(SERVICE, "/v1/people/candidates", "pairs", **query))
    if as_json:
        print_json(pairs)
        return
    for pair in pairs:
        findings = ", ".join(f"{field} {finding}" for field, finding in pair["evidence"].items() if finding != "absent")
        typer.echo(f"{pair['points']:>4}  {pair['one']}  {pair['other']}  {findings}")
    typer.echo(f"{len(pairs)} candidates")
    if pairs:
        _next("look at both sides: ansinh registry see ONE OTHER; then apart, or merge")


@registry.command()
def waiting(as_json: AsJson = False, name: Name = "local") -> None:
    """What was said and cannot take effect yet, the oldest first. Example: ansinh registry waiting

    `person`: taken by itself when a list or an event brings the person; `key`: when the ministry sends its list's key.
    """
    found = ask(name, lambda _a, client: client.every(SERVICE, "/v1/waiting", "statements"))
    if as_json:
        print_json(found)
        return
    for one in found:
        since = datetime.fromisoformat(one["since"]).astimezone(LOCAL)
        typer.echo(f"{since:%Y-%m-%d %H:%M}  {one['waits_for']:<6}  {one['source']}/{one['record']} #{one['sequence']}")
    waits = Counter(one["waits_for"] for one in found)
    typer.echo(f"{len(found)} waiting: {waits['person']} for a person, {waits['key']} for a key")


@registry.command()
def areas(
    *,
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day that is asked about.")],
    payer: Annotated[str | None, typer.Option(help="Only what this payer pays.")] = None,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """Communes, wards and towns of a day, and who pays there. Example: ansinh registry areas --on 2025-07-01"""
    query = {"on": f"{on:%Y-%m-%d}"} | ({"payer": payer} if payer else {})
    found = ask(name, lambda _a, client: client.every(SERVICE, "/v1/areas", "areas", **query))
    if as_json:
        print_json(found)
        return
    for one in found:
        typer.echo(f"{one['code']}  {one['payer']:<12} {one['name']}")
    typer.echo(f"{len(found)} areas on {on:%Y-%m-%d}")


@registry.command()
def became(
    code: Annotated[str, typer.Argument(help="Code of a commune of the earlier day.")],
    *,
    then: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="A day on which it was this commune.")],
    now: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day that is asked about.")],
    hamlet: Annotated[str, typer.Option(help="Where somebody lives, when the commune was split.")] = "",
    name: Name = "local",
) -> None:
    """What a commune of one day is on a later one. Example: ansinh registry became 18499 --then 2024-02-01 --now 2025-08-01"""
    query = {"then": f"{then:%Y-%m-%d}", "now": f"{now:%Y-%m-%d}", "hamlet": hamlet}
    print_json(ask(name, lambda _a, client: client.get(SERVICE, f"/v1/areas/{code}/became", **query)))


@registry.command()
def see(
    one: One,
    other: Other,
    *,
    second: Annotated[bool, typer.Option("--second", help="As the reviewer who confirms.")] = False,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """Both people, field by field; the sight is audited.

    Example: ansinh registry see ONE OTHER; the reviewer who confirms: ansinh registry see ONE OTHER --second
    """
    path = f"/v1/people/pairs/{one}/{other}/sights"
    seen = ask(name, lambda _a, client: client.post(SERVICE, path, actor=SECOND if second else REVIEWER))
    if as_json:
        print_json(seen)
        return
    show_table(_sides(Pair.of(one, other), seen))
    typer.echo(f"{seen['points']} points; account {seen['evidence']['account']}")
    typer.echo(f"  --sight {seen['sight_id']}")
    if not second:
        _next(
            f"two people: ansinh registry apart {one} {other} --sight SIGHT --paper PAPER; one person: merge GOES STAYS, likewise"
        )


_FOUND_AS = {"full_name": "name", "personal_number": "number", "hamlet": "place"}


def _sides(pair: Pair, seen: dict[str, Any]) -> Table:
    table = Table("field", str(pair.one), str(pair.other), "finding")
    for field in seen["fields"]:
        finding = seen["evidence"].get(_FOUND_AS.get(field["field"], field["field"]), "")
        table.add_row(field["field"], field["one"] or "", field["other"] or "", finding)
    return table


@registry.command()
def apart(
    one: One,
    other: Other,
    *,
    sight: Sight,
    paper: Annotated[Paper, typer.Option(help="The paper that shows it.")],
    name: Name = "local",
) -> None:
    """Decide that the two are two. Example: ansinh registry apart ONE OTHER --sight SIGHT --paper IDENTITY_CARD"""
    path, body = f"/v1/people/pairs/{one}/{other}/apart", {"sight_id": str(sight), "paper": paper}
    print_json(ask(name, lambda _a, client: client.post(SERVICE, path, actor=REVIEWER, body=body)))


@registry.command()
def merge(
    merged: Annotated[UUID, typer.Argument(help="The id that goes.")],
    into: Annotated[UUID, typer.Argument(help="The id that stays.")],
    *,
    sight: Sight,
    paper: Annotated[Paper, typer.Option(help="The paper that shows that they are one.")],
    name: Name = "local",
) -> None:
    """Propose that two are one; another reviewer confirms it.

    Example: ansinh registry merge GOES STAYS --sight SIGHT --paper IDENTITY_CARD
    """
    _propose(name, ActKind.MERGE, {"merged_id": str(merged), "survivor_id": str(into), "sight_id": str(sight), "paper": paper})


@registry.command()
def unmerge(
    merged: Annotated[UUID, typer.Argument(help="The id that comes back.")],
    out_of: Annotated[UUID, typer.Argument(help="The id it was merged into.")],
    *,
    sight: Sight,
    paper: Annotated[Paper, typer.Option(help="The paper that shows that they are two.")],
    name: Name = "local",
) -> None:
    """Propose that a merge is taken back; another reviewer confirms it. The last merge first.

    Example: ansinh registry unmerge GOES STAYS --sight SIGHT --paper IDENTITY_CARD
    """
    _propose(
        name, ActKind.UNMERGE, {"merged_id": str(merged), "survivor_id": str(out_of), "sight_id": str(sight), "paper": paper}
    )


def _propose(name: str, kind: ActKind, body: dict[str, str]) -> None:
    done = ask(name, lambda _a, client: client.post(SERVICE, "/v1/people/merges", actor=REVIEWER, body={"kind": kind, **body}))
    print_json(done)
    pair = f"{body['merged_id']} {body['survivor_id']}"
    _next(
        f"the second reviewer looks too: ansinh registry see {pair} --second; then ansinh registry confirm {done['act_id']} --sight SIGHT"
    )


def _next(what: str) -> None:
    """The step that follows; beside the answer, which programs read."""
    typer.echo(f"Next: {what}", err=True)


@registry.command()
def confirm(
    act: Annotated[UUID, typer.Argument(help="The proposal or request.")],
    *,
    sight: Annotated[UUID | None, typer.Option(help="What the second reviewer saw of a pair; an erasure needs none.")] = None,
    name: Name = "local",
) -> None:
    """Do what another reviewer proposed. Example: ansinh registry confirm ACT --sight SIGHT; an erasure: ansinh registry confirm ACT

    A merge or separation needs the second reviewer's own sight: ansinh registry see ONE OTHER --second
    """
    print_json(ask(name, lambda _a, client: _confirm(client, act, sight)))


async def _confirm(client: Client, act: UUID, sight: UUID | None) -> Any:
    if sight:
        return await client.post(SERVICE, f"/v1/people/merges/{act}/confirm", actor=SECOND, body={"sight_id": str(sight)})
    try:
        return await client.post(SERVICE, f"/v1/people/erasures/{act}/confirm", actor=SECOND)
    except Refusal as refusal:
        if refusal.code != ErasureReason.ERASURE_UNKNOWN:
            raise
        hint = "Nếu là đề nghị gộp hoặc tách hồ sơ, người xác nhận phải xem hai bên trước và ghi --sight."
        raise Refusal(refusal.code, f"{refusal.advice} {hint}") from None


@registry.command()
def withdraw(act: Annotated[UUID, typer.Argument(help="The proposal or request.")], name: Name = "local") -> None:
    """Take a proposal, or a request to erase, back that nobody confirmed. Example: ansinh registry withdraw ACT"""
    print_json(ask(name, lambda _a, client: _withdraw(client, act)))


async def _withdraw(client: Client, act: UUID) -> Any:
    try:
        return await client.post(SERVICE, f"/v1/people/merges/{act}/withdraw", actor=REVIEWER)
    except Refusal as refusal:
        if refusal.code != MergeReason.ACT_UNKNOWN:
            raise
        return await client.post(SERVICE, f"/v1/people/erasures/{act}/withdraw", actor=REVIEWER)


@registry.command()
def merges(person: One, name: Name = "local") -> None:
    """What was proposed and done about one person and others. Example: ansinh registry merges ID"""
    print_json(ask(name, lambda _a, client: client.get(SERVICE, f"/v1/people/{person}/merges")))


@registry.command()
def erase(
    who: One,
    *,
    reason: Annotated[ErasureCause, typer.Option(help="Why.")],
    requester: Annotated[Requester, typer.Option(help="Who asks the office for it.")],
    paper: Annotated[str, typer.Option(help="Number of the paper in the office's book, never a person's number.")],
    name: Name = "local",
) -> None:
    """Ask that everything personal of somebody is erased; another reviewer confirms it, and then it is for good.

    Example: ansinh registry erase ID --reason PERSON_ASKED --requester PERSON --paper 12/2026
    """
    body = {"reason": reason, "requester": requester, "paper": paper}
    done = ask(name, lambda _a, client: client.post(SERVICE, f"/v1/people/{who}/erasures", actor=REVIEWER, body=body))
    print_json(done)
    _next(f"another reviewer confirms it, for good: ansinh registry confirm {done['erasure_id']}; or ansinh registry withdraw it")


@registry.command()
def erasures(
    who: Annotated[UUID | None, typer.Argument(help="Only requests about this id.")] = None,
    *,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what waits for a second reviewer.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="After a restore: ask again for everybody whom the other services hold as erased.")
    ] = False,
    paper: Annotated[str, typer.Option(help="With --again: the paper of the restore.")] = "RESTORE",
    name: Name = "local",
) -> None:
    """Requests to erase people, the newest first. Examples: ansinh registry erasures --waiting; ansinh registry erasures --again"""
    if again:
        done = ask(name, lambda _a, client: erased_elsewhere(client, paper=paper, actor=REVIEWER))
        print_json(done)
        if done["asked"]:
            typer.echo(
                "Next: another reviewer confirms each of `asked`: ansinh registry confirm ID; then ansinh restore unlock registry",
                err=True,
            )
        return
    query = {"waiting": waiting} | ({"beneficiary_id": str(who)} if who else {})
    print_json(ask(name, lambda _a, client: client.get(SERVICE, "/v1/people/erasures", **query)))


@registry.command()
def person(
    who: One,
    *,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day that is asked about; today, when left out.")
    ] = None,
    known_at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="What was known then; now, when left out.")
    ] = None,
    name: Name = "local",
) -> None:
    """What was known of one person, about a day. Example: ansinh registry person ID --on 2024-01-20 --known-at 2024-02-01

    A line is `changed` when something was said about it after it was listed, also where that was taken back again.
    """
    query = ({"on": f"{on:%Y-%m-%d}"} if on else {}) | ({"at": known_at.replace(tzinfo=LOCAL).isoformat()} if known_at else {})
    print_json(ask(name, lambda _a, client: client.get(SERVICE, f"/v1/people/{who}/known", **query)))
