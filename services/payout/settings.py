"""Settings of payout."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.payout.policy import Policy
from shared.settings import ServiceSettings


class Settings(ServiceSettings, Policy):
    """The common settings, the answers to open questions of entitlement, and the rules an office may choose. All amounts are VND."""

    rates_dir: Path | None = None
    """A folder with the tables of `rates/`, instead of those of this release."""

    execution_day: int = Field(default=1, ge=1, le=28)
    """The day of the period's month on which providers pay."""
    verification_days: int = Field(default=5, ge=0, le=60)
    """So many days before that day a payroll may be built without a result for everybody."""
    tolerance_vnd: int = Field(default=0, ge=0, le=1_000_000)
    """How far a declared monthly amount may lie from the rule before the line is held."""
    limit_vnd: int = Field(default=499_999_999, ge=1)
    """The most one payment may carry; above it a person is paid in parts."""
    answer_hours: int = Field(default=72, ge=1, le=24 * 30)
    """After so many hours without an answer a payment is unknown, also when the provider never said that it is done."""
    budget_required: bool = False
    """Whether nothing leaves without a confirmed budget. A budget that is confirmed always binds."""
    debtor_name: str = "PHONG LAO DONG THUONG BINH VA XA HOI"
    debtor_account: str = Field(default="9990000000001", pattern=r"^[0-9A-Za-z]{1,30}$")
    schemas_dir: Path | None = None
    """Where ISO 20022 schemas lie (`camt.053.001.08.xsd`): a provider's file is compared with its schema when it is there."""
    statement_days: int = Field(default=3, ge=0, le=60)
    """So many days after a payment a bank's whole statement must name it, else it is missing."""
    sftp_targets_file: Path | None = None
    """JSON: provider -> where it takes files (`services/payout/sftp.py` `Target`). Without it files stay in the files folder."""
