"""What travels inside a signed cancel (`BatchMessage.kind` is `cancel`)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.fields import Block, Digest
from shared.topics import Provider

IDS_MAX = 1_000
"""So many payments one cancel names at most: about 30 kB as a JWS."""
EndToEndId = Annotated[str, Field(pattern=r"^[A-Z2-7]{16}$")]


class CancelRequest(Block):
    """Payout asks a provider not to pay these lines of a batch. Only the provider's word ends them: asking stops nothing.

    The same cancel said again has the same `cancel_id` and names the same lines. `list_sha256` is the hash two people signed.
    """

    cancel_id: UUID
    batch_id: UUID
    provider: Provider
    end_to_end_ids: tuple[EndToEndId, ...] = Field(min_length=1, max_length=IDS_MAX)
    list_sha256: Digest
    made_at: AwareDatetime
