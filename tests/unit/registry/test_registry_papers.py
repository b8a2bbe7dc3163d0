"""Whose account is paid on and who fetches cash, by papers with days, and what rows of lists say of them."""

from datetime import date
from uuid import uuid4

import pytest
from registry_workbooks import RANKS, a_line, an_identity

from services.registry import person as rules
from services.registry.columns import Column
from services.registry.intake import RowReader
from services.registry.intake_papers import collector, note_of_holder
from services.registry.person import Person, Terms
from services.registry.refusals import RowNote
from services.registry.sheets import Line
from services.registry.statements import Enrol, NameCollector, RegisterAccount
from shared.authorisation import Paper
from shared.personal import Account, Collector, PersonalData
from shared.words import AccountSource, Wish

TODAY = date(2024, 1, 20)
TERMS = Terms(RANKS, TODAY)
OWN = Account(bank_bin="970405", number="3709000000001", holder="NGUYEN THI HOA")
SONS = Account(bank_bin="970415", number="109900000001", holder="TRAN VAN CON")
SON = Collector(full_name="Trần Văn Con", paper_number="UQ-7/2024", valid_from=date(2024, 1, 1), valid_until=date(2024, 6, 30))
NEIGHBOUR = Collector(full_name="Lê Thị Bé", paper_number="UQ-8/2024")


def somebody(**changes) -> Person:
    return Person(uuid4(), (1, 0), "huyen-444", "18502", an_identity(), **changes)


def register(account: Account, paper: Collector | None = None, source=AccountSource.COMMUNE_POLICE) -> RegisterAccount:
    personal = PersonalData(identity=an_identity(), account=account, collector=paper)
    return RegisterAccount(account_source=source, wish=Wish.ACCOUNT, personal=personal)


def test_an_account_that_is_somebody_elses_comes_with_its_paper():
    person = rules.account_registered(somebody(), register(SONS, SON), TERMS)
    assert person.paper == Paper("account", date(2024, 1, 1), date(2024, 6, 30))
    assert person.payee.authorisation == SON.model_copy(update={"scope": "account"})
    assert person.collector is None
    assert rules.account_registered(somebody(), register(OWN, SON), TERMS).paper is None, "the paper names another holder"


def test_a_paper_without_a_number_lets_nobody_receive():
    unnumbered = SON.model_copy(update={"paper_number": None})
    assert rules.account_registered(somebody(), register(SONS, unnumbered), TERMS).paper is None


def test_who_fetches_cash_and_whose_account_is_paid_on_stand_beside_each_other():
    named = NameCollector(valid_from=date(2024, 1, 1), personal=PersonalData(collector=NEIGHBOUR))
    person = rules.collector_named(rules.account_registered(somebody(), register(SONS, SON), TERMS), named)
    assert person.collector is not None
    assert person.collector.full_name == NEIGHBOUR.full_name
    assert person.paper is not None


@pytest.mark.parametrize(
    ("scope", "cash", "account"), [(None, True, False), ("cash", True, False), ("account", False, True), ("both", True, True)]
)
def test_a_named_collector_may_do_what_the_scope_says(scope, cash, account):
    said = PersonalData(collector=SON.model_copy(update={"scope": scope, "valid_from": None, "valid_until": None}))
    person = rules.collector_named(somebody(account=SONS), NameCollector(valid_from=date(2024, 3, 1), personal=said))
    assert (person.collector is not None, person.paper is not None) == (cash, account)
    if account:
        assert person.paper == Paper(scope, date(2024, 3, 1), None)


def test_a_paper_that_is_not_over_comes_before_every_source():
    by_paper = rules.account_registered(somebody(), register(SONS, SON), TERMS)
    own = register(OWN, source=AccountSource.VNEID)
    assert rules.keeps_account(by_paper, own, TERMS)
    assert rules.account_registered(by_paper, own, TERMS).account == SONS
    vneid = rules.account_registered(somebody(), own, TERMS)
    assert rules.account_registered(vneid, register(SONS, SON), TERMS).account == SONS


def test_after_its_last_day_the_persons_own_account_takes_over():
    by_paper = rules.account_registered(somebody(), register(SONS, SON), TERMS)
    after = Terms(RANKS, date(2024, 7, 1))
    assert rules.account_registered(by_paper, register(OWN, source=AccountSource.VNEID), after).account == OWN
    over = register(SONS, SON.model_copy(update={"valid_until": date(2024, 6, 29)}))
    assert (
        rules.account_registered(
            rules.account_registered(somebody(), register(OWN, source=AccountSource.VNEID), after), over, after
        ).account
        == OWN
    )


BULK = Account(bank_bin="970436", number="1000000001", holder="Nguyễn Thị Hòa")


@pytest.mark.parametrize("first", [OWN, BULK])
def test_of_two_own_accounts_told_beside_a_paper_the_stronger_comes_back(first):
    person = rules.account_registered(somebody(), register(SONS, SON), TERMS)
    said = [register(OWN, source=AccountSource.VNEID), register(BULK, source=AccountSource.BULK)]
    for act in said if first == OWN else reversed(said):
        person = rules.account_registered(person, act, TERMS)
    assert rules.weighed(person, date(2024, 6, 30)).account == SONS
    back = rules.weighed(person, date(2024, 7, 1))
    assert (back.account, back.account_source) == (OWN, AccountSource.VNEID)


def test_an_account_of_the_payers_list_waits_beside_a_paper_too():
    by_paper = rules.account_registered(somebody(), register(SONS, SON), TERMS)
    act = Enrol(
        period="2024-02",
        payer="huyen-444",
        area="18502",
        line=a_line(),
        personal=PersonalData(identity=an_identity(), account=OWN),
    )
    listed = rules.enrolled(by_paper, act, TERMS, beneficiary_id=uuid4(), epoch=1)
    assert rules.weighed(listed, date(2024, 7, 1)).account == OWN


def test_somebody_elses_new_paper_for_accounts_gives_the_own_account_back():
    person = rules.account_registered(rules.account_registered(somebody(), register(OWN), TERMS), register(SONS, SON), TERMS)
    neighbour = PersonalData(collector=NEIGHBOUR.model_copy(update={"scope": "account"}))
    other = rules.collector_named(person, NameCollector(valid_from=date(2024, 1, 1), personal=neighbour))
    assert rules.weighed(other, TODAY).account == OWN


def test_a_revoked_paper_is_over():
    by_paper = rules.account_registered(somebody(), register(SONS, SON), TERMS)
    revoked = SON.model_copy(update={"scope": "account", "revoked_on": date(2024, 1, 15)})
    person = rules.collector_named(by_paper, NameCollector(valid_from=date(2024, 1, 1), personal=PersonalData(collector=revoked)))
    assert person.published(TODAY) != by_paper.published(TODAY)
    assert not rules.keeps_account(person, register(OWN), TERMS)


def test_the_same_list_next_month_shows_a_reader_nothing_new():
    open_paper = SON.model_copy(update={"valid_from": None, "valid_until": None, "scope": "both"})
    personal = PersonalData(identity=an_identity(), account=SONS, collector=open_paper)

    def listed(person, period, today):
        act = Enrol(period=period, payer="huyen-444", area="18502", line=a_line(), personal=personal)
        return rules.enrolled(person, act, Terms(RANKS, today), beneficiary_id=uuid4(), epoch=1)

    first = listed(None, "2024-02", TODAY)
    assert first.paper == Paper("both", date(2024, 2, 1), None)
    assert listed(first, "2024-03", date(2024, 2, 20)).published(TODAY) == first.published(TODAY)


def test_an_account_on_the_payers_list_does_not_end_a_paper():
    by_paper = rules.account_registered(somebody(), register(SONS, SON), TERMS)
    personal = PersonalData(identity=an_identity(), account=OWN)
    act = Enrol(period="2024-02", payer="huyen-444", area="18502", line=a_line(), personal=personal)
    assert rules.enrolled(by_paper, act, TERMS, beneficiary_id=uuid4(), epoch=1).account == SONS


# --- what a row says ---------------------------------------------------------------------------------------------------------


def read(what_for=None, **cells):
    columns = {Column[name.upper()]: place for place, name in enumerate(cells)}
    reader = RowReader(Line(3, tuple(cells.values()), columns))
    column = Column.HOLDER if what_for else Column.COLLECTOR
    return collector(reader, column, scope=what_for), reader.notes


def test_a_row_says_whose_paper_it_is_with_its_days_and_what_for():
    found, notes = read(
        collector="Trần Văn Con", paper="UQ-7/2024", paper_from="01/01/2024", paper_until="30/06/2024", scope="Cả hai"
    )
    assert (found, notes) == (SON.model_copy(update={"scope": "both"}), [])
    found, notes = read("account", holder="TRAN VAN CON", paper="UQ-7/2024", paper_from="01/01/2024")
    assert (found.full_name, found.scope, found.valid_until) == ("TRAN VAN CON", "account", None)


@pytest.mark.parametrize(
    "cells",
    [
        {"paper": "UQ-7", "paper_from": "2024"},
        {"paper": "UQ-7", "paper_until": "hết năm"},
        {"paper": "UQ-7", "paper_from": "01/02/2024", "paper_until": "31/01/2024"},
        {"paper": "UQ-7", "scope": "mọi việc"},
        {"paper_until": "30/06/2024"},
        {"scope": "Tài khoản"},
    ],
)
def test_a_paper_said_badly_costs_the_paper_and_not_the_row(cells):
    assert read(collector="Trần Văn Con", **cells) == (None, [RowNote.PAPER_DROPPED])


@pytest.mark.parametrize(
    ("holder", "paper", "noted"),
    [
        ("NGUYEN THI HOA", None, False),
        ("TRAN VAN CON", None, True),
        ("TRAN VAN CON", SON.model_copy(update={"scope": "account"}), False),
        ("TRAN VAN CON", SON, True),  # for cash
        ("TRAN VAN CON", NEIGHBOUR.model_copy(update={"scope": "account"}), True),
        ("N*** T** H**", None, False),
    ],
)
def test_the_officer_is_told_that_an_account_needs_a_paper(holder, paper, noted):
    reader = RowReader(Line(3, (), {}))
    note_of_holder(reader, OWN.model_copy(update={"holder": holder}), paper, identity=an_identity(full_name="Nguyễn Thị Hoa"))
    assert (reader.notes == [RowNote.HOLDER_NEEDS_PAPER]) is noted
