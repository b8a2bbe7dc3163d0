"""All of verification's SQL, one function per query; the text is in `queries.sql`. Every write is set-based."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from shared.database import Tx, load_queries
from shared.events import FieldEvidence, ListClosing
from shared.words import AccountCheck, Outcome

queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Indexes:
    """Blind indexes that find a person's register entries and the others who claim the account."""

    number: bytes | None = None
    old_number: bytes | None = None
    name_birth: bytes | None = None
    account: bytes | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """One newer snapshot to keep."""

    beneficiary_id: UUID
    version: tuple[int, int]
    payer: str
    identity: str
    payee: str
    identity_digest: str
    account_digest: str | None
    indexes: Indexes


@dataclass(frozen=True, slots=True)
class Known:
    """What was held of a person before this batch; `judged` are the digests of the result that holds."""

    version: tuple[int, int]
    digests: tuple[str, str | None]
    judged: tuple[str, str | None] | None
    indexes: Indexes


@dataclass(frozen=True, slots=True)
class Verdict:
    """A result without its number: what is compared to know whether there is anything new to tell."""

    identity_digest: str
    account_digest: str | None
    outcome: Outcome
    evidence: tuple[FieldEvidence, ...]
    died_on: date | None
    account: AccountCheck | None


@dataclass(frozen=True, slots=True)
class ToJudge:
    """A person with what a judge needs; `verdict` is the result that holds."""

    beneficiary_id: UUID
    identity: str
    payee: str
    identity_digest: str
    account_digest: str | None
    indexes: Indexes
    token: str | None
    result_seq: int
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class RegisterRow:
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


async def save_people(tx: Tx, people: Sequence[Person]) -> None:
    """Keep newer snapshots."""
    rows = sorted(people, key=lambda person: person.beneficiary_id)
    await queries.save_people(
        tx,
        ids=[p.beneficiary_id for p in rows],
        epochs=[p.version[0] for p in rows],
        ns=[p.version[1] for p in rows],
        payers=[p.payer for p in rows],
        identities=[p.identity for p in rows],
        payees=[p.payee for p in rows],
        identity_digests=[p.identity_digest for p in rows],
        account_digests=[p.account_digest for p in rows],
        number_ixs=[p.indexes.number for p in rows],
        old_number_ixs=[p.indexes.old_number for p in rows],
        name_birth_ixs=[p.indexes.name_birth for p in rows],
        account_ixs=[p.indexes.account for p in rows],
    )


async def people_to_judge(tx: Tx, ids: Collection[UUID]) -> list[ToJudge]:
    """These people, sorted by id."""
    return [_to_judge(row) async for row in queries.people_to_judge(tx, ids=list(ids))]


async def candidates(tx: Tx, people: Sequence[ToJudge]) -> list[Record]:
    """Register entries each person may be, in one look-up."""
    found = queries.candidates(
        tx,
        ids=[p.beneficiary_id for p in people],
        number_ixs=[p.indexes.number for p in people],
        old_number_ixs=[p.indexes.old_number for p in people],
        name_birth_ixs=[p.indexes.name_birth for p in people],
    )
    return [row async for row in found]


async def peers(tx: Tx, tokens: Collection[str], accounts: Collection[bytes]) -> set[UUID]:
    """People judged to be one of these register people, or claiming one of these accounts."""
    found = queries.peers(tx, tokens=list(tokens), account_ixs=list(accounts))
    return {row["beneficiary_id"] async for row in found}


async def save_tokens(tx: Tx, tokens: Mapping[UUID, str | None]) -> None:
    """Whom of the register these people are."""
    await queries.save_tokens(tx, ids=sorted(tokens), tokens=[tokens[key] for key in sorted(tokens)])


async def shared_tokens(tx: Tx, tokens: Collection[str]) -> set[str]:
    """Register people whom several beneficiaries were judged to be."""
    return {row["person_token"] async for row in queries.shared_tokens(tx, tokens=list(tokens))}


async def shared_accounts(tx: Tx, accounts: Collection[bytes]) -> dict[bytes, int]:
    """Accounts claimed by several people, with how many."""
    found = queries.shared_accounts(tx, account_ixs=list(accounts))
    return {row["account_ix"]: row["claimants"] async for row in found}


async def save_verdicts(tx: Tx, verdicts: Mapping[UUID, tuple[int, Verdict]], at: datetime) -> None:
    """Append results and make them the ones that hold."""
    ids = sorted(verdicts)
    rows = [verdicts[key][1] for key in ids]
    seqs = [verdicts[key][0] for key in ids]
    await queries.save_verdicts(
        tx,
        ids=ids,
        seqs=seqs,
        identity_digests=[v.identity_digest for v in rows],
        account_digests=[v.account_digest for v in rows],
        outcomes=[v.outcome for v in rows],
        evidences=[_evidence_text(v.evidence) for v in rows],
        died_ons=[v.died_on for v in rows],
        accounts=[v.account for v in rows],
        checked_at=at,
    )
    await queries.point_to_verdicts(tx, ids=ids, seqs=seqs)


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


async def announce_extract(tx: Tx, as_of: datetime, entries: int) -> None:
    """So many entries are about to be published."""
    await queries.announce_extract(tx, as_of=as_of, entries=entries)


async def count_applied(tx: Tx, taken: Sequence[Record]) -> None:
    """Count taken entries towards their extracts."""
    counts = Counter(row["as_of"] for row in taken)
    await queries.count_applied(tx, as_ofs=list(counts), counts=list(counts.values()))


async def register_available(tx: Tx) -> bool:
    """Whether the replica can answer."""
    return bool((await queries.register_available(tx))["available"])


async def people_unavailable(tx: Tx, after: UUID, most: int) -> list[UUID]:
    """The next people whose result is `unavailable`, sorted by id."""
    return [row["beneficiary_id"] async for row in queries.people_unavailable(tx, after=after, most=most)]


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


def _indexes(row: Record) -> Indexes:
    return Indexes(row["number_ix"], row["old_number_ix"], row["name_birth_ix"], row["account_ix"])


def _known(row: Record) -> Known:
    judged = (row["judged_identity"], row["judged_account"]) if row["judged_identity"] else None
    return Known((row["epoch"], row["n"]), (row["identity_digest"], row["account_digest"]), judged, _indexes(row))


def _to_judge(row: Record) -> ToJudge:
    return ToJudge(
        beneficiary_id=row["beneficiary_id"],
        identity=row["identity"],
        payee=row["payee"],
        identity_digest=row["identity_digest"],
        account_digest=row["account_digest"],
        indexes=_indexes(row),
        token=row["person_token"],
        result_seq=row["result_seq"],
        verdict=_verdict(row) if row["outcome"] else None,
    )


def _verdict(row: Record) -> Verdict:
    return Verdict(
        identity_digest=row["judged_identity"],
        account_digest=row["judged_account"],
        outcome=Outcome(row["outcome"]),
        evidence=tuple(FieldEvidence.model_validate(part, strict=False) for part in json.loads(row["evidence"])),
        died_on=row["died_on"],
        account=AccountCheck(row["account"]) if row["account"] else None,
    )


def _evidence_text(evidence: tuple[FieldEvidence, ...]) -> str:
    return json.dumps([{"field": part.field, "finding": part.finding} for part in evidence])
