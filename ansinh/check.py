"""Every promise of docs/INVARIANTS.md, asked of the four databases and of what the partners say really happened.

Each database is read in one read-only snapshot of its own. Where two are compared, or a decision waits to be published, a finding may
be an event still on its way: it is gone when asked again after the system has come to rest.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosql

from shared.database import Database
from shared.topics import Service

SHOWN = 10
Rows = Sequence[Mapping[str, Any]]
Found = Mapping[tuple[str, str], Rows]
"""(service, query) -> what it returned."""

_statements = aiosql.from_path(Path(__file__).with_name("checks.sql"), "asyncpg", mandatory_parameters=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one promise holds. `detail` says it in a line; `rows` are the first findings: ids, words and sums, no personal data."""

    id: str
    title: str
    ok: bool
    detail: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, and the queries that return what breaks it."""

    id: str
    title: str
    queries: tuple[str, ...]
    services: tuple[Service, ...] = (Service.PAYOUT,)


ALL = tuple(Service)
CHECKS = (
    Check("I01", "A line is in at most one live payment", ("lines_paid_twice", "lines_of_dead_payments")),
    Check(
        "I04",
        "Lists, payments and files add up",
        ("batches_that_do_not_add_up", "payments_not_worth_their_lines", "files_that_do_not_add_up"),
    ),
    Check(
        "I05",
        "The ledger balances and agrees with the payments",
        ("accounts_below_zero", "budgets_left_wrongly", "ledger_against_states"),
    ),
    Check("I06", "An end-to-end id names one payment", ("ids_used_twice",)),
    Check("I07", "Nothing left without the signatures of different people on its hash", ("released_without_signatures",)),
    Check("I08", "What was withdrawn was never sent, what was not withdrawn was", ("withdrawn_and_sent", "left_behind")),
    Check("I09", "Every decision was published", ("unpublished_rows",), ALL),
    Check("I10", "No partition is stopped", ("stopped_partitions",), ALL),
    Check("I11", "No record was set aside", ("set_aside_records",), ALL),
    Check("I12", "Payments move only along the table, and every state was told", ("illegal_moves", "states_not_told")),
    Check("I13", "Everybody with a frozen line has a verdict", ("lines_without_verdict",)),
    Check("I14", "Everybody known to verification is judged as they are now", ("people_not_judged",), (Service.VERIFICATION,)),
    Check(
        "I15",
        "One text per phone and round, none to those who cannot",
        ("phones_with_two_texts", "texts_to_those_who_cannot"),
        (Service.NOTIFY,),
    ),
)
_REGISTRY_TOTALS = ("registry_closings", "registry_lines")
_PAYOUT_TOTALS = ("payout_closings", "payout_lines")
_MISPLACED = ("nowhere", "twice")


async def run_checks(dsn_of: Callable[[str], str], truth_files: Sequence[Path] = ()) -> list[Verdict]:
    """All verdicts, by id. `dsn_of` gives the database of a service by its name. Writes nothing.

    The last three compare with the providers' truth files and are there only when files are given. Raises what asyncpg and files raise.
    """
    found: dict[tuple[str, str], Rows] = {}
    for service in Service:
        queries = _queries_of(service, with_truth=bool(truth_files))
        found |= {(service, name): rows for name, rows in (await _read(dsn_of(service), queries)).items()}
    verdicts = [_judge(check, found) for check in CHECKS] + [
        _same_totals(found),
        _conservation(found[Service.PAYOUT, "line_places"]),
    ]
    if truth_files:
        verdicts += compare_with_truth(found, read_truth(truth_files))
    return sorted(verdicts, key=lambda verdict: verdict.id)


def _queries_of(service: Service, *, with_truth: bool) -> list[str]:
    names = [name for check in CHECKS if service in check.services for name in check.queries]
    if service is Service.REGISTRY:
        names += _REGISTRY_TOTALS
    if service is Service.PAYOUT:
        names += [*_PAYOUT_TOTALS, "line_places", *(("payments", "payment_lines") if with_truth else ())]
    return names


async def _read(dsn: str, names: Iterable[str]) -> dict[str, Rows]:
    database = await Database.open(dsn, size=1)
    try:
        async with database.reading() as tx:
            return {name: [row async for row in getattr(_statements, name)(tx)] for name in names}
    finally:
        await database.close()


def _judge(check: Check, found: Found) -> Verdict:
    findings = [
        f"{service}: {row['row']}" if len(check.services) > 1 else str(row["row"])
        for service in check.services
        for name in check.queries
        for row in found[service, name]
    ]
    return _verdict(check.id, check.title, findings)


def _verdict(identity: str, title: str, findings: Sequence[str], *, good: str = "nothing breaks it") -> Verdict:
    detail = f"{len(findings)} findings, first: {findings[0]}" if findings else good
    return Verdict(identity, title, not findings, detail, tuple(findings[:SHOWN]))


def _same_totals(found: Found) -> Verdict:
    """Count and VND of a closed list are the same four times: as published, as frozen, as received, as received line by line."""
    sources = [(Service.REGISTRY, name) for name in _REGISTRY_TOTALS] + [(Service.PAYOUT, name) for name in _PAYOUT_TOTALS]
    totals = [{(row["period"], row["payer"]): (row["count"], row["vnd"]) for row in found[source]} for source in sources]
    lists = sorted(set().union(*totals))
    names = [name for _service, name in sources]
    findings = []
    for key in lists:
        said = [_said(total.get(key)) for total in totals]
        if len(set(said)) > 1:
            findings.append(" ".join(key) + ": " + ", ".join(f"{name} {text}" for name, text in zip(names, said, strict=True)))
    good = "; ".join(f"{' '.join(key)}: {_said(totals[0].get(key))}" for key in lists)
    return _verdict("I02", "What registry closed is what payout holds, line by line", findings, good=good or "no list is closed")


def _said(total: tuple[int, int] | None) -> str:
    return f"{total[0]} lines {total[1]} VND" if total else "nothing"


def _conservation(places: Rows) -> Verdict:
    """Every line of a built payroll is in one place; the places add up to the list."""
    said = [
        (row["place"], f"{row['period']} {row['payer']}: {row['place']} {_said((row['count'], row['vnd']))}", row["first"])
        for row in places
    ]
    findings = [f"{text}, such as {line}" for place, text, line in said if place in _MISPLACED]
    good = "; ".join(text for _place, text, _line in said) or "no payroll is built"
    return _verdict("I03", "Every line is cashless, postal or held: exactly one", findings, good=good)


# --- the partners' truth -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that really happened at a provider: `paid`, `rejected` or `returned`."""

    provider: str
    end_to_end_id: str
    amount_vnd: int
    status: str


NOT_SENT = frozenset({"created", "sealed", "withdrawn"})
KNOWN_PAID = frozenset({"paid", "collected"})
NOT_KNOWN = frozenset({"sending", "accepted", "issued", "unknown"})


def read_truth(files: Iterable[Path]) -> list[Fact]:
    """Line facts of truth files, in the order they happened. A last line without its end is still being written and left out."""
    rows = (json.loads(text) for file in files for text in _whole_lines(file))
    return [
        Fact(row["provider"], row["end_to_end_id"], int(row["amount_vnd"]), row["status"])
        for row in rows
        if row["fact"] == "line"
    ]


def _whole_lines(file: Path) -> Iterator[str]:
    return (line for line in file.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n"))


def compare_with_truth(found: Found, facts: Sequence[Fact]) -> list[Verdict]:
    """Our payments against what really happened. Needs the queries `payments` and `payment_lines` of payout."""
    ours = {row["end_to_end_id"]: row for row in found[Service.PAYOUT, "payments"]}
    happened: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        happened[fact.end_to_end_id].append(fact)
    return [
        _verdict(
            "I16",
            "Nobody was really paid twice, or another amount, or unasked",
            list(_paid_wrongly(ours, happened)),
            good=_sum_paid(facts),
        ),
        _verdict(
            "I17",
            "No line was really paid on two payments",
            list(_lines_paid_twice(found[Service.PAYOUT, "payment_lines"], happened)),
        ),
        _verdict(
            "I18",
            "What we believe is what happened, or unknown",
            list(_believed_wrongly(ours, happened)),
            good=_sum_known(ours, happened),
        ),
    ]


def _sum_paid(facts: Sequence[Fact]) -> str:
    paid = [fact.amount_vnd for fact in facts if fact.status == "paid"]
    return f"{len(paid)} payments of {sum(paid)} VND really paid"


def _paid_wrongly(ours: Mapping[str, Mapping[str, Any]], happened: Mapping[str, Sequence[Fact]]) -> Iterator[str]:
    for key, facts in happened.items():
        times = sum(fact.status == "paid" for fact in facts)
        if times > 1:
            yield f"id {key}: paid {times} times"
        if key not in ours:
            yield f"id {key}: {facts[0].provider} acted on a payment that is not ours"
        elif {(fact.provider, fact.amount_vnd) for fact in facts} != {(ours[key]["provider"], ours[key]["vnd"])}:
            asked = f"{ours[key]['vnd']} VND of {ours[key]['provider']}"
            yield f"id {key}: {facts[0].provider} acted on {facts[0].amount_vnd} VND, asked were {asked}"


def _stays_paid(facts: Sequence[Fact]) -> bool:
    """Money left and has not come back."""
    return bool(facts) and facts[-1].status == "paid"


def _lines_paid_twice(shares: Rows, happened: Mapping[str, Sequence[Fact]]) -> Iterator[str]:
    paid: dict[str, int] = defaultdict(int)
    declared: dict[str, int] = {}
    for share in shares:
        if _stays_paid(happened.get(share["end_to_end_id"], ())):
            paid[share["line"]] += share["vnd"]
            declared[share["line"]] = share["declared_vnd"]
    yield from (f"line {line}: really paid {vnd} of {declared[line]} VND" for line, vnd in paid.items() if vnd > declared[line])


def _believed_wrongly(ours: Mapping[str, Mapping[str, Any]], happened: Mapping[str, Sequence[Fact]]) -> Iterator[str]:
    """A paid payment may be one we have no answer for, never one we call failed: that one would be paid again."""
    for key, payment in ours.items():
        facts = happened.get(key, ())
        state = payment["state"]
        if state in KNOWN_PAID and not any(fact.status == "paid" for fact in facts):
            yield f"id {key}: {state}, though no money left"
        elif _stays_paid(facts) and state not in KNOWN_PAID | NOT_KNOWN:
            yield f"id {key}: {state}, though money left"
        elif facts and state in NOT_SENT:
            yield f"id {key}: {state}, though {facts[0].provider} acted on it"


def _sum_known(ours: Mapping[str, Mapping[str, Any]], happened: Mapping[str, Sequence[Fact]]) -> str:
    paid = [ours[key]["state"] for key, facts in happened.items() if _stays_paid(facts) and key in ours]
    return f"of {len(paid)} paid ones {sum(state in KNOWN_PAID for state in paid)} are known, {sum(s in NOT_KNOWN for s in paid)} not yet"
