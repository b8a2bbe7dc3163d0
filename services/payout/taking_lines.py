"""Frozen lines as they come: what a payroll will need of one must open when it arrives, not when it is built."""

from __future__ import annotations

from services.payout.knowledge import opened
from shared.errors import BadRecord
from shared.events import EntitlementLine
from shared.records import Received
from shared.vault import Vault, VaultError


def readable(vault: Vault, record: Received[EntitlementLine]) -> EntitlementLine:
    """The line, if its circumstances open. Raises BadRecord."""
    line = record.message
    try:
        opened(vault, line.beneficiary_id, line.circumstances)
    except VaultError:
        raise BadRecord(record.offset, "SEALED_BLOCK") from None
    return line
