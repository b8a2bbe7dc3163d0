"""How acts change a person, and what of it a reader sees."""

from datetime import date
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from registry_workbooks import RANKS, a_line, an_identity

from services.registry import person as rules
from services.registry.person import completed, merged
from services.registry.statements import Change, End, Enrol, NameCollector, RecordWish, RegisterAccount
from shared.personal import Account, Collector, Delivery, PersonalData
from shared.words import AccountSource, EndReason, Life, Wish

TODAY = date(2024, 1, 20)
TERMS = rules.Terms(RANKS, TODAY)
ACCOUNT = Account(bank_bin="970405", number="3709000000001", holder="NGUYEN THI HOA")
OTHER = Account(bank_bin="970415", number="109900000001", holder="NGUYEN THI HOA")


def enrol(**changes):
    personal = PersonalData(identity=an_identity(), delivery=Delivery(hamlet="Thôn 3"), phone="+84912000001")
    return Enrol(
        **{**{"period": "2024-02", "payer": "huyen-444", "area": "18502", "line": a_line(), "personal": personal}, **changes}
    )


def a_person(**changes):
    made = rules.enrolled(None, enrol(), TERMS, beneficiary_id=uuid4(), epoch=1)
    return made._replace(**changes)


def register(account=ACCOUNT, source=AccountSource.COMMUNE_POLICE, wish=Wish.ACCOUNT, **identity):
    return RegisterAccount(
        account_source=source, wish=wish, personal=PersonalData(identity=an_identity(**identity), account=account)
    )


def test_a_first_enrolment_makes_a_person_who_was_never_published():
    person = a_person()
    assert (person.version, person.life, person.wish) == ((1, 0), Life.ALIVE, Wish.NONE)
    assert person.delivery_on(TODAY) == Delivery(hamlet="Thôn 3")


def test_the_same_enrolment_again_shows_a_reader_nothing_new():
    person = a_person()
    again = rules.enrolled(person, enrol(), TERMS, beneficiary_id=person.beneficiary_id, epoch=1)
    assert again.published(TODAY) == person.published(TODAY)


def test_a_list_without_phone_or_hamlet_takes_nothing_away():
    person = a_person(cannot_reason="R_WEAK")
    bare = enrol(personal=PersonalData(identity=an_identity(birth_date="1949", personal_number=None)))
    again = rules.enrolled(person, bare, TERMS, beneficiary_id=person.beneficiary_id, epoch=1)
    assert again.published(TODAY) == person.published(TODAY)


def test_a_weaker_source_never_replaces_a_stronger_account_but_the_wish_counts():
    person = rules.account_registered(a_person(), register(source=AccountSource.CONFIRMED), TERMS)
    act = register(account=OTHER, wish=Wish.POST)
    assert rules.keeps_account(person, act, TERMS)
    after = rules.account_registered(person, act, TERMS)
    assert (after.account, after.account_source, after.wish) == (ACCOUNT, AccountSource.CONFIRMED, Wish.POST)


def test_the_same_account_from_a_weaker_source_keeps_its_rank():
    person = rules.account_registered(a_person(), register(source=AccountSource.VNEID), TERMS)
    assert rules.account_registered(person, register(), TERMS).account_source is AccountSource.VNEID


def test_a_stronger_source_replaces_an_account():
    person = rules.account_registered(a_person(), register(), TERMS)
    assert rules.account_registered(person, register(account=OTHER, source=AccountSource.VNEID), TERMS).account == OTHER


def test_an_account_list_is_no_authority_on_names():
    person = rules.account_registered(a_person(), register(full_name="Nguyễn Thị Hoà", birth_date="1949-03-02"), TERMS)
    assert person.identity == an_identity()


def test_the_counter_on_a_list_is_no_wish():
    person = rules.account_registered(a_person(), register(), TERMS)
    personal = PersonalData(identity=an_identity(), home_delivery=False)
    again = rules.enrolled(person, enrol(personal=personal), TERMS, beneficiary_id=person.beneficiary_id, epoch=1)
    assert (again.wish, again.account) == (Wish.ACCOUNT, ACCOUNT)


def test_an_account_on_the_list_is_confirmed_and_does_not_overrule_a_wish_for_the_post():
    act = enrol(personal=PersonalData(identity=an_identity(), account=ACCOUNT))
    fresh = rules.enrolled(None, act, TERMS, beneficiary_id=uuid4(), epoch=1)
    assert (fresh.wish, fresh.account_source) == (Wish.ACCOUNT, AccountSource.CONFIRMED)
    wishes = rules.wish_recorded(fresh, RecordWish(wish=Wish.POST, reason="R_HABIT"), TODAY)
    assert rules.enrolled(wishes, act, TERMS, beneficiary_id=fresh.beneficiary_id, epoch=1).wish is Wish.POST


def test_a_reason_is_the_cannot_class_only_with_a_review_date():
    person = a_person()
    habit = rules.wish_recorded(person, RecordWish(wish=Wish.POST, reason="R_HABIT"), TODAY)
    weak = rules.wish_recorded(person, RecordWish(wish=Wish.NONE, reason="R_WEAK", cannot_until=date(2024, 6, 1)), TODAY)
    assert not habit.cannot_on(TODAY)
    assert weak.cannot_on(date(2024, 6, 1))
    assert not weak.cannot_on(date(2024, 6, 2))


def listed(person, reason, terms=TERMS):
    act = enrol(personal=PersonalData(identity=an_identity(), cannot_reason=reason))
    return rules.enrolled(person, act, terms, beneficiary_id=uuid4(), epoch=1)


def test_a_lists_word_puts_into_the_cannot_class_until_a_day_and_saying_it_again_is_no_review():
    weak = listed(None, "R_WEAK")
    last = date(2024, 7, 18)  # 180 days later
    assert (weak.cannot_reason, weak.cannot_until) == ("R_WEAK", last)
    later = TERMS._replace(today=last)
    assert listed(weak, "R_WEAK", later).cannot_until == listed(weak, "R_CHILD", later).cannot_until == last
    over = TERMS._replace(today=date(2024, 7, 19))
    assert not listed(weak, "R_WEAK", over).cannot_on(over.today)
    assert listed(weak, "R_CHILD", over).cannot_until == date(2025, 1, 15)  # another reason: a new word


def test_a_day_that_a_visit_set_holds_against_the_list():
    visited = rules.wish_recorded(a_person(), RecordWish(wish=Wish.NONE, reason="R_WEAK", cannot_until=date(2025, 6, 1)), TODAY)
    assert listed(visited, "R_WEAK").cannot_until == date(2025, 6, 1)


def test_a_list_may_put_into_the_cannot_class_for_good():
    for_good = TERMS._replace(cannot_days=0)
    weak = listed(None, "R_WEAK", for_good)
    assert (weak.cannot_until, weak.cannot_on(date(2099, 1, 1))) == (None, True)
    assert listed(weak, "R_WEAK").cannot_until == date(2024, 7, 18)  # once days are set, the next list gives one


def test_a_collector_shows_with_their_days_until_the_authorisation_is_over():
    act = NameCollector(
        valid_from=date(2024, 2, 1),
        valid_until=date(2024, 2, 29),
        personal=PersonalData(collector=Collector(full_name="Lê Thị Bé")),
    )
    person = rules.collector_named(a_person(), act)
    days = (date(2024, 1, 31), date(2024, 2, 1), date(2024, 2, 29), date(2024, 3, 1))
    shown = [person.delivery_on(day).collector is not None for day in days]
    assert shown == [True, True, True, False]
    assert person.delivery_on(days[0]).collector.valid_from == days[1]


def test_the_month_of_death_is_owed_and_the_next_is_not():
    person = rules.ended(a_person(), End(reason=EndReason.DEATH, on=date(2024, 1, 28)))
    assert (person.life, person.died_on) == (Life.DEAD, date(2024, 1, 28))
    assert person.is_owed("2024-01")
    assert not person.is_owed("2024-02")


def test_death_is_the_last_word():
    dead = rules.ended(a_person(), End(reason=EndReason.DEATH, on=date(2024, 1, 28)))
    assert rules.ended(dead, End(reason=EndReason.MOVED_OUT, on=date(2024, 1, 30))).life is Life.DEAD


def test_only_a_new_payer_ends_a_move():
    moved = rules.ended(a_person(), End(reason=EndReason.MOVED_OUT, on=date(2024, 1, 28)))
    same = rules.enrolled(moved, enrol(), TERMS, beneficiary_id=moved.beneficiary_id, epoch=1)
    new = rules.enrolled(moved, enrol(payer="huyen-443"), TERMS, beneficiary_id=moved.beneficiary_id, epoch=1)
    assert (same.life, new.life) == (Life.MOVED_OUT, Life.ALIVE)
    assert (same.moved_out_on, new.moved_out_on) == (date(2024, 1, 28), None)
    assert moved.published(date(2024, 1, 29)) != a_person().published(date(2024, 1, 29))


def test_a_change_says_only_what_it_says():
    person = a_person()
    moved = rules.changed(person, Change(area="18499"), TERMS)
    assert moved == person._replace(area="18499")


births = st.sampled_from([None, "1949", "1949-03", "1949-03-02", "1950"])


@given(births, births)
def test_no_word_loses_a_finer_birth_date_it_does_not_contradict(known, said):
    after = merged(an_identity(birth_date=known), an_identity(birth_date=said)).birth_date
    if known and said and (known.startswith(said) or said.startswith(known)):
        assert after == max(known, said, key=len)
    else:
        assert after == (said or known)
    kept = completed(an_identity(birth_date=known), an_identity(birth_date=said)).birth_date
    assert kept == (max(known, said, key=len) if known and said and said.startswith(known) else known or said)


def test_a_name_without_accents_does_not_replace_one_with():
    assert merged(an_identity(), an_identity(full_name="Nguyen Thi Hoa")).full_name == "Nguyễn Thị Hòa"
    assert merged(an_identity(), an_identity(full_name="Nguyễn Thị Hoà")).full_name == "Nguyễn Thị Hoà"
