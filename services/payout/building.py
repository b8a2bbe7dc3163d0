"""The build command: every frozen line that is not paid yet goes into a draft or is held with a reason. Nothing is left over.

Lines are read and decided some thousand at a time, before anything is written: what is kept in between is the payments themselves,
and the transaction takes an id, which holds back every relay, only when the writing begins.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from asyncpg import CheckViolationError, Record

from services.payout import store, store_beside, store_building
from services.payout.against import NOTHING, Beside, Limits, first, given_once, reasons, to_the_family
from services.payout.batch import Draft, OpenLine, Order, Payment, Step, pay
from services.payout.channel import Choice, Terms, choose, too_little, verified
from services.payout.contracts import SHIPPED, ContractMissing, Contracts, read_contracts
from services.payout.emitting import Entries, paged
from services.payout.ledger import Posting, on_paying_again
from services.payout.provider_rules import least_vnd, most_vnd
from services.payout.refusals import Refusal, Refused
from services.payout.rules import Rules
from services.payout.settings import Settings
from services.payout.store import HeldLine, Payroll
from shared.actors import Actor
from shared.clock import LOCAL
from shared.database import Tx
from shared.ids import derived_id, digest_hex, sum_of_digests
from shared.outbox import OutEvent, put_events
from shared.topics import Provider
from shared.vault import Vault
from shared.words import Channel, HeldReason, InstructionState

T = TypeVar("T")
TRIES = 3
ONE_PAYER = "benefit_of_one_payer"
"""What the database calls its refusal to pay a benefit twice."""


@dataclass
class Plan:
    """What a build decided for some lines. `freed` lines were held and are not any more; a line held for the same reason as before is
    in neither list. `choices`: account holders who are not paid on the account; `on_account`: those who are now and were not before.
    `unverified`: how many people verification has not spoken about as they are now."""

    orders: dict[Provider, list[Order]] = field(default_factory=lambda: defaultdict(list))
    held: list[HeldLine] = field(default_factory=list)
    freed: list[UUID] = field(default_factory=list)
    choices: dict[UUID, Choice] = field(default_factory=dict)
    on_account: list[UUID] = field(default_factory=list)
    considered: int = 0
    unverified: int = 0


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
            try:
                decided = await self._decided(tx, payroll, at)
            except ContractMissing as nobody:
                return Refused(Refusal.CONTRACT_MISSING, about=nobody.where)
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
        """Only reads, and waits for nobody: whoever has the turn gives it on."""
        settings = self._settings
        for closed in payroll.lists:
            if refusal := await _totals_refused(tx, closed):
                return refusal
        day = execution_date(settings, payroll.period)
        late = at.astimezone(LOCAL).date() >= day - timedelta(days=settings.verification_days)
        made, contracts = Maker(payroll, settings, self._vault.end_to_end_key()), read_contracts(settings.contracts_file)
        beside = {
            month: await store_beside.beside(tx, month, payroll, self._vault, misses_max=settings.misses_max)
            for month in payroll.periods
        }
        missing = 0
        async with aclosing(store_building.undecided_lines(tx, payroll)) as pages:
            async for rows in pages:
                plan = decide(
                    rows,
                    payroll.period,
                    self.rules,
                    tolerance_vnd=settings.tolerance_vnd,
                    contracts=contracts,
                    beside=beside,
                    day=day,
                )
                missing += 0 if late else plan.unverified
                if not missing:
                    made.add(plan)
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


async def _totals_refused(tx: Tx, payroll: Payroll) -> Refused | None:
    """The frozen lines must equal the closing by count, VND and digest before any of them is paid."""
    count = vnd = digest = 0
    async with aclosing(store_building.line_canonicals(tx, payroll.period, payroll.payer)) as pages:
        async for lines in pages:
            count += len(lines)
            vnd += sum(amount for _canonical, amount in lines)
            digest = sum_of_digests(digest, (canonical.encode() for canonical, _amount in lines))
    if count < payroll.count:
        return Refused(Refusal.LINES_MISSING, payroll.count - count)
    same = (count, vnd, digest_hex(digest)) == (payroll.count, payroll.vnd, payroll.digest)
    return None if same else Refused(Refusal.TOTALS_DIFFER)


def decide(
    rows: Sequence[Record],
    period: str,
    rules: Rules,
    *,
    tolerance_vnd: int,
    contracts: Contracts = SHIPPED,
    beside: Mapping[str, Beside] | None = None,
    day: date | None = None,
) -> Plan:
    """Each open line ends in exactly one of: an order to a provider, held with a reason. Rows come sorted by person, of a payroll over
    several months also by month. `beside`: what is known beside the lines of each of its months; `period`: the one that names it;
    `day`: on which providers pay."""
    limits, known_beside = (rules, tolerance_vnd), beside or {period: NOTHING}
    plan, terms = Plan(), Terms(rules.policy.month_of_move, period, on=day)
    gives_way = dict(chain.from_iterable(month.gives_way.items() for month in known_beside.values()))
    for beneficiary_id, lines in groupby(rows, key=itemgetter("beneficiary_id")):
        whose = list(lines)
        failed = next((row["failed"] for row in whose if row["failed"]), None)
        asked = _Asked(period, failed, whose[0]["area"] if contracts.by_area else "", contracts, terms)
        if len(known_beside) == 1:
            choice, known, against = _of_month(whose, asked, limits, beside=known_beside[period])
        else:
            choice, known, against = _month_by_month(whose, asked, limits, beside=known_beside)
        against = given_once(whose, against, gives_way) if gives_way else against
        choice, against = _not_too_little(whose, asked, choice=choice, against=against)
        plan.unverified += not known
        _decide_person(plan, beneficiary_id, whose, choice=choice, against=against, several=len(known_beside) > 1)
    return plan


Found = tuple[Choice, bool, Sequence[HeldReason | None]]
"""How somebody is paid; whether verification has spoken about them as they are now; line by line why not, if so."""


def _of_month(rows: Sequence[Record], asked: _Asked, limits: Limits, *, beside: Beside) -> Found:
    """The lines of one person and month."""
    choice, known = _choice(rows[0], asked)
    against = reasons(rows, asked.period, limits, beside=beside)
    if choice.held is None:
        return choice, known, against
    way = _way_after_death(rows, choice, asked) if choice.held is HeldReason.DEAD else _Way(choice)
    held = (HeldReason.DEAD if row["entitlement_id"] in way.ended else way.choice.held for row in rows)
    return way.choice, known, [first(*both) for both in zip(held, against, strict=True)]


def _month_by_month(rows: Sequence[Record], asked: _Asked, limits: Limits, *, beside: Mapping[str, Beside]) -> Found:
    """Every line is judged by its own month; a person is paid one way, as of the month that is paid in. What is given once, a gift or money
    on a death, and stands on the lists of two months is given with the earlier."""
    choices, known, against = list[Choice](), True, list[HeldReason | None]()
    given = set[str]()
    for month, lines in groupby(rows, key=itemgetter("period")):
        of_month = list(lines)
        choice, known, found = _of_month(of_month, asked._replace(period=month), limits, beside=beside[month])
        choices.append(choice)
        for row, reason in zip(of_month, found, strict=True):
            twice = reason is None and row["gift"] in given
            against.append(HeldReason.PAID_ELSEWHERE if twice else reason)
            given |= {row["gift"]} if row["gift"] and reason is None else set()
    return next((choice for choice in choices if choice.held is None), choices[0]), known, against


def _not_too_little(
    rows: Sequence[Record], asked: _Asked, *, choice: Choice, against: Sequence[HeldReason | None]
) -> tuple[Choice, Sequence[HeldReason | None]]:
    """Whose account would get less than its provider takes as one payment is paid as if it could not be used."""
    payable = [row for row, reason in zip(rows, against, strict=True) if reason is None]
    if not payable or not too_little(choice, sum(row["open_vnd"] for row in payable)):
        return choice, against
    terms = asked.terms._replace(too_little=True)
    other, _known = _choice(payable[0], asked._replace(period=payable[0]["period"], terms=terms))
    return other, [first(reason, other.held) for reason in against]


class _Way(NamedTuple):
    """How a person is paid; `ended`: lines of somebody dead that are not, though others of theirs are owed to the family."""

    choice: Choice
    ended: frozenset[UUID] = frozenset()


def _way_after_death(rows: Sequence[Record], choice: Choice, asked: _Asked) -> _Way:
    ended = frozenset(row["entitlement_id"] for row in rows if not to_the_family(row, asked.period))
    if len(ended) == len(rows):
        return _Way(choice)
    return _Way(_choice(rows[0], asked._replace(terms=asked.terms._replace(to_the_family=True)))[0], ended)


def _decide_person(
    plan: Plan, beneficiary_id: UUID, rows: list[Record], *, choice: Choice, against: Sequence[HeldReason | None], several: bool
) -> None:
    person = rows[0]
    plan.considered += len(rows)
    payable = []
    for row, reason in zip(rows, against, strict=True):
        month = row["period"] if several else None
        if reason is None:
            payable.append(
                OpenLine(row["entitlement_id"], row["open_vnd"], row["programme"], row["pieces"], row["attempts"], month)
            )
        if row["held"] and row["held"] != reason:
            plan.freed.append(row["entitlement_id"])
        if reason and row["held"] != reason:
            plan.held.append(HeldLine(row["entitlement_id"], reason, row["open_vnd"], month))
    if choice.channel is Channel.ACCOUNT:
        plan.on_account += [beneficiary_id] if any(row["held"] or row["attempts"] for row in rows) else []
    elif person["account_digest"] is not None and person["life"] is not None:
        plan.choices[beneficiary_id] = choice
    if payable:
        assert choice.provider is not None
        assert choice.channel is not None
        digest = person["account_digest"] if choice.channel is Channel.ACCOUNT else None
        plan.orders[choice.provider].append(Order(beneficiary_id, choice.channel, person["area"], digest, tuple(payable)))


class _Asked(NamedTuple):
    """For what a choice is asked. `failed`: how the last account payment died; `area`: where contracts differ by it, else empty."""

    period: str
    failed: str | None
    area: str
    contracts: Contracts
    terms: Terms


_STANDING = (
    "life", "merged", "died_on", "moved_out_on", "wish", "home_delivery", "can_be_delivered", "bank_bin", "paper_scope",
    "paper_from", "paper_until", "bulk_unused", "outcome", "judged_died_on", "account",
)  # fmt: skip
_standing = itemgetter(*_STANDING)


def _choice(row: Record, asked: _Asked) -> tuple[Choice, bool]:
    """How this person is paid, and whether verification has spoken about them as they are now."""
    same_identity, same_account = row["judged_identity"] == row["identity_digest"], row["judged_account"] == row["account_digest"]
    return _choice_alike(_standing(row), (row["account_digest"] is None, same_identity, same_account), asked)


@lru_cache(maxsize=16_384)
def _choice_alike(standing: tuple[Any, ...], digests: tuple[bool, bool, bool], asked: _Asked) -> tuple[Choice, bool]:
    """People are many and the ways they can stand are few: a digest matters only by whether it is the one that was judged."""
    no_account, same_identity, same_account = digests
    row = dict(zip(_STANDING, standing, strict=True))
    row |= {"identity_digest": "known", "judged_identity": "known" if same_identity else "another"}
    row["account_digest"] = None if no_account else "known"
    row["judged_account"] = row["account_digest"] if same_account else "another"
    snapshot, verdict = store.snapshot_of(row), store.verdict_of(row)
    failed = InstructionState(asked.failed) if asked.failed else None
    choice = choose(
        snapshot, verdict, period=asked.period, failed=failed, area=asked.area, contracts=asked.contracts, terms=asked.terms
    )
    return choice, verified(snapshot, verdict)


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
