"""The books an auditor opens from what was said on the topics, and nothing else: lines, payments, answers, and where every dong is. Pure.

A line ends in exactly one place: paid, returned (it came back and is not paid again yet), held, in flight. Before that it waits: on a list
that has not left, or not built at all. What is in no place is lost, what is in two is doubled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from shared.events import EntitlementLine, ListClosing, PaymentResult
from shared.facts import Fact
from shared.ids import add_to_digest, derived_id, digest_hex
from shared.words import CancelOutcome, LineStatus, ResultKind

BUDGET, FLIGHT, PAID, RETURNED, BREAKS = "budget:", "in_flight:", "paid", "returned", "breaks:"
CLAIM_OPEN = "recovery:open"
Payroll = tuple[str, str]
"""(period, payer)."""


class Place(StrEnum):
    """Where a line's money is. The last three are no ends: not sent yet, not built yet, lost."""

    PAID = "paid"
    RETURNED = "returned"
    HELD = "held"
    IN_FLIGHT = "in_flight"
    LISTED = "listed"
    NOT_BUILT = "not_built"
    NOWHERE = "nowhere"


ENDS = (Place.PAID, Place.RETURNED, Place.HELD)


@dataclass(slots=True)
class Line:
    """One frozen line, and the payments it was put into with what each pays of it. `held`: VND held now, None when not held."""

    payroll: Payroll
    programme: str
    vnd: int
    held: int | None = None
    shares: dict[UUID, int] = field(default_factory=dict)


@dataclass(slots=True)
class Payment:
    """One payment as its facts tell it. `accounts`: what lies on each account of the ledger because of it."""

    vnd: int = 0
    end_to_end_id: str | None = None
    batch_id: UUID | None = None
    provider: str | None = None
    withdrawn: bool = False
    sent_vnd: int = 0
    accounts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def place(self) -> Place | None:
        """Where its money is; None for a dead payment whose lines are free again."""
        if self.accounts[PAID]:
            return Place.PAID
        if self.accounts[RETURNED]:
            return Place.RETURNED
        if any(vnd for account, vnd in self.accounts.items() if account.startswith(FLIGHT)):
            return Place.IN_FLIGHT
        return None if self.withdrawn or self.sent_vnd else Place.LISTED


@dataclass
class Books:
    """Everything heard so far. `joins`: months that are paid with another payroll. `findings` are what is wrong already while reading; ids,
    words and sums only."""

    lines: dict[UUID, Line] = field(default_factory=dict)
    payments: dict[UUID, Payment] = field(default_factory=lambda: defaultdict(Payment))
    closings: dict[Payroll, ListClosing] = field(default_factory=dict)
    joins: dict[Payroll, Payroll] = field(default_factory=dict)
    closed: set[Payroll] = field(default_factory=set)
    built: set[Payroll] = field(default_factory=set)
    digests: dict[Payroll, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    answers: dict[str, dict[LineStatus, int | None]] = field(default_factory=lambda: defaultdict(dict))
    refused: set[UUID] = field(default_factory=set)
    ended: set[UUID] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    claims: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    heads: list[tuple[str, int, str]] = field(default_factory=list)
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    findings: list[str] = field(default_factory=list)
    _seen: dict[UUID, int] = field(default_factory=dict)
    _payment: UUID | None = None

    def closing(self, closing: ListClosing) -> None:
        """A list was closed with these totals."""
        key = closing.period, closing.payer
        if self.closings.setdefault(key, closing) != closing:
            self.findings.append(f"{_name(key)}: closed twice with different totals")

    def line(self, told: EntitlementLine) -> None:
        """A line was frozen."""
        key = told.period, told.payer
        new = Line(key, told.line.programme, told.declared_vnd)
        old = self.lines.setdefault(told.entitlement_id, new)
        if old is not new:
            if (old.payroll, old.programme, old.vnd) != (new.payroll, new.programme, new.vnd):
                self.findings.append(f"line {told.entitlement_id}: frozen twice with different content")
            return
        total = self.digests[key]
        total[:] = total[0] + 1, total[1] + told.declared_vnd, add_to_digest(total[2], told.canonical())

    def answer(self, answer: PaymentResult) -> None:
        """A provider answered."""
        if answer.kind is ResultKind.BATCH_REFUSED:
            self.refused.add(answer.batch_id)
        if answer.outcome is CancelOutcome.CANCELLED and answer.end_to_end_id:
            self.cancelled.add(answer.end_to_end_id)
        if answer.end_to_end_id and answer.status:
            self.answers[answer.end_to_end_id].setdefault(answer.status, answer.amount_vnd)

    def fact(self, payroll: Payroll, fact: Fact) -> None:
        """One fact of a payroll, in the order in which they were told. A fact told again is no second one."""
        content = hash((fact.fact, fact.subject, fact.batch_id, fact.vnd, fact.debit, fact.credit))
        before = self._seen.get(fact.entry_id)
        self._seen[fact.entry_id] = content
        if before is not None:
            if before != content:
                self.findings.append(f"{_name(payroll)}: entry {fact.entry_id} was told twice with different content")
            return
        payroll = self._own(payroll, fact)
        if fact.fact in ("held", "assigned"):
            self.built.add(payroll)
        read = {
            "held": self._held, "assigned": self._assigned, "posting": self._posted, "withdrawal": self._withdrawn, "break": self._ended,
        }.get(fact.fact)  # fmt: skip
        if read:
            read(payroll, fact)
        elif fact.fact == "closed":
            self.closed.add(payroll)
        elif fact.fact == "recovery":
            self._claimed(payroll, fact)
        elif fact.fact == "statement":
            self._by_file(fact)
        elif fact.fact == "head" and fact.seq and fact.sha256:
            self.heads.append((payroll[1], fact.seq, fact.sha256))

    def is_built(self, month: Payroll) -> bool:
        """Whether anything was decided of a month, or of one that it is paid with."""
        lead = self.joins.get(month, month)
        return lead in self.built or any(of == lead and joined in self.built for joined, of in self.joins.items())

    def _own(self, payroll: Payroll, fact: Fact) -> Payroll:
        """The month a fact is of: the payroll's own, or one that was joined to it before."""
        if fact.month is None:
            return payroll
        month = fact.month, payroll[1]
        if fact.fact == "joined":
            self.joins[month] = payroll
        elif fact.fact == "parted" and self.joins.get(month) == payroll:
            del self.joins[month]
        elif self.joins.get(month) != payroll:
            self.findings.append(f"{_name(payroll)}: entry {fact.entry_id} is of {month[0]}, which is not paid with it")
        return month

    def totals(self) -> Iterable[str]:
        """Closings against the lines frozen for them."""
        for key in sorted(self.closings.keys() | self.digests.keys()):
            count, vnd, digest = self.digests[key]
            closing = self.closings.get(key)
            if closing is None:
                continue  # frozen and not closed yet
            if (count, vnd, digest_hex(digest)) != (closing.count, closing.vnd, closing.digest):
                yield f"{_name(key)}: closed with {closing.count} lines {closing.vnd} VND, frozen are {count} lines {vnd} VND"

    def _held(self, payroll: Payroll, fact: Fact) -> None:
        line = self._line(payroll, fact.subject)
        if line:
            line.held = fact.vnd

    def _assigned(self, payroll: Payroll, fact: Fact) -> None:
        first = self._payment is None or fact.entry_id != derived_id("assigned", self._payment, fact.subject)
        if first:
            self._payment = fact.entry_id
        assert self._payment is not None
        payment = self.payments[self._payment]
        payment.batch_id, payment.end_to_end_id = fact.batch_id, fact.end_to_end_id or payment.end_to_end_id
        payment.vnd += fact.vnd
        line = self._line(payroll, fact.subject)
        if line:
            line.held = None
            line.shares[self._payment] = fact.vnd

    def _posted(self, payroll: Payroll, fact: Fact) -> None:
        if not (fact.debit and fact.credit and fact.vnd):
            self.findings.append(f"{_name(payroll)}: posting {fact.entry_id} moves nothing")
            return
        if fact.subject not in self.payments:
            self.findings.append(f"{_name(payroll)}: posting {fact.entry_id} is about no payment that was told, {fact.subject}")
        payment = self.payments[fact.subject]
        payment.accounts[fact.debit] += fact.vnd
        payment.accounts[fact.credit] -= fact.vnd
        self.balances[fact.debit] += fact.vnd
        self.balances[fact.credit] -= fact.vnd
        if fact.debit.startswith(FLIGHT):
            payment.sent_vnd += fact.vnd
            payment.provider = fact.debit.removeprefix(FLIGHT)

    def _ended(self, payroll: Payroll, fact: Fact) -> None:
        """What did not agree ended: its amount leaves `breaks:`, by name. It moves no line of ours, so it is counted and nothing else."""
        if not (fact.debit and fact.credit and fact.credit.startswith(BREAKS) and fact.actor):
            self.findings.append(
                f"{_name(payroll)}: break {fact.subject} ended by no posting out of {BREAKS} that somebody signed"
            )
            return
        if fact.subject in self.ended:
            self.findings.append(f"{_name(payroll)}: break {fact.subject} ended twice")
        self.ended.add(fact.subject)
        self.balances[fact.debit] += fact.vnd
        self.balances[fact.credit] -= fact.vnd

    def _by_file(self, fact: Fact) -> None:
        """A file of the provider said what could have come over its topic."""
        if fact.reason == ResultKind.BATCH_REFUSED and fact.batch_id:
            self.refused.add(fact.batch_id)
        elif fact.end_to_end_id and fact.reason in set(LineStatus):
            self.answers[fact.end_to_end_id].setdefault(LineStatus(fact.reason), fact.vnd)

    def _claimed(self, payroll: Payroll, fact: Fact) -> None:
        """Money that reached somebody not owed it is claimed, or such a claim ends: never more than the payment, never below nothing."""
        if fact.subject not in self.payments:
            self.findings.append(f"{_name(payroll)}: claim {fact.entry_id} is about no payment that was told, {fact.subject}")
        self.claims[fact.subject] += fact.vnd if fact.debit == CLAIM_OPEN else -fact.vnd
        if not 0 <= self.claims[fact.subject] <= self.payments[fact.subject].vnd:
            self.findings.append(f"{_name(payroll)}: {self.claims[fact.subject]} VND are claimed back of payment {fact.subject}")

    def _withdrawn(self, payroll: Payroll, fact: Fact) -> None:
        if fact.subject not in self.payments:
            self.findings.append(
                f"{_name(payroll)}: withdrawal {fact.entry_id} is about no payment that was told, {fact.subject}"
            )
        self.payments[fact.subject].withdrawn = True

    def _line(self, payroll: Payroll, identity: UUID) -> Line | None:
        line = self.lines.get(identity)
        if line is None or line.payroll != payroll:
            self.findings.append(f"{_name(payroll)}: line {identity} was never frozen for this list")
            return None
        return line


def _name(payroll: Payroll) -> str:
    return " ".join(payroll)
