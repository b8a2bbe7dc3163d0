"""People who could be taken for each other: one number with two names, accents and sex, a year of birth, communes of two times."""

from datetime import UTC, date, datetime

import pytest
from registry_workbooks import AREAS, RANKS, a_line, an_identity, plain_keys

from services.registry.desk import Desk
from services.registry.person import Terms
from services.registry.refusals import Fate, RowNote, RowReason
from services.registry.scoring import LIKELY, Side, compared, points
from services.registry.statements import End, Enrol, RegisterAccount, Statement
from services.registry.whereabouts import Whereabouts
from shared.personal import Account, Delivery, PersonalData
from shared.words import AccountSource, EndReason, Wish

NOBODY_KNOWS = {"personal_number": None, "sex": None}


class Office:
    """Hands in files one after another; each is a row after the other under one sequence."""

    def __init__(self, today=date(2024, 1, 20)):
        self.files = 0
        self.today = today
        self.desk = Desk(
            today=today, epoch=1, keys_of=plain_keys, digest_of=lambda act: act.model_dump_json(),
            terms=Terms(RANKS, today), areas=AREAS,
        )  # fmt: skip

    def hands_in(self, *acts, source="office"):
        self.files += 1
        at = datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC)
        rows = [
            Statement(source=source, sequence=self.files, at=at, act=act, row_no=row_no)
            for row_no, act in enumerate(acts, start=2)
        ]
        return [self.desk.take(row) for row in rows]

    @property
    def live(self):
        return [row for row in self.desk.changed_rows.values() if row.end_reason is None]


def listed(line=None, *, period="2024-02", payer="huyen-444", area="18502", hamlet="", **identity):
    personal = PersonalData(identity=an_identity(**identity), delivery=Delivery(hamlet=hamlet) if hamlet else None)
    return Enrol(period=period, payer=payer, area=area, line=line or a_line(), personal=personal)


def account(*, payer="huyen-444", area=None, number="1", **identity):
    personal = PersonalData(identity=an_identity(**identity), account=Account(bank_bin="970405", number=number, holder="A"))
    return RegisterAccount(
        account_source=AccountSource.COMMUNE_POLICE, wish=Wish.ACCOUNT, personal=personal, payer=payer, area=area
    )


LAN = {"full_name": "Nguyễn Thị Lan", "birth_date": "1950-01-01", **NOBODY_KNOWS}

# --- account lists -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "is_hers"),
    [
        ({"payer": "huyen-449", "area": "18754"}, True),
        ({"payer": "huyen-449"}, True),
        ({"payer": "huyen-449", "area": "18796"}, False),
        ({"payer": "huyen-444"}, False),
        ({"payer": "huyen-444", "area": "18502"}, False),
    ],
)
def test_an_account_without_a_number_is_for_who_lives_in_the_commune_and_is_on_the_payers_list(said, is_hers):
    office = Office()
    office.hands_in(listed(payer="huyen-449", area="18754", **LAN))
    (told,) = office.hands_in(account(**said, **LAN), source="police")
    (person,) = office.desk.people.values()
    assert (person.account is not None) is is_hers
    assert (told.fate, told.notes) == ((Fate.APPLIED, ()) if is_hers else (Fate.NO_PERSON, (RowNote.NUMBER_NEEDED,)))


def test_of_two_namesakes_of_two_districts_each_gets_the_account_of_her_own_list():
    office = Office()
    office.hands_in(listed(**LAN))
    office.hands_in(listed(payer="huyen-449", area="18754", **LAN))
    office.hands_in(account(number="44", **LAN), source="police")
    office.hands_in(account(payer="huyen-449", number="49", **LAN), source="police")
    assert {person.payer: person.account.number for person in office.desk.people.values()} == {
        "huyen-444": "44",
        "huyen-449": "49",
    }


def test_several_who_fit_need_a_number():
    office = Office()
    office.hands_in(listed(hamlet="Thôn 1", **LAN | {"personal_number": "042150000001"}))
    office.hands_in(listed(hamlet="Thôn 2", **LAN | {"personal_number": "042150000002"}))
    (told,) = office.hands_in(account(**LAN), source="police")
    assert (told.fate, told.notes) == (Fate.NO_PERSON, (RowNote.NUMBER_NEEDED,))


@pytest.mark.parametrize("born", ["1950", "1950-01"])
def test_an_account_by_a_year_of_birth_is_nobodys_and_says_so(born):
    office = Office()
    office.hands_in(listed(**LAN | {"birth_date": born}))
    (told,) = office.hands_in(account(area="18502", **LAN | {"birth_date": born}), source="police")
    assert (told.fate, told.notes) == (Fate.NO_PERSON, (RowNote.NUMBER_NEEDED,))


def test_an_account_is_not_put_on_another_payers_person_whose_number_is_known():
    office = Office()
    office.hands_in(listed(payer="huyen-449", area="18754"))
    (told,) = office.hands_in(account(), source="police")
    (person,) = office.desk.people.values()
    assert (told.fate, told.reason, person.account) == (Fate.REFUSED, RowReason.PERSON_NOT_OF_PAYER, None)


def test_who_has_moved_away_is_not_another_payers_person():
    office = Office()
    (first,) = office.hands_in(listed(payer="huyen-449", area="18754"))
    move = Statement(
        source="office", record=first.record, sequence=9, at=first.statement.at,
        act=End(reason=EndReason.MOVED_OUT, on=date(2024, 1, 10)),
    )  # fmt: skip
    office.desk.take(move)
    assert office.hands_in(account(), source="police")[0].fate is Fate.APPLIED


@pytest.mark.parametrize("number", ["042150000001", None])
def test_a_communes_account_list_finds_its_people_before_its_first_payroll_list(number):
    """July 2025: Hà Linh's people stand under the district until the commune's first list is taken."""
    office = Office(date(2025, 7, 2))
    office.hands_in(listed(period="2025-06", area="18499", **LAN | {"personal_number": number}))
    for said, fate in (({"payer": "xa-18502", "area": "18502"}, Fate.APPLIED), ({"payer": "xa-18496"}, None)):
        (told,) = office.hands_in(account(**said, **LAN | {"personal_number": number}), source=said["payer"])
        assert told.fate is (fate or (Fate.REFUSED if number else Fate.NO_PERSON))


# --- one number, two names ---------------------------------------------------------------------------------------------------------------

BAY = {"full_name": "Trần Văn Bảy", "birth_date": "1949-05-06", "sex": "male", "personal_number": "042049000007"}


@pytest.mark.parametrize(
    "other",
    [
        {"full_name": "Lê Thị Tám", "birth_date": "1949-11-12", "sex": "female"},
        {"full_name": "Lê Thị Tám"},  # the row was copied and only the name was written anew
        {"full_name": "Trần Bảy", "birth_date": "1949-11-12"},
        {"full_name": "Trần Văn Bảy".replace("ả", "á"), "birth_date": "1949"},
    ],
)
@pytest.mark.parametrize("code", ["BT-5c", "BT-6d"])
def test_a_number_under_another_name_is_a_clash_whatever_the_year_and_the_benefit(other, code):
    office = Office()
    first, second = office.hands_in(listed(**BAY), listed(a_line(benefit_code=code), **{**BAY, **other}))
    assert (first.fate, second.fate, second.reason) == (Fate.APPLIED, Fate.REFUSED, RowReason.NUMBER_CLASH)
    assert [person.identity.full_name for person in office.desk.people.values()] == ["Trần Văn Bảy"]
    assert len(office.live) == 1


@pytest.mark.parametrize("spelling", ["TRAN VAN BAY", "Trần Văn Bẩy", "Trần Bảy"])
def test_a_name_that_is_put_right_rides_on_number_and_whole_birth_date(spelling):
    office = Office()
    office.hands_in(listed(**BAY))
    (second,) = office.hands_in(listed(period="2024-03", **{**BAY, "full_name": spelling}))
    assert (second.fate, len(office.desk.people)) == (Fate.APPLIED, 1)


@pytest.mark.parametrize(("number", "name"), [(BAY["personal_number"], "Lê Thị Tám"), ("042149000008", "Trần Văn Bảy")])
def test_whoever_two_reviewers_made_one_has_both_names_under_both_numbers(number, name):
    office = Office()
    office.hands_in(listed(**BAY))
    office.hands_in(listed(**BAY | {"full_name": "Lê Thị Tám", "personal_number": "042149000008"}))
    goes, stays = office.desk.people.values()
    office.desk.know([goes._replace(merged_into=stays.beneficiary_id)], [])
    (told,) = office.hands_in(listed(period="2024-03", **BAY | {"full_name": name, "personal_number": number}))
    assert (told.fate, told.beneficiary_id) == (Fate.APPLIED, stays.beneficiary_id)


# --- accents and sex ---------------------------------------------------------------------------------------------------------------------

HOA = {"full_name": "Nguyễn Thị Hòa", "birth_date": "1949-03-02", **NOBODY_KNOWS}


@pytest.mark.parametrize(
    ("said", "is_one"),
    [
        ({"full_name": "Nguyễn Thị Hoà"}, True),
        ({"full_name": "NGUYEN THI HOA"}, True),
        ({"full_name": "Nguyễn Thị Hóa"}, False),
        ({"full_name": "Nguyễn Thị Hoa"}, False),
        ({"sex": "female"}, True),
        ({"sex": "male"}, False),
    ],
)
@pytest.mark.parametrize("birth", ["1949-03-02", "1949"])
def test_without_a_number_other_accents_and_the_other_sex_are_somebody_else(said, is_one, birth):
    office = Office()
    office.hands_in(listed(hamlet="Thôn 3", **{**HOA, "birth_date": birth, "sex": "female" if "sex" in said else None}))
    office.hands_in(listed(period="2024-03", hamlet="Thôn 3", **{**HOA, "birth_date": birth, **said}))
    assert len(office.desk.people) == (1 if is_one else 2)


def test_another_spelling_of_i_is_the_same_name():
    office = Office()
    office.hands_in(listed(**{**HOA, "full_name": "Trần Thị Lý"}))
    office.hands_in(listed(period="2024-03", **{**HOA, "full_name": "Trần Thị Lí"}))
    assert len(office.desk.people) == 1


# --- a year or a month of birth -----------------------------------------------------------------------------------------------------------

YEAR = {"full_name": "Phạm Thị Mận", "birth_date": "1940", **NOBODY_KNOWS}


@pytest.mark.parametrize("birth", ["1940", "1940-05"])
def test_who_has_no_whole_date_and_no_hamlet_is_one_person_however_often_the_list_comes(birth):
    office = Office()
    files = [
        office.hands_in(listed(period=period, **{**YEAR, "birth_date": birth})) for period in ("2024-02", "2024-02", "2024-03")
    ]
    assert [told.fate for (told,) in files] == [Fate.APPLIED, Fate.REPEATED, Fate.APPLIED]
    assert len(office.desk.people) == 1
    assert sorted(row.period for row in office.live) == ["2024-02", "2024-03"]


@pytest.mark.parametrize(
    ("known", "said", "is_one"),
    [
        ({"birth_date": "1940-05-06"}, {}, True),
        ({"birth_date": "1940-05"}, {"birth_date": "1940-05-06"}, True),
        ({"birth_date": "1940-05"}, {"birth_date": "1940-06"}, False),
        ({"hamlet": "Thôn 3"}, {}, True),
        ({}, {"hamlet": "Thôn 3"}, True),
        ({"hamlet": "Thôn 4"}, {"hamlet": "Thôn 3"}, False),
        ({"area": "18505"}, {}, False),
        ({"personal_number": "042140000001"}, {}, False),
        ({}, {"personal_number": "042140000001"}, False),
        ({"personal_number": "042140000001", "hamlet": "Thôn 3"}, {"hamlet": "Thôn 3"}, True),
        ({"personal_number": "042140000001"}, {"personal_number": "042140000002"}, False),
        ({"period": "2025-06"}, {"period": "2025-07", "payer": "xa-18502"}, False),
    ],
)
def test_a_year_counts_within_the_commune_unless_something_contradicts(known, said, is_one):
    office = Office()
    office.hands_in(listed(**{"period": "2024-01", **YEAR, **known}))
    office.hands_in(listed(**{**YEAR, **said}))
    assert len(office.desk.people) == (1 if is_one else 2)


def test_of_several_who_fit_nobody_is_taken_and_the_new_one_is_found_again():
    office = Office()
    office.hands_in(listed(hamlet="Thôn 3", **YEAR), listed(hamlet="Thôn 4", **YEAR))
    assert [office.hands_in(listed(**YEAR))[0].notes for _ in range(3)] == [(RowNote.SEVERAL_FIT,), (), ()]
    assert len(office.desk.people) == len(office.live) == 3


def test_who_may_be_somebody_with_a_number_is_one_more_once_and_a_candidate():
    office = Office()
    office.hands_in(listed(**YEAR | {"birth_date": "1940-05-06", "personal_number": "042140000001"}))
    for _ in range(3):
        office.hands_in(listed(**YEAR))
    known, new = (Side(person.identity, person.place) for person in office.desk.people.values())
    assert points(compared(known, new, Whereabouts(AREAS, office.today))) >= LIKELY


@pytest.mark.parametrize("hamlet", ["", "Thôn 5", "Thôn 3"])
def test_of_several_namesakes_of_one_day_the_new_one_is_found_again(hamlet):
    office = Office()
    for number in ("042140000001", "042140000002"):
        office.hands_in(listed(hamlet="Thôn 3", **{**YEAR, "birth_date": "1940-05-06", "personal_number": number}))
    told = [office.hands_in(listed(hamlet=hamlet, **{**YEAR, "birth_date": "1940-05-06"}))[0].notes for _ in range(3)]
    assert told == [(RowNote.SEVERAL_FIT,), (), ()]
    assert len(office.desk.people) == 3


# --- codes of two times -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "said", "is_one"),
    [
        (("2024-12", "huyen-436", "18070"), ("2025-01", "huyen-436", "18077"), True),
        (("2024-12", "huyen-436", "18070"), ("2025-01", "huyen-436", "18094"), True),  # it was split
        (("2024-12", "huyen-436", "18070"), ("2024-12", "huyen-436", "18077"), False),
        (("2025-01", "huyen-436", "18077"), ("2024-12", "huyen-436", "18070"), False),  # 18077 was another ward in December
        (("2025-06", "huyen-442", "18400"), ("2025-07", "xa-18502", "18502"), False),
        (("2025-06", "huyen-442", "18400"), ("2025-07", "xa-18115", "18115"), True),
        (("2025-06", "huyen-444", "18499"), ("2025-07", "xa-18502", "18502"), True),
        (("2024-12", "huyen-436", "18070"), ("2025-07", "xa-18073", "18073"), True),
        (("2025-07", "xa-18502", "18502"), ("2025-06", "huyen-444", "18499"), True),
    ],
)
def test_name_and_whole_birth_date_count_where_the_one_commune_became_the_other(known, said, is_one):
    office = Office(date(2025, 1, 20) if said[0] < "2025-02" else date(2025, 7, 2))
    for period, payer, area in (known, said):
        office.hands_in(listed(period=period, payer=payer, area=area, **LAN))
    assert len(office.desk.people) == (1 if is_one else 2)
