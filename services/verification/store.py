"""All of verification's SQL, one function per query; the text is in `queries.sql`. Every write is set-based."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from asyncpg import Record

from shared.database import Tx, load_queries
from shared.events import ListClosing
from shared.evidence import FieldEvidence
from shared.words import AccountCheck, Outcome

queries = load_queries(__file__)
Row: TypeAlias = Record
"""A row as the database gives it."""


class Indexes(NamedTuple):
    """Blind indexes that find a person's register entries and the others who claim the account."""

    number: bytes | None = None
    old_number: bytes | None = None
    name_birth: bytes | None = None
    account: bytes | None = None


class Verdict(NamedTuple):
    """A result without its number: what is compared to know whether there is anything new to tell."""

    identity_digest: str
    account_digest: str | None
    outcome: Outcome
    evidence: tuple[FieldEvidence, ...]
    died_on: date | None
    account: AccountCheck | None


class Held(NamedTuple):
    """What was made of a person so far: whom of the register they are, the number of the result that holds, the result, and when the
    register said what it rests on; the old number of that register person; until when a bank's word about the account counts."""

    token: str | None = None
    result_seq: int = 0
    verdict: Verdict | None = None
    answered_at: datetime | None = None
    old_ix: bytes | None = None
    holder_until: datetime | None = None

    @property
    def unavailable(self) -> bool:
        """Whether the register has given no answer yet. One that it takes back by no longer naming somebody is one."""
        return self.verdict is not None and self.verdict.outcome is Outcome.UNAVAILABLE and self.answered_at is None

    @property
    def as_merged(self) -> bool:
        """Whether this was made of a merged-away id: a duplicate that is nobody of the register."""
        return self.verdict is not None and self.verdict.outcome is Outcome.DUPLICATE and self.token is None

    @property
    def holder_unknown(self) -> bool:
        """Whether no bank has said yet whose the account is."""
        return self.verdict is not None and self.verdict.account is AccountCheck.UNAVAILABLE


NOTHING = Held()


class Person(NamedTuple):
    """The newest snapshot of a person and what was made of them."""

    beneficiary_id: UUID
    version: tuple[int, int]
    payer: str
    identity: str
    payee: str
    identity_digest: str
    account_digest: str | None
    indexes: Indexes
    held: Held = NOTHING
    merged: bool = False

    @property
    def unjudged(self) -> bool:
        """Whether these digests were not judged yet, or not under this id."""
        verdict = self.held.verdict
        if verdict is not None and self.merged != self.held.as_merged:
            return True
        return verdict is None or (verdict.identity_digest, verdict.account_digest) != (self.identity_digest, self.account_digest)


class Known(NamedTuple):
    """What was held of a person before this batch."""

    version: tuple[int, int]
    digests: tuple[str, str | None]
    account: bytes | None
    held: Held


class RegisterRow(NamedTuple):
    """One entry for the replica."""

    token: str
    as_of: datetime
    status: str
    status_on: date | None
    area: str | None
    sealed: str
    digest: str
    number_ix: bytes
    old_number_ix: bytes | None
    name_birth_ix: bytes
    replaced_by_ix: bytes | None


async def one_judge_at_a_time(tx: Tx) -> None:
    """Wait for other judges; duplicates lie across partitions."""
    await queries.one_judge_at_a_time(tx)


async def known_people(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Known]:
    """What is held of these people."""
    return {row["beneficiary_id"]: _known(row) async for row in queries.known_people(tx, ids=list(ids))}


async def save_people(tx: Tx, people: Sequence[Person], decided: Mapping[UUID, Held]) -> None:
    """Keep newer snapshots with what was made of them, as before where nothing was decided; in the columns' order."""
    rows = []
    for p in sorted(people, key=_number):
        ix, held = p.indexes, decided.get(p.beneficiary_id, p.held)
        content = (p.payer, p.identity, p.payee, p.identity_digest, p.account_digest)
        indexes = (ix.number, ix.old_number, ix.name_birth, ix.account)
        made = (held.token, held.result_seq, held.unavailable, held.answered_at, held.old_ix, held.holder_unknown)
        rows.append((p.beneficiary_id, *p.version, *content, *indexes, *made, p.merged, None, held.holder_until))
    if rows:
        await queries.save_people(tx, people=rows)


async def people(tx: Tx, ids: Collection[UUID]) -> list[Person]:
    """These people, sorted by id."""
    return [_person(row) async for row in queries.people(tx, ids=list(ids))] if ids else []


async def register_entries(tx: Tx, column: str, indexes: Collection[bytes]) -> list[Record]:
    """Register entries with one of these indexes in one of the columns `number_ix`, `old_number_ix`, `name_birth_ix`."""
    by = {
        "number_ix": queries.register_by_number,
        "old_number_ix": queries.register_by_old_number,
        "name_birth_ix": queries.register_by_name,
    }
    return [row async for row in by[column](tx, ixs=list(indexes))] if indexes else []


async def holders(tx: Tx, tokens: Collection[str], accounts: Collection[bytes], olds: Collection[bytes]) -> list[Record]:
    """People judged to be one of these register people, or one with such an old number, or claiming one of these accounts."""
    if not tokens and not accounts and not olds:
        return []
    found = queries.holders(tx, tokens=list(tokens), account_ixs=list(accounts), old_ixs=list(olds))
    return [row async for row in found]


async def point_people(tx: Tx, held: Mapping[UUID, Held]) -> None:
    """What was made of these people, whose snapshot stays as it is."""
    ids = sorted(held, key=lambda key: key.int)
    columns = {
        "tokens": [held[key].token for key in ids],
        "seqs": [held[key].result_seq for key in ids],
        "unavailables": [held[key].unavailable for key in ids],
        "answered_ats": [held[key].answered_at for key in ids],
        "old_ixs": [held[key].old_ix for key in ids],
        "holders": [held[key].holder_unknown for key in ids],
        "untils": [held[key].holder_until for key in ids],
    }
    if ids:
        await queries.point_people(tx, ids=ids, **columns)


async def save_verdicts(tx: Tx, verdicts: Mapping[UUID, tuple[int, Verdict]], at: datetime) -> None:
    """Append results; a row is the columns of `verdict` in their order."""
    rows = [
        (key, seq, v.identity_digest, v.account_digest, v.outcome, _evidence_text(v.evidence), v.died_on, v.account, at)
        for key, (seq, v) in sorted(verdicts.items(), key=lambda item: item[0].int)
    ]
    if rows:
        await queries.save_verdicts(tx, verdicts=rows)


async def save_register(tx: Tx, rows: Sequence[RegisterRow]) -> list[Record]:
    """Take entries newer than the replica's; returns those taken."""
    ordered = sorted(rows, key=lambda row: row.token)
    taken = queries.save_register(
        tx,
        tokens=[r.token for r in ordered],
        as_ofs=[r.as_of for r in ordered],
        statuses=[r.status for r in ordered],
        status_ons=[r.status_on for r in ordered],
        areas=[r.area for r in ordered],
        sealeds=[r.sealed for r in ordered],
        digests=[r.digest for r in ordered],
        number_ixs=[r.number_ix for r in ordered],
        old_number_ixs=[r.old_number_ix for r in ordered],
        name_birth_ixs=[r.name_birth_ix for r in ordered],
        replaced_by_ixs=[r.replaced_by_ix for r in ordered],
    )
    return [row async for row in taken]


async def affected_people(tx: Tx, rows: Sequence[RegisterRow], before: Sequence[Record]) -> set[UUID]:
    """People whom a change of these entries may concern, by what they say now and said before."""
    olds = [r.old_number_ix for r in rows if r.old_number_ix] + [b["old_number_ix_before"] for b in before]
    names = [r.name_birth_ix for r in rows] + [b["name_birth_ix_before"] for b in before]
    found = queries.affected_people(
        tx,
        tokens=[r.token for r in rows],
        number_ixs=[r.number_ix for r in rows],
        old_number_ixs=[ix for ix in olds if ix],
        name_birth_ixs=[ix for ix in names if ix],
    )
    return {row["beneficiary_id"] async for row in found}


async def announce_extract(tx: Tx, as_of: datetime, entries: int, *, part: bool) -> None:
    """So many entries are about to be published. A part makes nothing newer but its own entries."""
    await queries.announce_extract(tx, as_of=as_of, entries=entries, part=part)


async def register_size(tx: Tx) -> int:
    """How many entries the replica holds."""
    return int((await queries.register_size(tx))["entries"])


async def count_applied(tx: Tx, taken: Sequence[Record]) -> None:
    """Count taken entries towards their extracts."""
    counts = Counter(row["as_of"] for row in taken)
    await queries.count_applied(tx, as_ofs=list(counts), counts=list(counts.values()))


async def register_as_of(tx: Tx, at: datetime) -> datetime | None:
    """How new the replica is: its newest whole extract, or `at` where no extract was announced. None: it cannot answer."""
    as_of: datetime | None = (await queries.register_as_of(tx, at=at))["as_of"]
    return as_of


async def people_answered_before(tx: Tx, before: datetime, most: int) -> list[UUID]:
    """People whose result rests on what the register said before a moment."""
    return [row["beneficiary_id"] async for row in queries.people_answered_before(tx, before=before, most=most)]


async def people_unavailable(tx: Tx, most: int) -> list[UUID]:
    """The first people whom the register has given no answer about, sorted by id."""
    return [row["beneficiary_id"] async for row in queries.people_unavailable(tx, most=most)]


async def save_closed_list(tx: Tx, closing: ListClosing) -> None:
    """Remember a closing."""
    await queries.save_closed_list(
        tx,
        period=closing.period,
        payer=closing.payer,
        count=closing.count,
        vnd=closing.vnd,
        digest=closing.digest,
        closed_at=closing.closed_at,
    )


async def outcomes(tx: Tx, payer: str | None = None) -> dict[str, int]:
    """People per outcome."""
    return {row["outcome"]: row["people"] async for row in queries.outcomes(tx, payer=payer)}


async def list_progress(tx: Tx, period: str, payer: str) -> dict[str, Any] | None:
    """A closed list with its payer's outcomes; None when it has not closed."""
    closed = await queries.closed_list(tx, period=period, payer=payer)
    return {**dict(closed), "outcomes": await outcomes(tx, payer)} if closed else None


async def extracts(tx: Tx) -> list[dict[str, Any]]:
    """The newest extracts."""
    return [dict(row) async for row in queries.extracts(tx)]


async def trace(tx: Tx, beneficiary_id: UUID) -> dict[str, Any] | None:
    """Everything told of one person; None for somebody unknown."""
    person = await queries.person(tx, beneficiary_id=beneficiary_id)
    if person is None:
        return None
    rows = [dict(row) async for row in queries.results(tx, beneficiary_id=beneficiary_id)]
    results = [{**row, "evidence": json.loads(row["evidence"])} for row in rows]
    return {
        "beneficiary_id": beneficiary_id,
        "version": [person["epoch"], person["n"]],
        "payer": person["payer"],
        "results": results,
    }


def _number(person: Person) -> int:
    """Ids in their order, many times quicker than comparing them."""
    return person.beneficiary_id.int


def _indexes(row: Record) -> Indexes:
    return Indexes(row["number_ix"], row["old_number_ix"], row["name_birth_ix"], row["account_ix"])


def _held(row: Record) -> Held:
    verdict = _verdict(row) if row["outcome"] else None
    return Held(row["person_token"], row["result_seq"], verdict, row["answered_at"], row["entry_old_ix"], row["holder_until"])


def _known(row: Record) -> Known:
    return Known((row["epoch"], row["n"]), (row["identity_digest"], row["account_digest"]), row["account_ix"], _held(row))


def _person(row: Record) -> Person:
    return Person(
        beneficiary_id=row["beneficiary_id"],
        version=(row["epoch"], row["n"]),
        payer=row["payer"],
        identity=row["identity"],
        payee=row["payee"],
        identity_digest=row["identity_digest"],
        account_digest=row["account_digest"],
        indexes=_indexes(row),
        held=_held(row),
        merged=row["merged"],
    )


def _verdict(row: Record) -> Verdict:
    return Verdict(
        identity_digest=row["judged_identity"],
        account_digest=row["judged_account"],
        outcome=Outcome(row["outcome"]),
        evidence=_evidence(row["evidence"]),
        died_on=row["died_on"],
        account=AccountCheck(row["account"]) if row["account"] else None,
    )


@lru_cache(maxsize=4_096)
def _evidence(text: str) -> tuple[FieldEvidence, ...]:
    """There are few different ones."""
    return tuple(FieldEvidence.model_validate(part, strict=False) for part in json.loads(text))


@lru_cache(maxsize=4_096)
def _evidence_text(evidence: tuple[FieldEvidence, ...]) -> str:
    return json.dumps([{"field": part.field, "finding": part.finding} for part in evidence])
