"""What registry knew at the closing, held against a line: ages and circumstances judge as the facts would, silence never does."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from entitlement_cases import rules
from hypothesis import given
from hypothesis import strategies as st

from services.payout.against import Beside, Elsewhere, reasons, stands
from services.payout.circumstances import Grant, Person
from services.payout.knowledge import Known
from services.payout.policy import Policy
from services.payout.standing import Payable, Stop, StopReason, standing
from shared.ages import reached
from shared.events import DeclaredLine
from shared.personal import Circumstances, Happened, Moved, PovertyOf
from shared.words import HeldReason, LifeEvent, Poverty, Programme

CODES = (
    "BT-1a",
    "BT-1b",
    "BT-2",
    "BT-3b",
    "BT-4",
    "BT-5a1",
    "BT-5c",
    "BT-6a",
    "BT-6d",
    "BT-7",
    "BT-8",
    "HT-1",
    "HT-2",
    "NCC-LS1",
)
LAWS = {"BT": Programme.SOCIAL_ASSISTANCE, "HT": Programme.SOCIAL_PENSION, "NC": Programme.MERIT}
WHO = UUID(int=2)


def a_line(code: str = "BT-5a1", vnd: int = 750_000, **more: Any) -> DeclaredLine:
    return DeclaredLine(programme=LAWS[code[:2]], benefit_code=code, monthly_vnd=vnd, **more)


def known(born: str | None = None, period: str = "2025-09", **facts: Any) -> Known:
    ages = ",".join(map(str, reached(born, period))) or None
    return Known(ages, Circumstances(**facts) if facts else None)


def stop_of(line: DeclaredLine, period: str = "2025-09", payer: str = "xa-1", **facts: Any) -> StopReason | None:
    found = stands(line, payer, period, known=known(period=period, **facts), rules=rules())
    return found.reason if isinstance(found, Stop) else None


@given(
    st.sampled_from(CODES),
    st.dates(date(1915, 1, 1), date(2026, 12, 31)),
    st.sampled_from([f"{year}-{month:02d}" for year in (2024, 2025, 2026) for month in range(1, 13)]),
    st.sampled_from([4, 7, 10]),
    st.builds(
        Policy,
        age_takes_effect=st.sampled_from(["this_month", "next_month"]),
        birth_year_only=st.sampled_from(["january", "july", "december"]),
        study_age=st.sampled_from(["until_22", "through_22"]),
        older_benefits=st.sampled_from(["replaced", "kept"]),
    ),
)
def test_ages_judge_as_the_birth_date_would(code: str, born: date, period: str, precision: int, policy: Policy) -> None:
    """Whatever is known of the date, and whatever an office answers to the open questions."""
    written, its_rules = born.isoformat()[:precision], rules(**policy.model_dump())
    grant = Grant(code, date(1900, 1, 1), requested=True)
    expected = standing(Person("xa-1", (grant,), born=written, studying=True), grant, period, rules=its_rules)
    found = stands(a_line(code), "xa-1", period, known=known(written, period), rules=its_rules)
    assert type(found) is type(expected)
    if isinstance(found, Payable) and isinstance(expected, Payable):
        assert (found.code, found.changed) == (expected.code, expected.changed)
    if isinstance(found, Stop) and isinstance(expected, Stop):
        assert (found.reason, found.effect) == (expected.reason, expected.effect)


@given(st.sampled_from(CODES), st.sampled_from(["2024-02", "2025-06", "2025-07", "2026-01"]))
def test_what_nobody_told_stands_against_nothing(code: str, period: str) -> None:
    assert stands(a_line(code), "xa-1", period, known=Known(), rules=rules()) is None
    assert isinstance(stands(a_line(code), "xa-1", period, known=Known(None, Circumstances()), rules=rules()), Payable)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("event", "since", "until", "stop"),
    [
        (LifeEvent.PRISON, "2025-08-31", None, StopReason.PRISON),
        (LifeEvent.PRISON, "2025-09-01", None, None),  # the month it begins in is paid
        (LifeEvent.PRISON, "2025-03-01", "2025-08-20", None),  # over: whoever is on the list again was decided upon
        (LifeEvent.PRISON, "2025-03-01", "2025-03-01", None),  # taken back
        (LifeEvent.CUSTODY, "2025-07-20", None, StopReason.CUSTODY),
        (LifeEvent.CUSTODY, "2025-08-20", "2025-09-10", None),  # less than a month
        (LifeEvent.CARE_HOME, "2025-05-02", None, StopReason.CARE_HOME),
        (LifeEvent.GIVEN_UP, "2025-05-02", None, StopReason.GIVEN_UP),
        (LifeEvent.MISSING, "2025-05-02", None, StopReason.MISSING),
        (LifeEvent.REFUSED_CHECK, "2025-07-02", None, StopReason.REFUSED_CHECK),
        (LifeEvent.REFUSED_CHECK, "2025-07-02", "2025-09-03", None),
        (LifeEvent.RESUMED, "2025-05-02", None, None),
    ],
)
def test_events_stop_from_the_month_after(event: LifeEvent, since: str, until: str | None, stop: StopReason | None) -> None:
    told = Happened(event=event, since=day(since), until=day(until) if until else None)
    assert stop_of(a_line(), events=(told,)) is stop


def test_conditions_of_a_benefit_are_held_against_it() -> None:
    neither = PovertyOf(year=2025, status=Poverty.NEITHER)
    assert stop_of(a_line("BT-5a1"), born="1955-01-02", poverty=(neither,)) is StopReason.NOT_POOR
    assert stop_of(a_line("BT-5a1"), born="1955-01-02", poverty=(neither.model_copy(update={"year": 2024}),)) is None
    assert stop_of(a_line("HT-1", 500_000), requested=False) is StopReason.NOT_REQUESTED
    assert stop_of(a_line("HT-1", 500_000), requested=True) is None
    assert stop_of(a_line("HT-1", 500_000), other_benefit_vnd=500_000) is StopReason.OTHER_PENSION
    assert stop_of(a_line("HT-1", 500_000), other_benefit_vnd=499_999) is None
    assert stop_of(a_line("BT-2"), born="2008-01-02", studying=False) is StopReason.NOT_STUDYING
    assert stop_of(a_line("NCC-LS1"), poverty=(neither,), other_benefit_vnd=9_000_000) is None


def test_a_move_stops_the_old_place_and_lets_the_new_one_pay() -> None:
    open_move = Moved(on=day("2025-07-20"), from_payer="xa-1")
    moved = open_move.model_copy(update={"to_payer": "xa-2", "decided_on": day("2025-07-31")})
    assert stop_of(a_line(), payer="xa-1", moves=(open_move,)) is StopReason.MOVED
    assert stop_of(a_line(), payer="xa-1", moves=(moved,)) is StopReason.MOVED
    assert stop_of(a_line(), payer="xa-1", period="2025-07", moves=(moved,)) is None
    assert stop_of(a_line(), payer="xa-2", moves=(moved,)) is None
    assert stop_of(a_line(), payer="xa-2", period="2025-07", moves=(moved,)) is StopReason.MOVED
    assert stop_of(a_line(), payer="xa-3", moves=(moved,)) is None, "lists that went to another payer by law are no move"


# --- several lines ------------------------------------------------------------------------------------------------------------


def a_row(line: DeclaredLine, number: int = 1, **more: Any) -> dict[str, Any]:
    same = {"entitlement_id": UUID(int=number), "beneficiary_id": WHO, "programme": str(line.programme), "open_vnd": line.declared_vnd,
            "content": line.model_dump_json(exclude_none=True), "ages": None, "circumstances": None, "beside": None}  # fmt: skip
    return same | more


def judged(
    *rows: dict[str, Any], others: tuple[Elsewhere, ...] = (), payer: str = "xa-1", **more: Any
) -> list[HeldReason | None]:
    beside = Beside(payer, elsewhere={WHO: others} if others else {}, **more)
    return reasons(rows, "2025-09", (rules(), 0), beside=beside)  # type: ignore[arg-type]


def other(line: DeclaredLine, number: int = 9, *, payer: str = "xa-2", current: str = "xa-1", live: bool = False) -> Elsewhere:
    return Elsewhere(UUID(int=number), payer, line.model_dump_json(exclude_none=True), current, live)


ADULT, OLDER = a_line("BT-6c", 750_000, coefficient_hundredths=150), a_line("BT-6d", 1_000_000, coefficient_hundredths=200)
MERIT = a_line("NCC-LS1", 2_789_000)


@pytest.mark.parametrize("current", ["xa-1", "xa-2", "xa-3"])
@pytest.mark.parametrize(("mine", "theirs"), [(ADULT, OLDER), (OLDER, ADULT), (ADULT, ADULT)])
def test_of_two_payers_one_pays_whoever_builds_first(mine: DeclaredLine, theirs: DeclaredLine, current: str) -> None:
    [here] = judged(a_row(mine), others=(other(theirs, current=current),))
    [there] = judged(a_row(theirs, 9), others=(other(mine, 1, payer="xa-1", current=current),), payer="xa-2")
    assert {here, there} == {None, HeldReason.PAID_ELSEWHERE}
    if mine is theirs:
        assert (here is None) == (current != "xa-2"), "the payer the person belongs to now; else the earlier line"


def test_what_is_in_a_payment_stays_there() -> None:
    assert judged(a_row(OLDER), others=(other(ADULT, live=True),)) == [HeldReason.PAID_ELSEWHERE]
    assert judged(a_row(MERIT), others=(other(OLDER, live=True),)) == [None], "another law: both are paid"


def test_months_not_collected_suspend_until_the_person_came_forward() -> None:
    missed = {(WHO, "social_assistance"): ["2025-08", "2025-07", "2025-06"]}
    assert judged(a_row(ADULT), a_row(MERIT, 3), missed=missed) == [HeldReason.NOT_COLLECTED, None], "per programme"
    assert judged(a_row(ADULT), missed={(WHO, "social_assistance"): ["2025-08", "2025-07"]}) == [None]


def test_an_amount_of_another_age_is_held_and_the_right_one_is_paid() -> None:
    """BT-1a is for children under 4; from then on BT-1b."""
    small, large = a_line("BT-1a", 750_000), a_line("BT-1a", 1_250_000, coefficient_hundredths=250)
    assert judged(a_row(large, ages="4,4")) == [HeldReason.AMOUNT_DIFFERS]
    assert judged(a_row(small, ages="4,4")) == [None], "the code is old, the amount is right"
    assert judged(a_row(large, ages="3,3"), a_row(MERIT, 3, ages="0,0")) == [None, None]
    assert judged(a_row(large, ages="16,16")) == [None], "our value of BT-2 is seen on no page: the list's own code counts"
    assert judged(a_row(large, ages="60,60")) == [HeldReason.NOT_OWED]


@pytest.mark.parametrize("setting", ["later", "earlier"])
@pytest.mark.parametrize(
    ("period", "held"),
    [("2025-11", ("later", "earlier")), ("2025-12", ()), ("2026-01", ("earlier",)), ("2026-02", ("later", "earlier"))],
)
def test_gift_is_held_on_a_list_outside_its_months(period: str, held: tuple[str, ...], setting: str) -> None:
    """The Tết gift of 2026: one paper names 31 December, another 31 January; none anything before December."""
    gift = DeclaredLine(programme=Programme.MERIT, benefit_code="TET-2026-NCC", monthly_vnd=0, one_off_vnd=400_000)
    found = reasons([a_row(gift)], period, (rules(gift_deadline=setting), 0), beside=Beside("xa-1"))  # type: ignore[arg-type]
    assert found == [HeldReason.AMOUNT_DIFFERS if setting in held else None]
