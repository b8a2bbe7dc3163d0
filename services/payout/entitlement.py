"""Who is owed what: the monthly part of a line by the rules we know, and whether a month is still owed after a death. Pure.

Rules are effective-dated. A code without a rule here, or one the list marks as scaled, is accepted as declared: the list officer
decides it, and nothing is guessed (domain 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from shared.events import DeclaredLine
from shared.money import Dong, times_hundredths
from shared.words import Programme

Standards = Sequence[tuple[str, Dong]]
"""(first period, VND a month), newest first."""

# Decree 20/2021/ND-CP Art. 4; Decree 76/2024/ND-CP Art. 1.
ASSISTANCE_STANDARDS: Standards = (("2024-07", Dong(500_000)), ("2021-07", Dong(360_000)))
# Decrees 75/2021, 55/2023 and 77/2024.
MERIT_STANDARDS: Standards = (("2024-07", Dong(2_789_000)), ("2023-07", Dong(2_055_000)), ("2021-07", Dong(1_624_000)))
# Law on Social Insurance 2024 Art. 21; Decree 176/2025 Art. 3.
PENSION_STANDARDS: Standards = (("2025-07", Dong(500_000)),)

# Decree 20/2021 Art. 6, only the coefficients that were seen on a page; for other codes the list's own coefficient counts.
COEFFICIENTS: Mapping[str, int] = {
    "BT-1a": 250, "BT-1b": 150, "BT-3a": 250, "BT-3b": 200, "BT-5a1": 150, "BT-6a": 200, "BT-6b": 250, "BT-6c": 150, "BT-6d": 200,
}  # fmt: skip
# Relatives of one, two, three or more martyrs.
MERIT_MULTIPLES: Mapping[str, int] = {"NCC-LS1": 100, "NCC-LS2": 200, "NCC-LS3": 300}
PENSION_CODES = ("HT-1", "HT-2")


def monthly_by_rule(line: DeclaredLine, period: str) -> Dong | None:
    """The monthly part in VND that the rules of a period give; None where we know no rule."""
    if line.scaled:
        return None
    standards, hundredths = _rule(line)
    standard = _standard(standards, period)
    return None if standard is None or hundredths is None else times_hundredths(standard, hundredths)


def differs(line: DeclaredLine, period: str, tolerance_vnd: int) -> bool:
    """Whether the declared monthly part lies further from the rule than the tolerance. A line without a rule never differs."""
    expected = monthly_by_rule(line, period)
    return expected is not None and abs(line.monthly_vnd - expected) > tolerance_vnd


def owed_after_death(period: str, died_on: date | None) -> bool:
    """Entitled through the month of death, stopped from the next (domain 2.2). An unknown day of death owes nothing."""
    return died_on is not None and f"{died_on:%Y-%m}" >= period


def _rule(line: DeclaredLine) -> tuple[Standards, int | None]:
    if line.programme is Programme.SOCIAL_ASSISTANCE:
        return ASSISTANCE_STANDARDS, COEFFICIENTS.get(line.benefit_code, line.coefficient_hundredths)
    if line.programme is Programme.MERIT:
        return MERIT_STANDARDS, MERIT_MULTIPLES.get(line.benefit_code)
    return PENSION_STANDARDS, 100 if line.benefit_code in PENSION_CODES else None


def _standard(standards: Standards, period: str) -> Dong | None:
    return next((vnd for since, vnd in standards if since <= period), None)
