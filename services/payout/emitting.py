"""The messages payout publishes about its own decisions: states of payments, and the facts that auditors add up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypedDict
from uuid import UUID

from services.payout.batch import Payment, Step
from services.payout.ledger import Posting
from services.payout.store import HeldLine, Row
from shared.actors import Actor
from shared.events import AuditRecord, Entry, EntryBook, PaymentResult, PaymentState
from shared.ids import derived_id, random_id
from shared.outbox import OutEvent
from shared.topics import Provider
from shared.words import Channel, InstructionState

_PROVIDERS = {str(provider): provider for provider in Provider}
_CHANNELS = {str(channel): channel for channel in Channel}
FACTS_MAX = 500
"""So many facts travel in one message: about 100 kB."""


Facts = dict[str, Any]
"""The fields of one `shared.facts.Fact`."""
_OWN: Facts = {}
"""What is said of a payroll's own month."""


class Common(TypedDict):
    """What all entries made together share."""

    period: str
    payer: str
    at: datetime


class Entries:
    """Makes entries of one payroll at one moment."""

    def __init__(self, period: str, payer: str, at: datetime) -> None:
        """All entries share key and time."""
        self.period, self.payer, self.at = period, payer, at
        self._common: Common = {"period": period, "payer": payer, "at": at}
        self._key = f"{period}:{payer}"

    def held(self, line: HeldLine) -> OutEvent:
        """A line is held from now on."""
        named = {"subject": line.entitlement_id, "reason": line.reason, "vnd": line.vnd, **self._of(line.month)}
        return self._out(Entry(entry_id=random_id(), fact="held", **named, **self._common))

    def joined(self, month: str, actor: Actor, parted: int = 0) -> OutEvent:
        """A further month is paid with this payroll. `parted`: how often it was parted from one before."""
        identity = derived_id("joined", month, self.payer, *([parted] if parted else []))
        return self._out(Entry(entry_id=identity, fact="joined", subject=identity, month=month, actor=actor.id, **self._common))

    def parted(self, month: str, actor: Actor, parted: int) -> OutEvent:
        """That a month is paid with this payroll was taken back; `parted`: how often it was before."""
        identity = derived_id("parted", month, self.payer, parted)
        return self._out(Entry(entry_id=identity, fact="parted", subject=identity, month=month, actor=actor.id, **self._common))

    def approval(self, step: Step, batch: tuple[UUID, int, str], actor: Actor) -> OutEvent:
        """A person signed a list: (batch_id, VND, hash)."""
        batch_id, vnd, sha256 = batch
        return self._out(
            Entry(
                entry_id=derived_id("approval", batch_id, step), fact="approval", subject=batch_id, batch_id=batch_id, vnd=vnd,
                reason=step, actor=actor.id, sha256=sha256, **self._common,
            )
        )  # fmt: skip

    def withdrawal(self, instruction: Row, actor: str, sha256: str) -> OutEvent:
        """A payment was taken off its list by two signatures; `actor` gave the second."""
        return self._out(
            Entry(
                entry_id=derived_id("withdrawal", instruction["instruction_id"]), fact="withdrawal",
                subject=instruction["instruction_id"], batch_id=instruction["batch_id"], vnd=instruction["vnd"],
                reason=instruction["reason"], actor=actor, sha256=sha256, **self._common,
            )
        )  # fmt: skip

    def cancel(self, payment: Row, state: str, *, actor: str, sha256: str) -> OutEvent:
        """Two people asked for a sent payment to be cancelled; `actor` gave the second signature, `state` says whether it was asked."""
        return self._out(
            Entry(
                entry_id=derived_id("cancel", payment["instruction_id"]), fact="cancel", subject=payment["instruction_id"],
                batch_id=payment["batch_id"], vnd=payment["vnd"], reason=state, actor=actor, sha256=sha256,
                end_to_end_id=payment["end_to_end_id"], **self._common,
            )
        )  # fmt: skip

    def recovery(
        self, posting_id: UUID, payment: UUID, vnd: int, *, accounts: tuple[str, str], reason: str, actor: str | None = None
    ) -> OutEvent:
        """Money is to be given back, or a claim ended: the posting says which, (debit, credit)."""
        debit, credit = accounts
        return self._out(
            Entry(
                entry_id=posting_id, fact="recovery", subject=payment, vnd=vnd, debit=debit, credit=credit, reason=reason, actor=actor,
                **self._common,
            )
        )  # fmt: skip

    def head(self, seq: int, sha256: str, posting_id: UUID) -> OutEvent:
        """The end of the payer's ledger chain: told outside, it can no longer be made anew unseen."""
        identity = derived_id("head", self.payer, seq, sha256)
        return self._out(Entry(entry_id=identity, fact="head", subject=posting_id, seq=seq, sha256=sha256, **self._common))

    def budget(self, programme: str, vnd: int, *, actor: Actor, sha256: str) -> OutEvent:
        """A programme's budget is in force; `actor` gave the second signature."""
        identity, sheet = derived_id("budget", sha256, programme), derived_id("budget_sheet", sha256)
        named = {"reason": programme, "actor": actor.id, "sha256": sha256}
        return self._out(Entry(entry_id=identity, fact="budget", subject=sheet, vnd=vnd, **named, **self._common))  # type: ignore[arg-type]

    def closed(self, month: str, actor: Actor, carried_vnd: int) -> OutEvent:
        """Nothing moves in a month of this payroll any more; `carried_vnd` is owed with a later list."""
        identity = derived_id("closed", month, self.payer)
        named = {"subject": identity, "vnd": carried_vnd, "actor": actor.id, **self._of(month)}
        return self._out(Entry(entry_id=identity, fact="closed", **named, **self._common))

    def ended(self, item: Row, posting_id: UUID, actor: Actor, *, debit: str, credit: str) -> OutEvent:
        """A break ended by its posting; `actor` gave the second signature."""
        return self._out(
            Entry(
                entry_id=posting_id, fact="break", subject=item["break_id"], batch_id=item["batch_id"], vnd=item["vnd"], debit=debit,
                credit=credit, reason=item["type"], actor=actor.id, **self._common,
            )
        )  # fmt: skip

    def books(self, facts: Iterable[Facts]) -> Iterator[OutEvent]:
        """Facts of many payments, many to a message, in their order. A book is checked as a whole, which is cheaper than fact by fact."""
        rest = iter(facts)
        while page := tuple(islice(rest, FACTS_MAX)):
            yield self._out(EntryBook.model_validate({"facts": page, **self._common}))

    def assigned(self, payments: Iterable[Payment]) -> Iterator[OutEvent]:
        """Lines go into the payments of a draft. The first line's fact has the payment's own id, and the id its provider will answer by."""
        return self.books(self._assigned(payments))

    def _assigned(self, payments: Iterable[Payment]) -> Iterator[Facts]:
        for payment in payments:
            first, *more = payment.shares
            fact: Facts = {
                "entry_id": payment.instruction_id, "fact": "assigned", "subject": first.entitlement_id, "batch_id": payment.batch_id,
                "vnd": first.vnd, "end_to_end_id": payment.end_to_end_id,
            }  # fmt: skip
            yield fact | self._of(first.month) if first.month else fact
            for share in more:
                identity = derived_id("assigned", payment.instruction_id, share.entitlement_id)
                fact = {
                    "entry_id": identity, "fact": "assigned", "subject": share.entitlement_id, "batch_id": payment.batch_id,
                    "vnd": share.vnd,
                }  # fmt: skip
                yield fact | self._of(share.month) if share.month else fact

    def posted(self, postings: Iterable[Posting], month: str | None = None) -> Iterator[OutEvent]:
        """Amounts of one month moved; the payroll's own when none is said."""
        return self.books(self._posted(postings, self._of(month)))

    @staticmethod
    def _posted(postings: Iterable[Posting], of: Facts) -> Iterator[Facts]:
        for posting in postings:
            yield {
                "entry_id": posting.posting_id, "fact": "posting", "subject": posting.instruction_id, "vnd": posting.vnd,
                "debit": posting.debit, "credit": posting.credit, **of,
            }  # fmt: skip

    def carried(self, lines: Iterable[Row]) -> Iterator[OutEvent]:
        """What came back of these lines is owed with a later list."""
        return self.books(self._carried(lines))

    def _carried(self, lines: Iterable[Row]) -> Iterator[Facts]:
        for row in lines:
            identity = derived_id("carried", row["entitlement_id"])
            yield {
                "entry_id": identity, "fact": "carried", "subject": row["entitlement_id"], "vnd": row["vnd"], **self._of(row["period"]),
            }  # fmt: skip

    def _of(self, month: str | None) -> Facts:
        """What is said of a month: nothing where it is the payroll's own."""
        return _OWN if month in (None, self.period) else {"month": month}

    def _out(self, entry: Entry | EntryBook) -> OutEvent:
        return OutEvent(entry.TOPIC, self._key, entry)


def paged(events: Iterable[OutEvent], facts: int = 4 * FACTS_MAX) -> Iterator[list[OutEvent]]:
    """Messages in their order, about so many facts at once: those of a whole list would weigh more than the list itself."""
    page, weight = list[OutEvent](), 0
    for event in events:
        page.append(event)
        weight += len(event.message.facts) if isinstance(event.message, EntryBook) else 1
        if weight >= facts:
            yield page
            page, weight = [], 0
    if page:
        yield page


def by_file(answers: Iterable[PaymentResult], sha256: str) -> Iterator[Facts]:
    """What the file with this hash proved, as if its provider had said it over its topic."""
    for answer in answers:
        yield {
            "entry_id": answer.result_id, "fact": "statement", "subject": answer.batch_id, "batch_id": answer.batch_id,
            "vnd": answer.amount_vnd or 0, "reason": answer.status or answer.kind, "sha256": sha256,
            "end_to_end_id": answer.end_to_end_id,
        }  # fmt: skip


def audited(actor: Actor, act: str, entries: Entries) -> OutEvent:
    """An actor acted on a payroll."""
    record = AuditRecord(actor=actor.id, act=act, subject=f"payroll:{entries.period}:{entries.payer}", at=entries.at)
    return OutEvent(record.TOPIC, actor.id, record)


def sending(row: Row, period: str, payer: str) -> OutEvent:
    """A payment leaves: the first that the world hears of it. What is only on a draft is told to nobody."""
    state = PaymentState(
        beneficiary_id=row["beneficiary_id"],
        instruction_id=row["instruction_id"],
        state_seq=SENDING_SEQ,
        state=InstructionState.SENDING,
        provider=_PROVIDERS[row["provider"]],
        channel=_CHANNELS[row["channel"]],
        periods=tuple(row["periods"]) if row["periods"] else (period,),
        payer=payer,
        attempt=row["attempt"],
        vnd=row["vnd"],
    )
    return OutEvent(state.TOPIC, str(row["beneficiary_id"]), state)


SENDING_SEQ = 3
"""Created, sealed, sending: a payment leaves with its third state."""


def moved(rows: Sequence[Any], period: str, payer: str) -> list[OutEvent]:
    """The new states of payments that moved."""
    return [_moved(row, period, payer) for row in rows]


def _moved(row: Row, period: str, payer: str) -> OutEvent:
    state = PaymentState(
        beneficiary_id=row["beneficiary_id"],
        instruction_id=row["instruction_id"],
        state_seq=row["state_seq"],
        state=InstructionState(row["state"]),
        provider=_PROVIDERS[row["provider"]],
        channel=_CHANNELS[row["channel"]],
        periods=tuple(row["periods"]) if row["periods"] else (period,),
        payer=payer,
        attempt=row["attempt"],
        vnd=row["vnd"],
        reason=row["reason"],
    )
    return OutEvent(state.TOPIC, str(row["beneficiary_id"]), state)
