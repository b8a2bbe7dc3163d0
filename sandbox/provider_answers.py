"""What a sandbox provider says about a batch, when, and what must be on record before it says so. Pure.

Bodies and headers follow the public contract docs/events/vn.ansinh.payment.result.v1.json. The same answer always has the same id,
moment and bytes, so saying it again after a restart is a replay. `batch_received` counts the lines taken and their sum,
`batch_complete` the lines paid and the money that left, also where the answer for a line is late or lost.
"""

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, timezone
from uuid import UUID, uuid5

from sandbox.provider_desk import Order, Recall, Refused
from sandbox.provider_mix import Decision, Fate, Mix
from sandbox.truth import LineFact, Reply, Status

LOCAL = timezone(timedelta(hours=7))
OPENS = time(8, 0, tzinfo=LOCAL)
TYPE = "vn.ansinh.payment.result.v1"
_NAMESPACE = UUID("0f0c8a52-7d0e-5f5e-9d36-5b6a3f1f6c11")
_PAID_AFTER, _COMPLETE_AFTER, _LATER = timedelta(hours=1), timedelta(hours=8), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """One record for the result topic."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Stage:
    """Facts to put on record, then answers to send, some seconds after the stage before."""

    after_seconds: float
    facts: list[LineFact]
    answers: list[Answer]


@dataclass(slots=True)
class Owed:
    """One batch and the stages of it that are still to come.

    `due` is a moment of the monotonic clock, `reached` counts the stages that are over.
    """

    order: Order
    decisions: Sequence[Decision]
    stages: deque[Stage]
    due: float
    reached: int = 0


class Voice:
    """One provider's way of speaking."""

    def __init__(self, provider: str) -> None:
        """`provider` as the contract spells it."""
        self._provider = provider

    def refusal(self, refused: Refused) -> Answer:
        """The whole batch is refused."""
        return self._batch(refused.batch_id, "batch_refused", at=refused.received_at, fields={"reason": refused.reason})

    def stages(self, order: Order, decisions: Sequence[Decision], mix: Mix) -> list[Stage]:
        """Receipt and rejections at once; payments and completion; what comes late."""
        opened = max(order.received_at, datetime.combine(order.execution_date, OPENS))
        return [
            Stage(0.0, *self._at_once(order, decisions, opened)),
            Stage(mix.pay_after_seconds, *self._on_pay_day(order, decisions, opened)),
            Stage(mix.late_after_seconds, *self._afterwards(order, decisions, opened + _LATER)),
        ]

    def statement(self, facts: Iterable[LineFact]) -> list[Answer]:
        """Everything that really happened, said again on the basis of the statement: resolves what stayed unknown."""
        return [self._proven(fact) for fact in facts]

    def cancel(self, recall: Recall, end_to_end_id: str, outcome: str) -> Answer:
        """What becomes of one line that the customer wishes cancelled."""
        name = f"{recall.cancel_id}:{end_to_end_id}:{outcome}"
        fields = {"end_to_end_id": end_to_end_id, "outcome": outcome, "basis": "answer"}
        return self._answer(recall.batch_id, "cancel", name=name, at=recall.at, fields=fields)

    def without(self, owed: Owed, ids: Sequence[str], mix: Mix) -> list[LineFact]:
        """Take lines out of what is still to come of a batch; returns the facts of that, to be put on record first."""
        gone = set(ids)
        owed.decisions = [
            replace(one, fate=Fate.CANCELLED, reason=None, reply=Reply.ONCE) if one.line.end_to_end_id in gone else one
            for one in owed.decisions
        ]
        owed.stages = deque(self.stages(owed.order, owed.decisions, mix)[owed.reached :])
        return [one for one in self._cancelled(owed) if one.end_to_end_id in gone]

    def _cancelled(self, owed: Owed) -> list[LineFact]:
        at = owed.order.received_at
        gone = [one for one in owed.decisions if one.fate is Fate.CANCELLED]
        return [self._fact(owed.order, one, status=Status.CANCELLED, at=at) for one in gone]

    def _proven(self, fact: LineFact) -> Answer:
        if fact.status is not Status.CANCELLED:
            return self._line(fact, fact.status, basis="statement")
        fields = {"end_to_end_id": fact.end_to_end_id, "outcome": "cancelled", "basis": "statement"}
        return self._answer(
            fact.batch_id, "cancel", name=f"{fact.batch_id}:{fact.end_to_end_id}:cancelled:statement", at=fact.at, fields=fields
        )

    def _at_once(self, order: Order, decisions: Sequence[Decision], at: datetime) -> tuple[list[LineFact], list[Answer]]:
        totals = {"count": len(order.lines), "vnd": sum(line.amount_vnd for line in order.lines)}
        rejected = [
            self._fact(order, decision, status=Status.REJECTED, at=at) for decision in decisions if decision.fate is Fate.REJECTED
        ]
        answers = [self._batch(order.batch_id, "batch_received", at=order.received_at, fields=totals)]
        answers += [self._line(fact, Status.REJECTED) for fact in rejected]
        for decision in decisions:
            if decision.fate not in (Fate.REJECTED, Fate.CANCELLED) and decision.reply is not Reply.LOST:
                answers.append(self._line(self._fact(order, decision, status=Status.PAID, at=at), "accepted"))
        return rejected, answers

    def _on_pay_day(self, order: Order, decisions: Sequence[Decision], opened: datetime) -> tuple[list[LineFact], list[Answer]]:
        paid = _paid(decisions)
        facts = [self._fact(order, decision, status=Status.PAID, at=opened + _PAID_AFTER) for decision in paid]
        expired = [decision for decision in decisions if decision.fate is Fate.EXPIRED]
        facts += [self._fact(order, decision, status=Status.RETURNED, at=opened + _COMPLETE_AFTER) for decision in expired]
        answers = [self._line(fact, fact.status) for fact in facts if fact.answer in (Reply.ONCE, Reply.TWICE)]
        answers += [self._line(fact, fact.status, nth=2) for fact in facts if fact.answer is Reply.TWICE]
        totals = {"count": len(paid), "vnd": sum(decision.amount_vnd for decision in paid)}
        answers.append(self._batch(order.batch_id, "batch_complete", at=opened + _COMPLETE_AFTER, fields=totals))
        return facts, answers

    def _afterwards(self, order: Order, decisions: Sequence[Decision], at: datetime) -> tuple[list[LineFact], list[Answer]]:
        paid = _paid(decisions)
        late = [self._fact(order, decision, status=Status.PAID, at=at) for decision in paid if decision.reply is Reply.LATE]
        returned = [
            self._fact(order, decision, status=Status.RETURNED, at=at) for decision in paid if decision.fate is Fate.RETURNED
        ]
        return returned, [self._line(fact, fact.status) for fact in (*late, *returned)]

    def _fact(self, order: Order, decision: Decision, *, status: Status, at: datetime) -> LineFact:
        return LineFact(
            provider=self._provider,
            batch_id=order.batch_id,
            index=decision.line.index,
            end_to_end_id=decision.line.end_to_end_id,
            amount_vnd=decision.amount_vnd,
            status=status,
            reason=None if status in (Status.PAID, Status.CANCELLED) else decision.reason,
            answer=decision.reply,
            at=at,
        )

    def _line(self, fact: LineFact, status: str, *, basis: str = "answer", nth: int = 1) -> Answer:
        body: dict[str, object] = {"end_to_end_id": fact.end_to_end_id, "status": status, "amount_vnd": fact.amount_vnd}
        if fact.reason is not None:
            body["reason"] = fact.reason
        name = f"{fact.batch_id}:{fact.end_to_end_id}:{status}:{basis}:{nth}"
        return self._answer(fact.batch_id, "line", name=name, at=fact.at, fields={**body, "basis": basis})

    def _batch(self, batch_id: str, kind: str, *, at: datetime, fields: Mapping[str, object]) -> Answer:
        return self._answer(batch_id, kind, name=f"{batch_id}:{kind}", at=at, fields=fields)

    def _answer(self, batch_id: str, kind: str, *, name: str, at: datetime, fields: Mapping[str, object]) -> Answer:
        result_id = uuid5(_NAMESPACE, f"{self._provider}:{name}")
        moment = at.isoformat()
        body = {"result_id": str(result_id), "provider": self._provider, "batch_id": batch_id, "kind": kind, **fields}
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(result_id),
            "ce_source": f"sandbox/{self._provider}",
            "ce_type": TYPE,
            "ce_time": moment,
            "ce_dataschema": f"/docs/events/{TYPE}.json#1.0",
            "content-type": "application/json",
            "traceparent": f"00-{result_id.hex}-{result_id.hex[:16]}-01",
        }
        value = json.dumps({**body, "occurred_at": moment}, separators=(",", ":")).encode()
        return Answer(batch_id.encode(), value, [(header, text.encode()) for header, text in headers.items()])


def _paid(decisions: Sequence[Decision]) -> list[Decision]:
    return [decision for decision in decisions if decision.fate in (Fate.PAID, Fate.RETURNED)]
