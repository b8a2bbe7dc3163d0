"""The messages payout publishes about its own decisions: states of payments, and the facts that auditors add up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypedDict
from uuid import UUID

from services.payout.batch import Payment, Step
from services.payout.ledger import Posting
from services.payout.store import Row
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

    def held(self, entitlement_id: UUID, reason: str, vnd: int) -> OutEvent:
        """A line is held from now on."""
        return self._out(Entry(entry_id=random_id(), fact="held", subject=entitlement_id, reason=reason, vnd=vnd, **self._common))

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

    def closed(self, actor: Actor, carried_vnd: int) -> OutEvent:
        """Nothing moves in this payroll any more; `carried_vnd` is owed with a later list."""
        identity = derived_id("closed", self.period, self.payer)
        return self._out(
            Entry(entry_id=identity, fact="closed", subject=identity, vnd=carried_vnd, actor=actor.id, **self._common)
        )

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

    def _out(self, entry: Entry | EntryBook) -> OutEvent:
        return OutEvent(entry.TOPIC, self._key, entry)


def assigned(payments: Iterable[Payment]) -> Iterator[Facts]:
    """Lines go into the payments of a draft. The first line's fact has the payment's own id, and the id its provider will answer by."""
    for payment in payments:
        first, *more = payment.shares
        yield {
            "entry_id": payment.instruction_id, "fact": "assigned", "subject": first.entitlement_id, "batch_id": payment.batch_id,
            "vnd": first.vnd, "end_to_end_id": payment.end_to_end_id,
        }  # fmt: skip
        for share in more:
            identity = derived_id("assigned", payment.instruction_id, share.entitlement_id)
            yield {
                "entry_id": identity, "fact": "assigned", "subject": share.entitlement_id, "batch_id": payment.batch_id,
                "vnd": share.vnd,
            }  # fmt: skip


def posted(postings: Iterable[Posting]) -> Iterator[Facts]:
    """Amounts moved."""
    for posting in postings:
        yield {
            "entry_id": posting.posting_id, "fact": "posting", "subject": posting.instruction_id, "vnd": posting.vnd,
            "debit": posting.debit, "credit": posting.credit,
        }  # fmt: skip


def by_file(answers: Iterable[PaymentResult], sha256: str) -> Iterator[Facts]:
    """What the file with this hash proved, as if its provider had said it over its topic."""
    for answer in answers:
        yield {
            "entry_id": answer.result_id, "fact": "statement", "subject": answer.batch_id, "batch_id": answer.batch_id,
            "vnd": answer.amount_vnd or 0, "reason": answer.status or answer.kind, "sha256": sha256,
            "end_to_end_id": answer.end_to_end_id,
        }  # fmt: skip


def carried(lines: Iterable[tuple[UUID, int]]) -> Iterator[Facts]:
    """What came back of these lines is owed with a later list."""
    for line, vnd in lines:
        yield {"entry_id": derived_id("carried", line), "fact": "carried", "subject": line, "vnd": vnd}


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
        periods=(period,),
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
        periods=(period,),
        payer=payer,
        attempt=row["attempt"],
        vnd=row["vnd"],
        reason=row["reason"],
    )
    return OutEvent(state.TOPIC, str(row["beneficiary_id"]), state)
