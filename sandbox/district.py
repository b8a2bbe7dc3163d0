"""One synthetic district, whole: people, accounts, planted defects and strangers, all from one seed.
No network, no files.

Two published numbers are kept exactly for the full size: 10,172 monthly recipients and 905 registered
accounts (Hương Khê, January 2024). Everything else is made up and labelled SYNTHETIC wherever it is
written out.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from random import Random

from sandbox import mess
from sandbox.areas import COMMUNE_BY_CODE, COMMUNES
from sandbox.banks import account_truths, make_account
from sandbox.benefits import PERIOD
from sandbox.model import (
    Account,
    AccountMess,
    AccountTruth,
    District,
    Fate,
    Mess,
    MessKind,
    Move,
    Person,
    Wish,
)  # fmt: skip
from sandbox.numbers import NumberMaker
from sandbox.people import PERIOD_YEAR, draw_people
from sandbox.strangers import draw_strangers

PEOPLE, ACCOUNTS, DOOR_ACCOUNTS = 10_172, 905, 55
DIED_ON = date(2024, 1, 28)
# Per 10,000 rows of the account list; ours, not published.
ACCOUNT_MESS_RATES = {
    AccountMess.NUMBER_CELL: 400,
    AccountMess.LOST_ZERO: 200,
    AccountMess.OLD9_ID: 300,
    AccountMess.ROW_DOUBLED: 70,
}


def make_district(seed: int, people: int = PEOPLE) -> District:
    """The district of a seed: the same seed gives the same district. `people` at least 300, else
    ValueError.
    """
    if people < 300:
        raise ValueError("a district needs at least 300 people")
    rng, numbers = Random(seed), NumberMaker(Random(seed + 1))
    drawn = draw_people(rng, numbers, people)
    chosen = mess.choose(rng, drawn)
    holders = _account_holders(rng, drawn, round(people * ACCOUNTS / PEOPLE))
    door = _door(rng, holders, chosen)
    whole = [_in_list_and_register(rng, person) for person in drawn]
    for index, kind in chosen.items():
        whole[index] = mess.plant(rng, numbers, person=whole[index], kind=kind)
    _give_accounts(rng, numbers, whole=whole, holders=holders, door=door)
    death, mover = door[0], door[1]
    move = _plant_door_events(rng, whole, death=death, mover=mover)
    return District(
        seed=seed, period=PERIOD, people=tuple(whole), strangers=draw_strangers(rng, numbers, whole),
        door_records=tuple(whole[i].record for i in door), late_death=whole[death].record, died_on=DIED_ON,
        move=move,
    )  # fmt: skip


def _account_holders(rng: Random, people: list[Person], count: int) -> list[int]:
    """Indexes of those who registered an account: adults not in the cannot class, the younger likelier."""
    adults = [i for i, person in enumerate(people) if person.cannot is None and PERIOD_YEAR - person.birth_date.year >= 18]
    urge = {i: rng.random() ** (1 / _weight(people[i])) for i in adults}
    return sorted(sorted(adults, key=urge.__getitem__, reverse=True)[:count])


def _weight(person: Person) -> int:
    age = PERIOD_YEAR - person.birth_date.year
    return 4 if age < 65 else 2 if age < 80 else 1


def _door(rng: Random, holders: list[int], chosen: dict[int, MessKind]) -> list[int]:
    """Whose account comes through the door; all without a planted defect, the first two get the death
    and the move.
    """
    clean = [i for i in holders if i not in chosen]
    return rng.sample(clean, max(2, round(len(holders) * DOOR_ACCOUNTS / ACCOUNTS)))


def _in_list_and_register(rng: Random, person: Person) -> Person:
    return replace(person, written=mess.clean_writing(rng, person), register=mess.clean_register(rng, person))


def _give_accounts(rng: Random, numbers: NumberMaker, *, whole: list[Person], holders: list[int], door: list[int]) -> None:
    eventful = frozenset(door[:2])
    truths = account_truths(rng, len(holders) - len(eventful))
    by_door = frozenset(door)
    for index in holders:
        truth = AccountTruth.GOOD if index in eventful else truths.pop()
        account = make_account(rng, numbers, owner=whole[index].full_name, truth=truth)
        wish = Wish.ACCOUNT if index in eventful or rng.randrange(100) < 88 else Wish.POST
        if index not in by_door:
            account = _as_in_file(rng, account, wish=wish)
        whole[index] = replace(whole[index], account=account, wish=wish)
    _plant_account_mess(rng, whole, [i for i in holders if i not in by_door])


def _as_in_file(rng: Random, account: Account, *, wish: Wish) -> Account:
    """About three in ten good accounts were paid on before: those are in the payroll list as well."""
    paid = wish is Wish.ACCOUNT and account.truth is AccountTruth.GOOD and rng.randrange(100) < 32
    return replace(account, already_paid_on_it=paid)


def _plant_account_mess(rng: Random, whole: list[Person], in_file: list[int]) -> None:
    order = rng.sample(in_file, len(in_file))
    for kind, rate in ACCOUNT_MESS_RATES.items():
        wanted = max(1, round(len(in_file) * rate / 10_000))
        for index in [i for i in order if _account_mess_fits(kind, whole[i])][:wanted]:
            _spoil_account(whole, index, kind)
    for index in in_file:
        person = whole[index]
        if person.mess and person.mess.kind is MessKind.NUMBER_OLD9:
            _spoil_account(whole, index, AccountMess.OLD9_ID)


def _spoil_account(whole: list[Person], index: int, kind: AccountMess) -> None:
    account = whole[index].account
    assert account is not None
    whole[index] = replace(whole[index], account=replace(account, mess=kind))


def _account_mess_fits(kind: AccountMess, person: Person) -> bool:
    account = person.account
    if account is None or account.mess is not None or (person.mess and person.mess.kind is MessKind.NUMBER_OLD9):
        return False
    if kind is AccountMess.OLD9_ID:
        return person.old_number is not None and person.mess is None
    zero = account.number.startswith("0")
    return {AccountMess.NUMBER_CELL: not zero, AccountMess.LOST_ZERO: zero}.get(kind, True)


def _plant_door_events(rng: Random, whole: list[Person], *, death: int, mover: int) -> Move:
    """One dies on 28 January and is reported after the list closed; one moves to another commune of
    the district.
    """
    whole[death] = replace(whole[death], mess=Mess(MessKind.LATE_DEATH, Fate.WITHDRAW))
    person = whole[mover]
    target = rng.choice([c for c in COMMUNES if c.code != person.commune_code])
    register = tuple(replace(row, area_code=target.code) for row in person.register)
    whole[mover] = replace(person, mess=Mess(MessKind.MOVED_IN_DISTRICT, Fate.PAY), register=register)
    return Move(person.record, target.code, rng.choice(COMMUNE_BY_CODE[target.code].hamlets))


def truth(district: District) -> dict[str, object]:
    """What a right system must find: counts per planted defect and fate, rows and VND of the payroll
    list.

    `declared_vnd` counts each benefit of each person once; `list_vnd` is what the totals row says,
    doubled rows included.
    """
    people = district.people
    accounts = [person.account for person in people if person.account]
    return {
        "people": len(people),
        "benefit_rows": sum(len(p.benefits) for p in people),
        "rows_in_list": sum(len(p.benefits) * p.written.times for p in people),
        "declared_vnd": sum(p.total_vnd for p in people),
        "list_vnd": sum(p.total_vnd * p.written.times for p in people),
        "two_benefits": sum(len(p.benefits) == 2 for p in people),
        "mess": _count(p.mess.kind for p in people if p.mess),
        "fates": _count(p.mess.fate if p.mess else Fate.PAY for p in people),
        "families": _count(p.benefits[0].family for p in people),
        "accounts": len(accounts),
        "accounts_in_file": len(district.account_file_people),
        "accounts_at_door": len(district.door_records),
        "account_truths": _count(account.truth for account in accounts),
        "account_mess": _count(account.mess for account in accounts if account.mess),
        "wish_account": sum(p.wish is Wish.ACCOUNT for p in people),
        "with_phone": sum(p.phone is not None for p in people),
        "home_delivery": sum(p.home_delivery for p in people),
        "cannot": _count(p.cannot.code for p in people if p.cannot),
        "strangers": len(district.strangers),
    }


def _count(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(str(word) for word in words).items()))
