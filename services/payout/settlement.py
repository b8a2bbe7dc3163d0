"""The settlement report of a period: where every line and every dong is, what went through each provider, and whether it balances. Pure.

Two equations hold for each payer, programme, commune and provider:
what the lists declare = held + not built + listed + in flight + unknown + paid + back + carried, and
what the ledger drew from the budgets = in flight + unknown + paid + rejected + returned + expired, as the payments stand.
They are made from different tables, so a row that does not balance is a finding, named and shown red. Amounts are VND.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

NOBODY = "-"
"""The provider of what is with no provider: held, not built, unexplained."""


class Place(StrEnum):
    """Where a part of a line is: exactly one. The last two explain nothing: lost, or covered more than once."""

    HELD = "held"
    NOT_BUILT = "not_built"
    LISTED = "listed"
    IN_FLIGHT = "in_flight"
    UNKNOWN = "unknown"
    PAID_ACCOUNT = "paid_account"
    PAID_COUNTER = "paid_counter"
    PAID_HOME = "paid_home"
    BACK = "back"
    CARRIED = "carried"
    NOWHERE = "nowhere"
    TWICE = "twice"


class Flow(StrEnum):
    """Where a payment that left is now. A line that is paid again has another payment."""

    IN_FLIGHT = "in_flight"
    UNKNOWN = "unknown"
    PAID_ACCOUNT = "paid_account"
    PAID_COUNTER = "paid_counter"
    PAID_HOME = "paid_home"
    REJECTED = "rejected"
    RETURNED = "returned"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


REST = "rest"
"""What the database calls a part that nothing explains; whether it is early or lost is decided here."""
PAID = (Flow.PAID_ACCOUNT, Flow.PAID_COUNTER, Flow.PAID_HOME)
CAME_BACK = (Flow.REJECTED, Flow.RETURNED, Flow.EXPIRED, Flow.CANCELLED)
OPEN = (Flow.IN_FLIGHT, Flow.UNKNOWN)


class Key(NamedTuple):
    """What a row is about."""

    payer: str
    programme: str
    area: str
    provider: str


@dataclass(frozen=True, slots=True)
class Total:
    """So many lines or payments, so many VND."""

    count: int = 0
    vnd: int = 0

    def __add__(self, other: Total) -> Total:
        """Both together."""
        return Total(self.count + other.count, self.vnd + other.vnd)


NOTHING = Total()


def total(parts: Iterable[Total]) -> Total:
    """All together."""
    return sum(parts, NOTHING)


@dataclass
class Row:
    """One payer, programme, commune and provider. `places` count lines, `flow` and `sent` payments, `held` lines per reason."""

    key: Key
    places: dict[Place, Total] = field(default_factory=dict)
    held: dict[str, Total] = field(default_factory=dict)
    sent: Total = NOTHING
    flow: dict[Flow, Total] = field(default_factory=dict)
    recovered: Total = NOTHING

    def place(self, place: Place) -> Total:
        """What is there."""
        return self.places.get(place, NOTHING)

    def gone(self, *flows: Flow) -> Total:
        """Payments that left and are in one of these."""
        return total(self.flow.get(flow, NOTHING) for flow in flows)

    @property
    def declared(self) -> Total:
        """What went in."""
        return total(self.places.values())

    @property
    def payable(self) -> Total:
        """What may be paid: declared, without what is held."""
        held = self.place(Place.HELD)
        return Total(self.declared.count - held.count, self.declared.vnd - held.vnd)

    @property
    def faults(self) -> tuple[str, ...]:
        """What does not balance, in words for officers; empty when all does."""
        lost, twice, gone = self.place(Place.NOWHERE), self.place(Place.TWICE), self.gone(*Flow)
        found = [f"{lost.count} dòng, {lost.vnd} đồng không rõ ở đâu"] if lost != NOTHING else []
        found += [f"chi vượt khai báo {-twice.vnd} đồng"] if twice != NOTHING else []
        if self.sent != gone:
            found.append(
                f"sổ cái ghi gửi {self.sent.count} khoản {self.sent.vnd} đồng, lệnh chi {gone.count} khoản {gone.vnd} đồng"
            )
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Listed:
    """One closed list: what its closing promised. `finished_at`: since when nothing moves in its payroll."""

    payer: str
    promised: Total
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unpaid:
    """Something of one person came back and is not paid again. `months`: so many of their months in a row nothing was paid."""

    payer: str
    beneficiary_id: UUID
    programme: str
    area: str
    provider: str
    channel: str
    state: str
    reason: str
    carried: bool
    vnd: int
    months: int


@dataclass(frozen=True, slots=True)
class ProviderMoney:
    """What one provider got from one payer and owes: drawn = paid + to give back + open. `recovered`: given back of wrong movements."""

    payer: str
    provider: str
    drawn: Total
    paid: Total
    to_give_back: Total
    still_open: Total
    recovered: Total

    @property
    def balances(self) -> bool:
        """Everything drawn is paid, given back or open."""
        return self.drawn == self.paid + self.to_give_back + self.still_open


@dataclass(frozen=True)
class Report:
    """One period, of one payer or all."""

    period: str
    lists: Sequence[Listed]
    rows: Sequence[Row]
    providers: Sequence[ProviderMoney]
    people: Sequence[Unpaid]
    faults: Sequence[str]

    @property
    def balanced(self) -> bool:
        """Nothing is lost, nothing is twice, ledger and payments agree."""
        return not self.faults

    @property
    def whole(self) -> Row:
        """All rows together."""
        return together(self.rows, Key(NOBODY, NOBODY, NOBODY, NOBODY))


def report(period: str, lists: Sequence[Listed], rows: Iterable[Row], *, people: Sequence[Unpaid]) -> Report:
    """The report, with everything that does not balance by name."""
    known = sorted(rows, key=lambda row: row.key)
    money = providers(known)
    return Report(period, lists, known, money, people, tuple(_faults(lists, known, money, people=people)))


def _faults(
    lists: Sequence[Listed], rows: Sequence[Row], money: Sequence[ProviderMoney], *, people: Sequence[Unpaid]
) -> Iterator[str]:
    for row in rows:
        yield from (f"{' / '.join(row.key)}: {fault}" for fault in row.faults)
    for one in lists:
        found = total(row.declared for row in rows if row.key.payer == one.payer)
        if found != one.promised:
            yield (
                f"{one.payer}: danh sách chốt {one.promised.count} dòng {one.promised.vnd} đồng, "
                f"báo cáo có {found.count} dòng {found.vnd} đồng"
            )
    for provider in money:
        if not provider.balances:
            yield f"{provider.payer} / {provider.provider}: tiền đã rút khác tiền đã chi, phải hoàn và đang chờ"
    owed = total(row.place(place) for row in rows for place in (Place.BACK, Place.CARRIED)).vnd
    listed = sum(one.vnd for one in people)
    if owed != listed:
        yield f"danh sách chuyển kỳ sau {listed} đồng, các dòng chưa chi lại {owed} đồng"


def rows_of(
    places: Iterable[Mapping[str, Any]], flows: Iterable[Mapping[str, Any]], recovered: Iterable[Mapping[str, Any]]
) -> list[Row]:
    """Rows from what the three queries of `queries_settlement.sql` found. What is not explained is early before a payer's first build,
    and lost after it."""
    rows: dict[Key, Row] = {}
    given = [dict(part) for part in places]
    built = {part["payer"] for part in given if part["place"] not in (REST, Place.TWICE)}
    for part in given:
        row, amount = _row(rows, part), Total(part["count"], part["vnd"])
        place = Place(part["place"]) if part["place"] != REST else _unexplained(built, part["payer"])
        row.places[place] = row.place(place) + amount
        if place is Place.HELD:
            row.held[part["reason"]] = row.held.get(part["reason"], NOTHING) + amount
    for moved in flows:
        row = _row(rows, moved)
        row.sent += Total(moved["sent_count"], moved["sent_vnd"])
        if moved["flow"]:
            flow = Flow(moved["flow"])
            row.flow[flow] = row.gone(flow) + Total(moved["count"], moved["vnd"])
    for back in recovered:
        row = _row(rows, back)
        row.recovered += Total(back["count"], back["vnd"])
    return list(rows.values())


def _unexplained(built: set[str], payer: str) -> Place:
    return Place.NOWHERE if payer in built else Place.NOT_BUILT


def _row(rows: dict[Key, Row], part: Mapping[str, Any]) -> Row:
    key = Key(part["payer"], part["programme"], part["area"], part["provider"])
    return rows.setdefault(key, Row(key))


def together(rows: Iterable[Row], key: Key) -> Row:
    """Rows as one, under a key of its own."""
    made = Row(key)
    for row in rows:
        for place, amount in row.places.items():
            made.places[place] = made.place(place) + amount
        for reason, amount in row.held.items():
            made.held[reason] = made.held.get(reason, NOTHING) + amount
        for flow, amount in row.flow.items():
            made.flow[flow] = made.gone(flow) + amount
        made.sent += row.sent
        made.recovered += row.recovered
    return made


def providers(rows: Iterable[Row]) -> list[ProviderMoney]:
    """What each provider got from each payer and owes."""
    by_provider: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.sent != NOTHING or row.flow or row.recovered != NOTHING:
            by_provider[row.key.payer, row.key.provider].append(row)
    found = []
    for (payer, provider), theirs in sorted(by_provider.items()):
        one = together(theirs, Key(payer, NOBODY, NOBODY, provider))
        open_, back = one.gone(*OPEN), one.gone(*CAME_BACK)
        found.append(ProviderMoney(payer, provider, one.sent, one.gone(*PAID), back, open_, one.recovered))
    return found
