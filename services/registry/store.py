"""SQL of deciding: people, records, rows, fates, what waits. One function per query; the text is in `queries.sql`. Writes are set-based."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record as Row

from services.registry.desk import Keys, ListKey, ListRow, Outcome, Record, RecordKey
from services.registry.person import Person
from services.registry.sealing import Blocks, Sealer
from services.registry.statements import CloseList, Enrol, OpenList
from shared.database import Tx, load_queries
from shared.events import DeclaredLine, PaymentState, TextState, VerificationResult
from shared.personal import Identity
from shared.records import Received
from shared.words import AccountSource, EndReason, Life, MessageStatus, Wish

queries = load_queries(__file__)
NO_KEYS = Keys()
_TEXT_ORDER = tuple(MessageStatus)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A statement kept until it can take effect; `kid` names the content key it waits for, None waits for a person."""

    source: str
    record: str
    sequence: int
    sealed: str
    keys: Keys = NO_KEYS
    kid: str | None = None


async def one_registrar_at_a_time(tx: Tx) -> None:
    """Wait for other registrars: topic partitions and files may speak of one person at once."""
    await queries.one_registrar_at_a_time(tx)


async def known_people(
    tx: Tx, records: Collection[RecordKey], keys: Collection[Keys], sealer: Sealer
) -> dict[UUID, tuple[Person, Blocks]]:
    """Everybody these records or identities may mean, opened. Raises VaultError when a stored block does not open."""
    found = queries.known_people(tx, **_record_columns(records), **_key_columns(keys))
    return {row["beneficiary_id"]: _opened(row, sealer) async for row in found}


async def known_records(tx: Tx, ids: Collection[UUID]) -> dict[RecordKey, Record]:
    """The records of these people."""
    found = queries.known_records(tx, ids=list(ids))
    return {(row["source"], row["record"]): Record(row["beneficiary_id"], row["sequence"], row["digest"]) async for row in found}


async def known_rows(tx: Tx, ids: Collection[UUID], since: str) -> list[ListRow]:
    """What the records of these people say from a period on."""
    return [_list_row(row) async for row in queries.known_rows(tx, ids=list(ids), since=since)]


async def closed_lists(tx: Tx, since: str) -> set[ListKey]:
    """Closed lists from a period on."""
    return {(row["period"], row["payer"]) async for row in queries.closed_lists(tx, since=since)}


async def save_people(tx: Tx, people: Iterable[tuple[Person, Blocks]], sealer: Sealer, at: datetime) -> None:
    """Keep new and changed people."""
    both = sorted(people, key=lambda pair: pair[0].beneficiary_id)
    if not both:
        return
    rows, blocks = [person for person, _ in both], [block for _, block in both]
    keys = [sealer.keys_of(person.identity) for person in rows]
    await queries.save_people(
        tx,
        at=at,
        ids=[p.beneficiary_id for p in rows],
        epochs=[p.version[0] for p in rows],
        ns=[p.version[1] for p in rows],
        payers=[p.payer for p in rows],
        areas=[p.area for p in rows],
        lives=[p.life for p in rows],
        died_ons=[p.died_on for p in rows],
        wishes=[p.wish for p in rows],
        wish_reasons=[p.wish_reason for p in rows],
        account_sources=[p.account_source for p in rows],
        home_deliveries=[p.home_delivery for p in rows],
        cannot_reasons=[p.cannot_reason for p in rows],
        cannot_untils=[p.cannot_until for p in rows],
        collector_froms=[p.collector_from for p in rows],
        collector_untils=[p.collector_until for p in rows],
        identities=[b.identity for b in blocks],
        payees=[b.payee for b in blocks],
        deliveries=[b.delivery for b in blocks],
        collectors=[b.collector for b in blocks],
        contacts=[b.contact for b in blocks],
        identity_digests=[b.identity_digest for b in blocks],
        account_digests=[b.account_digest for b in blocks],
        delivery_digests=[b.delivery_digest for b in blocks],
        number_ixs=[k.number for k in keys],
        old_number_ixs=[k.old_number for k in keys],
        name_birth_ixs=[k.name_birth for k in keys],
    )


async def save_records(tx: Tx, records: Mapping[RecordKey, Record]) -> None:
    """Keep whose records these are and how far they have got."""
    keys = sorted(records)
    await queries.save_records(
        tx,
        **_record_columns(keys),
        ids=[records[key].beneficiary_id for key in keys],
        sequences=[records[key].sequence for key in keys],
        digests=[records[key].digest for key in keys],
    )


async def save_rows(tx: Tx, rows: Iterable[ListRow], import_id: UUID | None) -> None:
    """Keep lines of open lists; ended ones first."""
    ordered = sorted(rows, key=lambda row: (row.end_reason is None, row.source, row.record, row.period))
    await queries.save_rows(
        tx,
        import_id=import_id,
        sources=[r.source for r in ordered],
        records=[r.record for r in ordered],
        periods=[r.period for r in ordered],
        ids=[r.beneficiary_id for r in ordered],
        payers=[r.payer for r in ordered],
        areas=[r.area for r in ordered],
        benefit_codes=[r.line.benefit_code for r in ordered],
        declared_vnds=[r.line.declared_vnd for r in ordered],
        lines=[r.line.model_dump_json(exclude_none=True) for r in ordered],
        end_reasons=[r.end_reason for r in ordered],
        row_nos=[r.row_no for r in ordered],
    )


async def save_events(tx: Tx, outcomes: Sequence[Outcome], import_id: UUID | None) -> None:
    """Keep every statement with its fate."""
    acts = [o.statement.act for o in outcomes]
    await queries.save_events(
        tx,
        import_id=import_id,
        sources=[o.statement.source for o in outcomes],
        records=[o.record for o in outcomes],
        sequences=[o.statement.sequence for o in outcomes],
        kinds=[act.kind for act in acts],
        fates=[o.fate for o in outcomes],
        reasons=[o.reason for o in outcomes],
        notes=[" ".join(o.notes) for o in outcomes],
        ids=[o.beneficiary_id for o in outcomes],
        periods=[act.period if isinstance(act, Enrol | OpenList | CloseList) else None for act in acts],
        payers=[act.payer if isinstance(act, Enrol | OpenList | CloseList) else None for act in acts],
        declared_vnds=[act.line.declared_vnd if isinstance(act, Enrol) else None for act in acts],
        event_ids=[o.statement.event_id for o in outcomes],
        row_nos=[o.statement.row_no for o in outcomes],
        ats=[o.statement.at for o in outcomes],
    )


async def waiting_for(tx: Tx, records: Collection[RecordKey], keys: Collection[Keys]) -> list[Waiting]:
    """What waited for these people or came before these records' first statement."""
    found = queries.waiting_for(tx, **_record_columns(records), **_key_columns(keys))
    return [Waiting(row["source"], row["record"], row["sequence"], row["sealed"]) async for row in found]


async def waiting_for_key(tx: Tx, kids: Collection[str]) -> list[Waiting]:
    """What waited for these content keys."""
    found = queries.waiting_for_key(tx, kids=list(kids))
    return [Waiting(row["source"], row["record"], row["sequence"], row["sealed"]) async for row in found]


async def save_waiting(tx: Tx, rows: Sequence[Waiting], at: datetime) -> None:
    """Keep statements until they can take effect."""
    await queries.save_waiting(
        tx,
        at=at,
        sources=[w.source for w in rows],
        records=[w.record for w in rows],
        sequences=[w.sequence for w in rows],
        kids=[w.kid for w in rows],
        number_ixs=[w.keys.number for w in rows],
        old_number_ixs=[w.keys.old_number for w in rows],
        name_birth_ixs=[w.keys.name_birth for w in rows],
        sealeds=[w.sealed for w in rows],
    )


async def end_waiting(tx: Tx, rows: Sequence[Waiting]) -> None:
    """These have found their person or their key."""
    await queries.end_waiting(
        tx, sources=[w.source for w in rows], records=[w.record for w in rows], sequences=[w.sequence for w in rows]
    )


async def content_keys(tx: Tx, kids: Collection[str]) -> dict[str, str]:
    """kid -> sealed key."""
    return {row["kid"]: row["sealed"] async for row in queries.content_keys(tx, kids=list(kids))}


async def save_content_keys(tx: Tx, keys: Mapping[str, str], at: datetime) -> None:
    """Keep content keys, once each."""
    await queries.save_content_keys(tx, at=at, kids=sorted(keys), sealeds=[keys[kid] for kid in sorted(keys)])


async def save_verified(tx: Tx, results: Iterable[VerificationResult]) -> None:
    """Keep the newest result of each person."""
    rows = sorted(results, key=lambda result: result.beneficiary_id)
    await queries.save_verified(
        tx,
        ids=[r.beneficiary_id for r in rows],
        seqs=[r.result_seq for r in rows],
        outcomes=[r.outcome for r in rows],
        accounts=[r.account for r in rows],
        identity_digests=[r.identity_digest for r in rows],
        account_digests=[r.account_digest for r in rows],
        checked_ats=[r.checked_at for r in rows],
    )


async def save_payments(tx: Tx, states: Iterable[Received[PaymentState]]) -> None:
    """Keep the newest state of each payment."""
    rows = sorted(states, key=lambda received: received.message.instruction_id)
    messages = [row.message for row in rows]
    await queries.save_payments(
        tx,
        instruction_ids=[m.instruction_id for m in messages],
        ids=[m.beneficiary_id for m in messages],
        seqs=[m.state_seq for m in messages],
        states=[m.state for m in messages],
        providers=[m.provider for m in messages],
        channels=[m.channel for m in messages],
        periods=[" ".join(m.periods) for m in messages],
        payers=[m.payer for m in messages],
        attempts=[m.attempt for m in messages],
        vnds=[m.vnd for m in messages],
        reasons=[m.reason for m in messages],
        ats=[row.at for row in rows],
    )


def text_rank(text: TextState) -> int:
    """States of a text go forward in the order of their words."""
    return _TEXT_ORDER.index(text.status)


async def save_texts(tx: Tx, texts: Iterable[TextState]) -> None:
    """Keep the furthest state of each text."""
    rows = sorted(texts, key=lambda text: text.message_id)
    await queries.save_texts(
        tx,
        message_ids=[t.message_id for t in rows],
        people=[" ".join(map(str, t.beneficiary_ids)) for t in rows],
        campaigns=[t.campaign for t in rows],
        rounds=[t.round for t in rows],
        statuses=[t.status for t in rows],
        ranks=[text_rank(t) for t in rows],
        ats=[t.at for t in rows],
    )


def _record_columns(records: Collection[RecordKey]) -> dict[str, list[str]]:
    return {"sources": [key[0] for key in records], "records": [key[1] for key in records]}


def _key_columns(keys: Collection[Keys]) -> dict[str, list[bytes]]:
    return {
        "number_ixs": [k.number for k in keys if k.number],
        "old_number_ixs": [k.old_number for k in keys if k.old_number],
        "name_birth_ixs": [k.name_birth for k in keys if k.name_birth],
    }


def _list_row(row: Row) -> ListRow:
    return ListRow(
        source=row["source"],
        record=row["record"],
        period=row["period"],
        beneficiary_id=row["beneficiary_id"],
        payer=row["payer"],
        area=row["area"],
        line=DeclaredLine.model_validate_json(row["line"]),
        end_reason=EndReason(row["end_reason"]) if row["end_reason"] else None,
        row_no=row["row_no"],
    )


def _opened(row: Row, sealer: Sealer) -> tuple[Person, Blocks]:
    owner = str(row["beneficiary_id"])
    identity: Identity = sealer.open_identity(owner, row["identity"])
    person = Person(
        beneficiary_id=row["beneficiary_id"],
        version=(row["epoch"], row["n"]),
        payer=row["payer"],
        area=row["area"],
        identity=identity,
        life=Life(row["life"]),
        died_on=row["died_on"],
        wish=Wish(row["wish"]),
        wish_reason=row["wish_reason"],
        account_source=AccountSource(row["account_source"]) if row["account_source"] else None,
        account=sealer.open_payee(owner, row["payee"]).account,
        home_delivery=row["home_delivery"],
        cannot_reason=row["cannot_reason"],
        cannot_until=row["cannot_until"],
        delivery=sealer.open_delivery(owner, row["delivery"]),
        collector=sealer.open_collector(owner, row["collector"]),
        collector_from=row["collector_from"],
        collector_until=row["collector_until"],
        phone=sealer.open_phone(owner, row["contact"]),
    )
    blocks = Blocks(
        identity=row["identity"],
        payee=row["payee"],
        identity_digest=row["identity_digest"],
        delivery=row["delivery"],
        collector=row["collector"],
        contact=row["contact"],
        account_digest=row["account_digest"],
        delivery_digest=row["delivery_digest"],
    )
    return person, blocks
