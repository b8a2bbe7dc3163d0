"""What the sandbox knows to be true: people, their benefits, accounts, and every defect planted on
purpose. All SYNTHETIC.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Sex(StrEnum):
    """Sex as the population register writes it."""

    MALE = "male"
    FEMALE = "female"


class Wish(StrEnum):
    """How the person wishes to be paid."""

    ACCOUNT = "account"
    POST = "post"


class Family(StrEnum):
    """Law family of a benefit."""

    ASSISTANCE = "assistance"
    MERIT = "merit"


class MessKind(StrEnum):
    """One planted defect of the payroll list or of its agreement with the population register."""

    NUMBER_OLD9 = "number_old9"
    NUMBER_MISSING = "number_missing"
    NUMBER_AS_NUMBER = "number_as_number"
    NUMBER_LOST_ZERO = "number_lost_zero"
    BIRTH_YEAR_ONLY = "birth_year_only"
    NAME_NFD = "name_nfd"
    NAME_TONE = "name_tone"
    NAME_I_FOR_Y = "name_i_for_y"
    NAME_NO_ACCENTS = "name_no_accents"
    ROW_DOUBLED = "row_doubled"
    AMOUNT_WRONG = "amount_wrong"
    DEAD = "dead"
    MOVED_AWAY = "moved_away"
    BIRTH_YEAR_WRONG = "birth_year_wrong"
    NOT_IN_REGISTER = "not_in_register"
    NUMBER_CHANGED = "number_changed"
    LATE_DEATH = "late_death"
    MOVED_IN_DISTRICT = "moved_in_district"


class Fate(StrEnum):
    """What must become of the person this month; anything else is a fault of the system under test."""

    PAY = "pay"
    PAY_NOT_NEW_ACCOUNT = "pay_not_new_account"  # by post, or held; never on an account by this proof alone
    PAY_OR_HOLD = "pay_or_hold"  # an officer may decide either way; once at most
    HOLD = "hold"
    WITHDRAW = "withdraw"  # in the batch, taken out before it is sent


class AccountTruth(StrEnum):
    """What the bank knows about an account."""

    GOOD = "good"
    NAME_MISMATCH = "name_mismatch"
    RELATIVE_WITH_PAPER = "relative_with_paper"
    RELATIVE_NO_PAPER = "relative_no_paper"
    UNKNOWN_BIN = "unknown_bin"
    CANNOT_VERIFY = "cannot_verify"
    CLOSED = "closed"  # passes nothing: the bank answers closed when asked, rejects when paid


class AccountMess(StrEnum):
    """How the account list of the commune police spoils a row."""

    NUMBER_CELL = "number_cell"
    LOST_ZERO = "lost_zero"
    OLD9_ID = "old9_id"
    ROW_DOUBLED = "row_doubled"


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the three parts the population register keeps; middle may be empty."""

    family: str
    middle: str
    given: str

    @property
    def full(self) -> str:
        """Family, middle and given name as a list writes them."""
        return " ".join(part for part in (self.family, self.middle, self.given) if part)


@dataclass(frozen=True, slots=True)
class Benefit:
    """One row of the payroll list: what it declares for one benefit, all amounts in VND; periods are
    YYYY-MM.
    """

    code: str
    family: Family
    coefficient: Decimal | None
    monthly_vnd: int
    carer_vnd: int = 0
    arrears_periods: tuple[str, ...] = ()
    arrears_vnd: int = 0
    one_off_vnd: int = 0
    unpaid_periods: tuple[str, ...] = ()
    unpaid_vnd: int = 0
    note: str = ""

    @property
    def total_vnd(self) -> int:
        """Sum of everything the row declares."""
        return self.monthly_vnd + self.carer_vnd + self.arrears_vnd + self.one_off_vnd + self.unpaid_vnd


@dataclass(frozen=True, slots=True)
class Account:
    """A registered bank account; `number` is the true text with its leading zeros."""

    bank_bin: str
    bank_name: str
    number: str
    holder_name: str
    relation: str  # Vietnamese word; "Bản thân" for the person's own account
    authorisation_paper: str | None
    truth: AccountTruth
    already_paid_on_it: bool
    registered_on: date
    mess: AccountMess | None = None


@dataclass(frozen=True, slots=True)
class Collector:
    """Somebody authorised to collect for the person."""

    name: str
    personal_number: str
    paper: str


@dataclass(frozen=True, slots=True)
class Cannot:
    """Why the person cannot be expected to hold an account (bất khả kháng)."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Mess:
    """The defect planted on a person and the right fate."""

    kind: MessKind
    fate: Fate


@dataclass(frozen=True, slots=True)
class Written:
    """How the payroll list writes the person; an int is a numeric cell, a date an Excel date, None an
    empty cell.
    """

    full_name: str
    birth: date | str | int
    number: str | int | None
    old_number: str | None
    phone: str | int | None
    times: int = 1


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One row of the population register; the names are the person's own."""

    personal_number: str
    birth: str
    area_code: str
    status: str = "alive"
    status_date: date | None = None
    replaced_by: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """One true, synthetic recipient."""

    record: str
    name: Name
    birth_date: date
    sex: Sex
    personal_number: str
    old_number: str | None
    commune_code: str
    hamlet: str
    phone: str | None
    benefits: tuple[Benefit, ...]
    account: Account | None
    wish: Wish
    home_delivery: bool
    collector: Collector | None
    cannot: Cannot | None
    mess: Mess | None
    written: Written
    register: tuple[RegisterRow, ...]

    @property
    def full_name(self) -> str:
        """The true name in one text."""
        return self.name.full

    @property
    def total_vnd(self) -> int:
        """Declared sum over the person's benefits, one copy of each row."""
        return sum(benefit.total_vnd for benefit in self.benefits)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A synthetic inhabitant who is on no payroll list; `twin_of` names the recipient with the same
    name and birth year.
    """

    name: Name
    birth_date: date
    sex: Sex
    personal_number: str
    old_number: str | None
    commune_code: str
    account: Account | None = None
    twin_of: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A move between two communes of the district."""

    record: str
    to_commune_code: str
    to_hamlet: str


@dataclass(frozen=True, slots=True)
class District:
    """The whole synthetic district of one seed; `door_records` are the people whose account comes
    through Kafka.
    """

    seed: int
    period: str
    people: tuple[Person, ...]
    strangers: tuple[Stranger, ...]
    door_records: tuple[str, ...]
    late_death: str
    died_on: date
    move: Move

    @property
    def account_file_people(self) -> tuple[Person, ...]:
        """The account holders whom the commune police put into their file, in list order."""
        door = frozenset(self.door_records)
        return tuple(p for p in self.people if p.account and p.record not in door)

    def person(self, record: str) -> Person:
        """The person of a record; KeyError when there is none."""
        for person in self.people:
            if person.record == record:
                return person
        raise KeyError(record)
