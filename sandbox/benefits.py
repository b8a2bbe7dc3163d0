"""Benefit groups and amounts of period 2024-02, and the money columns of a row.

Assistance: coefficient x 360,000 (Decree 20/2021 Art. 4 to 6). Merit: standard 2,055,000 (Decree 55/2023)
x 1, 2, 3 for relatives of one, two, three martyrs. Every other merit line is `scaled`: the amount of July
2024 times 2,055 / 2,789, rounded to 1,000 VND. Group shares, arrears and one-off shares are ours, not
published.
"""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from sandbox.model import Benefit, Family

PERIOD = "2024-02"
ASSISTANCE_STANDARD_VND = 360_000
MERIT_STANDARD_VND = 2_055_000
TET_GIFT_VND = 300_000
SCALED_NOTE = "scaled (quy đổi từ mức 7/2024, số giả lập)"


@dataclass(frozen=True, slots=True)
class Group:
    """One benefit group: who gets it (age at least / below, share of women in per cent) and how much
    (VND a month).
    """

    code: str
    family: Family
    ages: tuple[int, int]
    women_percent: int
    coefficient: Decimal | None
    monthly_vnd: int
    weight: int
    carer_vnd: int = 0
    note: str = ""


def _assistance(code: str, ages: tuple[int, int], coefficient: str, *, weight: int, carer: str = "0") -> Group:
    return Group(
        code=code, family=Family.ASSISTANCE, ages=ages, women_percent=62 if ages[0] >= 60 else 48,
        coefficient=Decimal(coefficient), monthly_vnd=int(Decimal(coefficient) * ASSISTANCE_STANDARD_VND),
        weight=weight, carer_vnd=int(Decimal(carer) * ASSISTANCE_STANDARD_VND),
    )  # fmt: skip


def _martyr_relative(times: int, weight: int) -> Group:
    return Group(
        code=f"NCC-LS{times}", family=Family.MERIT, ages=(66, 103), women_percent=74, coefficient=None,
        monthly_vnd=times * MERIT_STANDARD_VND, weight=weight,
    )  # fmt: skip


def _scaled(code: str, july_2024_vnd: int, weight: int) -> Group:
    amount = (july_2024_vnd * 2_055 + 2_789 * 500) // (2_789 * 1_000) * 1_000
    return Group(
        code=code, family=Family.MERIT, ages=(66, 97), women_percent=12, coefficient=None,
        monthly_vnd=amount, weight=weight, note=SCALED_NOTE,
    )  # fmt: skip


ASSISTANCE = (
    _assistance("BT-1a", (0, 4), "2.5", weight=4, carer="2.5"),
    _assistance("BT-1b", (4, 16), "1.5", weight=22, carer="1.5"),
    _assistance("BT-2", (16, 22), "1.5", weight=4),
    _assistance("BT-3b", (4, 16), "2.0", weight=2),
    _assistance("BT-4", (24, 55), "1.0", weight=40),
    _assistance("BT-5a1", (60, 80), "1.5", weight=32),
    _assistance("BT-5a2", (80, 103), "2.0", weight=24),
    _assistance("BT-5c", (80, 104), "1.0", weight=430),
    _assistance("BT-6a", (16, 60), "2.0", weight=45, carer="1.0"),
    _assistance("BT-6b", (60, 98), "2.5", weight=72, carer="1.0"),
    _assistance("BT-6c", (16, 60), "1.5", weight=160),
    _assistance("BT-6d", (60, 98), "2.0", weight=158),
    _assistance("BT-8", (25, 60), "1.5", weight=5),
)
MERIT = (
    _martyr_relative(1, 470),
    _martyr_relative(2, 28),
    _martyr_relative(3, 4),
    _scaled("NCC-TB-21", 1_878_000, 190),
    _scaled("NCC-TB-31", 2_770_000, 120),
    _scaled("NCC-TB-41", 3_667_000, 90),
    _scaled("NCC-TB-61", 5_450_000, 70),
    _scaled("NCC-TB-81", 7_240_000, 20),
)
GROUP_BY_CODE = {group.code: group for group in ASSISTANCE + MERIT}
_ADULT_DISABILITY, _OLD_DISABILITY = GROUP_BY_CODE["BT-6c"], GROUP_BY_CODE["BT-6d"]
_WEIGHTS = {Family.ASSISTANCE: [g.weight for g in ASSISTANCE], Family.MERIT: [g.weight for g in MERIT]}


def draw_group(rng: Random, family: Family) -> Group:
    """A group of that law family by its share."""
    groups = MERIT if family is Family.MERIT else ASSISTANCE
    return rng.choices(groups, _WEIGHTS[family])[0]


def second_group(first: Group, family: Family) -> Group | None:
    """A further benefit a person with `first` may hold together with it, or None.

    Two assistance groups never go together (Art. 6.2, only the highest); disability assistance goes with
    merit, and a war invalid may also be a martyr's relative (domain note 1.5).
    """
    if first.family is Family.MERIT and family is Family.ASSISTANCE:
        return _OLD_DISABILITY
    relative = GROUP_BY_CODE["NCC-LS1"]
    own_status = first.code.startswith(("NCC-TB", "BT-6b", "BT-6d"))
    return relative if own_status and family is Family.MERIT else None


def row_of(rng: Random, group: Group) -> Benefit:
    """One list row of the group: a few carry a carer's money, arrears, a sum unpaid before, or the Tết
    gift.
    """
    carer_vnd = group.carer_vnd if group.carer_vnd and rng.randrange(100) < 70 else 0
    arrears, unpaid = _periods_owed(rng)
    monthly_vnd = group.monthly_vnd
    gift = group.family is Family.MERIT and rng.randrange(100) < 4
    return Benefit(
        code=group.code, family=group.family, coefficient=group.coefficient, monthly_vnd=monthly_vnd,
        carer_vnd=carer_vnd, arrears_periods=arrears, arrears_vnd=monthly_vnd * len(arrears),
        one_off_vnd=TET_GIFT_VND if gift else 0, unpaid_periods=unpaid, unpaid_vnd=monthly_vnd * len(unpaid),
        note=_note(group, arrears=bool(arrears), gift=gift),
    )  # fmt: skip


def _periods_owed(rng: Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Periods of arrears and periods unpaid before; never both, so no month is owed twice."""
    roll = rng.randrange(1_000)
    back = ("2023-11", "2023-12", "2024-01")
    if roll < 14:
        return back[rng.randrange(3) :], ()
    return (), back[rng.randrange(1, 3) :] if roll < 32 else ()


def _note(group: Group, *, arrears: bool, gift: bool) -> str:
    parts = [
        group.note,
        "Truy lĩnh do quyết định muộn" if arrears else "",
        "Quà Tết Giáp Thìn" if gift else "",
    ]
    return "; ".join(part for part in parts if part)
