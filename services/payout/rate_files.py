"""Reading `rates/*.csv`: every cell is checked, and gaps and overlaps are refused with file, row and column named.

`shipped()` is what this release knows; `ANSINH_RATES_DIR` may name another folder with the same files.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from io import StringIO
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from services.payout.months import plus_months
from services.payout.policy import Policy
from services.payout.rate_book import Band, Benefit, DatedRow, Exclusion, Kind, OneOff, Override, Rate, RateBook, Row, Standard
from services.payout.rules import Rules
from shared.ages import RULE_AGES

FOLDER = Path(__file__).with_name("rates")
ROWS_MAX = 10_000
_RANGE = re.compile(r"(.+-)([0-9]{1,3})\.\.([0-9]{1,3})")
_COUNTED = (Kind.COEFFICIENT, Kind.ONE_OF, Kind.MULTIPLE)
AnyRow = TypeVar("AnyRow", bound=Row)
AnyDated = TypeVar("AnyDated", bound=DatedRow)
Numbered = Sequence[tuple[int, AnyRow]]


class BadRates(Exception):
    """A rate table that cannot be used. The text names file, row (the header is row 1), column and what is wrong."""

    def __init__(self, file: str, row: int, *, column: str, wrong: str) -> None:
        """Keep the place."""
        super().__init__(f"{file} row {row} column {column}: {wrong}")
        self.row = row
        self.column = column


@cache
def shipped() -> RateBook:
    """The tables of this release."""
    return read_rates(FOLDER)


def load_rules(policy: Policy, folder: Path | None) -> Rules:
    """The rules a service runs under: tables of a folder, or of this release. Raises BadRates, or OSError where a file is missing."""
    return Rules(read_rates(folder) if folder else shipped(), policy)


def read_rates(folder: Path) -> RateBook:
    """All tables of a folder. Raises BadRates, or OSError where a file is missing."""

    def text(name: str) -> str:
        return folder.joinpath(name).read_text("utf-8")

    standards = parse_standards(text("standards.csv"))
    benefits = _benefits(text("benefits.csv"))
    rates = parse_rates(text("rates.csv"), standards, benefits)
    for code, rows in parse_rates(text("war_invalids.csv"), standards, benefits, file="war_invalids.csv").items():
        if code in rates:
            raise BadRates("war_invalids.csv", 2, column="code", wrong=f"{code} stands in rates.csv too")
        rates[code] = rows
    overrides = _grouped(
        "overrides.csv", _table("overrides.csv", text("overrides.csv"), Override), lambda row: (row.province, row.standard)
    )
    for (_province, name), own in overrides.items():
        if name not in standards:
            raise BadRates("overrides.csv", 2, column="standard", wrong=f"no standard {name} ({own[0].since})")
    return RateBook(
        standards=standards,
        rates=rates,
        overrides=overrides,
        benefits=benefits,
        ladders=_ladders(text("bands.csv"), benefits),
        exclusive=_exclusive(text("exclusive.csv"), benefits),
        funeral=_funeral(text("funeral.csv"), standards),
        one_off=[row for _number, row in _table("one_off.csv", text("one_off.csv"), OneOff)],
    )


def proposed(book: RateBook, texts: Sequence[str]) -> RateBook:
    """The tables with other rows, for a calculation: each text is `standards.csv`, `rates.csv` or `overrides.csv`, or only new rows
    of one. From the first month a text names for a level or a code its rows hold, and the row before ends. Raises BadRates.
    """
    for number, text in enumerate(texts, 1):
        file = f"proposal {number}"
        first = text.partition(",")[0].strip()
        if first == "standard":
            book = replace(book, standards=_amended(file, book.standards, parse_standards(text, file)))
        elif first == "code":
            rates = parse_rates(text, book.standards, book.benefits, file=file)
            book = replace(book, rates=_amended(file, book.rates, rates))
        elif first == "province":
            own = _grouped(file, _table(file, text, Override), lambda row: (row.province, row.standard))
            book = replace(book, overrides=_amended(file, book.overrides, own))
        else:
            raise BadRates(file, 1, column="(first)", wrong="is none of standard, code, province")
    return book


def _amended(
    file: str, known: Mapping[Any, Sequence[AnyDated]], new: Mapping[Any, Sequence[AnyDated]]
) -> dict[Any, Sequence[AnyDated]]:
    amended: dict[Any, Sequence[AnyDated]] = dict(known)
    for name, rows in new.items():
        first = rows[0].since
        before = [row for row in known.get(name, ()) if row.since < first]
        if before and (before[-1].until is None or before[-1].until >= first):
            before[-1] = before[-1].model_copy(update={"until": plus_months(first, -1)})
        checked = _grouped(file, [(1, row) for row in (*before, *rows)], lambda _row: "all")
        amended[name] = checked["all"]
    return amended


def parse_standards(text: str, file: str = "standards.csv") -> dict[str, list[Standard]]:
    """Standard levels by name, without gaps. Raises BadRates."""
    return _grouped(file, _table(file, text, Standard), lambda row: row.standard)


def parse_rates(
    text: str, standards: Mapping[str, Sequence[Standard]], benefits: Mapping[str, Benefit], *, file: str = "rates.csv"
) -> dict[str, list[Rate]]:
    """Rates by code, without gaps, each of a code and a standard that exist. Raises BadRates."""
    rows = [(number, row) for number, row in _table(file, text, Rate) for row in _spread(file, number, row)]
    for number, row in rows:
        if row.code not in benefits:
            raise BadRates(file, number, column="code", wrong=f"no benefit {row.code}")
        _check_rate(file, number, row, standards=standards)
    return _grouped(file, rows, lambda row: row.code)


def _check_rate(file: str, number: int, row: Rate, *, standards: Mapping[str, Sequence[Standard]]) -> None:
    if row.kind in _COUNTED:
        levels = standards.get(row.standard or "")
        if not levels:
            raise BadRates(file, number, column="standard", wrong="names no standard")
        if levels[0].since > row.since:
            raise BadRates(file, number, column="from", wrong=f"before the first level of {row.standard}")
    elif row.standard:
        raise BadRates(file, number, column="standard", wrong=f"a {row.kind} rate has none")
    wanted = 0 if row.kind is Kind.NONE else 1
    if (len(row.values) != wanted and row.kind is not Kind.ONE_OF) or any(value <= 0 for value in row.values):
        raise BadRates(file, number, column="value", wrong=f"a {row.kind} rate has {wanted} value above 0")
    if row.kind is Kind.ONE_OF and len(row.values) < 2:
        raise BadRates(file, number, column="value", wrong="a choice has two values or more")
    if (row.mark == "x") != (row.kind is Kind.NONE):
        raise BadRates(file, number, column="mark", wrong="x is the mark of a value that is not known, and of nothing else")


def _benefits(text: str) -> dict[str, Benefit]:
    found: dict[str, Benefit] = {}
    for number, given in _table("benefits.csv", text, Benefit):
        for row in _spread("benefits.csv", number, given):
            if row.code in found:
                raise BadRates("benefits.csv", number, column="code", wrong=f"{row.code} twice")
            if (row.until is None) != (row.becomes is None):
                raise BadRates("benefits.csv", number, column="becomes", wrong="a last month and what follows come together")
            found[row.code] = row
    for row in found.values():
        if row.becomes and row.becomes not in found:
            raise BadRates("benefits.csv", 2, column="becomes", wrong=f"no benefit {row.becomes}")
    return found


def _ladders(text: str, benefits: Mapping[str, Benefit]) -> dict[str, list[Band]]:
    """By code: the bands of its ladder, youngest first."""
    ladders: dict[str, list[Band]] = defaultdict(list)
    for number, band in _table("bands.csv", text, Band):
        if band.code not in benefits:
            raise BadRates("bands.csv", number, column="code", wrong=f"no benefit {band.code}")
        before = ladders[band.ladder][-1] if ladders[band.ladder] else None
        if before and (before.age_until is None or before.age_until > band.age_from):
            raise BadRates("bands.csv", number, column="age_from", wrong="overlaps the band before")
        if band.age_until is not None and band.age_until <= band.age_from:
            raise BadRates("bands.csv", number, column="age_until", wrong="not above age_from")
        for column in ("age_from", "age_until"):
            if getattr(band, column) not in (None, 0, *RULE_AGES):
                raise BadRates("bands.csv", number, column=column, wrong="registry tells no such age (shared/ages.py)")
        ladders[band.ladder].append(band)
    return {band.code: bands for bands in ladders.values() for band in bands}


def _exclusive(text: str, benefits: Mapping[str, Benefit]) -> list[Exclusion]:
    rows = _table("exclusive.csv", text, Exclusion)
    known = {name for row in benefits.values() for name in (row.law, row.family)} | {"SI", "FUNERAL"}
    for number, row in rows:
        for column in ("family_a", "family_b"):
            if getattr(row, column) not in known:
                raise BadRates("exclusive.csv", number, column=column, wrong="no such family or law")
    _grouped("exclusive.csv", rows, lambda row: frozenset((row.family_a, row.family_b)))
    return [row for _number, row in rows]


def _funeral(text: str, standards: Mapping[str, Sequence[Standard]]) -> dict[str, list[Rate]]:
    rows = _table("funeral.csv", text.replace("group,", "code,", 1), Rate)
    for number, row in rows:
        _check_rate("funeral.csv", number, row, standards=standards)
    return _grouped("funeral.csv", rows, lambda row: row.code)


def _table(file: str, text: str, model: type[AnyRow]) -> Numbered[AnyRow]:
    """Rows with their number as a spreadsheet shows it."""
    reader = csv.DictReader(StringIO(text, newline=""), restkey="(beyond the last)", strict=True)
    wanted = [info.alias or name for name, info in model.model_fields.items()]
    try:
        held = list(islice(enumerate(reader, 2), ROWS_MAX))
    except csv.Error as error:
        raise BadRates(file, reader.line_num, column="(row)", wrong=f"no CSV: {error}") from None
    for column in wanted:
        if column not in (reader.fieldnames or ()):
            raise BadRates(file, 1, column=column, wrong="missing")
    rows = []
    for number, cells in held:
        if number > ROWS_MAX:
            raise BadRates(file, number, column=wanted[0], wrong=f"more than {ROWS_MAX} rows")
        rows.append((number, _row(file, number, model, cells=cells)))
    return rows


def _row(file: str, number: int, model: type[AnyRow], *, cells: dict[str, Any]) -> AnyRow:
    values: dict[str, Any] = {name: cell for name, cell in cells.items() if cell not in ("", None)}
    if "value" in values:
        values["value"] = values["value"].split("|")
    try:
        row = model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise BadRates(file, number, column=str(first["loc"][0]), wrong=first["msg"]) from None
    _check_marks(file, number, row)
    return row


def _check_marks(file: str, number: int, row: Row) -> None:
    setting = getattr(row, "setting", None)
    if setting is not None and setting not in Policy.model_fields:
        raise BadRates(file, number, column="setting", wrong=f"no setting {setting}")
    if row.mark == "m" and "setting" in type(row).model_fields and setting is None:
        raise BadRates(file, number, column="setting", wrong="what is not confirmed names the setting that decides")


def _spread(file: str, number: int, row: AnyRow) -> Iterator[AnyRow]:
    """One row per number of a range like `NCC-BB-41..50`."""
    code = str(getattr(row, "code", ""))
    spread = _RANGE.fullmatch(code)
    if spread is None:
        yield row
        return
    first, last = int(spread[2]), int(spread[3])
    if first > last:
        raise BadRates(file, number, column="code", wrong="the range is empty")
    yield from (row.model_copy(update={"code": f"{spread[1]}{loss}"}) for loss in range(first, last + 1))


def _grouped(file: str, rows: Numbered[AnyDated], key: Callable[[AnyDated], Any]) -> dict[Any, list[AnyDated]]:
    """Rows by key, oldest first; a month without a row between two, or with two, is refused."""
    groups: dict[Hashable, list[tuple[int, AnyDated]]] = defaultdict(list)
    for number, row in rows:
        if row.until is not None and row.until < row.since:
            raise BadRates(file, number, column="until", wrong="before from")
        groups[key(row)].append((number, row))
    for group in groups.values():
        group.sort(key=lambda one: one[1].since)
        for (_number, before), (number, row) in pairwise(group):
            expected = plus_months(before.until, 1) if before.until else None
            if expected is None or row.since < expected:
                raise BadRates(file, number, column="from", wrong="overlaps the row before it in time")
            if row.since > expected:
                raise BadRates(file, number, column="from", wrong=f"nothing is known from {expected} on")
    return {name: [row for _number, row in group] for name, group in groups.items()}
