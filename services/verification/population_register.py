"""The port to the population register, and its first adapter: the local replica fed by extract and topic.

An HTTP query service would be a second adapter with the same contract: it answers from a table of stored answers that its own loop
fills (quota, time-outs, back-off), because nothing may call outside while a transaction is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from asyncpg import Record

from services.verification import store
from services.verification.matching import RegisterPerson
from services.verification.store import Person
from shared.database import Tx
from shared.personal import RegisterIdentity
from shared.vault import Vault


class PopulationRegister(Protocol):
    """Whoever can say which register entries a person may be."""

    async def candidates(self, tx: Tx, people: Sequence[Person]) -> Mapping[UUID, Sequence[RegisterPerson]] | None:
        """Candidates per person, as `matching.judge` wants them; None when the register gives no answer at all."""
        ...


class Replica:
    """The register as our database holds it."""

    def __init__(self, vault: Vault) -> None:
        """The vault must hold the population kind."""
        self._vault = vault

    async def candidates(self, tx: Tx, people: Sequence[Person]) -> Mapping[UUID, Sequence[RegisterPerson]] | None:
        """Raises VaultError for a damaged replica."""
        if not await store.register_available(tx):
            return None
        entries = Entries(self._vault)
        await entries.look_up(tx, people)
        return {person.beneficiary_id: entries.of(person) for person in people}


class Entries:
    """The register entries of one look-up, each opened at most once."""

    def __init__(self, vault: Vault) -> None:
        """Nothing is in here yet."""
        self._vault = vault
        self._opened: dict[str, RegisterPerson] = {}
        self._by_number: dict[bytes, list[Record]] = {}
        self._by_old_number: dict[bytes, list[Record]] = {}
        self._by_name: dict[bytes, list[Record]] = {}

    async def look_up(self, tx: Tx, people: Sequence[Person]) -> None:
        """One look-up by number for everybody; by what a number was replaced with, old number and name only for those who need it."""
        self._by_number = await _entries(tx, "number_ix", (person.indexes.number for person in people))
        new_numbers = (row["replaced_by_ix"] for rows in self._by_number.values() for row in rows)
        self._by_number |= await _entries(tx, "number_ix", (index for index in new_numbers if index not in self._by_number))
        without = [person for person in people if person.indexes.number is None]
        self._by_old_number = await _entries(tx, "old_number_ix", (person.indexes.old_number for person in without))
        # An old number that leads to somebody decides alone.
        unknown = [person for person in without if not any(row["replaced_by_ix"] is None for row in self._old(person))]
        self._by_name = await _entries(tx, "name_birth_ix", (person.indexes.name_birth for person in unknown))

    def of(self, person: Person) -> list[RegisterPerson]:
        """The entries a person may be, in order of their tokens."""
        if person.indexes.number is not None:
            rows = self._by_number.get(person.indexes.number, [])
            rows = rows + [new for row in rows if row["replaced_by_ix"] for new in self._by_number.get(row["replaced_by_ix"], [])]
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
            known = self._opened[token] = RegisterPerson(token, said.identity, row["status"], row["status_on"], said.replaced_by)
        return known


async def _entries(tx: Tx, column: str, indexes: Iterable[bytes | None]) -> dict[bytes, list[Record]]:
    found: dict[bytes, list[Record]] = {}
    for row in await store.register_entries(tx, column, {index for index in indexes if index is not None}):
        found.setdefault(row[column], []).append(row)
    return found
