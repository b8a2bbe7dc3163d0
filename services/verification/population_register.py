"""The port to the population register, and its first adapter: the local replica fed by extract and topic.

An HTTP query service would be a second adapter with the same contract: it answers from a table of stored answers that its own loop
fills (quota, time-outs, back-off), because nothing may call outside while a transaction is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from asyncpg import Record

from services.verification import store
from services.verification.matching import RegisterPerson
from services.verification.store import ToJudge
from shared.database import Tx
from shared.personal import RegisterIdentity
from shared.vault import Vault


class PopulationRegister(Protocol):
    """Whoever can say which register entries a person may be."""

    async def candidates(self, tx: Tx, people: Sequence[ToJudge]) -> Mapping[UUID, Sequence[RegisterPerson]] | None:
        """Candidates per person, as `matching.judge` wants them; None when the register gives no answer at all."""
        ...


class Replica:
    """The register as our database holds it."""

    def __init__(self, vault: Vault) -> None:
        """The vault must hold the population kind."""
        self._vault = vault

    async def candidates(self, tx: Tx, people: Sequence[ToJudge]) -> Mapping[UUID, Sequence[RegisterPerson]] | None:
        """One look-up for everybody. Raises VaultError for a damaged replica."""
        if not await store.register_available(tx):
            return None
        found: dict[UUID, list[RegisterPerson]] = {}
        for row in await store.candidates(tx, people):
            found.setdefault(row["beneficiary_id"], []).append(self._person(row))
        return found

    def _person(self, row: Record) -> RegisterPerson:
        known = self._vault.open_as(row["sealed"], row["person_token"], RegisterIdentity)
        return RegisterPerson(row["person_token"], known.identity, row["status"], row["status_on"], known.replaced_by)
