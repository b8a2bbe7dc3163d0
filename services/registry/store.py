"""SQL of deciding: people, records, rows, fates, what waits. One function per query; the text is in `queries.sql`. Writes are set-based."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record as Row

from services.registry.keying import Keys
from services.registry.person import Person
from services.registry.records import ListKey, ListRow, Outcome, Record, RecordKey, RowKey
from services.registry.refusals import Undone
from services.registry.sealing import NO_BLOCKS, NOBODY, Blocks, Sealer
from services.registry.statements import (
    Act,
    CloseList,
    End,
    Enrol,
    NameCollector,
    OpenList,
    RecordWish,
    RegisterAccount,
    Undo,
)
from shared.clock import LOCAL
from shared.database import Tx, load_queries
from shared.events import DeclaredLine, PaymentState, TextState, VerificationResult
from shared.fields import json_of
from shared.personal import Identity
from shared.records import Received
from shared.words import AccountSource, EndReason, Life, MessageStatus, Wish

queries = load_queries(__file__)
NO_KEYS = Keys()
EVENT_COLUMNS = (
    "source", "record", "sequence", "kind", "fate", "reason", "notes", "beneficiary_id", "period", "payer", "declared_vnd", "event_id",
    "import_id", "row_no", "at", "known_at", "acts_on", "word",
)  # fmt: skip
BIRTH_YEARS = range(1850, 2151)
_OF_A_LIST = (Enrol, OpenList, CloseList)
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
    return {row["beneficiary_id"]: opened_person(row, sealer) async for row in found}


async def people_whose_day_passed(
    tx: Tx, today: date, *, after: UUID, most: int, sealer: Sealer
) -> dict[UUID, tuple[Person, Blocks]]:
    """The next people of whom readers were told what has ended with a day before this one. Raises VaultError."""
    found = queries.people_whose_day_passed(tx, today=today, after=after, most=most)
    return {row["beneficiary_id"]: opened_person(row, sealer) async for row in found}


async def known_records(tx: Tx, ids: Collection[UUID]) -> dict[RecordKey, Record]:
    """The records of these people."""
    if not ids:
        return {}
    found = queries.known_records(tx, ids=list(ids))
    return {(row["source"], row["record"]): Record(row["beneficiary_id"], row["sequence"], row["digest"]) async for row in found}


async def known_rows(tx: Tx, ids: Collection[UUID], since: str, records: Collection[RecordKey] = ()) -> list[ListRow]:
    """What the records of these people say from a period on, and what these records said of somebody who is erased since."""
    if not ids:
        return []
    return [list_row(row) async for row in queries.known_rows(tx, ids=list(ids), since=since, **_record_columns(records))]


async def closed_lists(tx: Tx, since: str) -> set[ListKey]:
    """Closed lists from a period on."""
    return {(row["period"], row["payer"]) async for row in queries.closed_lists(tx, since=since)}


# The tuples below have the columns of the tables, in their order. What is new goes in by COPY, at half the price on both sides; what the
# registrar has found goes as an array of the table's own row type and is changed. Who is new cannot come meanwhile: the caller holds the
# registrars' lock, and a second row for one key would break its primary key.


async def save_people(
    tx: Tx, people: Iterable[tuple[Person, Blocks]], sealer: Sealer, at: datetime, *, found: Container[UUID]
) -> None:
    """Keep new and changed people. `found`: who stands in the table."""
    rows = sorted((_person_row(p, blocks, _own_keys(p, sealer), at=at) for p, blocks in people), key=_first)
    if changed := [row for row in rows if row[0] in found]:
        await queries.save_people(tx, people=changed)
    await _copy(tx, "person", [row for row in rows if row[0] not in found])


async def save_records(tx: Tx, records: Mapping[RecordKey, Record], *, found: Container[RecordKey]) -> None:
    """Keep whose records these are and how far they have got. `found`: which stand in the table."""
    rows = [(*key, held.beneficiary_id, held.sequence, held.digest) for key, held in sorted(records.items())]
    if changed := [row for row in rows if row[:2] in found]:
        await queries.save_records(tx, records=changed)
    await _copy(tx, "source_record", [row for row in rows if row[:2] not in found])


async def save_rows(tx: Tx, rows: Iterable[ListRow], import_id: UUID | None, *, found: Container[RowKey]) -> None:
    """Keep lines of open lists. `found`: which stand in the table; they come first, and of them those that ended, so that a benefit may
    go from one record to another in one batch."""
    ordered = sorted(rows, key=lambda row: (row.end_reason is None, *row.key))
    if changed := [_stored_row(row, import_id) for row in ordered if row.key in found]:
        await queries.save_rows(tx, rows=changed)
    await _copy(tx, "list_row", [_stored_row(row, import_id) for row in ordered if row.key not in found])


async def save_events(tx: Tx, outcomes: Sequence[Outcome], import_id: UUID | None, *, known_at: datetime) -> None:
    """Keep every statement with its fate, and when it was taken."""
    await _copy(tx, "source_event", [_event_row(outcome, import_id, known_at) for outcome in outcomes], EVENT_COLUMNS)


async def _copy(tx: Tx, table: str, rows: Sequence[tuple[object, ...]], columns: Sequence[str] | None = None) -> None:
    if rows:
        await tx.copy_records_to_table(table, records=rows, columns=columns)


async def waiting_for(tx: Tx, records: Collection[RecordKey], keys: Collection[Keys]) -> list[Waiting]:
    """What waited for these people or came before these records' first statement."""
    if not (await queries.somebody_waits(tx))["waits"]:
        return []
    columns = _record_columns(records) | _key_columns(keys)
    found = queries.waiting_for(
        tx, **{name: columns[name] for name in columns if name not in ("name_place_ixs", "name_area_ixs")}
    )
    return [Waiting(row["source"], row["record"], row["sequence"], row["sealed"]) async for row in found]


async def waiting_for_key(tx: Tx, kids: Collection[str]) -> list[Waiting]:
    """What waited for these content keys."""
    found = queries.waiting_for_key(tx, kids=list(kids))
    return [Waiting(row["source"], row["record"], row["sequence"], row["sealed"]) async for row in found]


async def save_waiting(tx: Tx, rows: Sequence[Waiting], at: datetime) -> None:
    """Keep statements until they can take effect."""
    if rows:
        await queries.save_waiting(
            tx,
            waiting=[
                (w.source, w.record, w.sequence, w.kid, w.keys.number, w.keys.old_number, w.keys.name_birth, w.sealed, at)
                for w in rows
            ],
        )


async def end_waiting(tx: Tx, rows: Sequence[Waiting]) -> None:
    """These have found their person or their key."""
    if rows:
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
    rows = [
        (r.beneficiary_id, r.result_seq, r.outcome, r.account, r.identity_digest, r.account_digest, r.checked_at) for r in results
    ]
    await queries.save_verified(tx, results=sorted(rows, key=_first))


async def save_payments(tx: Tx, states: Iterable[Received[PaymentState]]) -> None:
    """Keep the newest state of each payment."""
    rows = [_payment_row(received.message, received.at) for received in states]
    await queries.save_payments(tx, payments=sorted(rows, key=_first))


def text_rank(text: TextState) -> int:
    """States of a text go forward in the order of their words."""
    return _TEXT_ORDER.index(text.status)


async def save_texts(tx: Tx, texts: Iterable[TextState]) -> None:
    """Keep the furthest state of each text."""
    rows = [(t.message_id, t.beneficiary_ids, t.campaign, t.round, t.status, text_rank(t), t.at) for t in texts]
    await queries.save_texts(tx, texts=sorted(rows, key=_first))


# --- rows of tables ----------------------------------------------------------------------------------------------------------


def _first(row: Sequence[Any]) -> int:
    """The order of ids, compared as numbers: comparing ids themselves costs four times as much."""
    first: int = row[0].int
    return first


def _own_keys(person: Person, sealer: Sealer) -> Keys:
    """A merged-away id is found under none of its own: they lead to who stays."""
    return NO_KEYS if person.merged_into else sealer.keys_of(person.identity, person.place)


def _person_row(p: Person, b: Blocks, keys: Keys, *, at: datetime) -> tuple[object, ...]:
    return (
        p.beneficiary_id, *p.version, p.payer, p.area, p.life, p.died_on, p.wish, p.wish_reason, p.account_source, p.home_delivery,
        p.cannot_reason, p.cannot_until, p.collector_from, p.collector_until, b.identity, b.payee, b.delivery, b.collector,
        b.contact, b.identity_digest, b.account_digest, b.delivery_digest, keys.number, keys.old_number, keys.name_birth, at,
        keys.name_place, b.circumstances, _birth_year(p.identity), None, p.moved_out_on, *_paper_days(p),
        b.aside, keys.name_area,
    )  # fmt: skip


def _paper_days(person: Person) -> tuple[date | None, date | None]:
    """Between which days an account that is somebody else's may be paid on; for the funnel, which opens nothing."""
    return (person.paper.valid_from, person.paper.valid_until) if person.paper else (None, None)


def _birth_year(identity: Identity) -> int:
    """For bands of age; 0 where none is known or nobody of that year can be alive."""
    year = int((identity.birth_date or "0")[:4])
    return year if year in BIRTH_YEARS else 0


def _stored_row(row: ListRow, import_id: UUID | None) -> tuple[object, ...]:
    line, state = row.line, "ended" if row.end_reason else "active"
    return (
        row.source, row.record, row.period, row.beneficiary_id, row.payer, row.area, line.benefit_code, line.declared_vnd,
        json_of(line).decode(), state, row.end_reason, import_id, row.row_no,
    )  # fmt: skip


def _event_row(done: Outcome, import_id: UUID | None, known_at: datetime) -> tuple[object, ...]:
    said, act = done.statement, done.statement.act
    period, payer = (act.period, act.payer) if isinstance(act, _OF_A_LIST) else (None, None)
    vnd = act.line.declared_vnd if isinstance(act, Enrol) else None
    file = import_id if said.row_no is not None else None
    return (
        said.source, done.record, said.sequence, act.kind, done.fate, done.reason, done.notes, done.beneficiary_id, period, payer,
        vnd, said.event_id, file, said.row_no, said.at, known_at, *_day_and_word(act),
    )  # fmt: skip


def _day_and_word(act: Act | Undo) -> tuple[date | None, str | None]:
    """What an act says besides its period that is nobody's secret."""
    if isinstance(act, Enrol):  # nearly every act: whether it is any of the others is not asked
        return None, None
    if isinstance(act, End):
        return act.on, act.reason
    if isinstance(act, RecordWish):
        return None, act.wish
    if isinstance(act, RegisterAccount):
        return None, act.account_source
    return (act.valid_from, None) if isinstance(act, NameCollector) else (None, None)


def _payment_row(m: PaymentState, at: datetime) -> tuple[object, ...]:
    return (
        m.instruction_id, m.beneficiary_id, m.state_seq, m.state, m.provider, m.channel, m.periods, m.payer, m.attempt, m.vnd, m.reason,
        at,
    )  # fmt: skip


def _record_columns(records: Collection[RecordKey]) -> dict[str, list[str]]:
    return {"sources": [key[0] for key in records], "records": [key[1] for key in records]}


def _key_columns(keys: Collection[Keys]) -> dict[str, list[bytes]]:
    return {
        "number_ixs": [k.number for k in keys if k.number],
        "old_number_ixs": [k.old_number for k in keys if k.old_number],
        "name_birth_ixs": [k.name_birth for k in keys if k.name_birth],
        "name_place_ixs": [k.name_place for k in keys if k.name_place],
        "name_area_ixs": [k.name_area for k in keys if k.name_area],
    }


def list_row(row: Row) -> ListRow:
    """A row of the table."""
    return ListRow(
        source=row["source"],
        record=row["record"],
        period=row["period"],
        beneficiary_id=row["beneficiary_id"],
        payer=row["payer"],
        area=row["area"],
        line=DeclaredLine.model_validate_json(row["line"]),
        end_reason=end_reason_of(row["end_reason"]),
        row_no=row["row_no"],
    )


def end_reason_of(word: str | None) -> EndReason | Undone | None:
    """Why a row ended."""
    if word is None:
        return None
    return Undone(word) if word in tuple(Undone) else EndReason(word)


def _erased(row: Row) -> Person:
    """Who is left of an erased person: an id, a version and whose list."""
    life = {"life": Life(row["life"]), "died_on": row["died_on"]}
    return Person(row["beneficiary_id"], (row["epoch"], row["n"]), row["payer"], row["area"], NOBODY, **life, is_erased=True)


def opened_person(row: Row, sealer: Sealer) -> tuple[Person, Blocks]:
    """A person with their blocks. Raises VaultError when a block does not open."""
    owner = str(row["beneficiary_id"])
    if row["erased_at"]:
        return _erased(row), NO_BLOCKS
    identity: Identity = sealer.open_identity(owner, row["identity"])
    payee = sealer.open_payee(owner, row["payee"])
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
        account=payee.account,
        authorisation=payee.authorisation,
        home_delivery=row["home_delivery"],
        cannot_reason=row["cannot_reason"],
        cannot_until=row["cannot_until"],
        delivery=sealer.open_delivery(owner, row["delivery"]),
        collector=sealer.open_collector(owner, row["collector"]),
        collector_from=row["collector_from"],
        collector_until=row["collector_until"],
        phone=sealer.open_phone(owner, row["contact"]),
        circumstances=sealer.open_circumstances(owner, row["circumstances"]),
        aside=sealer.open_aside(owner, row["aside"]),
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
        circumstances=row["circumstances"],
        aside=row["aside"],
        kept_on=row["changed_at"].astimezone(LOCAL).date(),
    )
    return person, blocks
