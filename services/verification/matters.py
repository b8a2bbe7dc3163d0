"""The two things verification asks others about: who a person is, and whose an account is. What follows from an answer stands here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.verification import register_rows, store, store_questions
from services.verification.asking import MADE_AT_ONCE, Manner
from services.verification.holder_client import HolderQuestion, HolderService, Said
from services.verification.judging import Judge
from services.verification.population_feed import Entry, sealed
from services.verification.register_client import Question, RegisterService
from services.verification.register_rows import register_row
from services.verification.store import Row
from services.verification.store_questions import About
from shared.database import Tx
from shared.personal import Identity, Payee
from shared.vault import Vault


class People:
    """Who a person is: the register's query service is asked, its entries come into our copy of the register."""

    about = About.PERSON

    def __init__(self, vault: Vault, service: RegisterService, *, judge: Judge, manner: Manner) -> None:
        """The vault must hold identity and population."""
        self._vault = vault
        self._service = service
        self._judge = judge
        self._manner = manner

    async def make(self, tx: Tx, now: datetime) -> None:
        """About people of whom nothing is known, and about those whose answer is to be renewed."""
        authority, before = self._manner.authority, self._manner.ages.renew_before(now)
        await store_questions.make_questions(
            tx, authority.officer, authority.procedure, renew_before=before, at=now, most=MADE_AT_ONCE
        )

    async def ask(self, row: Row) -> list[Entry]:
        """Raises NoAnswer, and VaultError for a damaged block."""
        identity = self._vault.open_as(row["identity"], str(row["beneficiary_id"]), Identity)
        return await self._service.ask(Question(row["request_id"], identity))

    async def book(self, tx: Tx, answers: Mapping[UUID, list[Entry]], now: datetime) -> None:
        """Whoever was asked about is judged, and whom a changed entry concerns."""
        await store.one_judge_at_a_time(tx)
        entries = [entry for found in answers.values() for entry in found]
        _taken, concerned = await register_rows.take(
            tx, (register_row(self._vault, sealed(entry, self._vault, now)) for entry in entries)
        )
        counts: dict[UUID, str | None] = {request_id: str(len(found)) for request_id, found in answers.items()}
        answered = await store_questions.end_questions(tx, counts, now)
        await self._judge.judge(tx, concerned | answered)


class Holders:
    """Whose an account is: the bank is asked."""

    about = About.HOLDER

    def __init__(self, vault: Vault, service: HolderService, *, judge: Judge, manner: Manner) -> None:
        """The vault must hold identity and payee."""
        self._vault = vault
        self._service = service
        self._judge = judge
        self._manner = manner

    async def make(self, tx: Tx, now: datetime) -> None:
        """About accounts of which no bank has said anything, and about those whose answer is to be renewed."""
        authority, before = self._manner.authority, self._manner.ages.renew_holders_before(now)
        await store_questions.make_holder_questions(
            tx, authority.officer, authority.procedure, renew_before=before, at=now, most=MADE_AT_ONCE
        )

    async def ask(self, row: Row) -> Said:
        """Raises NoAnswer, and VaultError for a damaged block."""
        owner = str(row["beneficiary_id"])
        identity = self._vault.open_as(row["identity"], owner, Identity)
        account = self._vault.open_as(row["payee"], owner, Payee).account
        assert account is not None, "only accounts are asked about"
        return await self._service.ask(HolderQuestion(row["request_id"], account, identity.full_name))

    async def book(self, tx: Tx, answers: Mapping[UUID, Said], now: datetime) -> None:
        """Whoever was asked about is judged; a refusal's code is kept beside the answer."""
        await store.one_judge_at_a_time(tx)
        refusals = {key: str(said.refusal) for key, said in answers.items() if said.refusal}
        words = {key: str(said.answer) for key, said in answers.items()}
        answered = await store_questions.end_questions(tx, words, now, refusals=refusals)
        await self._judge.judge(tx, answered)
