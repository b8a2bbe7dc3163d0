"""The port to whoever knows whose an account is, and its two adapters: the holder that the list declares, and what a bank answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from services.verification import store_questions
from services.verification.account_check import HolderAnswer, holder_said
from services.verification.ages import Ages
from services.verification.store_questions import About
from shared.clock import Clock
from shared.database import Tx


class Claim(NamedTuple):
    """An account that a person gave as theirs. `digest` of account and identity: another name or number is another question."""

    beneficiary_id: UUID
    digest: str
    holder: str
    person_name: str


class Told(NamedTuple):
    """What is known of an account's holder, and until when it counts; None: as long as the list says so."""

    answer: HolderAnswer
    until: datetime | None = None


class AccountHolders(Protocol):
    """Whoever can say whose an account is. Nobody is asked outside here: a transaction is open."""

    async def answers(self, tx: Tx, claims: Sequence[Claim]) -> Mapping[UUID, Told]:
        """One of five words about every claim."""
        ...


class Declared:
    """The holder as the list names it: no bank has confirmed it."""

    async def answers(self, tx: Tx, claims: Sequence[Claim]) -> Mapping[UUID, Told]:
        """Never unavailable."""
        return {claim.beneficiary_id: Told(holder_said(claim.holder, claim.person_name)) for claim in claims}


class AskedBanks:
    """What banks answered. Nobody is asked about an account that the list itself gives to somebody else."""

    def __init__(self, clock: Clock, ages: Ages) -> None:
        """Answers grow old like the register's."""
        self._clock = clock
        self._ages = ages

    async def answers(self, tx: Tx, claims: Sequence[Claim]) -> Mapping[UUID, Told]:
        """Unavailable as long as the bank has not answered about this account and this name."""
        now = self._clock.now()
        digests = {claim.beneficiary_id: claim.digest for claim in claims}
        not_before = self._ages.expires_before(now)
        said = await store_questions.answers(tx, About.HOLDER, digests, not_before=not_before) if claims else {}
        return {claim.beneficiary_id: self._one(claim, said.get(claim.beneficiary_id), now) for claim in claims}

    def _one(self, claim: Claim, said: tuple[str, datetime] | None, now: datetime) -> Told:
        declared = holder_said(claim.holder, claim.person_name)
        if declared is not HolderAnswer.MATCH:
            return Told(declared)
        until = self._ages.holder_until(said[1], claim.beneficiary_id) if said else now
        return Told(HolderAnswer(said[0]), until) if said and until > now else Told(HolderAnswer.UNAVAILABLE)
