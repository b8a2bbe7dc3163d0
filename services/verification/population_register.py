"""The port to the population register, and its two adapters: our replica, and what the register's query service answered.

Both look entries up in the same table. The replica is filled by extracts and by the topic, and answers about everybody or nobody. The query
service is asked one question at a time by `asking.py`, outside every transaction; its entries come into the table too, and it answers
about whoever it was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from asyncpg import Record

from services.verification import store, store_ages, store_questions
from services.verification.ages import Ages
from services.verification.matching import PAYABLE, RegisterPerson
from services.verification.store import Person
from services.verification.store_questions import About
from shared.clock import Clock
from shared.database import Tx
from shared.personal import RegisterIdentity
from shared.vault import Vault

HOPS_MAX = 8  # how often a number may have been replaced


class Answer(NamedTuple):
    """What the register says of a person: candidates, as `matching.judge` wants them, and when it said so."""

    candidates: Sequence[RegisterPerson]
    at: datetime


class PopulationRegister(Protocol):
    """Whoever can say which register entries a person may be. Nothing is asked outside here: a transaction is open."""

    async def answers(self, tx: Tx, people: Sequence[Person]) -> Mapping[UUID, Answer]:
        """The answer about each person; who is missing was not answered about: *unavailable*, which is neither a yes nor a no."""
        ...

    async def answerable(self, tx: Tx, most: int) -> list[UUID]:
        """People who are to be judged now: of those who were unavailable, whom it can answer about; and whose result grew too old."""
        ...

    async def ready(self, tx: Tx) -> bool:
        """Whether anybody can be answered about at all."""
        ...


class Replica:
    """The register as our database holds it. What it says is as old as its last whole extract."""

    def __init__(self, vault: Vault, clock: Clock, ages: Ages) -> None:
        """The vault must hold the population kind."""
        self._vault = vault
        self._clock = clock
        self._ages = ages

    async def answers(self, tx: Tx, people: Sequence[Person]) -> Mapping[UUID, Answer]:
        """Raises VaultError for a damaged replica."""
        as_of = await self._as_of(tx)
        if as_of is None:
            return {}
        entries = await entries_of(tx, self._vault, people, named_since=await store_ages.newest_whole(tx))
        return {person.beneficiary_id: Answer(entries.of(person), as_of) for person in people}

    async def ready(self, tx: Tx) -> bool:
        """Whether it holds a whole extract that is not too old."""
        return await self._as_of(tx) is not None

    async def answerable(self, tx: Tx, most: int) -> list[UUID]:
        """Without an extract that holds, those whose result has expired; with one newer than the day of renewal, also the older ones; and
        whoever is paid by an entry that it does not name."""
        now, as_of = self._clock.now(), await self._as_of(tx)
        if as_of is None:
            return await store.people_answered_before(tx, self._ages.expires_before(now), most)
        renew_before = self._ages.renew_before(now)
        waiting = await store.people_unavailable(tx, most)
        if not waiting and as_of >= renew_before:
            waiting = await store.people_answered_before(tx, renew_before, most)
        return waiting or await store_ages.people_no_longer_named(tx, PAYABLE, most)

    async def _as_of(self, tx: Tx) -> datetime | None:
        now = self._clock.now()
        as_of = await store.register_as_of(tx, now)
        return None if as_of is None or as_of < self._ages.expires_before(now) else as_of


class Asked:
    """What the query service answered. An answer is about one identity: a changed one is asked about again."""

    def __init__(self, vault: Vault, clock: Clock, ages: Ages) -> None:
        """The vault must hold the population kind."""
        self._vault = vault
        self._clock = clock
        self._ages = ages

    async def answers(self, tx: Tx, people: Sequence[Person]) -> Mapping[UUID, Answer]:
        """Raises VaultError for a damaged table."""
        digests = {person.beneficiary_id: person.identity_digest for person in people}
        not_before = self._ages.expires_before(self._clock.now())
        said = await store_questions.answers(tx, About.PERSON, digests, not_before=not_before)
        answered = [person for person in people if person.beneficiary_id in said]
        entries = await entries_of(tx, self._vault, answered)
        return {p.beneficiary_id: Answer(entries.of(p), said[p.beneficiary_id][1]) for p in answered}

    async def ready(self, tx: Tx) -> bool:
        """Always: whoever was not answered about is so alone."""
        return True

    async def answerable(self, tx: Tx, most: int) -> list[UUID]:
        """Whoever is answered about is judged with the answer; here are those whose answer has expired."""
        return await store.people_answered_before(tx, self._ages.expires_before(self._clock.now()), most)


class Entries:
    """The register entries of one look-up, each opened at most once."""

    def __init__(self, vault: Vault, named_since: datetime | None) -> None:
        """Nothing is in here yet. `named_since`: when the newest extract of the whole register was made; an older entry is not in it."""
        self._vault = vault
        self._named_since = named_since
        self._opened: dict[str, RegisterPerson] = {}
        self._by_number: dict[bytes, list[Record]] = {}
        self._by_old_number: dict[bytes, list[Record]] = {}
        self._by_name: dict[bytes, list[Record]] = {}

    async def look_up(self, tx: Tx, people: Sequence[Person]) -> None:
        """One look-up by number for everybody; by what a number was replaced with, old number and name only for those who need it."""
        self._by_number = await _entries(tx, "number_ix", (person.indexes.number for person in people))
        for _hop in range(HOPS_MAX):
            led_to = {row["replaced_by_ix"] for rows in self._by_number.values() for row in rows} - self._by_number.keys()
            found = await _entries(tx, "number_ix", led_to)
            if not found:
                break
            self._by_number |= found
        without = [person for person in people if person.indexes.number is None]
        self._by_old_number = await _entries(tx, "old_number_ix", (person.indexes.old_number for person in without))
        # An old number that leads to somebody decides alone.
        unknown = [person for person in without if not any(row["replaced_by_ix"] is None for row in self._old(person))]
        self._by_name = await _entries(tx, "name_birth_ix", (person.indexes.name_birth for person in unknown))

    def of(self, person: Person) -> list[RegisterPerson]:
        """The entries a person may be, in order of their tokens."""
        if person.indexes.number is not None:
            rows = list(self._by_number.get(person.indexes.number, []))
            for row in rows:  # it grows: a number may have been replaced more than once
                rows += [new for new in self._by_number.get(row["replaced_by_ix"] or b"", []) if new not in rows]
        else:
            rows = self._old(person) + self._by_name.get(person.indexes.name_birth or b"", [])
        found = {row["person_token"]: row for row in rows}
        return [self._open(found[token]) for token in sorted(found)]

    def _old(self, person: Person) -> list[Record]:
        return self._by_old_number.get(person.indexes.old_number or b"", [])

    def _open(self, row: Record) -> RegisterPerson:
        token = row["person_token"]
        known = self._opened.get(token)
        if known is None:
            said = self._vault.open_as(row["sealed"], token, RegisterIdentity)
            status, digest, old_ix = row["status"], row["content_digest"], row["old_number_ix"]
            named = self._named_since is None or row["as_of"] >= self._named_since
            known = RegisterPerson(token, said.identity, status, row["status_on"], said.replaced_by, digest, old_ix, named)
            self._opened[token] = known
        return known


async def entries_of(tx: Tx, vault: Vault, people: Sequence[Person], *, named_since: datetime | None = None) -> Entries:
    """The entries that these people may be, looked up for all of them at once."""
    entries = Entries(vault, named_since)
    await entries.look_up(tx, people)
    return entries


async def _entries(tx: Tx, column: str, indexes: Iterable[bytes | None]) -> dict[bytes, list[Record]]:
    found: dict[bytes, list[Record]] = {}
    for row in await store.register_entries(tx, column, {index for index in indexes if index is not None}):
        found.setdefault(row[column], []).append(row)
    return found
