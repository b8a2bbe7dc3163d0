"""Upstream's events, by topic or by HTTP: opened, placed, given to the registrar in the caller's transaction. One way for both doors."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import date

from services.registry import store, store_lists
from services.registry.areas import Areas, Placed
from services.registry.handlers import Registrar
from services.registry.opening import Opened, Unopened, kid_of, opened, too_large
from services.registry.records import Outcome
from services.registry.refusals import Fate, RowReason
from services.registry.statements import Change, Enrol, Statement
from services.registry.store import Waiting
from shared.clock import LOCAL, Clock, period_of
from shared.database import Tx
from shared.events import ListClosed, ListOpened, MinistryMessage
from shared.records import Received
from shared.vault import Kind, Vault, VaultError

# Messages about a list itself; asked by type, because asking a model whether it is an instance costs a microsecond.
_ABOUT_LISTS = (ListOpened, ListClosed)
Event = Received[MinistryMessage]


class Door:
    """Takes events in order. What needs a content key that has not come yet waits for it and holds back nobody."""

    def __init__(self, vault: Vault, clock: Clock, registrar: Registrar, *, areas: Areas) -> None:
        """Nothing is read before the first event."""
        self._vault = vault
        self._clock = clock
        self._registrar = registrar
        self.areas = areas

    async def take(self, tx: Tx, events: Sequence[Event]) -> list[Outcome]:
        """What became of the events, and of those that waited for a key that came with them; what waits now has no outcome yet."""
        beyond = [_refused(opened(e, self._vault, {}), RowReason.TOO_LARGE) for e in events if too_large(e.message)]
        events = [e for e in events if not too_large(e.message)] if beyond else events
        about_lists, released = await self._take_lists(tx, [e for e in events if type(e.message) in _ABOUT_LISTS])
        ready = [*released, *(e for e in events if type(e.message) not in _ABOUT_LISTS)]
        content_keys = await self._content_keys(tx, ready)
        late = [e for e in ready if (kid_of(e.message) or "") not in ("", *content_keys)]
        await store.save_waiting(tx, [self._unopened_row(e) for e in late], self._clock.now())
        if late:
            ready = [e for e in ready if (kid_of(e.message) or "") in ("", *content_keys)]
        taken = [self._placed(opened(e, self._vault, content_keys)) for e in ready]
        refusals = [o.refusal or self._misplaced(o.statement) for o in taken]
        refused = [_refused(o, why) for o, why in zip(taken, refusals, strict=True) if why]
        await store.save_events(tx, [*beyond, *refused], None, known_at=self._clock.now())
        statements = [o.statement for o, why in zip(taken, refusals, strict=True) if not why]
        return [*beyond, *about_lists, *refused, *await self._registrar.take(tx, statements)]

    def _placed(self, taken: Opened) -> Opened:
        """An enrolment under the code of a unit that was split: placed by its hamlet, or left for a person to place."""
        act = taken.statement.act
        if taken.refusal or not isinstance(act, Enrol):
            return taken
        first = date.fromisoformat(f"{act.period}-01")
        split = self.areas.split(act.payer, act.area, first) if self.areas.refusal(act.payer, act.area, first) else None
        if split is None:
            return taken
        found = self.areas.placed(split, act.personal.delivery.hamlet if act.personal.delivery else "", first)
        if isinstance(found, RowReason):
            return Opened(taken.statement, found)
        said = {"act": act.model_copy(update={"area": found.code})} if isinstance(found, Placed) else {"split": found}
        return Opened(taken.statement.model_copy(update=said))

    def _misplaced(self, statement: Statement) -> RowReason | None:
        """Why area, payer and day do not go together. A change of address is judged by the day it was stated."""
        act = statement.act
        if statement.split:
            return None
        if isinstance(act, Enrol):
            return self.areas.refusal(act.payer, act.area, date.fromisoformat(f"{act.period}-01"))
        if isinstance(act, Change) and act.area:
            return self.areas.code_refusal(act.area, statement.at.astimezone(LOCAL).date())
        return None

    # --- lists and their keys --------------------------------------------------------------------------------------------

    async def _take_lists(self, tx: Tx, events: Sequence[Event]) -> tuple[list[Outcome], list[Event]]:
        """Open lists, keep declared totals and content keys; returns outcomes, and events that waited for those keys."""
        if not events:
            return [], []
        taken = [opened(event, self._vault, {}) for event in events]
        keys, unreadable = self._keys_in([event.message for event in events])
        await store_lists.open_lists(tx, [o.statement for o in taken])
        await store_lists.declare(tx, [o.statement for o in taken])
        await store.save_content_keys(tx, keys, self._clock.now())
        outcomes = [
            _refused(o, RowReason.PERSONAL_UNREADABLE)
            if e.message in unreadable
            else Outcome(o.statement, "", Fate.APPLIED, o.statement.record)
            for e, o in zip(events, taken, strict=True)
        ]
        await store.save_events(tx, outcomes, None, known_at=self._clock.now())
        waited = await store.waiting_for_key(tx, keys)
        await store.end_waiting(tx, waited)
        return outcomes, [self._vault.open_as(w.sealed, _unopened_owner(w.source, w.record), Unopened).received() for w in waited]

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

    async def _content_keys(self, tx: Tx, events: Iterable[Event]) -> dict[str, bytes]:
        kids = {kid for event in events if (kid := kid_of(event.message))}
        found = await store.content_keys(tx, sorted(kids)) if kids else {}
        return {kid: base64.b64decode(self._vault.open(sealed, f"content-key:{kid}")) for kid, sealed in found.items()}

    def _unopened_row(self, event: Event) -> Waiting:
        message, month = event.message, period_of(self._clock.today())
        sealed = self._vault.seal(Kind.IDENTITY, _unopened_owner(message.source, message.record), month, Unopened.of(event))
        return Waiting(message.source, message.record, message.source_sequence, sealed, kid=kid_of(message))


def payer_named(event: MinistryMessage) -> str | None:
    """The payer whose list an event speaks of; None where it speaks of a person."""
    payer: str | None = getattr(event, "payer", None)
    return payer


def _refused(taken: Opened, why: RowReason) -> Outcome:
    return Outcome(taken.statement, "", Fate.REFUSED, taken.statement.record, why)


def _unopened_owner(source: str, record: str) -> str:
    return f"unopened:{source}:{record}"
