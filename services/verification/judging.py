"""Judge people: load, decide, save, emit. The only place that makes results; both handlers end here.

The caller holds the judges' lock, so nobody else's token, account or result changes meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.verification import store
from services.verification.account_check import Banks, check_account, with_claims
from services.verification.matching import UNAVAILABLE, Judgement, RegisterPerson, judge
from services.verification.population_register import PopulationRegister
from services.verification.store import Held, Person, Verdict
from shared.clock import Clock
from shared.database import Tx
from shared.events import BeneficiarySnapshot, VerificationResult
from shared.outbox import OutEvent, put_events
from shared.personal import Account, Identity, Payee
from shared.restoring import epoch_of
from shared.vault import Vault
from shared.words import AccountCheck, Outcome

# Outcomes that would let money go out: only they give way to `duplicate`.
_PAYABLE = (Outcome.MATCH, Outcome.WEAK_MATCH, Outcome.NUMBER_CHANGED)
RESULTS_PER_EPOCH = 1_000_000


class Opened(NamedTuple):
    """A person with what stands in their sealed blocks: opened once, judged from here."""

    person: Person
    identity: Identity
    account: Account | None


class Found(NamedTuple):
    """What was found of one person looked at alone."""

    person: Person
    judgement: Judgement
    account: AccountCheck | None


class Decided(NamedTuple):
    """What is to be held of everybody judged, and the results that differ from the ones that hold, with their numbers."""

    held: Mapping[UUID, Held]
    news: Mapping[UUID, tuple[int, Verdict]]


class Judge:
    """Judges people against the register and each other."""

    def __init__(self, vault: Vault, clock: Clock, *, register: PopulationRegister, banks: Banks) -> None:
        """Every dependency is a parameter."""
        self._vault = vault
        self._clock = clock
        self._register = register
        self._banks = banks

    async def judge(self, tx: Tx, ids: Collection[UUID]) -> int:
        """Judge people we hold and whoever shares a register person or account with them; returns how many results changed."""
        decided = await self.decide(tx, await self._opened(tx, ids))
        await self.tell(tx, decided)
        return len(decided.news)

    async def decide(self, tx: Tx, asked: Sequence[Opened], accounts_left: Collection[bytes] = ()) -> Decided:
        """What to hold of these people and of whoever shares a register person or account with them. Nothing is written.

        `accounts_left`: accounts these people claimed until now, whose other claimants may be free again.
        """
        found = await self._look_at(tx, asked)
        sharing = await store.holders(tx, _tokens(found), {*_accounts(found), *accounts_left})
        sharers = {row["beneficiary_id"] for row in sharing} - found.keys()
        if sharers:
            found |= await self._look_at(tx, await self._opened(tx, sharers))
            sharing = await store.holders(tx, _tokens(found), _accounts(found))
        others = [row for row in sharing if row["beneficiary_id"] not in found]
        verdicts = _against_each_other(found, [(row["person_token"], row["account_ix"]) for row in others])
        # Only what differs from the result that holds is told: the system falls silent when input stops.
        first = first_of_epoch(await epoch_of(tx))
        news = {
            key: (max(found[key].person.held.result_seq + 1, first), verdict)
            for key, verdict in verdicts.items()
            if verdict != found[key].person.held.verdict
        }
        return Decided({key: _held(each, verdicts[key], news.get(key)) for key, each in found.items()}, news)

    async def tell(self, tx: Tx, decided: Decided, saved: Collection[UUID] = ()) -> None:
        """Write and publish what was decided. People in `saved` were written with it already."""
        await store.point_people(tx, {key: held for key, held in decided.held.items() if key not in saved})
        if decided.news:
            now = self._clock.now()
            await store.save_verdicts(tx, decided.news, now)
            events = [_event(key, seq, verdict=verdict, now=now) for key, (seq, verdict) in decided.news.items()]
            await put_events(tx, [OutEvent(e.TOPIC, str(e.beneficiary_id), e) for e in events], now)

    def open(self, sealed: Person | BeneficiarySnapshot) -> tuple[Identity, Account | None]:
        """What stands in a person's blocks. Raises VaultError."""
        owner = str(sealed.beneficiary_id)
        identity = self._vault.open_as(sealed.identity, owner, Identity)
        return identity, self._vault.open_as(sealed.payee, owner, Payee).account

    async def _opened(self, tx: Tx, ids: Collection[UUID]) -> list[Opened]:
        return [Opened(person, *self.open(person)) for person in await store.people(tx, ids)]

    async def _look_at(self, tx: Tx, asked: Sequence[Opened]) -> dict[UUID, Found]:
        if not asked:
            return {}
        candidates, today = await self._register.candidates(tx, [each.person for each in asked]), self._clock.today()
        return {each.person.beneficiary_id: self._alone(each, candidates, today) for each in asked}

    def _alone(self, each: Opened, candidates: Mapping[UUID, Sequence[RegisterPerson]] | None, today: date) -> Found:
        key = each.person.beneficiary_id
        answer = UNAVAILABLE if candidates is None else judge(each.identity, candidates.get(key, ()))
        account = None
        if each.account is not None:
            account = check_account(each.account, person_name=each.identity.full_name, banks=self._banks, today=today)
        return Found(each.person, answer, account)


def first_of_epoch(epoch: int) -> int:
    """The lowest `result_seq` of an epoch: above everything that the database can have told before its restore."""
    return 1 + (epoch - 1) * RESULTS_PER_EPOCH


def _against_each_other(found: Mapping[UUID, Found], others: Iterable[tuple[str | None, bytes | None]]) -> dict[UUID, Verdict]:
    """`others`: register person and account of people who are not judged now."""
    tokens, claims = Counter[str | None](), Counter[bytes | None]()
    for token, account in others:
        tokens[token] += 1
        claims[account] += 1
    for each in found.values():
        tokens[each.judgement.token] += 1
        claims[each.person.indexes.account] += 1
    return {key: _verdict(each, tokens, claims) for key, each in found.items()}


def _verdict(found: Found, tokens: Mapping[str | None, int], claims: Mapping[bytes | None, int]) -> Verdict:
    person, said = found.person, found.judgement
    duplicate = said.outcome in _PAYABLE and said.token is not None and tokens[said.token] > 1
    return Verdict(
        identity_digest=person.identity_digest,
        account_digest=person.account_digest,
        outcome=Outcome.DUPLICATE if duplicate else said.outcome,
        evidence=said.evidence,
        died_on=said.died_on,
        account=with_claims(found.account, claims[person.indexes.account]),
    )


def _held(found: Found, verdict: Verdict, news: tuple[int, Verdict] | None) -> Held:
    return Held(found.judgement.token, news[0] if news else found.person.held.result_seq, verdict)


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
    now = {each.judgement.token for each in found.values()} | {each.person.held.token for each in found.values()}
    return {token for token in now if token}


def _accounts(found: Mapping[UUID, Found]) -> set[bytes]:
    return {each.person.indexes.account for each in found.values() if each.person.indexes.account}
