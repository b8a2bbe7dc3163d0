"""The account list of the commune police: each row one account of one person and how they wish to be paid. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache, partial

from services.registry import cells
from services.registry.areas import Areas, Placed
from services.registry.banks import BankNames
from services.registry.columns import ACCOUNTS_NEED, Column
from services.registry.intake import Part, Problem, RowReader, Taken
from services.registry.intake_papers import OF_A_PAPER, collector, note_of_holder
from services.registry.refusals import RowReason
from services.registry.sheets import Line
from services.registry.statements import RegisterAccount, Split
from shared.personal import Account, Identity, PersonalData
from shared.words import AccountSource, Wish

_WISHES = {
    "": Wish.ACCOUNT, "tai khoan": Wish.ACCOUNT, "chuyen khoan": Wish.ACCOUNT, "ngan hang": Wish.ACCOUNT,
    "buu dien": Wish.POST, "tien mat": Wish.POST, "diem buu dien": Wish.POST, "tai nha": Wish.POST,
}  # fmt: skip


class AccountsReader:
    """Reads one account list."""

    needs: Sequence[tuple[Column, ...]] = ACCOUNTS_NEED

    def __init__(self, areas: Areas, banks: BankNames, *, payer: str, today: date) -> None:
        """`today` bounds birth dates and is the day whose communes are meant."""
        self._banks = banks
        self._payer = payer
        self._today = today
        self._areas_called = lru_cache(maxsize=10_000)(partial(areas.find, payer, on=today))

    def part(self, lines: Sequence[Line]) -> Part:
        """What these rows state."""
        remarks = tuple(line.row_no for line in lines if line.is_remark or line.is_totals)
        return Part(tuple(self._row(line) for line in lines if line.row_no not in remarks), remarks)

    def passed(self, lines: Sequence[Line]) -> None:
        """Account lists add nothing up."""

    def _row(self, line: Line) -> Taken:
        if line.overflows:
            return Taken(line.row_no, None, (Problem(Column.ROW, RowReason.CELLS_TOO_MANY),))
        reader = RowReader(line)
        identity = reader.identity(lambda cell: cells.birth(cell, self._today))
        account = self._account(reader)
        wish = _WISHES.get(reader.word(Column.WISH))
        if wish is None:
            reader.problem(Column.WISH, RowReason.WORD_UNKNOWN)
        phone = reader.phone()
        area = self._area(reader, identity)
        if reader.problems or identity is None or account is None or wish is None:
            assert reader.problems, "a row that cannot be taken says why"
            return Taken(line.row_no, None, tuple(reader.problems))
        by_paper = collector(reader, Column.HOLDER, scope="account") if any(map(line.has, OF_A_PAPER)) else None
        note_of_holder(reader, account, by_paper, identity=identity)
        personal = PersonalData(identity=identity, account=account, phone=phone, collector=by_paper)
        act = RegisterAccount(
            account_source=AccountSource.COMMUNE_POLICE, wish=wish, personal=personal, payer=self._payer, area=area
        )
        return Taken(line.row_no, act, (), tuple(reader.notes))

    def _area(self, reader: RowReader, identity: Identity | None) -> str | None:
        """The commune, which tells namesakes apart; beside a number it says nothing. Of a split unit the payer's part is meant."""
        if identity is None or identity.personal_number or not (written := reader.text(Column.AREA, 100)):
            return None
        found = self._areas_called(written)
        if isinstance(found, Placed):
            reader.note(found.note)
            return found.code
        if isinstance(found, Split):
            return found.mine[0] if len(found.mine) == 1 else None
        reader.problem(Column.AREA, found)
        return None

    def _account(self, reader: RowReader) -> Account | None:
        line = reader.line
        bank_bin = reader.read(
            Column.BIN if line.has(Column.BIN) else Column.BANK,
            lambda _cell: self._banks.bank_bin(line.cell(Column.BIN), line.cell(Column.BANK)),
        )
        holder = reader.read(Column.HOLDER, lambda cell: cells.text(cell, 140))
        number = reader.read(Column.ACCOUNT, lambda cell: self._banks.account_number(cell, bank_bin or ""))
        if holder is not None and not holder.value:
            reader.problem(Column.HOLDER, RowReason.MISSING)
        if reader.problems or bank_bin is None or number is None or holder is None:
            return None
        reader.note(number.note)
        return Account(bank_bin=bank_bin, number=number.value, holder=holder.value)
