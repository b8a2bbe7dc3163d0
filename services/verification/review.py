"""The review queue at work: somebody sees both sides of a case, and decides it. Whoever sees is named in `audit.v1`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from services.verification import store, store_review
from services.verification.judging import Judge
from services.verification.matching import RegisterPerson, birth_finding
from services.verification.population_register import PopulationRegister
from services.verification.reviewing import (
    QUESTION_ADVICE,
    ReviewEvidence,
    ReviewReason,
    ReviewRefusal,
    Sameness,
    contradicts,
    holding,
    question_of,
    refused,
)
from services.verification.store import Person
from services.verification.store_review import Sight
from shared.actors import Actor
from shared.clock import Clock
from shared.database import Database, Tx
from shared.events import AuditRecord
from shared.names import compare
from shared.outbox import OutEvent, put_events
from shared.personal import Identity
from shared.vault import Vault
from shared.words import Finding, Outcome


@dataclass(frozen=True, slots=True)
class Deciding:
    """What somebody decides: of which sight, about which entry; `replaces`: the decision that it takes back."""

    sight_id: UUID
    token: str
    sameness: Sameness
    reason: ReviewReason
    evidence: ReviewEvidence
    replaces: UUID | None = None


class Review:
    """Both sides of a case, and decisions about them."""

    def __init__(self, database: Database, vault: Vault, *, clock: Clock, register: PopulationRegister, judge: Judge) -> None:
        """The vault must hold identity and population."""
        self._database = database
        self._vault = vault
        self._clock = clock
        self._register = register
        self._judge = judge

    async def payer_of(self, beneficiary_id: UUID) -> str | None:
        """Whose list the person is on; None for somebody unknown."""
        async with self._database.reading() as tx:
            found = await store.people(tx, [beneficiary_id])
        return found[0].payer if found else None

    async def see(self, beneficiary_id: UUID, actor: Actor) -> dict[str, Any]:
        """Both sides, field by field, for one pair of eyes. Told to the audit before they are shown. The person must be known.

        `shared_with`: the other ids that were judged to be the same person of the register.
        """
        now = self._clock.now()
        async with self._database.transaction("verification.review_sight") as tx:
            person, candidates = await self._sides(tx, beneficiary_id)
            shared_with = await store_review.shared_with(tx, beneficiary_id)
            decisions = (await store_review.decisions(tx, [beneficiary_id])).get(beneficiary_id, ())
            entries = {entry.token: entry.digest for entry in candidates}
            sight = Sight(uuid4(), beneficiary_id, actor.id, person.identity_digest, entries)
            await store_review.save_sight(tx, sight, now)
            record = AuditRecord(actor=actor.id, act="review_sight", subject=str(beneficiary_id), at=now)
            await put_events(tx, [OutEvent(record.TOPIC, actor.id, record)], now)
        identity, _account = self._judge.open(person)
        held = {decision.token: decision for decision in holding(decisions, person.identity_digest, candidates)}
        shown = [
            {
                "entry": entry.token,
                "status": entry.status,
                "status_on": entry.status_on,
                "fields": _fields(identity, entry.identity),
            }
            | ({"decision": held[entry.token].decision_id, "decided": held[entry.token].sameness} if entry.token in held else {})
            for entry in candidates
        ]
        verdict = person.held.verdict
        outcome, evidence = (verdict.outcome, verdict.evidence) if verdict else (None, ())
        question = question_of(outcome, birth_known=identity.birth_date is not None, was_answered=bool(evidence))
        said = {"sight_id": sight.sight_id, "outcome": outcome, "shared_with": shared_with, "question": question}
        advice = QUESTION_ADVICE[question] if question else ""
        return {**said, "advice": advice, "list": identity.model_dump(), "register": shown}

    async def decide(self, beneficiary_id: UUID, deciding: Deciding, actor: Actor) -> ReviewRefusal | dict[str, Any]:
        """Take a decision and judge the person by it. Sides that changed since they were seen are seen again first."""
        now = self._clock.now()
        if contradicts(deciding.sameness, deciding.reason):
            return ReviewRefusal.REASON_CONTRADICTS
        async with self._database.transaction("verification.review_decide") as tx:
            await store.one_judge_at_a_time(tx)
            sight = await store_review.sight(tx, deciding.sight_id)
            if sight is None or (sight.actor, sight.beneficiary_id) != (actor.id, beneficiary_id):
                return ReviewRefusal.NOT_SEEN
            person, candidates = await self._sides(tx, beneficiary_id)
            already = await self._already(tx, person, candidates, token=deciding.token)
            reason = self._refused(person, candidates, sight=sight, deciding=deciding, again=already is not None)
            if reason is None and already != deciding.replaces:
                reason = ReviewRefusal.ALREADY_DECIDED
            if reason is not None:
                return reason
            decision_id = uuid4()
            await store_review.save_decision(
                tx, decision_id=decision_id, beneficiary_id=beneficiary_id, identity_digest=sight.identity_digest,
                person_token=deciding.token, register_digest=sight.entries[deciding.token], verdict=deciding.sameness,
                reason=deciding.reason, evidence=deciding.evidence, decider=actor.id, decider_token=actor.token, decided_at=now,
                sight_id=sight.sight_id, replaces=deciding.replaces,
            )  # fmt: skip
            record = AuditRecord(actor=actor.id, act=f"review_{deciding.sameness}", subject=str(beneficiary_id), at=now)
            await put_events(tx, [OutEvent(record.TOPIC, actor.id, record)], now)
            changed = await self._judge.judge(tx, [beneficiary_id])
        return {"decision_id": decision_id, "results_changed": changed}

    async def _already(self, tx: Tx, person: Person, candidates: list[RegisterPerson], *, token: str) -> UUID | None:
        """The decision about this entry that holds."""
        decisions = (await store_review.decisions(tx, [person.beneficiary_id])).get(person.beneficiary_id, ())
        held = holding(decisions, person.identity_digest, candidates)
        return next((decision.decision_id for decision in held if decision.token == token), None)

    def _refused(
        self, person: Person, candidates: list[RegisterPerson], *, sight: Sight, deciding: Deciding, again: bool
    ) -> ReviewRefusal | None:
        verdict = person.held.verdict
        # What was decided may be decided otherwise, whatever came of it.
        outcome = Outcome.MISMATCH if again else verdict.outcome if verdict else Outcome.UNAVAILABLE
        same = person.identity_digest == sight.identity_digest
        return refused(outcome, sight.entries, candidates, token=deciding.token, same_identity=same)

    async def _sides(self, tx: Tx, beneficiary_id: UUID) -> tuple[Person, list[RegisterPerson]]:
        (person,) = await store.people(tx, [beneficiary_id])
        answer = (await self._register.answers(tx, [person])).get(beneficiary_id)
        return person, list(answer.candidates) if answer else []


def _fields(ours: Identity, theirs: Identity) -> list[dict[str, str | None]]:
    """Field by field what the list says, what the register says, and how alike they are."""
    findings = {
        "full_name": compare(ours.full_name, theirs.full_name),
        "birth_date": birth_finding(ours.birth_date, theirs.birth_date),
    }
    left, right = ours.model_dump(), theirs.model_dump()
    return [
        {
            "field": name,
            "list": left[name],
            "register": right[name],
            "finding": findings.get(name) or _finding(left[name], right[name]),
        }
        for name in left
    ]


def _finding(one: str | None, other: str | None) -> Finding:
    if not one or not other:
        return Finding.ABSENT
    return Finding.EQUAL if one == other else Finding.DIFFERENT
