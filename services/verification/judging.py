"""Judge people: load, decide, save, emit. The only place that makes results; both handlers end here.

The caller holds the judges' lock, so nobody else's token, account or result changes meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.verification import store, store_review
from services.verification.account_check import Banks, check_account, with_claims
from services.verification.account_holders import AccountHolders, Claim, Declared
from services.verification.matching import MERGED_AWAY, PAYABLE, UNAVAILABLE, Judgement, if_named, judge
from services.verification.population_register import Answer, PopulationRegister
from services.verification.reviewing import Decision, holding, with_decisions
from services.verification.store import Held, Person, Verdict
from shared.clock import Clock
from shared.database import Tx
from shared.events import BeneficiarySnapshot, VerificationResult
from shared.outbox import OutEvent, put_events
from shared.personal import Account, Identity, Payee
from shared.restoring import epoch_of
from shared.vault import Vault
from shared.words import AccountCheck, Outcome

RESULTS_PER_EPOCH = 1_000_000


class Opened(NamedTuple):
    """A person with what stands in their sealed blocks: opened once, judged from here."""

    person: Person
    identity: Identity
    account: Account | None


class Found(NamedTuple):
    """What was found of one person looked at alone, when the register said so, the old number of whom they were found to be, and until
    when a bank's word about the account counts."""

    person: Person
    judgement: Judgement
    account: AccountCheck | None
    answered_at: datetime | None
    old_ix: bytes | None
    holder_until: datetime | None


class Decided(NamedTuple):
    """What is to be held of everybody judged, and the results that differ from the ones that hold, with their numbers."""

    held: Mapping[UUID, Held]
    news: Mapping[UUID, tuple[int, Verdict]]


class Judge:
    """Judges people against the register and each other."""

    def __init__(
        self, vault: Vault, clock: Clock, *, register: PopulationRegister, banks: Banks, holders: AccountHolders = Declared()
    ) -> None:
        """Every dependency is a parameter."""
        self._vault = vault
        self._clock = clock
        self._register = register
        self._banks = banks
        self._holders = holders

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
        sharing = await store.holders(tx, _tokens(found), {*_accounts(found), *accounts_left}, _old_numbers(found))
        sharers = {row["beneficiary_id"] for row in sharing} - found.keys()
        if sharers:
            found |= await self._look_at(tx, await self._opened(tx, sharers))
            sharing = await store.holders(tx, _tokens(found), _accounts(found), _old_numbers(found))
        others = [row for row in sharing if row["beneficiary_id"] not in found]
        verdicts = _against_each_other(found, [(r["person_token"], r["account_ix"], r["entry_old_ix"]) for r in others])
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
        answers = await self._register.answers(tx, [each.person for each in asked])
        holders = await self._holders.answers(tx, [_claim(each, each.account) for each in asked if each.account is not None])
        decisions = await store_review.decisions(tx, [each.person.beneficiary_id for each in asked])
        today, found = self._clock.today(), {}
        for each in asked:
            key = each.person.beneficiary_id
            said, old_ix = _alone(each, answers.get(key), decisions.get(key, ()))
            account, until = None, None
            if each.account is not None:
                holder, until = holders[key]
                account = check_account(each.account, holder, banks=self._banks, today=today)
            answered_at = answers[key].at if key in answers else None
            found[key] = Found(each.person, said, account, answered_at, old_ix, until)
        return found


def _alone(each: Opened, answer: Answer | None, decisions: Sequence[Decision]) -> tuple[Judgement, bytes | None]:
    """What is said of one person looked at alone, and the old number of whom they were found to be."""
    if each.person.merged:
        return MERGED_AWAY, None
    if answer is None:
        return UNAVAILABLE, None
    said = judge(each.identity, answer.candidates)
    hold = holding(decisions, each.person.identity_digest, answer.candidates)
    said = with_decisions(said, hold, answer.candidates) if hold else said
    entry = next((entry for entry in answer.candidates if entry.token == said.token), None)
    return if_named(said, entry), entry.old_ix if entry else None


def _claim(each: Opened, account: Account) -> Claim:
    digest = f"{each.person.account_digest}:{each.person.identity_digest}"
    return Claim(each.person.beneficiary_id, digest, account.holder, each.identity.full_name)


def first_of_epoch(epoch: int) -> int:
    """The lowest `result_seq` of an epoch: above everything that the database can have told before its restore."""
    return 1 + (epoch - 1) * RESULTS_PER_EPOCH


class Shared(NamedTuple):
    """How many people were judged to be each register person, or one with each old number, and claim each account."""

    tokens: Counter[str | None]
    old_numbers: Counter[bytes | None]
    accounts: Counter[bytes | None]

    def is_one_of_two(self, found: Found) -> bool:
        """Whether somebody else was judged to be the same person, under this number or under another one."""
        by_old = found.old_ix is not None and self.old_numbers[found.old_ix] > 1
        return found.judgement.token is not None and (self.tokens[found.judgement.token] > 1 or by_old)


def _against_each_other(
    found: Mapping[UUID, Found], others: Iterable[tuple[str | None, bytes | None, bytes | None]]
) -> dict[UUID, Verdict]:
    """`others`: register person, account and old number of people who are not judged now."""
    shared = Shared(Counter(), Counter(), Counter())
    alone = [each for each in found.values() if not each.person.merged]
    here = [(each.judgement.token, each.person.indexes.account, each.old_ix) for each in alone]
    for token, account, old_number in (*others, *here):
        shared.tokens[token] += 1
        shared.accounts[account] += 1
        shared.old_numbers[old_number] += 1
    return {key: _verdict(each, shared) for key, each in found.items()}


def _verdict(found: Found, shared: Shared) -> Verdict:
    person, said = found.person, found.judgement
    return Verdict(
        identity_digest=person.identity_digest,
        account_digest=person.account_digest,
        outcome=Outcome.DUPLICATE if said.outcome in PAYABLE and shared.is_one_of_two(found) else said.outcome,
        evidence=said.evidence,
        died_on=said.died_on,
        account=with_claims(found.account, shared.accounts[person.indexes.account]),
    )


def _held(found: Found, verdict: Verdict, news: tuple[int, Verdict] | None) -> Held:
    seq = news[0] if news else found.person.held.result_seq
    return Held(found.judgement.token, seq, verdict, found.answered_at, found.old_ix, found.holder_until)


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


def _old_numbers(found: Mapping[UUID, Found]) -> set[bytes]:
    """Old numbers of the register people these were judged to be, before and now."""
    now = {each.old_ix for each in found.values()} | {each.person.held.old_ix for each in found.values()}
    return {old_ix for old_ix in now if old_ix}
