"""How the files of a release look: who pays from which account, what places are called, when pay points pay, who gets which files. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from services.payout.bank_file import Debtor
from services.payout.pay_days import PayDays, Shift, executable, read_pay_points
from services.payout.postal_print import Heading
from services.payout.settings import DebtorRow, Settings
from shared.areas import AreaNames, read_areas
from shared.topics import Provider


@dataclass(frozen=True)
class Papers:
    """What an office settled about its files."""

    debtors: Sequence[DebtorRow]
    usual_debtor: Debtor
    names: AreaNames
    pay_days: PayDays
    cut_off: time
    shift: Shift
    listed: frozenset[Provider]

    def debtor(self, payer: str, on: date) -> Debtor:
        """The account a payer pays from on a day: its newest row that began by then, else the usual one."""
        begun = [row for row in self.debtors if row.payer == payer and row.valid_from <= on]
        if not begun:
            return self.usual_debtor
        row = max(begun, key=lambda r: r.valid_from)
        return Debtor(row.name, row.account)

    def execution_date(self, wanted: date, released_at: datetime) -> date:
        """The day a provider is told: the one that was signed, or the first it can still keep."""
        return executable(wanted, released_at, cut_off=self.cut_off, shift=self.shift)

    def area(self, code: str, period: str) -> str:
        """What a commune is called in a period: on its first day."""
        return self.names.name(code, date.fromisoformat(f"{period}-01"))

    def heading(self, code: str, period: str, not_before: date, *, joined: Sequence[str] = ()) -> Heading:
        """What stands over a commune's list. No pay point pays before the money is there."""
        return Heading(self.area(code, period), period, max(self.pay_days.of(code, period), not_before), tuple(joined))


def papers(settings: Settings) -> Papers:
    """From the settings and the tables they name. Raises ValueError or OSError for a table that cannot be read."""
    points = read_pay_points(settings.pay_points_file)
    return Papers(
        debtors=settings.debtors,
        usual_debtor=Debtor(settings.debtor_name, settings.debtor_account),
        names=AreaNames(read_areas(settings.areas_file)),
        pay_days=PayDays(points, usual_day=settings.execution_day, shift=settings.counter_shift),
        cut_off=settings.cut_off,
        shift=settings.execution_shift,
        listed=frozenset(settings.listed_providers),
    )
