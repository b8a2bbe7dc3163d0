"""What payout does with each record it reads: keep the newer, keep the frozen, and let answers add knowledge. Load, decide, save, emit."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from asyncpg import Record

from services.payout import store, store_answers, store_recall, store_statements
from services.payout.answering import Answers, judge
from services.payout.authorisation import opened_account
from services.payout.breaks import contradictions, state_of
from services.payout.cancelling import held_back
from services.payout.emitting import Entries, moved
from services.payout.erasing import erase
from services.payout.ledger import Posting
from services.payout.results import Fate
from services.payout.taking_lines import readable
from shared.authorisation import Paper
from shared.clock import Clock
from shared.database import Tx
from shared.errors import BadRecord
from shared.events import BeneficiarySnapshot, EntitlementLine, ListClosing, Message, PaymentResult, VerificationResult
from shared.metrics import CONFLICTS
from shared.outbox import OutEvent, put_events
from shared.records import Received
from shared.topics import result_topic
from shared.vault import Vault, VaultError
from shared.words import InstructionState, ResultKind


class Handlers:
    """One method per kind of record."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        """The vault must hold payee."""
        self._vault = vault
        self._clock = clock

    async def on_beneficiary(self, tx: Tx, records: Sequence[Received[BeneficiarySnapshot]]) -> None:
        """Newer snapshots are kept. The same version with other digests is an alarm; the one we hold stays. Who is erased stays so."""
        if told := {record.message.beneficiary_id: record.message for record in records if record.message.erased_at}:
            await erase(tx, self._vault, told)
            records = [record for record in records if record.message.beneficiary_id not in told]
        newest = _newest_snapshots(records)
        held = {row["beneficiary_id"]: row for row in await store.known_people(tx, newest)}
        for key in newest.keys() & held.keys():
            if _version(newest[key].message) == (held[key]["epoch"], held[key]["n"]) and _digests_differ(
                newest[key].message, held[key]
            ):
                CONFLICTS.labels("snapshot").inc()
        await store.save_people(tx, [(record.message, *self._account(record)) for record in newest.values()])

    async def on_entitlement(self, tx: Tx, records: Sequence[Received[EntitlementLine]]) -> None:
        """Frozen lines are kept once. The same id with other content is an alarm; the first stays."""
        told = [(readable(self._vault, record), _sha256(record.message)) for record in records]
        lines = {line.entitlement_id: (line, content_hash) for line, content_hash in reversed(told)}
        changed = await store.save_lines(tx, list(lines.values()))
        changed += sum(content_hash != lines[line.entitlement_id][1] for line, content_hash in told)
        CONFLICTS.labels("entitlement").inc(changed)

    async def on_list(self, tx: Tx, records: Sequence[Received[ListClosing]]) -> None:
        """A closing opens the payroll; another closing of the same list is an alarm."""
        for record in records:
            if not await store.save_closing(tx, record.message):
                CONFLICTS.labels("closing").inc()

    async def on_verification(self, tx: Tx, records: Sequence[Received[VerificationResult]]) -> None:
        """The newest result of each person is kept."""
        newest: dict[UUID, VerificationResult] = {}
        for result in (record.message for record in records):
            held = newest.get(result.beneficiary_id)
            if held is None or result.result_seq > held.result_seq:
                newest[result.beneficiary_id] = result
        await store.save_verdicts(tx, list(newest.values()))

    async def on_payment_result(self, tx: Tx, records: Sequence[Received[PaymentResult]]) -> None:
        """Every answer is kept with its fate; those that add knowledge move payments and money, those that contradict open a break."""
        answers = await self._take(tx, await _fresh(tx, records))
        await store_statements.open_breaks(
            tx, contradictions(answers.judged, answers.payments, answers.states), self._clock.now()
        )

    async def take_answers(self, tx: Tx, told: Sequence[PaymentResult]) -> list[tuple[Fate, InstructionState | None]]:
        """Answers out of a file, never heard before: the fate of each, and the state its payment is in now."""
        answers = await self._take(tx, [(answer, _sha256(answer), True) for answer in told])
        return [(Fate(fate), state_of(answer, answers.payments, answers.states)) for answer, _hash, fate in answers.judged]

    async def _take(self, tx: Tx, fresh: Sequence[tuple[PaymentResult, str, bool]]) -> Answers:
        answers = await _load(tx, [answer for answer, _hash, _genuine in fresh])
        for answer, content_hash, genuine in fresh:
            fate = judge(answers, answer) if genuine else Fate.CONFLICT
            answers.judged.append((answer, content_hash, fate))
            if fate in (Fate.CONFLICT, Fate.FOREIGN):
                CONFLICTS.labels(f"payment_result_{fate}").inc()
        await self._save(tx, answers)
        return answers

    async def _save(self, tx: Tx, answers: Answers) -> None:
        at = self._clock.now()
        await store_answers.save_results(tx, answers.judged, at)
        await store_answers.mark_received(tx, answers.marks[ResultKind.BATCH_RECEIVED], at)
        await store_answers.mark_completed(tx, answers.marks[ResultKind.BATCH_COMPLETE], at)
        events: list[OutEvent] = []
        for wishes in answers.cancel_waves:
            await store_recall.move_cancels(tx, wishes, at)
        for wave in answers.waves:
            for row in await store.move_payments(tx, wave):
                batch = answers.batches[row["batch_id"]]
                events += moved([row], batch["period"], batch["payer"])
        if answers.kept:
            events += held_back(await store_recall.keep_back(tx, answers.kept, answers.disputed, at), at)
        new = await store.post(tx, answers.postings, at)
        payrolls = {row["instruction_id"]: row["period"] for row in answers.payments.values()}
        booked: dict[tuple[str, str, str], list[Posting]] = defaultdict(list)
        for month, payer, posting in answers.postings:
            if posting.posting_id in new:
                booked[payrolls[posting.instruction_id], payer, month].append(posting)
        for (period, payer, month), postings in booked.items():
            events += Entries(period, payer, at).posted(postings, month)
        await store_answers.settle(tx, answers.batches)
        await put_events(tx, events, at)

    def _account(self, record: Received[BeneficiarySnapshot]) -> tuple[str | None, Paper | None]:
        """Payees are opened once, here: a block that does not open would stop a payroll later."""
        snapshot = record.message
        try:
            account, paper = opened_account(self._vault, snapshot)
        except VaultError:
            raise BadRecord(record.offset, "SEALED_BLOCK") from None
        if (account is None) != (snapshot.account_digest is None):
            raise BadRecord(record.offset, "ACCOUNT_WITHOUT_DIGEST")
        return (account.bank_bin, paper) if account else (None, None)


def _newest_snapshots(records: Sequence[Received[BeneficiarySnapshot]]) -> dict[UUID, Received[BeneficiarySnapshot]]:
    newest: dict[UUID, Received[BeneficiarySnapshot]] = {}
    for record in records:
        held = newest.get(record.message.beneficiary_id)
        if held is None or _version(record.message) > _version(held.message):
            newest[record.message.beneficiary_id] = record
    return newest


def _version(snapshot: BeneficiarySnapshot) -> tuple[int, int]:
    return snapshot.version.epoch, snapshot.version.n


def _digests_differ(snapshot: BeneficiarySnapshot, held: Record) -> bool:
    return any(getattr(snapshot, name) != held[name] for name in ("identity_digest", "account_digest", "delivery_digest"))


def _sha256(message: Message) -> str:
    """A field of a later release counts only where it is set: what was kept before it existed is the same content when it is said again.
    Sealing is randomised: the same circumstances sealed again are the same line."""
    without = None
    if isinstance(message, PaymentResult) and message.outcome is None:
        without = {"outcome"}
    elif isinstance(message, EntitlementLine) and message.circumstances is not None:
        without = {"circumstances"}
    return hashlib.sha256(message.model_dump_json(exclude=without).encode()).hexdigest()


async def _fresh(tx: Tx, records: Sequence[Received[PaymentResult]]) -> list[tuple[PaymentResult, str, bool]]:
    """Answers not held yet, in order; genuine unless its id was used for other content, or it came on another provider's topic."""
    known = await store_answers.known_results(tx, {record.message.result_id for record in records})
    ids = {result_id for result_id, _hash in known}
    fresh = []
    for record in records:
        answer, content_hash = record.message, _sha256(record.message)
        if (answer.result_id, content_hash) in known:
            continue
        genuine = answer.result_id not in ids and record.topic == result_topic(answer.provider)
        fresh.append((answer, content_hash, genuine))
        known.add((answer.result_id, content_hash))
        ids.add(answer.result_id)
    return fresh


async def _load(tx: Tx, answers: Iterable[PaymentResult]) -> Answers:
    answers = list(answers)
    named = {answer.end_to_end_id for answer in answers if answer.end_to_end_id}
    refused = {answer.batch_id for answer in answers if answer.kind is ResultKind.BATCH_REFUSED}
    await store_recall.take_turns(tx, named, refused)
    batches = await store_answers.answered_batches(tx, {answer.batch_id for answer in answers})
    payments = await store_answers.answered_payments(tx, named, refused)
    return Answers.of(batches, payments)
