"""The build command: every frozen line that is not paid yet goes into a draft or is held with a reason. Nothing is left over.

Lines are read and decided some thousand at a time, before anything is written: what is kept in between is the payments themselves,
and the transaction takes an id, which holds back every relay, only when the writing begins.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import TypeVar

from asyncpg import CheckViolationError, Record

from services.payout import store, store_beside, store_building
from services.payout.against import Beside
from services.payout.batch import Draft, Payment, Step, pay
from services.payout.contracts import ContractMissing, read_contracts
from services.payout.deciding import Plan, decide
from services.payout.emitting import Entries, paged
from services.payout.ledger import Posting, on_paying_again
from services.payout.provider_rules import least_vnd, most_vnd
from services.payout.refusals import Refusal, Refused
from services.payout.rules import Rules
from services.payout.settings import Settings
from services.payout.store import Payroll
from shared.actors import Actor
from shared.clock import LOCAL
from shared.database import Tx
from shared.ids import derived_id, digest_hex, line_canonical, sum_of_digests
from shared.outbox import OutEvent, put_events
from shared.topics import Provider
from shared.vault import Vault

T = TypeVar("T")
TRIES = 3
ONE_PAYER = "benefit_of_one_payer"
"""What the database calls its refusal to pay a benefit twice."""


class Overtaken(Exception):
    """While this build was deciding, another payer put one of its people into a payment. What was decided does not hold; start over."""


async def unless_overtaken(attempt: Callable[[], Awaitable[T]]) -> T | Refused:
    """One build, in a transaction of its own, which starts over when it was overtaken: it finds what was in its way committed."""
    for _try in range(TRIES):
        with suppress(Overtaken):
            return await attempt()
    return Refused(Refusal.TRY_AGAIN)


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made."""

    drafts: Sequence[Draft]
    lines: int
    held: int


def execution_date(settings: Settings, period: str) -> date:
    """The day on which providers pay a period."""
    return date.fromisoformat(f"{period}-{settings.execution_day:02d}")


class Builder:
    """Builds payrolls, of many payers at a time. `rules`: what they are built by.

    One payroll is decided at a time: deciding keeps one processor busy whoever is decided, so taking turns delays nobody on the whole,
    the first lists are written while the next are decided, and the rows of one payroll at most are held for it.
    """

    def __init__(self, settings: Settings, vault: Vault, rules: Rules) -> None:
        """The vault makes end-to-end ids and opens circumstances."""
        self.rules = rules
        self._settings = settings
        self._vault = vault
        self._turn = asyncio.Lock()

    async def build(self, tx: Tx, payroll: Payroll, *, actor: Actor, at: datetime) -> Built | Refused:
        """Prove the totals, decide every open line, make one draft per provider. Repeating it changes nothing. Raises Overtaken."""
        async with self._turn:
            decided = await self._decided(tx, payroll, at)
        if isinstance(decided, Refused):
            return decided
        rest, drafts, beside = decided
        await _save(tx, rest, drafts, payroll=payroll, day=execution_date(self._settings, payroll.period), at=at)
        for month, seen in beside.items() if drafts else ():
            if await store_beside.paid_meanwhile(tx, month, payroll, seen):
                raise Overtaken
        postings = await _fund_again(tx, payroll, drafts, at)
        await store.sign(tx, Step.MAKE, {draft.batch_id: draft.sha256 for draft in drafts}, actor, signed=None, at=at)
        entries = Entries(payroll.period, payroll.payer, at)
        for page in paged(_events(rest, drafts, postings, entries=entries, actor=actor)):
            await put_events(tx, page, at)
        return Built(drafts, rest.considered, len(rest.held))

    async def _decided(self, tx: Tx, payroll: Payroll, at: datetime) -> _Decided | Refused:
        """Only reads, and waits for nobody: whoever has the turn gives it on. Nothing of it counts before the totals are proved."""
        settings = self._settings
        day = execution_date(settings, payroll.period)
        late = at.astimezone(LOCAL).date() >= day - timedelta(days=settings.verification_days)
        made, contracts = Maker(payroll, settings, self._vault.end_to_end_key()), read_contracts(settings.contracts_file)
        beside = {
            month: await store_beside.beside(tx, month, payroll, self._vault, misses_max=settings.misses_max)
            for month in payroll.periods
        }
        missing, proofs, nobody = 0, {closed.period: Totals() for closed in payroll.lists}, None
        async with aclosing(store_building.undecided_lines(tx, payroll)) as pages:
            async for rows in pages:
                _count(proofs, rows, payroll.payer)
                try:
                    plan = decide(
                        rows,
                        payroll.period,
                        self.rules,
                        tolerance_vnd=settings.tolerance_vnd,
                        contracts=contracts,
                        beside=beside,
                        day=day,
                    )
                except ContractMissing as found:
                    nobody = found
                    break
                missing += 0 if late else plan.unverified
                if not missing:
                    made.add(plan)
        for closed in payroll.lists:
            if not proofs[closed.period].are_those_of(closed) and (refusal := await _totals_refused(tx, closed)):
                return refusal
        if nobody:
            return Refused(Refusal.CONTRACT_MISSING, about=nobody.where)
        if missing:
            return Refused(Refusal.VERIFICATION_MISSING, missing)
        return made.rest, await asyncio.to_thread(made.drafts), beside


class Maker:
    """Makes payments of what is decided, some lines at a time. `rest`: everything decided but the orders."""

    def __init__(self, payroll: Payroll, settings: Settings, key: bytes) -> None:
        """`key` makes end-to-end ids."""
        self.rest = Plan()
        self._payroll = payroll
        self._limit_vnd = settings.limit_vnd
        self._key = key
        self._payments: dict[Provider, list[Payment]] = defaultdict(list)

    def add(self, plan: Plan) -> None:
        """Payments of these orders, for the draft of their provider."""
        self.rest.held += plan.held
        self.rest.freed += plan.freed
        self.rest.choices |= plan.choices
        self.rest.on_account += plan.on_account
        self.rest.considered += plan.considered
        for provider, orders in plan.orders.items():
            batch_id = derived_id("batch", self._payroll.period, self._payroll.payer, provider, self._payroll.rounds + 1)
            bounds = (least_vnd(provider), most_vnd(provider, self._limit_vnd))
            self._payments[provider] += chain.from_iterable(
                pay(order, batch_id=batch_id, provider=provider, bounds=bounds, key=self._key) for order in orders
            )

    def drafts(self) -> list[Draft]:
        """One draft per provider that has payments."""
        return [Draft.of(payments) for _provider, payments in sorted(self._payments.items())]


_Decided = tuple[Plan, Sequence[Draft], Mapping[str, Beside]]
"""Everything decided but the orders, the drafts made of those, and what was known beside the lines of each month."""


class Totals:
    """Count, VND and digest of the lines of one list, some at a time."""

    def __init__(self) -> None:
        """Of no line."""
        self.count = self.vnd = self._digest = 0

    def add(self, lines: Sequence[tuple[bytes, int]]) -> None:
        """More lines: their canonical text and declared VND."""
        self.count += len(lines)
        self.vnd += sum([vnd for _canonical, vnd in lines])
        self._digest = sum_of_digests(self._digest, [canonical for canonical, _vnd in lines])

    def are_those_of(self, closed: Payroll) -> bool:
        """Whether these lines are exactly those that were closed."""
        return (self.count, self.vnd, digest_hex(self._digest)) == (closed.count, closed.vnd, closed.digest)


def _count(proofs: Mapping[str, Totals], rows: Sequence[Record], payer: str) -> None:
    """What is decided is what is proved: where nothing of a list has been paid yet, all its lines come by here."""
    for month, totals in proofs.items():
        of_month = rows if len(proofs) == 1 else [row for row in rows if row["period"] == month]
        lines = [(row["entitlement_id"], row["beneficiary_id"], row["declared_vnd"]) for row in of_month]
        totals.add([(line_canonical(line, person, of=(month, payer), vnd=vnd), vnd) for line, person, vnd in lines])


async def _totals_refused(tx: Tx, closed: Payroll) -> Refused | None:
    """All frozen lines of a list, paid ones too, must equal its closing by count, VND and digest before any of them is paid."""
    totals = Totals()
    async with aclosing(store_building.line_canonicals(tx, closed.period, closed.payer)) as pages:
        async for lines in pages:
            totals.add(lines)
    if totals.count < closed.count:
        return Refused(Refusal.LINES_MISSING, closed.count - totals.count)
    return None if totals.are_those_of(closed) else Refused(Refusal.TOTALS_DIFFER)


async def _save(tx: Tx, plan: Plan, drafts: Sequence[Draft], *, payroll: Payroll, day: date, at: datetime) -> None:
    await store.release_held(tx, plan.freed, at)
    await store.hold(tx, plan.held, at)
    await store_building.save_choices(tx, payroll, plan.choices, on_account=plan.on_account, at=at)
    if drafts:
        await store_building.save_drafts(tx, payroll, drafts, day)
        try:
            await store_building.save_payments(tx, drafts)
        except CheckViolationError as refused:
            if refused.constraint_name == ONE_PAYER:
                raise Overtaken from refused
            raise


async def _fund_again(tx: Tx, payroll: Payroll, drafts: Sequence[Draft], at: datetime) -> list[tuple[str, Posting]]:
    """Money that came back of these lines returns to the budgets it came from, once: (its month, posting)."""
    payments = [payment for draft in drafts for payment in draft.payments if payment.attempt > 1]
    again = [share.entitlement_id for payment in payments for share in payment.shares]
    rows = await store.returned_shares(tx, again) if again else []
    postings = [
        (
            str(row["period"]),
            on_paying_again(row["instruction_id"], row["entitlement_id"], programme=row["programme"], vnd=row["vnd"]),
        )
        for row in rows
    ]
    new = await store.post(tx, [(month, payroll.payer, posting) for month, posting in postings], at)
    return [(month, posting) for month, posting in postings if posting.posting_id in new]


def _events(
    plan: Plan, drafts: Sequence[Draft], postings: Sequence[tuple[str, Posting]], *, entries: Entries, actor: Actor
) -> Iterator[OutEvent]:
    for line in plan.held:
        yield entries.held(line)
    for month in sorted({month for month, _posting in postings}):
        yield from entries.posted((posting for of, posting in postings if of == month), month)
    for draft in drafts:
        yield entries.approval(Step.MAKE, (draft.batch_id, draft.vnd, draft.sha256), actor)
        yield from entries.assigned(draft.payments)
