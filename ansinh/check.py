"""Every promise of docs/INVARIANTS.md, asked of the four databases of a running system and of what the partners say really happened.

Each database is read in one read-only snapshot, shared by its sessions: it has no transaction id, so relays publish on meanwhile, and only
vacuum waits for it. Nothing is written. Where two databases are compared, or a decision waits to be published, a finding counts only when
it is still there `patience` seconds later: before that it may be an event on its way.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

import aiosql
import asyncpg

from ansinh.promises import CLOSED, PLACED, PLACES, PROMISES, TOTALS, TRUTH, Mirror, Promise, Query, Side
from ansinh.truth import Rows, compare_with_truth, read_truth
from shared.topics import Service

SHOWN = 10
BUCKETS_MAX = 500
PATIENCE_SECONDS = 5.0
READ_SECONDS = 900.0
# More at a time would take memory and the processor's cache from one another, and leave the longest query to run alone at the end.
AT_ONCE = max(2, os.cpu_count() or 2)
READERS = {Service.REGISTRY: 2, Service.VERIFICATION: 1, Service.PAYOUT: 2, Service.NOTIFY: 1}
# Of these sessions only: a million rows are joined in memory, by hash: a merge would fetch a million people one by one in the order of
# their random ids. They share the work among themselves, not each with helpers.
SESSION = {
    "application_name": "ansinh check",
    "work_mem": "96MB",
    "hash_mem_multiplier": "4",
    "enable_mergejoin": "off",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
}
# These are begun first: none of them shall run alone at the end.
LONG = {"funnel_that_does_not_add_up", "postings_that_do_not_add_up", "payments_that_do_not_add_up", "statements_without_effect"}
MISPLACED = ("nowhere", "twice")

_statements = aiosql.from_path(Path(__file__).with_name("checks.sql"), "asyncpg", mandatory_parameters=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one promise holds. `detail` says it in a line; `rows` are the first findings: ids, words and sums, no personal data.
    `seconds` is how long its queries took; they run beside those of others."""

    id: str
    title: str
    ok: bool
    detail: str
    rows: tuple[str, ...] = ()
    count: int = 0
    seconds: float = 0.0


@dataclass
class Answers:
    """What the databases said: rows per query, differences per pair of mirrors, and seconds per query."""

    rows: dict[Query, Rows] = field(default_factory=dict)
    differences: dict[Mirror, list[str]] = field(default_factory=dict)
    seconds: dict[Query, float] = field(default_factory=lambda: defaultdict(float))


async def run_checks(
    dsn_of: Callable[[str], str], truth_files: Sequence[Path] = (), *, full: bool = False, patience: float = PATIENCE_SECONDS
) -> list[Verdict]:
    """All verdicts, by id. `dsn_of` gives the database of a service by its name.

    I16 to I18 compare with the providers' truth files and are there only when files are given; `full` also reads whole outboxes and
    hashes whole lists. Raises what asyncpg and files raise.
    """
    found = await _findings(dsn_of, PROMISES, truth_files, full=full)
    again = [promise for promise in PROMISES if promise.on_its_way and found[promise.id].rows]
    doubted = [identity for identity in ("I16", "I18") if identity in found and found[identity].rows]
    if again or doubted:
        await asyncio.sleep(patience)
        later = await _findings(dsn_of, again, truth_files if doubted else (), full=False)
        for identity in [*(promise.id for promise in again), *doubted]:
            found[identity] = _still(found[identity], later[identity])
    return [_summed(verdict) for _id, verdict in sorted(found.items())]


def _still(first: Verdict, later: Verdict) -> Verdict:
    """What was there both times. `rows` still hold all findings here."""
    rows = tuple(row for row in first.rows if row in set(later.rows))
    return replace(later, rows=rows, seconds=first.seconds + later.seconds)


def _summed(verdict: Verdict) -> Verdict:
    count = len(verdict.rows)
    detail = f"{count} findings, first: {verdict.rows[0]}" if count else verdict.detail
    return replace(verdict, ok=not count, detail=detail, rows=verdict.rows[:SHOWN], count=count)


async def _findings(
    dsn_of: Callable[[str], str], promises: Sequence[Promise], truth_files: Sequence[Path], *, full: bool
) -> dict[str, Verdict]:
    answers = await _ask(dsn_of, promises, more=TRUTH if truth_files else (), full=full)
    found = {
        promise.id: _verdict(promise, answers, full=full) for promise in promises if promise.queries or promise.mirrors or full
    }
    if truth_files:
        payments, shares = (answers.rows[query] for query in TRUTH)
        for identity, title, findings, good in compare_with_truth(payments, shares, read_truth(truth_files)):
            found[identity] = Verdict(identity, title, not findings, good, tuple(findings))
    return found


def _verdict(promise: Promise, answers: Answers, *, full: bool) -> Verdict:
    queries = promise.queries + (promise.whole if full else ())
    good = "nothing breaks it"
    if promise.id == CLOSED:
        findings, good = _same_totals(answers.rows)
    elif promise.id == PLACED:
        findings, good = _conservation(*(answers.rows[query] for query in PLACES))
    else:
        findings = [
            text for query in queries for text in _said(promise, query, answers.rows[query], services={q[0] for q in queries})
        ]
    findings += [text for pair in promise.mirrors for text in answers.differences[pair]]
    asked = {*queries, *(side[0] for pair in promise.mirrors for side in pair)}
    seconds = sum(answers.seconds[query] for query in asked)
    return Verdict(promise.id, promise.title, not findings, good, tuple(findings), seconds=round(seconds, 3))


def _said(promise: Promise, query: Query, rows: Rows, *, services: set[Service]) -> list[str]:
    """The findings against one promise; a query asked for several says of each which it breaks."""
    texts = [str(row["row"]) for row in rows if row.get("promise", promise.id) == promise.id]
    return [f"{query[0]}: {text}" for text in texts] if len(services) > 1 else texts


# --- asking ------------------------------------------------------------------------------------------------------------------


async def _ask(dsn_of: Callable[[str], str], promises: Sequence[Promise], *, more: Iterable[Query], full: bool) -> Answers:
    """Every query once, each service by sessions of its own, AT_ONCE side by side; mirrors that differ are asked row by row."""
    pairs = [pair for promise in promises for pair in promise.mirrors]
    queries = [query for promise in promises for query in promise.queries + (promise.whole if full else ())]
    answers = Answers()
    async with AsyncExitStack() as stack:
        readers = {service: await stack.enter_async_context(_Snapshot(dsn_of(service), READERS[service])) for service in Service}
        hashes: dict[Query, set[str]] = defaultdict(set)
        for query, column, _said in (side for pair in pairs for side in pair):
            hashes[query].add(column)
        to_ask = {service: _shortest_first({*queries, *more, *hashes}, service) for service in Service}

        turns = asyncio.Semaphore(AT_ONCE)

        async def ask(session: Any, waiting: list[Query]) -> None:
            while waiting:
                query = waiting.pop()
                text = _folded("side_as_a_whole", query, hashes[query]) if query in hashes else _text(query[1])
                async with turns:
                    answers.rows[query] = await _timed(answers, session, query, text=text)

        async with asyncio.TaskGroup() as side_by_side:
            for service in Service:
                for session in readers[service]:
                    side_by_side.create_task(ask(session, to_ask[service]))
        sessions = {service: first for service, (first, *_others) in readers.items()}
        for pair in pairs:
            answers.differences[pair] = await _differences(answers, sessions, pair)
    return answers


class _Snapshot:
    """One moment of one database, read-only, seen by several sessions."""

    def __init__(self, dsn: str, readers: int) -> None:
        self._dsn, self._readers = dsn, readers
        self._sessions: list[Any] = []

    async def __aenter__(self) -> list[Any]:
        try:
            see = ""
            for _reader in range(self._readers):
                session = await asyncpg.connect(self._dsn, server_settings=SESSION, command_timeout=READ_SECONDS)
                self._sessions.append(session)
                await session.transaction(isolation="repeatable_read", readonly=True).start()
                if see:
                    await session.execute(see)
                see = see or (await _statements.share_snapshot(session))["statement"]
        except BaseException:
            await self.__aexit__()
            raise
        return self._sessions

    async def __aexit__(self, *_: object) -> None:
        for session in self._sessions:
            await session.close(timeout=10)


def _shortest_first(queries: Iterable[Query], service: Service) -> list[Query]:
    """The long ones come last, where sessions take from."""
    return sorted((query for query in queries if query[0] is service), key=lambda query: (query[1] in LONG, query))


def _text(name: str) -> str:
    return str(getattr(_statements, name).sql).rstrip().rstrip(";")


def _folded(around: str, query: Query, columns: Iterable[str]) -> str:
    """The statement `around` the rows of a side of a mirror, which are folded into one hash per column."""
    hashes = ", ".join(f"bit_xor({column}) AS {column}" for column in sorted(columns))
    return _text(around).format(rows=_text(query[1]), hashes=hashes)


async def _timed(answers: Answers, session: Any, query: Query, *, text: str, given: Sequence[Any] = ()) -> Rows:
    begun = monotonic()
    rows: Rows = await session.fetch(text, *given)
    answers.seconds[query] += monotonic() - begun
    return rows


async def _differences(answers: Answers, sessions: Mapping[Service, Any], pair: Mirror) -> list[str]:
    """One text per row that one side lacks or holds otherwise; looked for only where all rows taken together differ."""
    wholes = [answers.rows[query][0][column] for query, column, _said in pair]
    if wholes[0] == wholes[1]:
        return []
    folds = [await _by_bucket(answers, sessions[side[0][0]], side) for side in pair]
    differing = sorted(
        bucket for bucket in folds[0].keys() | folds[1].keys() if folds[0].get(bucket, 0) != folds[1].get(bucket, 0)
    )
    writer, reader = [await _row_by_row(answers, sessions[side[0][0]], side, buckets=differing[:BUCKETS_MAX]) for side in pair]
    nothing = (None, "nothing")
    both = ((key, writer.get(key, nothing), reader.get(key, nothing)) for key in sorted(writer.keys() | reader.keys()))
    return [f"{key}: {pair[0][0][0]} {one[1]}, {pair[1][0][0]} {other[1]}" for key, one, other in both if one[0] != other[0]]


async def _by_bucket(answers: Answers, session: Any, side: Side) -> dict[int, int]:
    query, column, _said = side
    rows = await _timed(answers, session, query, text=_folded("side_by_bucket", query, [column]))
    return {row["bucket"]: row[column] or 0 for row in rows}


async def _row_by_row(answers: Answers, session: Any, side: Side, *, buckets: Sequence[int]) -> dict[Any, tuple[int | None, str]]:
    """Hash and words by id."""
    query, column, said = side
    text = _text("side_row_by_row").format(rows=_text(query[1]), hash=column, said=said)
    return {
        row["id"]: (row["hash"], row["said"]) for row in await _timed(answers, session, query, text=text, given=[list(buckets)])
    }


# --- conservation --------------------------------------------------------------------------------------------------------------


def _same_totals(rows: Mapping[Query, Rows]) -> tuple[list[str], str]:
    """Count and VND of a closed list are the same three times: as published, as frozen, as received."""
    totals = [{(row["period"], row["payer"]): (row["count"], row["vnd"]) for row in rows[query]} for query in TOTALS]
    lists = sorted(set().union(*totals))
    findings = []
    for key in lists:
        said = [_lines(total.get(key)) for total in totals]
        if len(set(said)) > 1:
            names = (name for _service, name in TOTALS)
            findings.append(" ".join(key) + ": " + ", ".join(f"{name} {text}" for name, text in zip(names, said, strict=True)))
    return findings, _shown([f"{' '.join(key)}: {_lines(totals[0].get(key))}" for key in lists]) or "no list is closed"


def _lines(total: tuple[int, int] | None) -> str:
    return f"{total[0]} lines {total[1]} VND" if total else "nothing"


def _conservation(places: Rows, misplaced: Rows) -> tuple[list[str], str]:
    """Every line of a built payroll is in one place; the places add up to the list."""
    findings = [
        f"{row['period']} {row['payer']}: line {row['entitlement_id']} is {row['place']}, {row['open']} VND not covered"
        for row in misplaced
        if row["place"] in MISPLACED
    ]
    back: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in misplaced:
        if row["place"] == "came_back":
            back[row["period"], row["payer"]].append(int(row["open"]))
    said = [(f"{row['period']} {row['payer']}", row["place"], f"{row['count']} {row['what']} {row['vnd']} VND") for row in places]
    said += [(" ".join(key), "came back", _lines((len(vnds), sum(vnds)))) for key, vnds in back.items()]
    good = _shown([f"{key}: {place} {total}" for key, place, total in sorted(said)])
    return findings, good or "no payroll is built"


def _shown(texts: Sequence[str]) -> str:
    return "; ".join([*texts[:SHOWN], *([f"and {len(texts) - SHOWN} more"] if len(texts) > SHOWN else [])])
