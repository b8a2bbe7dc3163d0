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
from services.verification.store import Asked, Person
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
        """One look-up by number for everybody, more only for those who need it. Raises VaultError for a damaged replica."""
        if not await store.register_available(tx):
            return None
        entries = Entries(self._vault)
        entries.add(await store.register_entries(tx, Asked(numbers={p.indexes.number for p in people if p.indexes.number})))
        entries.add(await store.register_entries(tx, Asked(numbers=entries.led_to())))
        without = [person for person in people if person.indexes.number is None]
        olds = {person.indexes.old_number for person in without if person.indexes.old_number}
        entries.add(await store.register_entries(tx, Asked(old_numbers=olds)))
        # An old number that leads to somebody decides alone.
        names = {p.indexes.name_birth for p in without if p.indexes.name_birth and not entries.by_old_number(p)}
        entries.add(await store.register_entries(tx, Asked(names=names)))
        return {person.beneficiary_id: entries.of(person) for person in people}


class Entries:
    """The register entries of one look-up, each opened at most once."""

    def __init__(self, vault: Vault) -> None:
        """Nothing is in here yet."""
        self._vault = vault
        self._rows: dict[str, Record] = {}
        self._opened: dict[str, RegisterPerson] = {}
        self._by: dict[tuple[str, bytes], list[Record]] = {}

    def add(self, rows: Iterable[Record]) -> None:
        """Entries found; one that is here already stays once."""
        for row in rows:
            if row["person_token"] not in self._rows:
                self._rows[row["person_token"]] = row
                for column in ("number_ix", "old_number_ix", "name_birth_ix"):
                    if row[column] is not None:
                        self._by.setdefault((column, row[column]), []).append(row)

    def led_to(self) -> set[bytes]:
        """The new numbers of entries whose number was replaced."""
        return {row["replaced_by_ix"] for row in self._rows.values() if row["replaced_by_ix"] is not None}

    def by_old_number(self, person: Person) -> bool:
        """Whether the person's old number leads to an entry that still holds."""
        return any(row["replaced_by_ix"] is None for row in self._find("old_number_ix", person.indexes.old_number))

    def of(self, person: Person) -> list[RegisterPerson]:
        """The entries a person may be, in order of their tokens."""
        rows = self._find("number_ix", person.indexes.number)
        rows = rows + [new for row in rows for new in self._find("number_ix", row["replaced_by_ix"])]
        if person.indexes.number is None:
            rows = self._find("old_number_ix", person.indexes.old_number) + self._find("name_birth_ix", person.indexes.name_birth)
        return [self._open(token) for token in sorted({row["person_token"] for row in rows})]

    def _find(self, column: str, index: bytes | None) -> list[Record]:
        return self._by.get((column, index), []) if index is not None else []

    def _open(self, token: str) -> RegisterPerson:
        known = self._opened.get(token)
        if known is None:
            row = self._rows[token]
            said = self._vault.open_as(row["sealed"], token, RegisterIdentity)
            known = self._opened[token] = RegisterPerson(token, said.identity, row["status"], row["status_on"], said.replaced_by)
        return known
