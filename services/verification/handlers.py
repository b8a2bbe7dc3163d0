"""What verification does with each record it reads: keep the newer, judge what is not judged yet, tell only what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.verification import store
from services.verification.judging import Judge, Opened
from services.verification.names import plain_key
from services.verification.store import NOTHING, Indexes, Known, Person, RegisterRow
from shared.database import Tx
from shared.errors import BadRecord
from shared.events import BeneficiarySnapshot, ListClosing, PopulationEntry
from shared.metrics import CONFLICTS
from shared.personal import Account, Identity, RegisterIdentity
from shared.records import Received
from shared.vault import Vault, VaultError


class Handlers:
    """One method per topic. Judging takes turns over all partitions, see `store.one_judge_at_a_time`."""

    def __init__(self, vault: Vault, judge: Judge) -> None:
        """The vault must hold identity, payee and population."""
        self._vault = vault
        self._judge = judge

    async def on_beneficiary(self, tx: Tx, records: Sequence[Received[BeneficiarySnapshot]]) -> None:
        """Newer snapshots are kept; people whose digests were not judged yet are judged."""
        await store.one_judge_at_a_time(tx)
        newest = _newest_snapshots(records)
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
        """Entries go into the replica; whoever they concern is judged again. Until the register can answer, `Waiting` has everybody."""
        await store.one_judge_at_a_time(tx)
        could_answer = await store.register_available(tx)
        rows = {row.token: row for row in map(self._register_row, _newest_entries(records))}
        taken = await store.save_register(tx, list(rows.values()))
        await store.count_applied(tx, taken)
        if could_answer:
            changed = [row for row in taken if row["changed"]]
            concerned = await store.affected_people(tx, [rows[row["person_token"]] for row in changed], changed)
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
        )
        return Opened(person, identity, account)

    def _indexes(self, identity: Identity, account: Account | None) -> Indexes:
        return Indexes(
            number=self._index("number", identity.personal_number),
            old_number=self._index("old_number", identity.old_number),
            name_birth=self._name_birth(identity),
            account=self._index("account", _account_text(account)),
        )

    def _register_row(self, record: Received[PopulationEntry]) -> RegisterRow:
        entry = record.message
        try:
            plain = self._vault.open(entry.sealed, entry.person_token)
            known = RegisterIdentity.model_validate_json(plain)
        except (VaultError, ValueError):
            raise BadRecord(record.offset, "SEALED_BLOCK") from None
        number, name_birth = self._index("number", known.identity.personal_number), self._name_birth(known.identity)
        if number is None or name_birth is None:
            raise BadRecord(record.offset, "NUMBER_OR_BIRTH_MISSING")
        says = f"{entry.status}|{entry.status_on}|{entry.area}|".encode() + plain
        return RegisterRow(
            token=entry.person_token,
            as_of=entry.as_of,
            status=entry.status,
            status_on=entry.status_on,
            area=entry.area,
            sealed=entry.sealed,
            digest=self._vault.digest("register", says),
            number_ix=number,
            old_number_ix=self._index("old_number", known.identity.old_number),
            name_birth_ix=name_birth,
            replaced_by_ix=self._index("number", known.replaced_by),
        )

    def _index(self, field: str, text: str | None) -> bytes | None:
        return self._vault.index(field, text) if text else None

    def _name_birth(self, identity: Identity) -> bytes | None:
        if not identity.birth_date:
            return None
        return self._vault.index("name_birth", f"{plain_key(identity.full_name)}|{identity.birth_date[:4]}")


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
