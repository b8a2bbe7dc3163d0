"""What auditors add up, one fact at a time."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.fields import Block, Digest, Period, Vnd


class Fact(Block):
    """One fact an auditor needs. `fact` says which: a held line, a line put into an instruction, a posting, a signature; the end of the
    payer's ledger chain (`seq`, `sha256`); a budget (`reason` names the programme); a payroll closed, and a line it carried over; a
    payment that its provider was asked to cancel, and money to be recovered because the cancel came too late;
    what a file of the provider proved of a payment or of a batch (`reason` is its word, `sha256` the file); a break that two people ended
    by a posting (`reason` is its type); a further month that is paid with a payroll, and that this was taken back. `month`: the month
    a fact is of, where that is not the one that names its payroll."""

    entry_id: UUID
    fact: Literal[
        "held", "assigned", "posting", "approval", "withdrawal", "head", "budget", "closed", "carried", "cancel", "recovery", "statement",
        "break", "joined", "parted",
    ]  # fmt: skip
    subject: UUID
    batch_id: UUID | None = None
    vnd: Vnd = 0
    debit: str | None = None
    credit: str | None = None
    reason: str | None = None
    actor: str | None = None
    sha256: Digest | None = None
    seq: Annotated[int, Field(ge=1)] | None = None
    month: Period | None = None
    end_to_end_id: Annotated[str, Field(pattern=r"^[A-Z2-7]{16}$")] | None = None
