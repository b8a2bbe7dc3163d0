"""Registry: who is who, what they are entitled to, how they wish to be paid. Handlers load, decide, save, emit.

Topic and files go through one path, `Registrar.take`. The feedback topics only fill tables: nothing is emitted, the system falls silent.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from uuid import UUID

from services.registry import store, store_lists
from services.registry.desk import Desk, Keys, Outcome, place_of
from services.registry.opening import Opened, Unopened, kid_of, opened, too_large
from services.registry.person import NOWHERE, Person
from services.registry.refusals import Fate, RowReason
from services.registry.sealing import Blocks, Sealer, snapshot_of
from services.registry.statements import Change, End, Enrol, Statement
from services.registry.store import Waiting
from shared.clock import Clock, period_of
from shared.database import Tx
from shared.events import ListClosed, ListOpened, MinistryMessage, PaymentState, TextState, VerificationResult
from shared.metrics import CONFLICTS
from shared.outbox import OutEvent, put_events
from shared.records import Received
from shared.restoring import epoch_of
from shared.vault import Kind, Vault, VaultError

# Messages about a list itself; asked by type, because asking a model whether it is an instance costs a microsecond.
_ABOUT_LISTS = (ListOpened, ListClosed)


class Registrar:
    """Takes statements, wherever they come from, in one transaction that the caller opened."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        """The vault must hold identity, payee, delivery and contact."""
        self._vault = vault
        self._clock = clock
        self.sealer = Sealer(vault)

    async def take(self, tx: Tx, statements: Sequence[Statement], *, import_id: UUID | None = None) -> list[Outcome]:
        """Decide statements in order; returns their outcomes in the same order."""
        await store.one_registrar_at_a_time(tx)
        await store_lists.open_lists(tx, statements)
        records = sorted({(s.source, s.record) for s in statements if s.record})
        waiting = await store.waiting_for(tx, records, _identity_keys(self.sealer, statements))
        kept = [self._kept(row) for row in waiting]
        desk, before = await self._load(tx, [*statements, *kept])
        outcomes = [desk.take(statement) for statement in statements]
        tried = list(zip(waiting, map(desk.take, kept), strict=True))
        late = [done for _, done in tried if done.fate is not Fate.NO_PERSON]
        await self._save(tx, desk, before)
        await store.save_rows(tx, desk.changed_rows.values(), import_id)
        await store.save_events(tx, [*map(self._under_its_name, outcomes), *late], import_id)
        await self._keep_waiting(tx, [done for done in outcomes if done.fate is Fate.NO_PERSON])
        await store.end_waiting(tx, [row for row, done in tried if done.fate is not Fate.NO_PERSON])
        _count_conflicts([*outcomes, *late])
        return outcomes

    async def _load(self, tx: Tx, statements: Sequence[Statement]) -> tuple[Desk, dict[UUID, tuple[Person, Blocks]]]:
        today = self._clock.today()
        desk = Desk(today=today, epoch=await epoch_of(tx), keys_of=self.sealer.keys_of, digest_of=self.sealer.digest_of)
        records = {(s.source, s.record) for s in statements if s.record}
        before = await store.known_people(tx, sorted(records), _identity_keys(self.sealer, statements), self.sealer)
        since = _since(statements, period_of(today))
        desk.records = await store.known_records(tx, before)
        desk.closed = await store.closed_lists(tx, since)
        desk.know((person for person, _ in before.values()), await store.known_rows(tx, before, since))
        return desk, before

    async def _save(self, tx: Tx, desk: Desk, before: Mapping[UUID, tuple[Person, Blocks]]) -> None:
        """Keep what changed; a new version goes out only for those of whom a reader would see something new."""
        saved: list[tuple[Person, Blocks]] = []
        snapshots: list[OutEvent] = []
        for key in sorted(desk.changed_people, key=attrgetter("int")):
            old, blocks = before.get(key, (None, None))
            person = desk.people[key]
            is_new = old is None or old.published(desk.today) != person.published(desk.today)
            if is_new:
                person = person._replace(version=(max(desk.epoch, person.version[0]), person.version[1] + 1))
            sealed = self.sealer.seal(person, before=old, blocks=blocks, today=desk.today)
            saved.append((person, sealed))
            if is_new:
                snapshot = snapshot_of(person, sealed, desk.today)
                snapshots.append(OutEvent(snapshot.TOPIC, str(key), snapshot))
        now = self._clock.now()
        await store.save_people(tx, saved, self.sealer, now)
        await store.save_records(tx, {key: desk.records[key] for key in desk.changed_records})
        await put_events(tx, snapshots, now)

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
        return replace(done, record=self._unmatched(done.statement)) if unnamed else done

    def _unmatched(self, statement: Statement) -> str:
        """A name for a file's row that has no person to be named after; the same person of the same source waits once."""
        keys = self.sealer.keys_of(statement.identity, NOWHERE) if statement.identity else Keys()
        known = keys.number or keys.old_number or keys.name_birth
        return f"unmatched.{known.hex()[:40] if known else self.sealer.digest_of(statement.act)[:40]}"

    def _kept(self, row: Waiting) -> Statement:
        """The statement without its place in the file it came with: it is taken now, by whatever brought its person."""
        return self.sealer.open_statement(row.sealed, row.source, row.record).model_copy(update={"row_no": None})


class Handlers:
    """One handler per topic that registry reads."""

    def __init__(self, vault: Vault, clock: Clock, registrar: Registrar) -> None:
        """Nothing is read before the first record."""
        self._vault = vault
        self._clock = clock
        self._registrar = registrar

    async def on_ministry(self, tx: Tx, records: Sequence[Received[MinistryMessage]]) -> None:
        """Upstream's statements, in order. What needs a content key that has not come yet waits for it and holds back nobody."""
        if beyond := [opened(r, self._vault, {}) for r in records if too_large(r.message)]:
            await store.save_events(tx, [_refused(o) for o in beyond], None)
            records = [r for r in records if not too_large(r.message)]
        released = await self._take_lists(tx, [r for r in records if type(r.message) in _ABOUT_LISTS])
        about_people = [r for r in records if type(r.message) not in _ABOUT_LISTS]
        content_keys = await self._content_keys(tx, [*released, *about_people])
        ready, late = [*released], list[Received[MinistryMessage]]()
        for record in about_people:
            (ready if (kid_of(record.message) or "") in ("", *content_keys) else late).append(record)
        await store.save_waiting(tx, [self._unopened_row(r) for r in late], self._clock.now())
        taken = [opened(r, self._vault, content_keys) for r in ready]
        await store.save_events(tx, [_refused(o) for o in taken if o.refusal], None)
        await self._registrar.take(tx, [o.statement for o in taken if not o.refusal])

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

    # --- lists and their keys ----------------------------------------------------------------------------------------------

    async def _take_lists(self, tx: Tx, records: Sequence[Received[MinistryMessage]]) -> list[Received[MinistryMessage]]:
        """Open lists, keep declared totals and content keys; returns events that waited for those keys."""
        if not records:
            return []
        taken = [opened(record, self._vault, {}) for record in records]
        keys, unreadable = self._keys_in([record.message for record in records])
        await store_lists.open_lists(tx, [o.statement for o in taken])
        await store_lists.declare(tx, [o.statement for o in taken])
        await store.save_content_keys(tx, keys, self._clock.now())
        outcomes = [
            _refused(o) if r.message in unreadable else Outcome(o.statement, "", Fate.APPLIED, o.statement.record)
            for r, o in zip(records, taken, strict=True)
        ]
        await store.save_events(tx, outcomes, None)
        waited = await store.waiting_for_key(tx, keys)
        await store.end_waiting(tx, waited)
        return [self._vault.open_as(w.sealed, _unopened_owner(w.source, w.record), Unopened).received() for w in waited]

    def _keys_in(self, messages: Sequence[MinistryMessage]) -> tuple[dict[str, str], list[MinistryMessage]]:
        sealed: dict[str, str] = {}
        unreadable: list[MinistryMessage] = []
        month = period_of(self._clock.today())
        for message in messages:
            if not isinstance(message, ListOpened) or message.content_key is None:
                continue
            try:
                kid, key = self._vault.unwrap_content_key(message.content_key)
            except VaultError:
                unreadable.append(message)
                continue
            sealed[kid] = self._vault.seal(Kind.IDENTITY, f"content-key:{kid}", month, base64.b64encode(key))
        return sealed, unreadable

    async def _content_keys(self, tx: Tx, records: Sequence[Received[MinistryMessage]]) -> dict[str, bytes]:
        kids = {kid for record in records if (kid := kid_of(record.message))}
        found = await store.content_keys(tx, sorted(kids)) if kids else {}
        return {kid: base64.b64decode(self._vault.open(sealed, f"content-key:{kid}")) for kid, sealed in found.items()}

    def _unopened_row(self, record: Received[MinistryMessage]) -> Waiting:
        message, month = record.message, period_of(self._clock.today())
        sealed = self._vault.seal(Kind.IDENTITY, _unopened_owner(message.source, message.record), month, Unopened.of(record))
        return Waiting(message.source, message.record, message.source_sequence, sealed, kid=kid_of(message))


def _identity_keys(sealer: Sealer, statements: Iterable[Statement]) -> list[Keys]:
    return [sealer.keys_of(said.identity, place_of(said.act)) for said in statements if said.identity]


def _since(statements: Iterable[Statement], month: str) -> str:
    """The first period whose rows these statements may touch. A change may correct any open list of the last year."""
    touched = {month}
    for act in (statement.act for statement in statements):
        if isinstance(act, Enrol):
            touched.add(act.period)
        elif isinstance(act, End):
            touched.add(period_of(act.on))
        elif isinstance(act, Change):
            touched.add(f"{int(month[:4]) - 1}{month[4:]}")
    return min(touched)


def _refused(taken: Opened) -> Outcome:
    return Outcome(taken.statement, "", Fate.REFUSED, taken.statement.record, taken.refusal or RowReason.PERSONAL_UNREADABLE)


def _unopened_owner(source: str, record: str) -> str:
    return f"unopened:{source}:{record}"


def _count_conflicts(outcomes: Iterable[Outcome]) -> None:
    conflicts = sum(outcome.fate is Fate.CONFLICT for outcome in outcomes)
    if conflicts:
        CONFLICTS.labels("statement").inc(conflicts)
