"""Home visits: the wish and its reason as heard at the door, and the "cannot" class with its evidence. Taken like every other statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from services.registry import store, store_funnel
from services.registry.handlers import Registrar
from services.registry.records import Record
from services.registry.statements import RecordWish, Statement
from shared.actors import Actor
from shared.clock import Clock
from shared.database import Database
from shared.events import AuditRecord
from shared.ids import random_id
from shared.outbox import OutEvent, put_events
from shared.words import Wish

SOURCE = "home-visit"
REVIEW_DAYS_MAX = 731


class VisitEvidence(StrEnum):
    """What shows that somebody cannot have an account for now."""

    SEEN_AT_HOME = "SEEN_AT_HOME"
    HEALTH_PAPER = "HEALTH_PAPER"
    DISABILITY_PAPER = "DISABILITY_PAPER"
    COURT_DECISION = "COURT_DECISION"
    COMMUNE_PAPER = "COMMUNE_PAPER"


class VisitReason(StrEnum):
    """R_* codes of why people have or use no account (domain 6; docs/GLOSSARY.md)."""

    HABIT = "R_HABIT"
    NOPHONE = "R_NOPHONE"
    PIN = "R_PIN"
    FAR = "R_FAR"
    FEE = "R_FEE"
    TRUST = "R_TRUST"
    SMALL = "R_SMALL"
    PAPER = "R_PAPER"
    NOBODY = "R_NOBODY"
    NOTTOLD = "R_NOTTOLD"
    SYSTEM = "R_SYSTEM"
    WEAK = "R_WEAK"
    IMMOBILE = "R_IMMOBILE"
    CAPACITY = "R_CAPACITY"
    CHILD = "R_CHILD"


class VisitRefusal(StrEnum):
    """Why a visit is not taken, in order of precedence. Nothing was changed."""

    WISH_MISSING = "WISH_MISSING"
    REASON_MISSING = "REASON_MISSING"
    EVIDENCE_INCOMPLETE = "EVIDENCE_INCOMPLETE"
    WISHES_AND_CANNOT = "WISHES_AND_CANNOT"
    REVIEW_DAY_BAD = "REVIEW_DAY_BAD"


ADVICE = {
    VisitRefusal.WISH_MISSING: "Ghi rõ người hưởng muốn nhận qua tài khoản hay bưu điện.",
    VisitRefusal.REASON_MISSING: "Nhận tiền mặt phải ghi lý do.",
    VisitRefusal.EVIDENCE_INCOMPLETE: "Diện bất khả kháng cần lý do, căn cứ và ngày xem lại.",
    VisitRefusal.WISHES_AND_CANNOT: "Người muốn nhận qua tài khoản không thuộc diện bất khả kháng: chỉ ghi một trong hai.",
    VisitRefusal.REVIEW_DAY_BAD: "Ngày xem lại phải sau hôm nay và trong vòng hai năm.",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard. `review_on` with `evidence`: of the "cannot" class until that day."""

    wish: Wish
    reason: VisitReason | None = None
    evidence: VisitEvidence | None = None
    review_on: date | None = None


def refused(heard: Heard, today: date) -> VisitRefusal | None:
    """Why it is not taken. Pure; the table `home_visit` has the same rules."""
    if heard.wish is Wish.NONE:
        return VisitRefusal.WISH_MISSING
    if heard.wish is Wish.POST and heard.reason is None:
        return VisitRefusal.REASON_MISSING
    if (heard.evidence is None) != (heard.review_on is None) or (heard.evidence and heard.reason is None):
        return VisitRefusal.EVIDENCE_INCOMPLETE
    if heard.evidence and heard.wish is Wish.ACCOUNT:
        return VisitRefusal.WISHES_AND_CANNOT
    if heard.review_on and not today < heard.review_on <= today + timedelta(days=REVIEW_DAYS_MAX):
        return VisitRefusal.REVIEW_DAY_BAD
    return None


class Visits:
    """Takes visits, one at a time."""

    def __init__(self, database: Database, clock: Clock, registrar: Registrar) -> None:
        """Nothing is opened before the first question."""
        self._database = database
        self._clock = clock
        self._registrar = registrar

    async def payer_of(self, beneficiary_id: UUID) -> str | None:
        """Who pays the person; None for somebody unknown."""
        async with self._database.reading() as tx:
            return await store_funnel.payer_of(tx, beneficiary_id)

    async def take(self, beneficiary_id: UUID, heard: Heard, actor: Actor) -> VisitRefusal | int:
        """Keep what was heard and change the person by it; returns the number of the visit. The person must be known."""
        now, today = self._clock.now(), self._clock.today()
        if why := refused(heard, today):
            return why
        record = str(beneficiary_id)
        async with self._database.transaction("registry.visit") as tx:
            await store.one_registrar_at_a_time(tx)
            nth = len(await store_funnel.visits_of(tx, beneficiary_id)) + 1
            if nth == 1:  # the record that all visits of this person are statements of
                await store.save_records(tx, {(SOURCE, record): Record(beneficiary_id, 0, "")}, found=())
            await store_funnel.save_visit(
                tx, visit_id=random_id(), beneficiary_id=beneficiary_id, nth=nth, wish=heard.wish, reason=heard.reason,
                evidence=heard.evidence, review_on=heard.review_on, visited_on=today, decider=actor.id, decider_token=actor.token, at=now,
            )  # fmt: skip
            act = RecordWish(wish=heard.wish, reason=heard.reason, cannot_until=heard.review_on)
            await self._registrar.take(tx, [Statement(source=SOURCE, record=record, sequence=nth, at=now, act=act)])
            audit = AuditRecord(actor=actor.id, act="home_visit", subject=record, at=now)
            await put_events(tx, [OutEvent(audit.TOPIC, actor.id, audit)], now)
        return nth
