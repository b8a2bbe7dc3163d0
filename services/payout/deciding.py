"""How each open line of a list ends: in an order to a provider, or held with a reason. Pure: rows in, a plan out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from services.payout import store
from services.payout.against import NOTHING, Beside, Limits, first, given_once, reasons, to_the_family
from services.payout.batch import OpenLine, Order
from services.payout.channel import Choice, Terms, choose, too_little, verified
from services.payout.contracts import Contracts
from services.payout.rules import Rules
from services.payout.store import HeldLine, Row
from shared.topics import Provider
from shared.words import Channel, HeldReason, InstructionState


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


def decide(
    rows: Sequence[Row],
    period: str,
    rules: Rules,
    *,
    tolerance_vnd: int,
    contracts: Contracts,
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


def _of_month(rows: Sequence[Row], asked: _Asked, limits: Limits, *, beside: Beside) -> Found:
    """The lines of one person and month."""
    choice, known = _choice(rows[0], asked)
    against = reasons(rows, asked.period, limits, beside=beside)
    if choice.held is None:
        return choice, known, against
    way = _way_after_death(rows, choice, asked) if choice.held is HeldReason.DEAD else _Way(choice)
    held = (HeldReason.DEAD if row["entitlement_id"] in way.ended else way.choice.held for row in rows)
    return way.choice, known, [first(*both) for both in zip(held, against, strict=True)]


def _month_by_month(rows: Sequence[Row], asked: _Asked, limits: Limits, *, beside: Mapping[str, Beside]) -> Found:
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
    rows: Sequence[Row], asked: _Asked, *, choice: Choice, against: Sequence[HeldReason | None]
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


def _way_after_death(rows: Sequence[Row], choice: Choice, asked: _Asked) -> _Way:
    ended = frozenset(row["entitlement_id"] for row in rows if not to_the_family(row, asked.period))
    if len(ended) == len(rows):
        return _Way(choice)
    return _Way(_choice(rows[0], asked._replace(terms=asked.terms._replace(to_the_family=True)))[0], ended)


def _decide_person(
    plan: Plan, beneficiary_id: UUID, rows: list[Row], *, choice: Choice, against: Sequence[HeldReason | None], several: bool
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


def _choice(row: Row, asked: _Asked) -> tuple[Choice, bool]:
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
