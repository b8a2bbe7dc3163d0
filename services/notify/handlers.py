"""What notify does with each record it reads: keep the newer fact. Nothing is sent here; a round is drawn by command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from services.notify import store
from services.notify.erasing import erase
from services.notify.store import Person
from shared.database import Tx
from shared.errors import BadRecord
from shared.events import BeneficiarySnapshot, Message, PaymentState, VerificationResult
from shared.personal import Contact
from shared.records import Received
from shared.vault import Vault, VaultError
from shared.words import Channel

M = TypeVar("M", bound=Message)


class Handlers:
    """One method per topic."""

    def __init__(self, vault: Vault) -> None:
        """The vault must hold the contact kind."""
        self._vault = vault

    async def on_beneficiary(self, tx: Tx, records: Sequence[Received[BeneficiarySnapshot]]) -> None:
        """Whether the person has an account, can be expected to have one, lives, and how to reach them. Who is erased stays so."""
        if told := {record.message.beneficiary_id: record.message for record in records if record.message.erased_at}:
            await erase(tx, self._vault, told)
            records = [record for record in records if record.message.beneficiary_id not in told]
        newest = _newest(records, lambda snapshot: (snapshot.beneficiary_id, (snapshot.version.epoch, snapshot.version.n)))
        await store.save_people(tx, [self._person(record) for record in newest])

    async def on_verification(self, tx: Tx, records: Sequence[Received[VerificationResult]]) -> None:
        """Whom the population register knows to be dead: no text may reach that family."""
        newest = _newest(records, lambda result: (result.beneficiary_id, (result.result_seq, 0)))
        await store.save_verdicts(tx, [record.message for record in newest])

    async def on_payment(self, tx: Tx, records: Sequence[Received[PaymentState]]) -> None:
        """Who is paid on an account: they need no reminder to register one."""
        to_accounts = [record for record in records if record.message.channel is Channel.ACCOUNT]
        newest = _newest(to_accounts, lambda payment: (payment.instruction_id, (payment.state_seq, 0)))
        await store.save_payments(tx, [record.message for record in newest])

    def _person(self, record: Received[BeneficiarySnapshot]) -> Person:
        snapshot = record.message
        return Person(
            beneficiary_id=snapshot.beneficiary_id,
            version=(snapshot.version.epoch, snapshot.version.n),
            payer=snapshot.payer,
            life=snapshot.life,
            has_account=snapshot.account_digest is not None,
            cannot=snapshot.cannot,
            contact=snapshot.contact,
            phone_ix=self._phone_index(record),
            merged=snapshot.merged_into is not None,
        )

    def _phone_index(self, record: Received[BeneficiarySnapshot]) -> bytes | None:
        snapshot = record.message
        if snapshot.contact is None:
            return None
        try:
            phone = self._vault.open_as(snapshot.contact, str(snapshot.beneficiary_id), Contact).phone
        except VaultError:
            raise BadRecord(record.offset, "SEALED_BLOCK") from None
        return self._vault.index("phone", phone)


def _newest(records: Sequence[Received[M]], place: Callable[[M], tuple[UUID, tuple[int, int]]]) -> list[Received[M]]:
    """The record with the highest sequence of each key."""
    newest: dict[UUID, tuple[tuple[int, int], Received[M]]] = {}
    for record in records:
        key, sequence = place(record.message)
        if key not in newest or sequence > newest[key][0]:
            newest[key] = (sequence, record)
    return [record for _, record in newest.values()]
