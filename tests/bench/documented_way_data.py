"""The people of the documented way: ministry events as long as ours (730 bytes), with sealed blocks as long as ours but of nothing."""

import hashlib
from datetime import UTC, datetime

from shared.events import DeclaredLine, Enrolled
from shared.words import Programme

NOW = datetime(2024, 1, 20, 2, 0, tzinfo=UTC)
CAMPAIGN = "documented-way"
_LENGTHS = {"identity": 230, "payee": 190, "delivery": 130, "contact": 102}
SEALED = {kind: f"v1.{kind}.2024-01.AAAAAAAAAAAA.".ljust(length, "A") for kind, length in _LENGTHS.items()}
_PERSONAL = ".".join(("e" * 60, "", "e" * 16, "e" * 360, "e" * 22))


def digest_of(text: str) -> str:
    """64 hex, as a keyed digest looks."""
    return hashlib.sha256(text.encode()).hexdigest()


def enrolled(number: int) -> bytes:
    """The ministry's event of one person."""
    line = DeclaredLine(
        programme=Programme.SOCIAL_ASSISTANCE, benefit_code="BT-5c", coefficient_hundredths=100, monthly_vnd=360_000
    )
    event = Enrolled(
        source="sandbox/ministry", record=f"r{number}", source_sequence=1, period="2024-02", payer="huyen-444", area="18496",
        line=line, personal=_PERSONAL,
    )  # fmt: skip
    return event.model_dump_json(exclude_none=True).encode()
