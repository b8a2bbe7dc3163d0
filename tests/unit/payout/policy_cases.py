"""One made-up person per open question, and what a build makes of their lines by each of its answers. SYNTHETIC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from services.payout.against import Beside, reasons
from services.payout.policy import Policy
from services.payout.rate_book import Override
from services.payout.rate_files import shipped
from services.payout.rules import Rules
from shared.events import Arrears, DeclaredLine
from shared.personal import Circumstances, Happened, Moved
from shared.vault import Kind, Vault
from shared.words import HeldReason, LifeEvent, Programme

WHO = UUID(int=2)
OURS = "xa-1"
AMOUNT, NOT_OWED, MOVED = HeldReason.AMOUNT_DIFFERS, HeldReason.NOT_OWED, HeldReason.MOVED
_LAWS = {"NCC": Programme.MERIT, "HT": Programme.SOCIAL_PENSION}


def line(code: str, vnd: int = 0, **more: Any) -> DeclaredLine:
    """A line under a code, of the law its name says."""
    law = code.split("-")[-1 if code.startswith(("MT", "TET")) else 0]
    return DeclaredLine(programme=_LAWS.get(law, Programme.SOCIAL_ASSISTANCE), benefit_code=code, monthly_vnd=vnd, **more)


@dataclass(frozen=True)
class Case:
    """`expected`: answer -> per line why it is held, None where it is paid."""

    lines: Sequence[DeclaredLine]
    expected: Mapping[str, Sequence[HeldReason | None]]
    period: str = "2025-09"
    payer: str = OURS
    row: Mapping[str, Any] = field(default_factory=dict)
    told: Circumstances | None = None
    missed: Sequence[str] = ()


def _event(event: LifeEvent, since: str) -> Circumstances:
    return Circumstances(events=(Happened(event=event, since=date.fromisoformat(since)),))


def _moved(on: str, decided_on: str) -> Circumstances:
    days = {"on": date.fromisoformat(on), "decided_on": date.fromisoformat(decided_on)}
    return Circumstances(moves=(Moved(from_payer="xa-1", to_payer="xa-2", **days),))


DISABLED, RELATIVE = line("BT-6c", 750_000), line("NCC-LS1", 2_789_000)
LEFT_OVER = line("BT-6c", unpaid=Arrears(periods=("2025-07",), vnd=750_000))
GIFT = line("TET-2026-NCC", one_off_vnd=400_000)
CASES: Mapping[str, Case] = {
    "province": Case([line("BT-5a1", 900_000)], {"42": [None], "40": [AMOUNT]}),
    "unconfirmed_rates": Case([line("BT-8", 1_080_000, coefficient_hundredths=180)], {"list": [None], "table": [AMOUNT]}),
    "martyr_relatives": Case([line("NCC-LS2", 5_000_000)], {"table": [AMOUNT], "list": [None]}),
    "older_benefits": Case(
        [line("BT-5c", 900_000, coefficient_hundredths=150)], {"replaced": [AMOUNT], "kept": [None]}, row={"ages": "80,80"}
    ),
    "age_takes_effect": Case([line("BT-1a", 1_500_000)], {"next_month": [None], "this_month": [AMOUNT]}, row={"ages": "4,3"}),
    "birth_year_only": Case(
        [line("BT-1a", 1_500_000)],
        {"january": [AMOUNT], "july": [None], "december": [None]},
        row={"ages": "4,4,3,3,3,3"},
    ),
    "study_age": Case(
        [line("BT-2", 900_000, coefficient_hundredths=150)],
        {"until_22": [NOT_OWED], "through_22": [None]},
        row={"ages": "22,22"},
    ),
    "stop_takes_effect": Case(
        [RELATIVE], {"next_month": [None], "this_month": [NOT_OWED]}, told=_event(LifeEvent.PRISON, "2025-09-02")
    ),
    "misses_max": Case([RELATIVE], {"3": [HeldReason.NOT_COLLECTED], "4": [None]}, missed=["2025-08", "2025-07", "2025-06"]),
    "care_home": Case(
        [line("BT-6c", 900_000)],
        {"replaced": [NOT_OWED], "both": [None]},
        told=_event(LifeEvent.CARE_HOME, "2025-05-02"),
    ),
    "month_of_move": Case([RELATIVE], {"old": [None], "new": [MOVED]}, told=_moved("2025-09-20", "2025-09-25")),
    "gap_after_move": Case(
        [RELATIVE],
        {"continued": [None], "from_decision": [MOVED]},
        period="2025-08",
        payer="xa-2",
        told=_moved("2025-07-20", "2025-09-10"),
    ),
    "unpaid_after_death": Case([LEFT_OVER], {"family": [None], "lapses": [NOT_OWED]}, row={"died_on": date(2025, 8, 10)}),
    "funeral_standard": Case(
        [line("MT-BT", one_off_vnd=10_000_000)],
        {"national": [None], "province": [AMOUNT]},
        row={"died_on": date(2025, 8, 10)},
    ),
    "parent_with_own": Case(
        [line("BT-4", 600_000, coefficient_hundredths=100), line("BT-6c", 900_000)],
        {"both": [None, None], "highest": [AMOUNT, None]},
    ),
    "other_laws": Case([line("BT-6c", 900_000), RELATIVE], {"both": [None, None], "highest": [AMOUNT, None]}),
    "two_merits": Case([line("NCC-TB-61", 5_450_000), RELATIVE], {"both": [None, None], "highest": [None, AMOUNT]}),
    "gift_deadline": Case([GIFT], {"later": [None], "earlier": [AMOUNT]}, period="2026-01"),
}
"""Setting -> its case. In these tables the province 42 has set the assistance standard to 600,000 from July 2025."""


@cache
def _rules(**changed: Any) -> Rules:
    own = Override(
        standard="assistance", province="42", vnd=600_000, instrument="made up", source="made up", mark="p",
        **{"from": "2025-07"},
    )  # fmt: skip
    return Rules(replace(shipped(), overrides={("42", "assistance"): [own]}), Policy(**changed))


def judged(name: str, answer: str, *, registry: Vault, payout: Vault) -> list[HeldReason | None]:
    """What a build makes of the case of a setting by one of its answers. The vaults seal and open circumstances."""
    case = CASES[name]
    sealed = registry.seal(Kind.PAYEE, str(WHO), case.period, case.told) if case.told else None
    rows = [
        {
            "entitlement_id": UUID(int=number), "beneficiary_id": WHO, "programme": str(one.programme), "open_vnd": one.declared_vnd,
            "content": one.model_dump_json(exclude_none=True), "ages": None, "circumstances": sealed, "beside": None, **case.row,
        }
        for number, one in enumerate(case.lines, 1)
    ]  # fmt: skip
    missed = {(WHO, str(one.programme)): case.missed for one in case.lines} if case.missed else {}
    beside = Beside(case.payer, payout, missed=missed)
    return reasons(rows, case.period, (_rules(**{name: answer}), 0), beside=beside)
