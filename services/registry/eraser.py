"""Erasing people by command: one asks, another confirms, everything is judged again under lock. One person and transaction at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.registry import store, store_erasing, store_events, store_files
from services.registry.erasing import ErasureCause, ErasureReason, Requester, why_not
from services.registry.handlers import Registrar
from services.registry.store_events import Key
from services.registry.store_republish import snapshot_of_row
from shared import topics
from shared.actors import Actor
from shared.clock import Clock, period_of
from shared.database import Database, Tx
from shared.erasing import erase_common
from shared.events import AuditRecord
from shared.ids import random_id
from shared.outbox import OutEvent, put_events
from shared.restoring import epoch_of
from shared.topics import Service
from shared.vault import Vault

TOLD_ON = (topics.REGISTRY_BENEFICIARY, topics.REGISTRY_ENTITLEMENT)
"""Topics whose messages about a person hold blocks of theirs."""
Answer = dict[str, Any]


class KeyReused(Exception):
    """The idempotency key stands for another request."""


class Eraser:
    """Takes requests to erase people and does what was confirmed."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, *, registrar: Registrar, after_months: int) -> None:
        """`after_months`: how long papers are kept after the last month in which anything moved."""
        self._database = database
        self._vault = vault
        self._clock = clock
        self._registrar = registrar
        self._after_months = after_months

    async def payers_of(self, beneficiary_id: UUID) -> set[str]:
        """On whose lists a person and whoever was merged into them are; empty for somebody unknown."""
        async with self._database.reading() as tx:
            return await store_erasing.payers_of(tx, await store_erasing.together(tx, beneficiary_id))

    async def about(self, erasure_id: UUID) -> UUID | None:
        """Whom a request is about; None for an unknown one."""
        async with self._database.reading() as tx:
            return await store_erasing.about(tx, erasure_id)

    async def ask(
        self, beneficiary_id: UUID, said: tuple[ErasureCause, Requester, str], *, actor: Actor, key: Key | None = None
    ) -> Answer | ErasureReason:
        """Keep a request under its id, or say why not. The person must be known. Raises KeyReused."""
        async with self._database.transaction("registry.ask_erasure") as tx:
            await store.one_registrar_at_a_time(tx)
            if kept := await _kept(tx, key):
                return kept
            if await store_erasing.is_waiting(tx, beneficiary_id):
                return ErasureReason.ALREADY_ASKED
            if refused := await self._cannot(tx, await store_erasing.together(tx, beneficiary_id)):
                return refused
            erasure_id, now = random_id(), self._clock.now()
            await store_erasing.ask(tx, erasure_id, beneficiary_id, said, actor=actor, at=now)
            await self._audit(tx, "ask_erasure", [beneficiary_id], actor=actor)
            return await self._keep(tx, key, {"erasure_id": str(erasure_id)})

    async def withdraw(self, erasure_id: UUID, actor: Actor) -> ErasureReason | None:
        """Take a request back that nobody confirmed."""
        async with self._database.transaction("registry.withdraw_erasure") as tx:
            found = await store_erasing.asked(tx, erasure_id)
            if found is None:
                return ErasureReason.ERASURE_UNKNOWN
            if found.is_confirmed:
                return ErasureReason.ALREADY_CONFIRMED
            await store_erasing.withdraw(tx, erasure_id)
            await self._audit(tx, "withdraw_erasure", [found.beneficiary_id], actor=actor)
        return None

    async def confirm(self, erasure_id: UUID, actor: Actor, *, key: Key | None = None) -> Answer | ErasureReason:
        """Erase whom another one asked for, and whoever was merged into them; or say why not. Raises KeyReused."""
        async with self._database.transaction("registry.confirm_erasure") as tx:
            await store.one_registrar_at_a_time(tx)
            if kept := await _kept(tx, key):
                return kept
            found = await store_erasing.asked(tx, erasure_id)
            if found is None:
                return ErasureReason.ERASURE_UNKNOWN
            if found.is_confirmed:
                return ErasureReason.ALREADY_CONFIRMED
            if found.asked_by == actor.id:
                return ErasureReason.SECOND_PERSON_NEEDED
            ids = await store_erasing.together(tx, found.beneficiary_id)
            if refused := await self._cannot(tx, ids):
                return refused
            now = self._clock.now()
            await store_erasing.confirm(tx, erasure_id, ids[1:], actor=actor, at=now)
            await self._erase(tx, ids, erasure_id, at=now)
            await self._audit(tx, "confirm_erasure", ids, actor=actor)
            return await self._keep(tx, key, {"erasure_id": str(erasure_id), "erased": [str(who) for who in ids]})

    async def _cannot(self, tx: Tx, ids: Sequence[UUID]) -> ErasureReason | None:
        return why_not(await store_erasing.affairs(tx, ids), self._clock.today(), after_months=self._after_months)

    async def _erase(self, tx: Tx, ids: Sequence[UUID], erasure_id: UUID, *, at: datetime) -> None:
        sealer = self._registrar.sealer
        people = await store_files.people_by_id(tx, ids, sealer)
        keys = [sealer.keys_of(person.identity, person.place) for person, _ in people.values()]
        traces = await store_erasing.traces(tx, ids, keys)
        rows = await store_erasing.erase(tx, ids, traces, epoch=await epoch_of(tx), at=at)
        records = {f"{source}:{record}": ids[0] for source, record in traces.records}
        await erase_common(tx, self._vault, Service.REGISTRY, people=ids, topics=TOLD_ON, records=records)
        await store_erasing.save_events(tx, erasure_id, ids, at)
        told = [snapshot_of_row(row, sealer, month=period_of(self._clock.today())) for row in rows]
        await put_events(tx, [OutEvent(one.TOPIC, str(one.beneficiary_id), one) for one in told], at)

    async def _keep(self, tx: Tx, key: Key | None, answer: Answer) -> Answer:
        if key:
            await store_events.keep_answer(tx, key, answer, self._clock.now())
        return answer

    async def _audit(self, tx: Tx, what: str, ids: Sequence[UUID], *, actor: Actor) -> None:
        now = self._clock.now()
        records = [AuditRecord(actor=actor.id, act=what, subject=str(who), at=now) for who in ids]
        await put_events(tx, [OutEvent(record.TOPIC, actor.id, record) for record in records], now)


async def _kept(tx: Tx, key: Key | None) -> Answer | None:
    """What was answered under this key before."""
    kept = await store_events.kept_answer(tx, key) if key else None
    if kept is None or key is None:
        return None
    if kept[0] != key.request_sha256:
        raise KeyReused
    return kept[1]
