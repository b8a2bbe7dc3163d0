"""Other inhabitants of the district who receive nothing: they fill the population register and set
traps for matching.
"""

from datetime import date
from random import Random

from sandbox.areas import COMMUNES
from sandbox.banks import make_account
from sandbox.model import AccountTruth, MessKind, Person, Sex, Stranger
from sandbox.names import draw_name
from sandbox.numbers import NumberMaker

ACCOUNTS_NOT_ON_LIST = 9
_ALWAYS_A_TWIN = (MessKind.NUMBER_MISSING, MessKind.NOT_IN_REGISTER, MessKind.BIRTH_YEAR_ONLY)


def draw_strangers(rng: Random, numbers: NumberMaker, people: list[Person]) -> tuple[Stranger, ...]:
    """About a fifth as many as `people`. Twins share name and birth year with a recipient but have
    their own number and another birthday; nine others registered an account although they are on no
    list.
    """
    takers = [p for p in people if p.mess and p.mess.kind in _ALWAYS_A_TWIN]
    takers += rng.sample(people, max(1, len(people) // 60))
    twins = [_twin(rng, numbers, person) for person in dict.fromkeys(takers)]
    others = [_other(rng, numbers, number) for number in range(max(20, len(people) // 5 - len(twins)))]
    return tuple(twins + others)


def _twin(rng: Random, numbers: NumberMaker, person: Person) -> Stranger:
    born = person.birth_date
    birthday = date(born.year, born.month % 12 + 1, rng.randrange(1, 29))
    return Stranger(
        name=person.name, birth_date=birthday, sex=person.sex, personal_number=numbers.personal(person.sex,
        born.year),
        old_number=numbers.old() if rng.randrange(2) else None, commune_code=person.commune_code,
        twin_of=person.record,
    )  # fmt: skip


def _other(rng: Random, numbers: NumberMaker, number: int) -> Stranger:
    sex, year = rng.choice((Sex.FEMALE, Sex.MALE)), rng.randrange(1930, 2000)
    name = draw_name(rng, sex, year)
    registered = number < ACCOUNTS_NOT_ON_LIST
    return Stranger(
        name=name, birth_date=date(year, rng.randrange(1, 13), rng.randrange(1, 29)), sex=sex,
        personal_number=numbers.personal(sex, year), old_number=None, commune_code=rng.choice(COMMUNES).code,
        account=make_account(rng, numbers, owner=name.full, truth=AccountTruth.GOOD) if registered else None,
    )  # fmt: skip
