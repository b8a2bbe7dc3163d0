"""How what upstream states changes what we know of a person, and what of it is published. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from services.registry.account_ranks import Ranks
from services.registry.cells import folded
from services.registry.circumstances import left, taken, told
from services.registry.refusals import RowReason
from services.registry.statements import Change, End, Enrol, NameCollector, RecordWish, RegisterAccount
from shared.after_death import ON_DEATH, owed_to_the_family
from shared.authorisation import ACCOUNT, Paper, paper_of_holder
from shared.fields import Block
from shared.names import SAME_HOLDER, compare, is_masked
from shared.personal import Account, Circumstances, Collector, Delivery, Identity, Payee, PersonalData, Scope
from shared.words import AccountSource, EndReason, Life, Wish

_NO_DELIVERY = Delivery()


class Place(NamedTuple):
    """Where a person lives as far as the list of a payer says. `among`: the codes of the list's day one of which is meant, where `area` was
    split; `is_listed`: a payroll list says so, on which a year of birth may count."""

    area: str
    hamlet: str
    payer: str = ""
    among: tuple[str, ...] = ()
    is_listed: bool = False

    @property
    def commune(self) -> tuple[str, str]:
        """The commune as one of its time: a code means another one under commune payers (since July 2025) than under district ones."""
        return self.area, self.payer.partition("-")[0]

    def same_hamlet(self, other: Place) -> bool:
        """Whether both hamlets have one name; also where neither is said."""
        return folded(self.hamlet) == folded(other.hamlet)


NOWHERE = Place("", "")


class Aside(Block):
    """An account that does not count for now: a person's own while another's is paid on by a paper, and that one once the paper is over."""

    account: Account
    source: AccountSource


class Person(NamedTuple):
    """All registry knows of one person. `version` is the one last published; n = 0 means never.

    A tuple, because people are made, changed and compared for every record: a frozen dataclass takes four times as long.
    """

    beneficiary_id: UUID
    version: tuple[int, int]
    payer: str
    area: str
    identity: Identity
    life: Life = Life.ALIVE
    died_on: date | None = None
    wish: Wish = Wish.NONE
    wish_reason: str | None = None
    account_source: AccountSource | None = None
    account: Account | None = None
    home_delivery: bool = False
    cannot_reason: str | None = None
    cannot_until: date | None = None
    delivery: Delivery = _NO_DELIVERY
    collector: Collector | None = None
    collector_from: date | None = None
    collector_until: date | None = None
    phone: str | None = None
    circumstances: Circumstances | None = None
    """Told to nobody but with a frozen line: a change makes no new version."""
    merged_into: UUID | None = None
    authorisation: Collector | None = None
    """By whose paper an account that is somebody else's may be paid on; its days are its own."""
    aside: Aside | None = None
    """Told to nobody until it counts (`weighed`)."""
    is_erased: bool = False
    """Nothing is known any more but ids and money; nobody is ever found under this id again."""

    @property
    def place(self) -> Place:
        """Where the person lives."""
        return Place(self.area, self.delivery.hamlet, self.payer)

    @property
    def payee(self) -> Payee:
        """Who is paid."""
        return Payee(full_name=self.identity.full_name, account=self.account, authorisation=self.authorisation)

    @property
    def paper(self) -> Paper | None:
        """The authorisation by which the account, which is somebody else's, may be paid on between its days."""
        paper = paper_of_holder(self.authorisation, self.account.holder) if self.account else None
        return paper if paper and paper.scope in ACCOUNT else None

    def delivery_on(self, today: date) -> Delivery | None:
        """Where and to whom money is handed over, with a collector whose authorisation is not over; from when it holds stands in it."""
        if self.collector and today <= (self.collector_until or date.max):
            days = {"valid_from": self.collector_from, "valid_until": self.collector_until}
            return self.delivery.model_copy(update={"collector": self.collector.model_copy(update=days)})
        return self.delivery if self.delivery != _NO_DELIVERY else None

    def cannot_on(self, today: date) -> bool:
        """Whether the person is of the "cannot" class on that day."""
        return self.cannot_reason is not None and today <= (self.cannot_until or date.max)

    def is_owed(self, period: str) -> bool:
        """Entitled through the month of death, stopped from the next (domain 2.2)."""
        return self.life is not Life.DEAD or self.died_on is None or f"{self.died_on:%Y-%m}" >= period

    @property
    def moved_out_on(self) -> date | None:
        """When somebody who is away moved out."""
        moves = self.circumstances.moves if self.circumstances else ()
        return moves[-1].on if self.life is Life.MOVED_OUT and moves else None

    def published(self, today: date) -> tuple[object, ...]:
        """What a snapshot shows: a new version exists exactly when this differs."""
        return (
            self.payer, self.area, self.life, self.died_on, self.moved_out_on, self.wish, self.account_source, self.home_delivery,
            self.cannot_on(today), self.identity, self.account, self.authorisation, self.delivery_on(today), self.phone, self.merged_into,
        )  # fmt: skip


def refused_by_death(person: Person | None, act: Enrol) -> RowReason | None:
    """Why a line is not owed to a person, or to who is left of the family."""
    if act.line.benefit_code in ON_DEATH:
        if person is None or person.life is not Life.DEAD:
            return RowReason.PERSON_ALIVE
    elif person is None or person.is_owed(act.period):
        return None
    return None if owed_to_the_family(act.line, act.period, person.died_on) else RowReason.PERSON_DEAD


CANNOT_DAYS = 180


class Terms(NamedTuple):
    """By what accounts are weighed: how much the word of a source counts, and the day on which a paper must not be over. `cannot_days`: for
    how long a list alone puts somebody into the "cannot" class; 0: until a person decides."""

    ranks: Ranks
    today: date
    cannot_days: int = CANNOT_DAYS

    def rank(self, person: Person) -> int:
        """How strong a person's account is, the strongest first: by a valid authorisation, then by its source (domain 4.3)."""
        paper = person.paper
        if paper and self.today <= (paper.valid_until or date.max):
            return _BY_PAPER
        return self.ranks[person.account_source] if person.account_source else _NO_ACCOUNT


_BY_PAPER, _NO_ACCOUNT = -1, 1_000


def enrolled(person: Person | None, act: Enrol, terms: Terms, *, beneficiary_id: UUID, epoch: int) -> Person:
    """The person as the list knows them; a first meeting makes one. Raises AssertionError without an identity."""
    said = act.personal.identity
    assert said is not None, "an enrolment without an identity is refused before"
    if person is None:
        person = Person(beneficiary_id, (epoch, 0), act.payer, act.area, said)
    # A new payer's list is the decision of the new place (domain 2.2): the move is over.
    back = person.life is Life.MOVED_OUT and person.payer != act.payer
    if back:
        person = person._replace(circumstances=taken(person.circumstances, act.payer, act.period))
    person = person._replace(
        payer=act.payer,
        area=act.area,
        life=Life.ALIVE if back else person.life,
        identity=merged(person.identity, said),
        **_details(person, act.personal, since=date.fromisoformat(f"{act.period}-01"), terms=terms),
    )
    return _list_account(person, act.personal, terms)


def changed(person: Person, act: Change, terms: Terms) -> Person:
    """The person with what the record now reads."""
    said, person = act.personal, person._replace(area=act.area or person.area)
    if said is None:
        return person
    identity = merged(person.identity, said.identity) if said.identity else person.identity
    person = person._replace(identity=identity, **_details(person, said, since=None, terms=terms))
    return _list_account(person, said, terms)


def ended(person: Person, act: End) -> Person:
    """A death or a move is about the person; other ends are about a record. Only a reinstatement takes a death back."""
    if act.reason is EndReason.DEATH:
        return person._replace(life=Life.DEAD, died_on=act.on)
    if act.reason is EndReason.MOVED_OUT and person.life is Life.ALIVE:
        return person._replace(life=Life.MOVED_OUT, circumstances=left(person.circumstances, person.payer, act.on))
    return person


def reinstated(person: Person) -> Person:
    """The person as before the death that was a mistake: alive, or away where they had moved out."""
    if person.life is not Life.DEAD:
        return person
    moves = person.circumstances.moves if person.circumstances else ()
    away = bool(moves) and moves[-1].to_payer is None
    return person._replace(life=Life.MOVED_OUT if away else Life.ALIVE, died_on=None)


def account_registered(person: Person, act: RegisterAccount, terms: Terms) -> Person:
    """The account, unless a stronger one is known (domain 4.3); the wish in any case; gaps of the identity filled. A collector said
    with it is by whose paper the account, which is theirs, may be paid on."""
    said = act.personal
    if said.identity:
        person = person._replace(identity=completed(person.identity, said.identity))
    person = person._replace(**_now_wishes(person, act.wish), phone=person.phone or said.phone)
    new = _with_account(person, act, terms)
    return _beside(person, new, terms) if keeps_account(person, act, terms) else _beside(new, person, terms)


def keeps_account(person: Person, act: RegisterAccount, terms: Terms) -> bool:
    """Whether the known account is stronger than another one that is now said."""
    return terms.rank(person) < terms.rank(_with_account(person, act, terms)) and person.account != act.personal.account


def _with_account(person: Person, act: RegisterAccount, terms: Terms) -> Person:
    said = act.personal.collector
    named = _named(person, said, since=None, today=terms.today, scope="account") if said else {}
    return _from_source(person._replace(**named), act.personal.account, act.account_source, ranks=terms.ranks)


def weighed(person: Person, today: date) -> Person:
    """The person with the account that counts on a day: another's by a paper that is not over, else their own. The other is set aside."""
    other = person.aside
    if other is None or person.account is None or person.account_source is None:
        return person
    aside = Aside(account=person.account, source=person.account_source)
    turned = person._replace(account=other.account, account_source=other.source, aside=aside)
    return turned if _standing(turned, today) < _standing(person, today) else person


def _standing(person: Person, today: date) -> int:
    """By whose account a person is paid, the first first: by a paper, their own, nobody knows whose, by a paper that is over."""
    assert person.account, "the caller looked"
    if person.paper:
        return 0 if today <= (person.paper.valid_until or date.max) else 3
    holder = person.account.holder
    return 1 if is_masked(holder) or compare(holder, person.identity.full_name) in SAME_HOLDER else 2


def _beside(person: Person, other: Person, terms: Terms) -> Person:
    """The person with what the other reading has for an account set aside, where a paper lets one of the two receive and not the other.
    Of two own accounts beside a paper the stronger stays."""
    if other.account is None or other.account_source is None or other.account == person.account:
        return person
    if (person.paper is None) == (other.paper is None):
        return person
    held = person.aside if person.paper else None
    if held and terms.ranks[held.source] < terms.ranks[other.account_source]:
        return person
    return person._replace(aside=Aside(account=other.account, source=other.account_source))


def _now_wishes(person: Person, wish: Wish) -> dict[str, Any]:
    """A reason speaks of the wish it was given for, not of another one."""
    return {"wish": wish, "wish_reason": person.wish_reason if wish is person.wish else None}


def wish_recorded(person: Person, act: RecordWish, today: date) -> Person:
    """The wish; with a review date the reason puts the person into the "cannot" class. Who wishes an account leaves it, and
    whoever is heard after its day."""
    person = person._replace(wish=act.wish, wish_reason=act.reason)
    if act.cannot_until and act.reason:
        return person._replace(cannot_reason=act.reason, cannot_until=act.cannot_until)
    leaves = act.wish is Wish.ACCOUNT or not person.cannot_on(today)
    return person._replace(cannot_reason=None, cannot_until=None) if leaves else person


def collector_named(person: Person, act: NameCollector) -> Person:
    """Who may fetch cash, receive on their account, or both, and the days between which that holds. Raises AssertionError without one."""
    said = act.personal.collector
    assert said is not None, "a collector nobody names is refused before"
    said = said.model_copy(update={"valid_from": act.valid_from, "valid_until": act.valid_until})
    return person._replace(**_named(person, said, since=None, today=act.valid_from))


def _named(person: Person, said: Collector, *, since: date | None, today: date, scope: Scope = "cash") -> dict[str, Any]:
    """What somebody may do for the person. `scope`: what they may when nothing is said of it; `since`: from when, then too. A paper for
    accounts without a first day holds from when it was first heard of."""
    scope, first = said.scope or scope, said.valid_from or since
    named: dict[str, Any] = {}
    if scope != "account":
        named |= {"collector": said, "collector_from": first, "collector_until": said.valid_until}
    if scope != "cash":
        known = person.authorisation
        same = known and (known.full_name, known.paper_number) == (said.full_name, said.paper_number)
        first = first or (known.valid_from if known and same else today)
        named["authorisation"] = said.model_copy(update={"scope": scope, "valid_from": first})
    return named


def merged(known: Identity, said: Identity) -> Identity:
    """The newer word holds, but never loses what it does not contradict: a finer birth date, a name with its accents."""
    if known is said or known == said:
        return known
    plainer = folded(known.full_name) == folded(said.full_name) and said.full_name.isascii()
    return Identity(
        full_name=known.full_name if plainer else said.full_name,
        birth_date=_finer(known.birth_date, said.birth_date, said.birth_date or known.birth_date),
        sex=said.sex or known.sex,
        personal_number=said.personal_number or known.personal_number,
        old_number=said.old_number or known.old_number,
    )


def completed(known: Identity, said: Identity) -> Identity:
    """Only gaps are filled: an account list is no authority on who somebody is."""
    return Identity(
        full_name=known.full_name,
        birth_date=_finer(known.birth_date, said.birth_date, known.birth_date),
        sex=known.sex or said.sex,
        personal_number=known.personal_number or said.personal_number,
        old_number=known.old_number or said.old_number,
    )


def _finer(one: str | None, other: str | None, otherwise: str | None) -> str | None:
    if one and other and (one.startswith(other) or other.startswith(one)):
        return max(one, other, key=len)
    return otherwise or one or other


def _details(person: Person, said: PersonalData, *, since: date | None, terms: Terms) -> dict[str, Any]:
    """What is said of delivery, phone and the rest. `since`: from when a collector on a list may collect."""
    place = said.delivery
    details: dict[str, Any] = {"phone": said.phone} if said.phone else {}
    if place:
        details["delivery"] = _without_collector(place)
    if said.home_delivery is not None:
        details["home_delivery"] = said.home_delivery
    if said.cannot_reason:
        details |= _listed_cannot(person, said.cannot_reason, terms)
    if said.circumstances:
        details["circumstances"] = told(person.circumstances, said.circumstances)
    named = said.collector or (place.collector if place else None)
    if named and named != person.collector:  # who stands on every list may collect since the first of them
        details |= _named(person, named, since=since, today=terms.today)
    return details


def _listed_cannot(person: Person, reason: str, terms: Terms) -> dict[str, Any]:
    """A list shows no evidence and names no decider: what it says holds for a while. Saying it again every month is no review, so the day
    stays; another reason after that day is a new word."""
    over = person.cannot_until is not None and person.cannot_until < terms.today
    if person.cannot_until is None or (over and reason != person.cannot_reason):
        until = terms.today + timedelta(days=terms.cannot_days) if terms.cannot_days else None
        return {"cannot_reason": reason, "cannot_until": until}
    return {"cannot_reason": reason}


def _without_collector(place: Delivery) -> Delivery:
    return place.model_copy(update={"collector": None}) if place.collector else place


def _list_account(person: Person, said: PersonalData, terms: Terms) -> Person:
    """An account on the payer's list is one the person is paid on: confirmed (domain 4.3). It says a wish only to who had none."""
    if said.account is None:
        return person
    listed = _from_source(person, said.account, AccountSource.CONFIRMED, ranks=terms.ranks)
    if terms.rank(listed) > terms.rank(person):
        return _beside(person, listed, terms)
    return _beside(listed, person, terms)._replace(wish=Wish.ACCOUNT if person.wish is Wish.NONE else person.wish)


def _from_source(person: Person, account: Account | None, source: AccountSource, *, ranks: Ranks) -> Person:
    """The same account keeps the strongest word it ever had."""
    known = person.account_source if person.account == account else None
    return person._replace(account=account, account_source=min(filter(None, (known, source)), key=ranks.__getitem__))
