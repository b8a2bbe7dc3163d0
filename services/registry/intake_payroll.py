"""The payroll list: each row one benefit of one person with its money, the last one the totals. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial

from services.registry import cells
from services.registry.areas import Areas, Placed
from services.registry.banks import BankNames
from services.registry.benefit_codes import benefit_code
from services.registry.cells import BadCell, Cell, folded
from services.registry.columns import PAYROLL_NEEDS, Column
from services.registry.intake import Part, Problem, RowReader, Taken, Totals
from services.registry.intake_circumstances import circumstances
from services.registry.intake_papers import collector, note_of_holder
from services.registry.refusals import RowNote, RowReason
from services.registry.sheets import Line
from services.registry.statements import Enrol, Split
from shared.events import Arrears, DeclaredLine
from shared.money import total
from shared.personal import Account, Delivery, Identity, PersonalData
from shared.words import Programme

MONEY_COLUMNS = (Column.MONTHLY, Column.CARER, Column.ARREARS, Column.ONE_OFF, Column.UNPAID, Column.TOTAL)
# Everything of a row that makes its line.
LINE_COLUMNS = (
    Column.CODE, *MONEY_COLUMNS, Column.COEFFICIENT, Column.ARREARS_PERIODS, Column.UNPAID_PERIODS,
)  # fmt: skip
_PLACES = {column: place for place, column in enumerate(LINE_COLUMNS)}
_BY_ACCOUNT = ("tai khoan", "chuyen khoan", "ngan hang", "the", "atm")
_AT_HOME = ("tai nha", "tra tai nha", "nha")
_AT_COUNTER = ("diem buu dien", "buu dien", "tai quay", "tien mat", "diem chi tra", "buu cuc")
# Words of the "cannot" class (domain 6), first that stands in the cell.
_CANNOT_WORDS = (
    ("tre em", "R_CHILD"), ("tre nho", "R_CHILD"), ("gia yeu", "R_WEAK"), ("uy quyen", "R_NOBODY"), ("song mot minh", "R_NOBODY"),
    ("giay to", "R_PAPER"), ("nang luc", "R_CAPACITY"), ("nam tai cho", "R_IMMOBILE"), ("khong di lai", "R_IMMOBILE"),
    ("khuyet tat nang", "R_IMMOBILE"),
)  # fmt: skip


class PayrollReader:
    """Reads one payroll list of one payer and period."""

    needs: Sequence[tuple[Column, ...]] = PAYROLL_NEEDS

    def __init__(self, areas: Areas, banks: BankNames, *, period: str, payer: str, today: date) -> None:
        """`today` bounds birth dates."""
        self._areas = areas
        self._banks = banks
        self._period = period
        self._payer = payer
        self._first_day = date.fromisoformat(f"{period}-01")
        self._today = today
        self._sums = _Sums()
        self._areas_called = lru_cache(maxsize=10_000)(partial(areas.find, payer, on=self._first_day))

    def part(self, lines: Sequence[Line]) -> Part:
        """What these rows state; they follow those of the call before."""
        rows, remarks, totals = list[Taken](), list[int](), list[Totals]()
        for line in lines:
            if line.is_totals:
                totals.append(Totals(line.row_no, self._sums.differing(line)))
            elif line.is_remark:
                remarks.append(line.row_no)
            else:
                said = _line_of(line)
                rows.append(self._row(line, said))
                self._sums.add(said.vnds)
        return Part(tuple(rows), tuple(remarks), tuple(totals))

    def passed(self, lines: Sequence[Line]) -> None:
        """These rows were taken by an earlier run: they count for the totals row only."""
        for line in lines:
            if line.is_totals:
                self._sums.differing(line)
            elif not line.is_remark:
                self._sums.add(_line_of(line).vnds)

    def _row(self, line: Line, said: _Said) -> Taken:
        if line.overflows:
            return Taken(line.row_no, None, (Problem(Column.ROW, RowReason.CELLS_TOO_MANY),))
        reader = RowReader(line)
        identity = reader.identity(lambda cell: cells.birth(cell, self._today))
        hamlet = reader.text(Column.HAMLET, 100)
        area = reader.read(Column.AREA, partial(self._area, hamlet))
        split = area if isinstance(area, Split) else None
        reader.note(RowNote.AREA_BY_DECISION if split else getattr(area, "note", None))
        declared = _declared(reader, said)
        personal = self._personal(reader, identity, hamlet)
        if reader.problems or identity is None or area is None or declared is None:
            assert reader.problems, "a row that cannot be taken says why"
            return Taken(line.row_no, None, tuple(reader.problems), who=identity)
        act = Enrol(
            period=self._period,
            payer=self._payer,
            area=area.old if isinstance(area, Split) else area.code,
            line=declared,
            personal=personal,
        )
        return Taken(line.row_no, act, (), tuple(reader.notes), split)

    def _area(self, hamlet: str, cell: Cell) -> Placed | Split:
        written = cells.text(cell).value
        if not written:
            raise BadCell(RowReason.MISSING)
        found = self._areas_called(written)
        if isinstance(found, Split):
            found = self._areas.placed(found, hamlet, self._first_day)
        if isinstance(found, RowReason):
            raise BadCell(found)
        return found

    # --- the person's wishes ---------------------------------------------------------------------------------------------

    def _personal(self, reader: RowReader, identity: Identity | None, hamlet: str) -> PersonalData:
        channel = reader.word(Column.CHANNEL)
        if channel and channel not in _BY_ACCOUNT + _AT_HOME + _AT_COUNTER:
            reader.problem(Column.CHANNEL, RowReason.WORD_UNKNOWN)
        account, named = self._account(reader) if channel in _BY_ACCOUNT else None, collector(reader, Column.COLLECTOR)
        note_of_holder(reader, account, named, identity=identity)
        return PersonalData(
            identity=identity,
            account=account,
            delivery=_delivery(hamlet) if hamlet else None,
            home_delivery=channel in _AT_HOME if channel and channel not in _BY_ACCOUNT else None,
            phone=reader.phone(),
            collector=named,
            cannot_reason=_cannot(reader),
            circumstances=circumstances(reader, int(self._period[:4])),
        )

    def _account(self, reader: RowReader) -> Account | None:
        """An account that cannot be read costs the account, not the row: the post pays."""
        line = reader.line
        try:
            bank_bin = self._banks.bank_bin(line.cell(Column.BIN), line.cell(Column.BANK))
            number = self._banks.account_number(line.cell(Column.ACCOUNT), bank_bin)
            holder = cells.text(line.cell(Column.HOLDER), 140).value or cells.name(line.cell(Column.NAME)).value
        except BadCell:
            reader.note(RowNote.ACCOUNT_DROPPED)
            return None
        reader.note(number.note)
        return Account(bank_bin=bank_bin, number=number.value, holder=holder)


@lru_cache(maxsize=2_000)
def _delivery(hamlet: str) -> Delivery:
    """People are many and hamlets are few."""
    return Delivery(hamlet=hamlet)


# --- money -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """What the cells of `LINE_COLUMNS` say: a line, or the problems that keep them from being one; `vnds`: what can be read of
    `MONEY_COLUMNS`; `differs`: the total is not the sum of its parts."""

    line: DeclaredLine | None
    problems: tuple[Problem, ...]
    vnds: tuple[int, ...]
    differs: bool = False


def _line_of(line: Line) -> _Said:
    return _said(*map(line.cell, LINE_COLUMNS))


@lru_cache(maxsize=2_000, typed=True)
def _said(*written: Cell) -> _Said:
    """A list says the same of thousands: each wording is read once. `written`: the cells of `LINE_COLUMNS`."""
    reader = RowReader(Line(0, written, _PLACES))
    code = reader.read(Column.CODE, _code)
    money = {column: reader.read(column, cells.money) for column in MONEY_COLUMNS}
    vnds = tuple(vnd or 0 for vnd in money.values())
    coefficient = reader.read(Column.COEFFICIENT, cells.coefficient_hundredths)
    arrears = _owed(reader, Column.ARREARS_PERIODS, Column.ARREARS)
    unpaid = _owed(reader, Column.UNPAID_PERIODS, Column.UNPAID)
    if not reader.line.has(Column.MONTHLY):
        reader.problem(Column.MONTHLY, RowReason.MISSING)
    if reader.problems or code is None:
        return _Said(None, tuple(reader.problems), vnds)
    declared = DeclaredLine(
        programme=code[1],
        benefit_code=code[0],
        coefficient_hundredths=coefficient,
        monthly_vnd=money[Column.MONTHLY] or 0,
        carer_vnd=money[Column.CARER] or 0,
        arrears=arrears,
        one_off_vnd=money[Column.ONE_OFF] or 0,
        unpaid=unpaid,
    )
    differs = reader.line.has(Column.TOTAL) and total([declared.declared_vnd]) != money[Column.TOTAL]
    return _Said(declared, (), vnds, differs)


def _declared(reader: RowReader, said: _Said) -> DeclaredLine | None:
    """The row's line; None, with the problems gathered, when it is none."""
    reader.problems += said.problems
    if reader.problems or said.line is None:
        return None
    is_scaled = "scaled" in reader.text(Column.NOTE, 500).casefold()
    if said.differs:
        reader.problem(Column.TOTAL, RowReason.SUM_DIFFERS)
    return said.line.model_copy(update={"scaled": True}) if is_scaled else said.line


def _code(cell: Cell) -> tuple[str, Programme]:
    written = cells.text(cell, 40).value
    if not written:
        raise BadCell(RowReason.MISSING)
    known = benefit_code(written)
    if known is None:
        raise BadCell(RowReason.CODE_UNKNOWN)
    return known


def _owed(reader: RowReader, periods_column: Column, money_column: Column) -> Arrears | None:
    """Money of earlier periods counts only with both its periods and its sum (domain 2.3)."""
    periods = reader.read(periods_column, cells.periods)
    try:
        vnd = cells.money(reader.line.cell(money_column))
    except BadCell:
        return None  # told by the reading of all money columns
    if bool(periods) != bool(vnd):
        reader.problem(money_column if periods else periods_column, RowReason.OWED_INCOMPLETE)
    return Arrears(periods=periods, vnd=vnd) if periods and vnd else None


def _cannot(reader: RowReader) -> str | None:
    written = folded(reader.text(Column.CANNOT))
    found = next((code for words, code in _CANNOT_WORDS if words in written), None)
    if written and found is None:
        reader.note(RowNote.CANNOT_UNKNOWN)
    return found


class _Sums:
    """What the rows add up to: from the top, and since the last totals row, because communes have totals of their own. Thousands say the
    same: rows are counted by what they say, and added up where a total stands."""

    def __init__(self) -> None:
        self._before = dict.fromkeys(MONEY_COLUMNS, 0)
        self._rows = Counter[tuple[int, ...]]()

    def add(self, vnds: tuple[int, ...]) -> None:
        self._rows[vnds] += 1

    def differing(self, totals: Line) -> tuple[Column, ...]:
        """Columns in which a totals row fits neither; the next part begins after it."""
        since = [
            sum(vnd * rows for vnd, rows in zip(vnds, self._rows.values(), strict=True)) for vnds in zip(*self._rows, strict=True)
        ]
        sums = dict(zip(MONEY_COLUMNS, since or [0] * len(MONEY_COLUMNS), strict=True))
        whole = {column: self._before[column] + vnd for column, vnd in sums.items()}
        self._before, self._rows = whole, Counter()
        return tuple(column for column in MONEY_COLUMNS if not _fits(totals, column, (whole[column], sums[column])))


def _fits(totals: Line, column: Column, sums: tuple[int, int]) -> bool:
    try:
        return not totals.has(column) or cells.money(totals.cell(column)) in sums
    except BadCell:
        return False
