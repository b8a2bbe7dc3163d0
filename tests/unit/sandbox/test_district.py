"""The synthetic district keeps the published numbers, is the same for a seed, and carries every defect."""

import re
from collections import Counter
from datetime import date

import phonenumbers
import pytest

from sandbox.areas import COMMUNES
from sandbox.benefits import GROUP_BY_CODE, MERIT_STANDARD_VND
from sandbox.district import make_district, truth
from sandbox.mess import MESS_RATES
from sandbox.model import AccountMess, AccountTruth, District, Family, Fate, MessKind, Person, Sex
from sandbox.names import old_tone_placement, without_accents
from sandbox.numbers import OLD_PREFIX

SEED = 7


@pytest.fixture(scope="module")
def district() -> District:
    return make_district(SEED)


def test_same_seed_gives_same_district_and_another_seed_another() -> None:
    assert make_district(3, people=400) == make_district(3, people=400)
    assert make_district(3, people=400) != make_district(4, people=400)


def test_published_counts_are_exact(district: District) -> None:
    assert len(district.people) == 10_172
    assert sum(p.account is not None for p in district.people) == 905
    assert len(district.account_file_people) == 850
    assert len(set(district.door_records)) == 55


def test_too_small_a_district_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 300"):
        make_district(1, people=20)


def test_there_are_20_communes_and_one_town() -> None:
    assert Counter(c.name.split()[0] for c in COMMUNES) == {"Xã": 20, "Thị": 1}
    assert len({c.code for c in COMMUNES}) == 21


def test_merit_to_assistance_is_38_to_62_by_people_and_by_row(district: District) -> None:
    firsts = [p.benefits[0].family for p in district.people]
    rows = [b.family for p in district.people for b in p.benefits]
    for families in (firsts, rows):
        assert abs(families.count(Family.MERIT) / len(families) - 0.38) < 0.01


def test_two_benefits_are_about_three_percent_and_never_two_of_assistance(district: District) -> None:
    both = [p for p in district.people if len(p.benefits) > 1]
    assert 0.025 < len(both) / len(district.people) < 0.035
    for person in both:
        assert len(person.benefits) == 2
        assert {b.family for b in person.benefits} != {Family.ASSISTANCE}
        assert len({b.code for b in person.benefits}) == 2


def test_amounts_are_whole_vnd_by_the_rates_of_the_period(district: District) -> None:
    for person in district.people:
        for benefit in person.benefits:
            amounts = (
                benefit.monthly_vnd, benefit.carer_vnd, benefit.arrears_vnd, benefit.one_off_vnd,
                benefit.unpaid_vnd,
            )  # fmt: skip
            assert all(type(amount) is int for amount in amounts)
            assert benefit.total_vnd == sum(amounts) > 0
            wrong_on_purpose = person.mess is not None and person.mess.kind is MessKind.AMOUNT_WRONG
            assert (benefit.monthly_vnd == GROUP_BY_CODE[benefit.code].monthly_vnd) is not wrong_on_purpose
            assert not set(benefit.arrears_periods) & set(benefit.unpaid_periods)


def test_merit_lines_are_multiples_of_the_standard_or_labelled_scaled() -> None:
    for group in GROUP_BY_CODE.values():
        if group.family is Family.MERIT:
            assert "scaled" in group.note or group.monthly_vnd in [n * MERIT_STANDARD_VND for n in (1, 2, 3)]


def test_ages_fit_the_assistance_group_all_through_the_period(district: District) -> None:
    limits_of_law = {4, 16, 22, 60, 80}
    for person in district.people:
        for benefit in (b for b in person.benefits if b.family is Family.ASSISTANCE):
            youngest, oldest = GROUP_BY_CODE[benefit.code].ages
            assert _age(person.birth_date, date(2024, 1, 1)) >= youngest
            assert _age(person.birth_date, date(2024, 12, 31)) < oldest or oldest not in limits_of_law


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def test_numbers_have_the_structure_of_real_ones(district: District) -> None:
    for person in district.people:
        century_and_sex = 2 * (person.birth_date.year // 100 - 19) + (person.sex is Sex.FEMALE)
        assert re.fullmatch(r"0\d{11}", person.personal_number)
        assert person.personal_number[3] == str(century_and_sex)
        assert person.personal_number[4:6] == f"{person.birth_date.year % 100:02d}"
        assert person.personal_number[6:8] == "99", "the mark of a synthetic number"
        assert person.old_number is None or re.fullmatch(r"18[34]9\d{5}", person.old_number)
    numbers = [p.personal_number for p in district.people] + [s.personal_number for s in district.strangers]
    assert len(set(numbers)) == len(numbers)


def test_phones_are_valid_shared_by_some_and_missing_for_many_of_the_old(district: District) -> None:
    phones = [p.phone for p in district.people if p.phone]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(phone, "VN")) for phone in set(phones))
    assert max(Counter(phones).values()) > 1
    old = [p for p in district.people if p.birth_date.year < 1944]
    assert sum(p.phone is None for p in old) > len(old) / 2


def test_written_phones_lead_back_to_the_true_one(district: District) -> None:
    kinds = Counter[str]()
    for person in district.people:
        if person.phone:
            kind, phone = _read_phone(person.written.phone)
            kinds[kind] += 1
            assert phone == person.phone
    assert set(kinds) == {"plain", "lost zero", "international", "eleven digits"}


def _read_phone(written: str | int | None) -> tuple[str, str]:
    digits = re.sub(r"\D", "", str(written))
    if isinstance(written, int):
        return "lost zero", f"0{digits}"
    if str(written).startswith("+84"):
        return "international", f"0{digits[2:]}"
    new_prefix = {old: new for new, old in OLD_PREFIX.items()}
    return ("eleven digits", new_prefix[digits[:4]] + digits[4:]) if len(digits) == 11 else ("plain", digits)


def test_every_defect_is_planted_at_its_rate_with_a_fate(district: District) -> None:
    planted = Counter(p.mess.kind for p in district.people if p.mess)
    assert set(planted) == set(MessKind)
    for kind, rate in MESS_RATES.items():
        assert planted[kind] == round(10_172 * rate / 10_000)
    assert {p.mess.fate for p in district.people if p.mess} == set(Fate)


@pytest.mark.parametrize("kind", list(MESS_RATES))
def test_defect_shows_in_list_or_register(district: District, kind: MessKind) -> None:
    checks = {
        MessKind.NUMBER_OLD9: lambda p: p.written.number == p.old_number,
        MessKind.NUMBER_MISSING: lambda p: p.written.number is None and p.written.old_number is None,
        MessKind.NUMBER_AS_NUMBER: lambda p: p.written.number == int(p.personal_number),
        MessKind.NUMBER_LOST_ZERO: lambda p: p.written.number == p.personal_number.lstrip("0"),
        MessKind.BIRTH_YEAR_ONLY: lambda p: p.written.birth == p.birth_date.year,
        MessKind.NAME_NFD: lambda p: len(p.written.full_name) > len(p.full_name),
        MessKind.NAME_TONE: lambda p: p.written.full_name == old_tone_placement(p.full_name) != p.full_name,
        MessKind.NAME_I_FOR_Y: lambda p: p.written.full_name != p.full_name,
        MessKind.NAME_NO_ACCENTS: lambda p: p.written.full_name == without_accents(p.full_name),
        MessKind.ROW_DOUBLED: lambda p: p.written.times == 2,
        MessKind.AMOUNT_WRONG: lambda p: p.benefits[0].monthly_vnd == 360_000 and p.benefits[0].coefficient > 1,
        MessKind.DEAD: lambda p: p.register[0].status == "dead" and p.register[0].status_date < date(2024, 1, 1),
        MessKind.MOVED_AWAY: lambda p: p.register[0].area_code not in {c.code for c in COMMUNES},
        MessKind.BIRTH_YEAR_WRONG: lambda p: str(p.birth_date.year) not in p.written.birth,
        MessKind.NOT_IN_REGISTER: lambda p: p.register == (),
        MessKind.NUMBER_CHANGED: lambda p: p.register[0].replaced_by == p.register[1].personal_number,
    }
    assert all(checks[kind](p) for p in district.people if p.mess and p.mess.kind is kind)


def test_a_missing_number_can_still_be_found_by_name_and_birth_date(district: District) -> None:
    keys = Counter((p.full_name, p.birth_date) for p in district.people)
    keys.update((s.name.full, s.birth_date) for s in district.strangers if s.twin_of)
    assert all(keys[p.full_name, p.birth_date] == 1 for p in _with(district, MessKind.NUMBER_MISSING))


def _with(district: District, kind: MessKind) -> list[Person]:
    return [p for p in district.people if p.mess and p.mess.kind is kind]


def test_accounts_are_spoiled_in_every_planned_way(district: District) -> None:
    accounts = [p.account for p in district.people if p.account]
    assert {a.truth for a in accounts} == set(AccountTruth)
    assert {a.mess for a in accounts} == {None, *AccountMess}
    assert len({a.number for a in accounts}) == 905
    assert any(a.number.startswith("0") for a in accounts)
    assert all(re.fullmatch(r"[A-Z ]+", a.holder_name) for a in accounts)


def test_people_in_the_cannot_class_hold_no_account(district: District) -> None:
    assert not any(p.account and p.cannot for p in district.people)


def test_truth_agrees_with_the_people(district: District) -> None:
    said = truth(district)
    assert said["rows_in_list"] == sum(len(p.benefits) * p.written.times for p in district.people)
    assert said["list_vnd"] > said["declared_vnd"] == sum(p.total_vnd for p in district.people)
    assert sum(said["fates"].values()) == said["people"] == 10_172


def test_who_has_nobody_to_authorise_has_no_collector(district: District) -> None:
    assert not any(p.collector for p in district.people if p.cannot and p.cannot.code == "R_NOBODY")
    assert all(p.collector for p in district.people if p.birth_date.year > 2010)
