"""What auditors add up, one fact at a time."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from shared.fields import Block, Digest, Vnd


class Fact(Block):
    """One fact an auditor needs: a held line, a line put into an instruction, a posting or an approval. `fact` says which."""

    entry_id: UUID
    fact: Literal["held", "assigned", "posting", "approval", "withdrawal"]
    subject: UUID
    batch_id: UUID | None = None
    vnd: Vnd = 0
    debit: str | None = None
    credit: str | None = None
    reason: str | None = None
    actor: str | None = None
    sha256: Digest | None = None
