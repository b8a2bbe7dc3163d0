"""What verification does with each record it reads: keep the newer, judge what is not judged yet, tell only what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.verification import register_rows, store
from services.verification.erasing import Eraser, erased_among
from services.verification.judging import Judge, Opened
from services.verification.population_register import PopulationRegister
from services.verification.register_rows import Unusable, index, name_birth_index, register_row
from services.verification.store import NOTHING, Indexes, Known, Person, RegisterRow
from shared.database import Tx
from shared.errors import BadRecord
from shared.events import BeneficiarySnapshot, ListClosing, PopulationEntry
from shared.metrics import CONFLICTS
from shared.personal import Account, Identity
from shared.records import Received
from shared.vault import Vault, VaultError


class Handlers:
    """One method per topic. Judging takes turns over all partitions, see `store.one_judge_at_a_time`."""

    def __init__(self, vault: Vault, judge: Judge, register: PopulationRegister) -> None:
        """The vault must hold identity, payee and population."""
        self._eraser = Eraser(vault, judge)
        self._vault = vault
        self._judge = judge
        self._register = register

    async def on_beneficiary(self, tx: Tx, records: Sequence[Received[BeneficiarySnapshot]]) -> None:
        """Newer snapshots are kept; people whose digests were not judged yet are judged. Who is erased stays so, whatever comes."""
        await store.one_judge_at_a_time(tx)
        newest = _newest_snapshots(records)
        if told := {record.message.beneficiary_id: record.message for record in records if record.message.erased_at}:
            await self._eraser.erase(tx, told)
        gone = await erased_among(tx, newest)
        newest = {key: record for key, record in newest.items() if key not in gone}
        known = await store.known_people(tx, newest)
        _count_conflicts(newest, known)
        newer = {key: rec for key, rec in newest.items() if key not in known or _version(rec.message) > known[key].version}
        opened = [self._open(record, known.get(key)) for key, record in newer.items()]
        due = [each for each in opened if each.person.unjudged]
        left = {known[each.person.beneficiary_id].account for each in due if each.person.beneficiary_id in known}
        decided = await self._judge.decide(tx, due, {account for account in left if account})
        await store.save_people(tx, [each.person for each in opened], decided.held)
        await self._judge.tell(tx, decided, saved=newer)

    async def on_population(self, tx: Tx, records: Sequence[Received[PopulationEntry]]) -> None:
        """Entries are kept; whoever they concern is judged again. Until the register can answer, `Waiting` has everybody."""
        await store.one_judge_at_a_time(tx)
        could_answer = await self._register.ready(tx)
        taken, concerned = await register_rows.take(tx, map(self._register_row, _newest_entries(records)))
        await store.count_applied(tx, taken)
        if could_answer:
            await self._judge.judge(tx, concerned)

    async def on_list(self, tx: Tx, records: Sequence[Received[ListClosing]]) -> None:
        """Closings are remembered, for progress per list."""
        for record in records:
            await store.save_closed_list(tx, record.message)

    def _open(self, record: Received[BeneficiarySnapshot], known: Known | None) -> Opened:
        snapshot = record.message
        try:
            identity, account = self._judge.open(snapshot)
        except VaultError:
            raise BadRecord(record.offset, "SEALED_BLOCK") from None
        person = Person(
            beneficiary_id=snapshot.beneficiary_id,
            version=_version(snapshot),
            payer=snapshot.payer,
            identity=snapshot.identity,
            payee=snapshot.payee,
            identity_digest=snapshot.identity_digest,
            account_digest=snapshot.account_digest,
            indexes=self._indexes(identity, account),
            held=known.held if known else NOTHING,
            merged=snapshot.merged_into is not None,
        )
        return Opened(person, identity, account)

    def _indexes(self, identity: Identity, account: Account | None) -> Indexes:
        return Indexes(
            number=index(self._vault, "number", identity.personal_number),
            old_number=index(self._vault, "old_number", identity.old_number),
            name_birth=name_birth_index(self._vault, identity),
            account=index(self._vault, "account", _account_text(account)),
        )

    def _register_row(self, record: Received[PopulationEntry]) -> RegisterRow:
        try:
            return register_row(self._vault, record.message)
        except Unusable as error:
            raise BadRecord(record.offset, str(error)) from None


def _newest_snapshots(records: Sequence[Received[BeneficiarySnapshot]]) -> dict[UUID, Received[BeneficiarySnapshot]]:
    newest: dict[UUID, Received[BeneficiarySnapshot]] = {}
    for record in records:
        held = newest.get(record.message.beneficiary_id)
        if held is None or _version(record.message) > _version(held.message):
            newest[record.message.beneficiary_id] = record
    return newest


def _newest_entries(records: Sequence[Received[PopulationEntry]]) -> list[Received[PopulationEntry]]:
    newest: dict[str, Received[PopulationEntry]] = {}
    for record in records:
        held = newest.get(record.message.person_token)
        if held is None or record.message.as_of > held.message.as_of:
            newest[record.message.person_token] = record
    return list(newest.values())


def _version(snapshot: BeneficiarySnapshot) -> tuple[int, int]:
    return snapshot.version.epoch, snapshot.version.n


def _count_conflicts(newest: Mapping[UUID, Received[BeneficiarySnapshot]], known: Mapping[UUID, Known]) -> None:
    """The same version with other content: somebody must look. The one we hold stays."""
    for key, record in newest.items():
        digests = (record.message.identity_digest, record.message.account_digest)
        if key in known and known[key].version == _version(record.message) and known[key].digests != digests:
            CONFLICTS.labels("snapshot").inc()


def _account_text(account: Account | None) -> str | None:
    return f"{account.bank_bin}:{account.number}" if account else None
