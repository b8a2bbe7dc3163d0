"""Settings of payout."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.payout.contracts import CONTRACTS_FILE
from services.payout.pay_days import PAY_POINTS_FILE, Shift
from services.payout.policy import Policy
from services.payout.provider_rules import RULES
from shared.areas import AREAS_FILE
from shared.settings import ServiceSettings
from shared.topics import Provider

AccountNumber = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,30}$")]


class DebtorRow(BaseModel):
    """The account a payer pays from, from a day on."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    payer: str
    name: str = Field(min_length=1, max_length=140)
    account: AccountNumber
    valid_from: date


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
    limit_vnd: int = Field(default=499_999_999, ge=2 * max(row.least_vnd for row in RULES.values()))
    """The most one payment may carry; above it a person is paid in parts, none of which is below the least its provider takes."""
    answer_hours: int = Field(default=72, ge=1, le=24 * 30)
    """After so many hours without an answer a payment is unknown, also when the provider never said that it is done."""
    budget_required: bool = False
    """Whether nothing leaves without a confirmed budget. A budget that is confirmed always binds."""
    debtor_name: str = "PHONG LAO DONG THUONG BINH VA XA HOI"
    debtor_account: AccountNumber = "9990000000001"
    debtors: tuple[DebtorRow, ...] = ()
    """JSON: payers with an account of their own; the others pay from `debtor_account`."""
    funding_accounts: tuple[AccountNumber, ...] = ()
    """JSON: accounts, the Treasury's say, that money for ours comes from. A credit from one of them under no id of ours, no return,
    is no break; by default every credit without an id is one."""
    cut_off: time = time(15, 0)
    """Local time after which a bank executes on the next day at the earliest."""
    execution_shift: Shift = Shift.NONE
    """What becomes of an execution date on a closed day; the instant rail runs on holidays, so by default nothing."""
    counter_shift: Shift = Shift.NEXT
    """What becomes of a pay point's day on which counters are closed."""
    pay_points_file: Path = PAY_POINTS_FILE
    """CSV `area,day,valid_from,valid_until`: pay points with a day of their own; the others pay on `execution_day`."""
    areas_file: Path = AREAS_FILE
    """CSV of communes with their names, as registry reads it."""
    contracts_file: Path = CONTRACTS_FILE
    """CSV `provider,channel,area,bank_bin,valid_from,valid_until`: who executes what, `*` for any commune or bank."""
    listed_providers: tuple[Provider, ...] = ()
    """JSON: banks that get the transfers as CSV and XLSX beside pain.001."""
    print_lists: bool = True
    """Whether postal lists are also made as PDF for printing, soon after they have left."""
    schemas_dir: Path | None = None
    """Where ISO 20022 schemas lie (`camt.053.001.08.xsd`): a provider's file is compared with its schema when it is there."""
    statement_days: int = Field(default=3, ge=0, le=60)
    """So many days after a payment a bank's whole statement must name it, else it is missing."""
    sftp_targets_file: Path | None = None
    """JSON: provider -> where it takes files (`services/payout/sftp.py` `Target`). Without it files stay in the files folder."""

    @model_validator(mode="after")
    def _debtors_differ(self) -> Self:
        """Two rows of one payer that begin on the same day: which counts nobody could say."""
        if len({(row.payer, row.valid_from) for row in self.debtors}) != len(self.debtors):
            raise ValueError("debtors: two rows of a payer begin on the same day")
        return self

    @model_validator(mode="after")
    def _funded_by_others(self) -> Self:
        """A return may name the account that was debited: were that one to fund us, money that came back would pass for new money."""
        if {self.debtor_account, *(row.account for row in self.debtors)} & set(self.funding_accounts):
            raise ValueError("funding_accounts: an account of ours does not fund us")
        return self

    def decided_by(self) -> dict[str, Any]:
        """Everything that changes what is decided, for whoever must decide alike: without addresses, keys, accounts and where files go."""
        apart = {*ServiceSettings.model_fields, "debtor_account", "debtors", "funding_accounts", "sftp_targets_file"}
        return self.model_dump(mode="json", exclude=apart)
