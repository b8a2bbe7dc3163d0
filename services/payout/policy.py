"""What no text we read decides: each open question of entitlement with a default an office may change. Pure.

Every field is a setting `ANSINH_<NAME>`; the service's README says why each default is what it is.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Month = Literal["this_month", "next_month"]
MonthOfMove = Literal["old", "new"]


class Policy(BaseModel, frozen=True):
    """Answers to open questions; a row of the rate tables that is not confirmed names the field that decides it."""

    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = "42"
    """Whose overrides of a standard hold; 42 is Hà Tĩnh."""
    unconfirmed_rates: Literal["list", "table"] = "list"
    """Whether the list's own figure or ours counts where ours was seen on no page."""
    martyr_relatives: Literal["list", "table"] = "table"
    """The same for relatives of martyrs: one, two and three times the standard."""
    older_benefits: Literal["replaced", "kept"] = "replaced"
    """Whether the social pension took the place of BT-5b and BT-5c in July 2025."""
    age_takes_effect: Month = "next_month"
    """From which month a birthday changes a benefit: its own, or the next."""
    birth_year_only: Literal["january", "july", "december"] = "january"
    """In which month somebody is taken to be born of whom only the year is known."""
    study_age: Literal["until_22", "through_22"] = "until_22"
    """Whether a student's benefit ends with the 22nd birthday or with the 23rd."""
    stop_takes_effect: Month = "next_month"
    """From which month prison, custody, refusal, giving up, a court's word or a care home stops a benefit."""
    misses_max: Annotated[int, Field(ge=1, le=24)] = 3
    """So many payments in a row not collected suspend a person."""
    care_home: Literal["replaced", "both"] = "replaced"
    """Whether care in a home takes the place of assistance in the community."""
    month_of_move: MonthOfMove = "old"
    """Which place pays the month of a move between communes."""
    gap_after_move: Literal["continued", "from_decision"] = "continued"
    """Whether the new place pays from where the old one stopped, or from the month of its own decision."""
    unpaid_after_death: Literal["family", "lapses"] = "family"
    """What becomes of months that were owed before a death and not collected."""
    funeral_standard: Literal["national", "province"] = "national"
    """Which standard funeral money is counted in where a province has set its own."""
    parent_with_own: Literal["both", "highest"] = "both"
    """A single parent's benefit with one of their own (BT-4 with BT-5, BT-6 or BT-8)."""
    other_laws: Literal["both", "highest"] = "both"
    """Assistance or social pension with a benefit of another law."""
    two_merits: Literal["both", "highest"] = "both"
    """A merit status of one's own with that of a martyr's relative."""
    gift_deadline: Literal["later", "earlier"] = "later"
    """Which deadline of a gift holds where papers name two."""
