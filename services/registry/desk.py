"""One batch of statements decided in order against what is known, in memory: who, which fate, what changes. Pure; nothing is saved here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.registry import matching
from services.registry import person as people_rules
from services.registry.areas import Areas
from services.registry.keying import Keys, Placing, day_of, subject_of, where_of
from services.registry.matching import Candidates, Found
from services.registry.person import NOWHERE, Person, Place
from services.registry.records import Done, ListKey, ListRow, Outcome, Record, RecordKey, RowKey
from services.registry.refusals import Fate, RowNote, RowReason
from services.registry.statements import (
    Act,
    Change,
    CloseList,
    End,
    Enrol,
    NameCollector,
    OpenList,
    RecordWish,
    RegisterAccount,
    Reinstate,
    Statement,
    Undo,
)
from services.registry.whereabouts import Lives, Whereabouts
from shared.after_death import ON_DEATH, owed_to_the_family
from shared.ids import random_id
from shared.personal import Identity
from shared.words import EndReason, Life


@dataclass
class Desk:
    """What is known when a batch begins, and what the batch made of it."""

    today: date
    epoch: int
    keys_of: Callable[[Identity, Place], Keys]
    digest_of: Callable[[Act], str]
    terms: people_rules.Terms
    areas: Areas
    people: dict[UUID, Person] = field(default_factory=dict)
    records: dict[RecordKey, Record] = field(default_factory=dict)
    closed: set[ListKey] = field(default_factory=set)
    found_records: set[RecordKey] = field(default_factory=set)
    found_rows: set[RowKey] = field(default_factory=set)
    changed_people: set[UUID] = field(default_factory=set)
    changed_records: set[RecordKey] = field(default_factory=set)
    changed_rows: dict[RowKey, ListRow] = field(default_factory=dict)
    decided: dict[Placing, str] = field(default_factory=dict)
    _rows: dict[RowKey, ListRow] = field(default_factory=dict)
    _rows_of: dict[UUID, set[RowKey]] = field(default_factory=dict)
    _live: dict[tuple[str, UUID, str], RecordKey] = field(default_factory=dict)
    _by_number: dict[bytes, UUID] = field(default_factory=dict)
    _by_key: dict[bytes, set[UUID]] = field(default_factory=dict)
    _merged_into: dict[UUID, list[UUID]] = field(default_factory=dict)

    def know(self, people: Iterable[Person], rows: Iterable[ListRow]) -> None:
        """Take in what the database holds."""
        for person in people:
            self._keep(person)
        for row in rows:
            self._keep_row(row)
        self.found_records, self.found_rows = set(self.records), set(self._rows)

    def take(self, statement: Statement) -> Outcome:
        """Decide one statement. What it changes is visible to the next one."""
        found = self._whom(statement)
        needs_place = statement.split and not found.refusal
        placed = self._erased(statement) or (self._placed(statement, found.person) if needs_place else statement)
        if isinstance(placed, Outcome):
            return placed
        statement, digest = placed, self.digest_of(placed.act)
        if found.refusal:
            return Outcome(statement, digest, Fate.REFUSED, statement.record, found.refusal)
        if found.person is None and not isinstance(statement.act, Enrol):
            notes = (RowNote.NUMBER_NEEDED,) if found.note else ()
            return Outcome(statement, digest, Fate.NO_PERSON, statement.record, notes=notes)
        beneficiary_id = found.person.beneficiary_id if found.person else random_id()
        record = statement.record or self._own_record(statement.source, beneficiary_id, statement.act)
        outcome = Outcome(statement, digest, Fate.APPLIED, record, notes=found.notes, beneficiary_id=beneficiary_id)
        if fate := self._against_the_past(statement, record, digest):
            return outcome._replace(fate=fate, reason=RowReason.DUPLICATE_ROW if fate is Fate.REFUSED else None)
        said = self._under_one_number(statement, found.person)
        done = self._apply(said, found.person, beneficiary_id=beneficiary_id, record=record)
        if isinstance(done, RowReason):
            known = beneficiary_id if found.person else None
            return outcome._replace(fate=Fate.REFUSED, reason=done, beneficiary_id=known)
        self._remember(statement, record, Record(beneficiary_id, statement.sequence, digest))
        return outcome._replace(notes=(*outcome.notes, *done)) if done else outcome

    def _placed(self, statement: Statement, person: Person | None) -> Statement | Outcome:
        """The enrolment in the commune that was decided for who lived in a unit that was split; refused while nobody has decided."""
        split, act = statement.split, statement.act
        assert split, "the caller asked"
        assert isinstance(act, Enrol), "only an enrolment says where somebody is listed"
        who = person.beneficiary_id if person else None
        subject = subject_of(statement, self.keys_of, self.digest_of)
        area = (who and self.decided.get((split.unit, who))) or self.decided.get((split.unit, subject))
        if area and area in split.mine:
            return statement.model_copy(update={"act": act.model_copy(update={"area": area}), "split": None})
        record = statement.record or (self._own_record(statement.source, who, act) if who else None)
        past = self.records.get((statement.source, record)) if record else None
        refused = Outcome(statement, self.digest_of(act), Fate.REFUSED, record, RowReason.AREA_SPLIT, beneficiary_id=who)
        if past and statement.sequence < past.sequence:
            return refused._replace(fate=Fate.STALE, reason=None)
        return refused._replace(reason=RowReason.AREA_NOT_OF_PAYER) if area else refused

    # --- who -------------------------------------------------------------------------------------------------------------

    def _whom(self, statement: Statement) -> Found:
        said = statement.identity
        past = self.records.get((statement.source, statement.record)) if statement.record else None
        lives = Lives(where_of(statement), Whereabouts(self.areas, day_of(statement.act) or self.today))
        if past is not None and not self.people[past.beneficiary_id].is_erased:
            known = self.people[past.beneficiary_id]
            if said is None:
                return Found(known)
            if not matching.is_somebody_else(known.identity, said):
                return self._same_record(known, self.keys_of(said, lives.place))
        found = matching.find(said, self._candidates(said, lives.place), lives) if said else Found()
        if found.person and found.person.merged_into:
            found = found._replace(person=self.people[found.person.merged_into])
        return Found(refusal=RowReason.PERSON_NOT_OF_PAYER) if _is_not_theirs(found.person, statement.act, lives) else found

    def _erased(self, statement: Statement) -> Outcome | None:
        """Of a record whose person is erased only an identity begins anew that is newer than all it has heard."""
        past = self.records.get((statement.source, statement.record)) if statement.record else None
        begins = past and statement.identity and statement.sequence > past.sequence
        if past is None or begins or not self.people[past.beneficiary_id].is_erased:
            return None
        old = Outcome(statement, self.digest_of(statement.act), Fate.STALE, statement.record, beneficiary_id=past.beneficiary_id)
        return old if statement.sequence <= past.sequence else old._replace(fate=Fate.REFUSED, reason=RowReason.PERSON_ERASED)

    def _same_record(self, known: Person, said: Keys) -> Found:
        """The record's person, unless the number now said is another's."""
        owner = self._owner(said.number)
        if owner not in (None, known.beneficiary_id):
            return Found(refusal=RowReason.NUMBER_CLASH)
        return Found(known)

    def _candidates(self, said: Identity, place: Place) -> Candidates:
        keys = self.keys_of(said, place)
        who = self._owner(keys.number)
        owners = [self.people[one] for one in (who, *self._merged_into.get(who, ()))] if who else []
        return Candidates(
            owners,
            self._people(keys.old_number),
            self._people(keys.name_birth),
            self._people(keys.name_area),
        )

    def _people(self, key: bytes | None) -> Sequence[Person]:
        ids = self._by_key.get(key) if key else None
        if not ids:
            return ()
        if not self._merged_into:
            return [self.people[who] for who in sorted(ids)]
        # One person under several of their ids is one: the id that stays, where it fits, speaks for the others.
        best: dict[UUID, Person] = {}
        for person in sorted(
            (self.people[who] for who in ids), key=lambda one: (one.merged_into is not None, one.beneficiary_id)
        ):
            best.setdefault(person.merged_into or person.beneficiary_id, person)
        return list(best.values())

    def _owner(self, number: bytes | None) -> UUID | None:
        """Whose number it is, who stays."""
        owner = self._by_number.get(number) if number else None
        return owner and (self.people[owner].merged_into or owner)

    def _under_one_number(self, statement: Statement, person: Person | None) -> Statement:
        """What is said under the number of a merged-away id is said of who stays, and is no word on who they are."""
        if person is None or person.beneficiary_id not in self._merged_into:
            return statement
        said = statement.identity
        if said is None or said.personal_number is None:
            return statement
        owner = self._by_number.get(self.keys_of(said, NOWHERE).number or b"")
        if owner is None or self.people[owner].merged_into is None:
            return statement
        act = statement.act
        assert isinstance(act, Enrol | Change | RegisterAccount), "only these tell who somebody is"
        assert act.personal, "an identity was said"
        personal = act.personal.model_copy(update={"identity": person.identity})
        return statement.model_copy(update={"act": act.model_copy(update={"personal": personal})})

    def _own_record(self, source: str, who: UUID, act: Act) -> str:
        """A file's rows have no record of their own: a person's benefit is one, a person's account another. Who has taken over the record
        of a merged-away id goes on under it."""
        name = act.line.benefit_code if isinstance(act, Enrol) else act.kind
        if who not in self._merged_into:
            return f"{who}.{name}"
        names = [f"{one}.{name}" for one in (who, *self._merged_into[who])]
        return next((one for one in names if (source, one) in self.records), names[0])

    # --- fate ------------------------------------------------------------------------------------------------------------

    def _against_the_past(self, statement: Statement, record: str, digest: str) -> Fate | None:
        """None: it takes effect. A second row of a file for the same person and thing is refused."""
        past = self.records.get((statement.source, record))
        if past is not None and statement.record is None and statement.sequence == past.sequence:
            return Fate.REFUSED  # this very file has named the person and the thing before
        if past is None or (statement.sequence > past.sequence and digest != past.digest):
            return None
        if statement.sequence < past.sequence:
            return Fate.STALE
        if digest != past.digest:
            return Fate.CONFLICT
        if statement.sequence > past.sequence:
            if not self._still_holds(statement.act, past.beneficiary_id):
                return None
            self._remember(statement, record, past._replace(sequence=statement.sequence))
        return Fate.REPEATED

    def _still_holds(self, act: Act, who: UUID) -> bool:
        """Whether a word about somebody's life is still true: another record may have said otherwise since this one said it."""
        if isinstance(act, Reinstate):
            return self.people[who].life is not Life.DEAD
        return not (isinstance(act, End) and act.reason is EndReason.DEATH) or self.people[who].life is Life.DEAD

    def _apply(self, statement: Statement, person: Person | None, *, beneficiary_id: UUID, record: str) -> Done:
        act = statement.act
        if isinstance(act, Enrol):
            return self._enrol(act, person, ListRow(
                statement.source, record, act.period, beneficiary_id, act.payer, act.area, act.line, row_no=statement.row_no
            ))  # fmt: skip
        assert person is not None, "only an enrolment makes a person"
        if isinstance(act, Change):
            return self._change(act, person, (statement.source, record))
        if isinstance(act, End):
            return self._end(act, person, (statement.source, record))
        if isinstance(act, Reinstate):
            return self._reinstate(person)
        assert not isinstance(act, OpenList | CloseList | Undo), "lists and files are not decided here"
        return self._about_the_person(act, person)

    def _enrol(self, act: Enrol, person: Person | None, row: ListRow) -> Done:
        before = self._rows.get(row.key)
        if act.personal.identity is None:
            return RowReason.IDENTITY_TOO_THIN
        if (act.period, act.payer) in self.closed or (before and (before.period, before.payer) in self.closed):
            return RowReason.LIST_CLOSED
        if why := people_rules.refused_by_death(person, act):
            return why
        if self._live.get(row.once, (row.source, row.record)) != (row.source, row.record):
            return RowReason.DUPLICATE_ROW
        self._change_person(people_rules.enrolled(person, act, self.terms, beneficiary_id=row.beneficiary_id, epoch=self.epoch))
        self._change_row(row)
        return ()

    def _change(self, act: Change, person: Person, key: RecordKey) -> Done:
        rows = [row for row in self._active(person) if (row.source, row.record) == key]
        is_open = [row for row in rows if (row.period, row.payer) not in self.closed]
        if act.line and not rows:
            return RowReason.NO_LIVE_ROW
        for row in is_open:
            self._change_row(row._replace(line=act.line or row.line, area=act.area or row.area))
        self._change_person(people_rules.changed(person, act, self.terms))
        return (RowNote.LINE_FROZEN,) if act.line and not is_open else ()

    def _end(self, act: End, person: Person, key: RecordKey) -> Done:
        about_person = act.reason in (EndReason.DEATH, EndReason.MOVED_OUT)
        later = [row for row in self._active(person) if row.period > f"{act.on:%Y-%m}"]
        if act.reason is EndReason.DEATH:
            later = [row for row in later if not owed_to_the_family(row.line, row.period, act.on)]
        rows = [row for row in later if about_person or (row.source, row.record) == key]
        frozen = [row for row in rows if (row.period, row.payer) in self.closed]
        for row in rows:
            if row not in frozen:
                self._change_row(row._replace(end_reason=act.reason))
        self._change_person(people_rules.ended(person, act))
        return (RowNote.LINE_FROZEN,) if frozen else ()

    def _reinstate(self, person: Person) -> Done:
        """Compensates a death in the order of domain 2.3: money on it leaves open lists first, then the mark goes, then what it ended in
        open lists stands again. Frozen lines stay as they are, which is told."""
        on_death = [row for row in self._active(person) if row.line.benefit_code in ON_DEATH]
        frozen = [row for row in on_death if (row.period, row.payer) in self.closed]
        if len(frozen) < len(on_death):
            return RowReason.DEATH_IS_LISTED
        self._change_person(people_rules.reinstated(person))
        for key in sorted(self._rows_of.get(person.beneficiary_id, ())):
            row = self._rows[key]
            is_open = (row.period, row.payer) not in self.closed
            if row.end_reason is EndReason.DEATH and is_open and row.once not in self._live:
                self._change_row(row._replace(end_reason=None))
        if person.life is not Life.DEAD:
            return (RowNote.NOT_DEAD,)
        return (RowNote.LINE_FROZEN,) if frozen else ()

    def _about_the_person(self, act: RegisterAccount | RecordWish | NameCollector, person: Person) -> Done:
        if isinstance(act, RecordWish):
            self._change_person(people_rules.wish_recorded(person, act, self.terms.today))
            return ()
        if isinstance(act, NameCollector):
            if act.personal.collector is None:
                return RowReason.MISSING
            self._change_person(people_rules.collector_named(person, act))
            return ()
        if act.personal.account is None:
            return RowReason.ACCOUNT_BAD
        self._change_person(people_rules.account_registered(person, act, self.terms))
        counts = self.people[person.beneficiary_id].account == act.personal.account
        return () if counts else (RowNote.STRONGER_ACCOUNT,)

    # --- what changes ----------------------------------------------------------------------------------------------------

    def _remember(self, statement: Statement, record: str, now: Record) -> None:
        self.records[(statement.source, record)] = now
        self.changed_records.add((statement.source, record))

    def _change_person(self, person: Person) -> None:
        before, person = self.people.get(person.beneficiary_id), people_rules.weighed(person, self.terms.today)
        if person != before:
            self._forget(before)
            self._keep(person)
            self.changed_people.add(person.beneficiary_id)

    def _forget(self, person: Person | None) -> None:
        if person is None:
            return
        keys, who = self.keys_of(person.identity, person.place), person.beneficiary_id
        if keys.number:
            self._by_number.pop(keys.number, None)
        for key in keys.shared:
            self._by_key.get(key, set()).discard(who)

    def _keep(self, person: Person) -> None:
        keys, who = self.keys_of(person.identity, person.place), person.beneficiary_id
        self.people[who] = person
        if person.merged_into and who not in self._merged_into.setdefault(person.merged_into, []):
            self._merged_into[person.merged_into].append(who)
        if keys.number:
            owner = self._by_number.setdefault(keys.number, who)
            if owner != who and person.merged_into is None:
                assert self.people[owner].merged_into, "one number is one person"
                self._by_number[keys.number] = who
        for key in keys.shared:
            self._by_key.setdefault(key, set()).add(who)

    def _active(self, person: Person) -> list[ListRow]:
        rows = (self._rows[key] for key in sorted(self._rows_of.get(person.beneficiary_id, ())))
        return [row for row in rows if row.end_reason is None]

    def _change_row(self, row: ListRow) -> None:
        key = row.key
        before = self._rows.get(key)
        if before is not None:
            if before.end_reason is None:
                self._live.pop(before.once, None)
            self._rows_of[before.beneficiary_id].discard(key)
        self._keep_row(row)
        self.changed_rows[key] = row

    def _keep_row(self, row: ListRow) -> None:
        key = row.key
        self._rows[key] = row
        self._rows_of.setdefault(row.beneficiary_id, set()).add(key)
        if row.end_reason is None:
            self._live[row.once] = (row.source, row.record)


def _is_not_theirs(person: Person | None, act: Act, lives: Lives) -> bool:
    """Whether an account list is about somebody of another payer. Who has moved away is on nobody's list."""
    if person is None or not isinstance(act, RegisterAccount) or act.payer is None or person.life is Life.MOVED_OUT:
        return False
    return lives.at is not None and not lives.at.pays(act.payer, person.place)
