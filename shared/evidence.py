"""What comparing two identities showed, field by field."""

from __future__ import annotations

from shared import words
from shared.fields import Block


class FieldEvidence(Block):
    """What comparing one field showed."""

    field: words.IdentityField
    finding: words.Finding
