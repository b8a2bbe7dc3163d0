"""Registry: who is who, what they are entitled to, how they wish to be paid. Handlers load, decide, save, emit.

Topic and files go through one path, `Registrar.take`. The feedback topics only fill tables: nothing is emitted, the system falls silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from services.registry import store, store_files, store_lists, store_merging, store_placing
from services.registry.account_ranks import AccountRanks
from services.registry.areas import Areas
from services.registry.desk import Desk
from services.registry.keying import Keys, place_of, subject_of
from services.registry.lane import Lane
from services.registry.person import CANNOT_DAYS, NOWHERE, Person, Terms
from services.registry.portions import Portion, portions
from services.registry.records import Outcome, Record, RecordKey
from services.registry.refusals import Fate, RowReason
from services.registry.sealing import Blocks, Sealer, snapshot_of
from services.registry.statements import Change, End, Enrol, Reinstate, Statement
from services.registry.store import Waiting
from services.registry.store_placing import Case
from shared.clock import Clock, period_of
from shared.database import Tx
from shared.events import BeneficiarySnapshot, MinistryMessage, PaymentState, TextState, VerificationResult
from shared.metrics import CONFLICTS
from shared.outbox import OutEvent, put_events
from shared.records import Received
from shared.restoring import epoch_of
from shared.vault import Vault

TakeEvents = Callable[[Tx, Sequence[Received[MinistryMessage]]], Awaitable[list[Outcome]]]


# Somebody new is sealed in 50 microseconds: as often as this many are, whatever else the process has to do gets its turn.
LOOK_UP_EVERY = 25


class Sealed(NamedTuple):
    """A changed person as they are kept; `snapshot`: what readers are told, where they would see something new."""

    person: Person
    blocks: Blocks
    snapshot: BeneficiarySnapshot | None


class Registrar:
    """Takes statements, wherever they come from, in one transaction that the caller opened."""

    def __init__(self, vault: Vault, clock: Clock, ranks: AccountRanks, *, areas: Areas, cannot_days: int = CANNOT_DAYS) -> None:
        """The vault must hold identity, payee, delivery and contact. `ranks`: which source of an account is stronger, by day. `areas`: what
        became of communes. `cannot_days`: for how long a list alone puts somebody into the "cannot" class."""
        self._clock = clock
        self._ranks = ranks
        self._areas = areas
        self._cannot_days = cannot_days
        self.sealer = Sealer(vault)

    async def take(self, tx: Tx, statements: Sequence[Statement], *, import_id: UUID | None = None) -> list[Outcome]:
        """Decide statements in order; returns their outcomes in the same order."""
        await store.one_registrar_at_a_time(tx)
        await store_lists.open_lists(tx, statements)
        records = sorted({(s.source, s.record) for s in statements if s.record})
        keys = _identity_keys(self.sealer, statements)
        waiting = await store.waiting_for(tx, records, keys)
        kept = [self._kept(row) for row in waiting]
        desk, before = await self._load(tx, [*statements, *kept], [*keys, *_identity_keys(self.sealer, kept)])
        outcomes = [desk.take(statement) for statement in statements]
        tried = list(zip(waiting, map(desk.take, kept), strict=True))
        ended = [(row, done) for row, done in tried if not _still_waits(done)]
        late = [done for _, done in ended]
        if import_id:
            told = desk.found_records & {(done.statement.source, done.record) for done in outcomes if done.fate is Fate.APPLIED}
            rows, people = [key for key in desk.changed_rows if key[:2] in told], before.keys() & desk.changed_people
            await store_files.keep_before(tx, import_id, rows=rows, records=told, people=people)
        async with Lane() as lane:
            told_of = [*map(self._under_its_name, outcomes), *late]
            await lane.put(partial(store.save_events, tx, told_of, import_id, known_at=self._clock.now()))
            await self._save(tx, desk, before, lane=lane, import_id=import_id)
        await self._keep_cases(tx, outcomes, import_id)
        await self._keep_waiting(tx, [done for done in outcomes if done.fate is Fate.NO_PERSON])
        await store.end_waiting(tx, [row for row, _ in ended])
        _count_conflicts([*outcomes, *late])
        return outcomes

    async def put_back(self, tx: Tx, people: Mapping[UUID, Person], records: Mapping[RecordKey, Record]) -> None:
        """People and records as they were; a reader gets a person who reads differently now under the next version."""
        await store.one_registrar_at_a_time(tx)
        before = await store_files.people_by_id(tx, people, self.sealer)
        desk = await self._empty_desk(tx)
        desk.people = {who: person._replace(version=before[who][0].version) for who, person in people.items()}
        desk.changed_people = {who for who, person in desk.people.items() if person != before[who][0]}
        desk.records, desk.changed_records, desk.found_records = dict(records), set(records), set(records)
        async with Lane() as lane:
            await self._save(tx, desk, before, lane=lane)

    async def rewrite(self, tx: Tx, was: Mapping[UUID, tuple[Person, Blocks]], now: Iterable[Person]) -> None:
        """People who read differently now, under the next version. The caller holds the registrars' lock."""
        desk = await self._empty_desk(tx)
        desk.people = {person.beneficiary_id: person for person in now}
        desk.changed_people = set(desk.people)
        async with Lane() as lane:
            await self._save(tx, desk, was, lane=lane)

    async def _empty_desk(self, tx: Tx) -> Desk:
        today, epoch = self._clock.today(), await epoch_of(tx)
        terms = Terms(self._ranks.on(today), today, self._cannot_days)
        return Desk(
            today=today, epoch=epoch, keys_of=self.sealer.keys_of, digest_of=self.sealer.digest_of, terms=terms, areas=self._areas
        )

    async def _load(
        self, tx: Tx, statements: Sequence[Statement], keys: Sequence[Keys]
    ) -> tuple[Desk, dict[UUID, tuple[Person, Blocks]]]:
        desk = await self._empty_desk(tx)
        records = {(s.source, s.record) for s in statements if s.record}
        before = await store.known_people(tx, sorted(records), keys, self.sealer)
        before |= await store_merging.of_one_person(tx, before, keys, self.sealer)
        since = _since(statements, period_of(desk.today))
        if split := [s for s in statements if s.split]:
            desk.decided = await store_placing.decided(tx, before, [self._subject(s) for s in split])
        desk.records = await store.known_records(tx, before)
        desk.closed = await store.closed_lists(tx, since)
        desk.know((person for person, _ in before.values()), await store.known_rows(tx, before, since, records))
        return desk, before

    async def _save(
        self, tx: Tx, desk: Desk, before: Mapping[UUID, tuple[Person, Blocks]], *, lane: Lane, import_id: UUID | None = None
    ) -> None:
        """Keep what changed. While PostgreSQL writes some people, the next ones are sealed."""
        for portion in portions(desk, before):
            sealed = list[Sealed]()
            for place, key in enumerate(portion.people):
                sealed.append(self._sealed(desk, key, before))
                if place % LOOK_UP_EVERY == LOOK_UP_EVERY - 1:
                    await asyncio.sleep(0)
            await lane.put(partial(self._write, tx, desk, portion, sealed=sealed, found=before, import_id=import_id))

    def _sealed(self, desk: Desk, key: UUID, before: Mapping[UUID, tuple[Person, Blocks]]) -> Sealed:
        """A new version goes out only for those of whom a reader would see something new: readers know the day they were kept on."""
        old, blocks = before.get(key, (None, None))
        person = desk.people[key]
        is_new = old is None or old.published((blocks and blocks.kept_on) or desk.today) != person.published(desk.today)
        if is_new:
            person = person._replace(version=(max(desk.epoch, person.version[0]), person.version[1] + 1))
        sealed = self.sealer.seal(person, before=old, blocks=blocks, today=desk.today)
        if blocks and not is_new:  # told again under the same version, it is byte for byte what readers hold
            sealed = sealed._replace(delivery=blocks.delivery, delivery_digest=blocks.delivery_digest)
        return Sealed(person, sealed, snapshot_of(person, sealed, desk.today) if is_new else None)

    async def _write(
        self, tx: Tx, desk: Desk, portion: Portion, *, sealed: Sequence[Sealed], found: Container[UUID], import_id: UUID | None
    ) -> None:
        now = self._clock.now()
        snapshots = [OutEvent(told.TOPIC, str(told.beneficiary_id), told) for one in sealed if (told := one.snapshot)]
        await store.save_people(tx, [(one.person, one.blocks) for one in sealed], self.sealer, now, found=found)
        await store.save_records(tx, {key: desk.records[key] for key in portion.records}, found=desk.found_records)
        await store.save_rows(tx, portion.rows, import_id, found=desk.found_rows)
        await put_events(tx, snapshots, now)

    async def _keep_cases(self, tx: Tx, outcomes: Sequence[Outcome], import_id: UUID | None) -> None:
        """Enrolments whose commune a person has to decide, sealed; what is listed anew needs no decision any more."""
        effective = [done for done in outcomes if done.fate in (Fate.APPLIED, Fate.REPEATED)]
        await store_placing.replace_cases(tx, effective, self._subject)
        undecided = [done for done in outcomes if done.reason is RowReason.AREA_SPLIT and done.statement.split]
        await store_placing.save_cases(tx, [self._case(done) for done in undecided], import_id, self._clock.now())

    def _case(self, done: Outcome) -> Case:
        statement = done.statement.model_copy(update={"row_no": None})
        record = done.record or self._unmatched(statement)
        sealed = self.sealer.seal_statement(statement, record, period_of(self._clock.today()))
        return Case.of(done._replace(record=record), self._subject(statement), sealed)

    def _subject(self, statement: Statement) -> bytes:
        return subject_of(statement, self.sealer.keys_of, self.sealer.digest_of)

    async def _keep_waiting(self, tx: Tx, outcomes: Iterable[Outcome]) -> None:
        now = self._clock.now()
        rows = [self._waiting_row(done.statement) for done in outcomes]
        await store.save_waiting(tx, rows, now)

    def _waiting_row(self, statement: Statement) -> Waiting:
        keys = self.sealer.keys_of(statement.identity, NOWHERE) if statement.identity else Keys()
        record, sequence = statement.record, statement.sequence
        if record is None:
            record, sequence = self._unmatched(statement), 0
        sealed = self.sealer.seal_statement(statement, record, period_of(self._clock.today()))
        return Waiting(statement.source, record, sequence, sealed, keys)

    def _under_its_name(self, done: Outcome) -> Outcome:
        """What waits is kept in the history under the name it waits under, so that both can be compared."""
        unnamed = done.fate is Fate.NO_PERSON and done.record is None
        return done._replace(record=self._unmatched(done.statement)) if unnamed else done

    def _unmatched(self, statement: Statement) -> str:
        """A name for a file's row that has no person to be named after; the same person of the same source waits once. Namesakes without a
        number are told apart by payer and commune."""
        keys, place = self.sealer.keys_of(statement.identity, NOWHERE) if statement.identity else Keys(), place_of(statement.act)
        known = keys.number or keys.old_number or keys.name_birth
        name = f"unmatched.{known.hex()[:40] if known else self.sealer.digest_of(statement.act)[:40]}"
        numbered = keys.number or keys.old_number or not place.payer
        return name if numbered else f"{name}.{sha256(f'{place.payer} {place.area}'.encode()).hexdigest()[:12]}"

    def _kept(self, row: Waiting) -> Statement:
        """The statement without its place in the file it came with: it is taken now, by whatever brought its person."""
        return self.sealer.open_statement(row.sealed, row.source, row.record).model_copy(update={"row_no": None})


class Handlers:
    """One handler per topic that registry reads. Upstream's events take the way that HTTP takes too (`door.Door.take`)."""

    def __init__(self, take_events: TakeEvents) -> None:
        """Nothing is read before the first record."""
        self._take_events = take_events

    async def on_ministry(self, tx: Tx, records: Sequence[Received[MinistryMessage]]) -> None:
        """Upstream's statements, in order. What became of each is kept beside it."""
        await self._take_events(tx, records)

    async def on_verification(self, tx: Tx, records: Sequence[Received[VerificationResult]]) -> None:
        """The newest result of each person is kept beside the person, for the funnel; it is never published again."""
        newest: dict[UUID, VerificationResult] = {}
        for message in (record.message for record in records):
            held = newest.get(message.beneficiary_id)
            if held is None or message.result_seq > held.result_seq:
                newest[message.beneficiary_id] = message
        await store.save_verified(tx, newest.values())

    async def on_payment(self, tx: Tx, records: Sequence[Received[PaymentState]]) -> None:
        """The newest state of each payment is kept beside the person; it is never published again."""
        newest: dict[UUID, Received[PaymentState]] = {}
        for record in records:
            held = newest.get(record.message.instruction_id)
            if held is None or record.message.state_seq > held.message.state_seq:
                newest[record.message.instruction_id] = record
        await store.save_payments(tx, newest.values())

    async def on_text(self, tx: Tx, records: Sequence[Received[TextState]]) -> None:
        """The furthest state of each text is kept for the trace; states only go forward."""
        furthest: dict[UUID, TextState] = {}
        for message in (record.message for record in records):
            held = furthest.get(message.message_id)
            if held is None or store.text_rank(message) > store.text_rank(held):
                furthest[message.message_id] = message
        await store.save_texts(tx, furthest.values())


def _identity_keys(sealer: Sealer, statements: Iterable[Statement]) -> list[Keys]:
    return [keys for said in statements if said.identity for keys in sealer.sought(said.identity, place_of(said.act))]


def _still_waits(kept: Outcome) -> bool:
    """Whether nobody has come for a statement; or its person has, on another payer's list, and may move to its own."""
    return kept.fate is Fate.NO_PERSON or kept.reason is RowReason.PERSON_NOT_OF_PAYER


def _since(statements: Iterable[Statement], month: str) -> str:
    """The first period whose rows these statements may touch. A change may correct any open list of the last year, and a death that is
    taken back may have ended rows of any."""
    touched = {month}
    for act in (statement.act for statement in statements):
        if isinstance(act, Enrol):
            touched.add(act.period)
        elif isinstance(act, End):
            touched.add(period_of(act.on))
        elif isinstance(act, Change | Reinstate):
            touched.add(f"{int(month[:4]) - 1}{month[4:]}")
    return min(touched)


def _count_conflicts(outcomes: Iterable[Outcome]) -> None:
    conflicts = sum(outcome.fate is Fate.CONFLICT for outcome in outcomes)
    if conflicts:
        CONFLICTS.labels("statement").inc(conflicts)
