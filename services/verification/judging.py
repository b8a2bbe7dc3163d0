"""Judge people: load, decide, save, emit. The only place that makes results; both handlers end here.

The caller holds the judges' lock, so nobody else's token, account or result changes meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.verification import store
from services.verification.account_check import Banks, check_account, with_claims
from services.verification.matching import UNAVAILABLE, Judgement, RegisterPerson, judge
from services.verification.population_register import PopulationRegister
from services.verification.store import ToJudge, Verdict
from shared.clock import Clock
from shared.database import Tx
from shared.events import VerificationResult
from shared.outbox import OutEvent, put_events
from shared.personal import Identity, Payee
from shared.vault import Vault
from shared.words import AccountCheck, Outcome

# Outcomes that would let money go out: only they give way to `duplicate`.
_PAYABLE = (Outcome.MATCH, Outcome.WEAK_MATCH, Outcome.NUMBER_CHANGED)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one person looked at alone."""

    person: ToJudge
    judgement: Judgement
    account: AccountCheck | None


class Judge:
    """Judges people against the register and each other."""

    def __init__(self, vault: Vault, clock: Clock, *, register: PopulationRegister, banks: Banks) -> None:
        """Every dependency is a parameter."""
        self._vault = vault
        self._clock = clock
        self._register = register
        self._banks = banks

    async def judge(self, tx: Tx, ids: Collection[UUID], accounts_left: Collection[bytes] = ()) -> int:
        """Judge these people and whoever shares a register person or account with them; returns how many results changed.

        `accounts_left`: accounts these people claimed until now, whose other claimants may be free again.
        """
        if not ids:
            return 0
        found = await self._look_at(tx, ids)
        others = await store.peers(tx, _tokens(found), {*_accounts(found), *accounts_left}) - set(ids)
        found |= await self._look_at(tx, others)
        await store.save_tokens(tx, {key: each.judgement.token for key, each in found.items()})
        verdicts = await self._against_each_other(tx, found)
        return await self._tell(tx, found, verdicts)

    async def _look_at(self, tx: Tx, ids: Collection[UUID]) -> dict[UUID, Found]:
        people = await store.people_to_judge(tx, ids) if ids else []
        candidates = await self._register.candidates(tx, people) if people else None
        return {person.beneficiary_id: self._alone(person, candidates) for person in people}

    def _alone(self, person: ToJudge, candidates: Mapping[UUID, Sequence[RegisterPerson]] | None) -> Found:
        owner = str(person.beneficiary_id)
        identity = self._vault.open_as(person.identity, owner, Identity)
        answer = UNAVAILABLE if candidates is None else judge(identity, candidates.get(person.beneficiary_id, ()))
        return Found(person, answer, self._account(person, owner, identity))

    def _account(self, person: ToJudge, owner: str, identity: Identity) -> AccountCheck | None:
        if person.indexes.account is None:
            return None
        account = self._vault.open_as(person.payee, owner, Payee).account
        if account is None:
            return None
        return check_account(account, person_name=identity.full_name, banks=self._banks, today=self._clock.today())

    async def _against_each_other(self, tx: Tx, found: Mapping[UUID, Found]) -> dict[UUID, Verdict]:
        doubled = await store.shared_tokens(tx, {f.judgement.token for f in found.values() if f.judgement.token})
        claimants = await store.shared_accounts(
            tx, {f.person.indexes.account for f in found.values() if f.person.indexes.account}
        )
        return {key: _verdict(each, doubled, claimants) for key, each in found.items()}

    async def _tell(self, tx: Tx, found: Mapping[UUID, Found], verdicts: Mapping[UUID, Verdict]) -> int:
        """Only what differs from the result that holds: the system falls silent when input stops."""
        news = {key: (found[key].person.result_seq + 1, v) for key, v in verdicts.items() if v != found[key].person.verdict}
        if news:
            now = self._clock.now()
            await store.save_verdicts(tx, news, now)
            events = [_event(key, seq, verdict=verdict, now=now) for key, (seq, verdict) in news.items()]
            await put_events(tx, [OutEvent(e.TOPIC, str(e.beneficiary_id), e) for e in events], now)
        return len(news)


def _verdict(found: Found, doubled: Collection[str], claimants: Mapping[bytes, int]) -> Verdict:
    person, said = found.person, found.judgement
    duplicate = said.outcome in _PAYABLE and said.token in doubled
    claims = claimants.get(person.indexes.account, 1) if person.indexes.account else 1
    return Verdict(
        identity_digest=person.identity_digest,
        account_digest=person.account_digest,
        outcome=Outcome.DUPLICATE if duplicate else said.outcome,
        evidence=said.evidence,
        died_on=said.died_on,
        account=with_claims(found.account, claims),
    )


def _event(key: UUID, seq: int, *, verdict: Verdict, now: datetime) -> VerificationResult:
    return VerificationResult(
        beneficiary_id=key,
        result_seq=seq,
        identity_digest=verdict.identity_digest,
        account_digest=verdict.account_digest,
        outcome=verdict.outcome,
        evidence=verdict.evidence,
        died_on=verdict.died_on,
        account=verdict.account,
        checked_at=now,
    )


def _tokens(found: Mapping[UUID, Found]) -> set[str]:
    """Register people these were judged to be, before and now."""
    now = {each.judgement.token for each in found.values()} | {each.person.token for each in found.values()}
    return {token for token in now if token}


def _accounts(found: Mapping[UUID, Found]) -> set[bytes]:
    return {each.person.indexes.account for each in found.values() if each.person.indexes.account}
