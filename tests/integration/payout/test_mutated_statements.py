"""A good statement changed in more than two hundred seeded ways: each change is found and has its right type, none passes unseen.

The world is made once: payments that left through a bank. Each seed takes a mutated statement in one transaction that is rolled back.
The table of what was found is printed at the end of the module.
"""

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.databases import clone, drop
from sandbox.provider_files import Movement, camt053, mt940
from services.payout.reconciling import Scope, open_missing
from services.payout.statement_line import StatementRefusal
from services.payout.statements import StatementDesk
from shared.actors import Actor
from shared.database import Tx
from shared.topics import Provider
from shared.words import Role
from tests.integration.payout.conftest import made_bench
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench
from tests.integration.payout.statement_world import DAY_BEFORE, MADE_AT, OURS, Line, booked, facts, moved, sent
from tests.unit.payout.statement_files import an_id

SEEDS = 240
PEOPLE = 12
OPERATOR = Actor("op", frozenset({Role.OPERATOR}), ("*",), None, "token")
SHORT, OTHER_ACCOUNT = "the file is refused", "3709999999999"
END = MADE_AT.date()


@dataclass
class World:
    """What every seed starts from."""

    bench: Bench
    desk: StatementDesk
    lines: list[Line]


@dataclass(frozen=True)
class Mutant:
    """A mutated statement and what must be found in it."""

    content: bytes
    expected: tuple[str, ...]


@pytest.fixture(scope="module")
async def world(stack, template, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Payments through bank-a, sent and not answered."""
    admin, name = stack.postgres_dsn("postgres"), "mutated_statements"
    await clone(admin, template=await template("payout"), database=name)
    async with made_bench(stack.postgres_dsn(name), keys, tmp_path_factory.mktemp("files")) as bench:
        lines = await sent(bench, PEOPLE)
        yield World(bench, StatementDesk(bench.runtime, bench.handlers), lines)
    await drop(admin, name)


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[Counter[tuple[str, str]]]:
    """Kind of change x what was found."""
    counted: Counter[tuple[str, str]] = Counter()
    yield counted
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        print("\n\nchange                       found                             times")
        for (kind, found), count in sorted(counted.items()):
            print(f"{kind:<28} {found:<34} {count:>4}")


# --- the ways to change a statement ---------------------------------------------------------------------------------------------


def _written(some: Sequence[Movement], rng: random.Random, *, swift: bool = True) -> bytes:
    """As camt.053 of either edition or MT940, whole up to a day after all payments."""
    until = moved(some[0], end_to_end_id="NOTPROVIDED", bank_ref="UNTIL", booked_on=END, vnd=1)
    rest = [*some, until]
    if swift and rng.random() < 0.3:
        return mt940(rest, OURS, reference=f"M{rng.randrange(10**6)}", number=1, made_at=MADE_AT)
    return camt053(rest, OURS, message_id=f"S{rng.randrange(10**6)}", made_at=MADE_AT, version=rng.choice(("02", "08")))


def _one(some: list[Movement], rng: random.Random, **changes: object) -> list[Movement]:
    place = rng.randrange(len(some))
    return [*some[:place], moved(some[place], **changes), *some[place + 1 :]]


def missing(some: list[Movement], rng: random.Random) -> Mutant:
    del some[rng.randrange(len(some))]
    return Mutant(_written(some, rng), ("missing",))


def extra(some: list[Movement], rng: random.Random) -> Mutant:
    stray = moved(
        rng.choice(some), end_to_end_id="NOTPROVIDED", bank_ref="STRAY", vnd=rng.randrange(1, 10**7), out=rng.random() < 0.7
    )
    return Mutant(_written([*some, stray], rng), ("extra",))


def duplicate(some: list[Movement], rng: random.Random) -> Mutant:
    again = moved(rng.choice(some), bank_ref="AGAIN")
    some.insert(rng.randrange(len(some) + 1), again)
    return Mutant(_written(some, rng), ("duplicate",))


def amount(some: list[Movement], rng: random.Random) -> Mutant:
    return Mutant(_written(_one(some, rng, vnd=rng.choice((1, 359_999, 360_001, 3_600_000, 36_000))), rng), ("amount",))


def account(some: list[Movement], rng: random.Random) -> Mutant:
    content = _written(some, rng, swift=False).decode()
    key = rng.choice(some).end_to_end_id
    head, tail = content.split(f"<EndToEndId>{key}</EndToEndId>")
    end = tail.index("</TxDtls>")
    other = f"<RltdPties><CdtrAcct><Id><Othr><Id>{OTHER_ACCOUNT}</Id></Othr></Id></CdtrAcct></RltdPties>"
    return Mutant(f"{head}<EndToEndId>{key}</EndToEndId>{tail[:end]}{other}{tail[end:]}".encode(), ("account",))


def day(some: list[Movement], rng: random.Random) -> Mutant:
    wrong = rng.choice(
        (DAY_BEFORE, DAY_BEFORE - timedelta(days=rng.randrange(1, 400)), END + timedelta(days=rng.randrange(90, 300)))
    )
    return Mutant(_written(_one(some, rng, booked_on=wrong), rng), ("date",))


def reversal(some: list[Movement], rng: random.Random) -> Mutant:
    some.append(moved(rng.choice(some), out=False, bank_ref="REVERSED"))
    content = _written(some, rng)
    if content.startswith(b"<"):
        head, tail = content.split(b"<NtryRef>REVERSED</NtryRef>")
        tail = tail.replace(b"</CdtDbtInd>", b"</CdtDbtInd><RvslInd>true</RvslInd>", 1)
        return Mutant(head + b"<NtryRef>REVERSED</NtryRef>" + tail, ("reversal",))
    return Mutant(content.replace(b"C360000,NTRF", b"RD360000,NTRF"), ("reversal",))


def unknown_id(some: list[Movement], rng: random.Random) -> Mutant:
    place = rng.randrange(len(some))
    true = some[place].end_to_end_id
    other = an_id(rng.randrange(20_000)) if rng.random() < 0.5 else true[1:] + true[0]
    return Mutant(
        _written([*some[:place], moved(some[place], end_to_end_id=other), *some[place + 1 :]], rng), ("missing", "unknown_id")
    )


def truncated(some: list[Movement], rng: random.Random) -> Mutant:
    content = _written(some, rng)
    return Mutant(content[: rng.randrange(40, len(content) - 12)], (SHORT,))


def totals(some: list[Movement], rng: random.Random) -> Mutant:
    content = _written(some, rng, swift=False).decode()
    wrong = rng.choice(("<TtlNtries><NbOfNtries>", "<Sum>", '</CdOrPrtry></Tp><Amt Ccy="VND">', "<TtlDbtNtries><NbOfNtries>"))
    return Mutant(content.replace(wrong, f"{wrong}1", 1).encode(), (StatementRefusal.TOTALS_WRONG,))


def foreign(some: list[Movement], rng: random.Random) -> Mutant:
    true, other = rng.choice(((b"9990000000001", b"9990000000002"), (b"970405", b"970449")))
    return Mutant(_written(some, rng).replace(true, other), (StatementRefusal.ACCOUNT_FOREIGN,))


def damaged(some: list[Movement], rng: random.Random) -> Mutant:
    content = _written(some, rng, swift=False)
    place = rng.choice([n for n, byte in enumerate(content) if byte in b"<>" and n > 60])
    return Mutant(content[:place] + rng.choice((b"\x00", b"&", b"")) + content[place + 1 :], (SHORT,))


def several(some: list[Movement], rng: random.Random) -> Mutant:
    """Three changes of different payments at once."""
    rng.shuffle(some)
    first, second, third, *rest = some
    changed = [moved(first, vnd=first.vnd + 1), moved(second, booked_on=DAY_BEFORE), third, moved(third, bank_ref="AGAIN"), *rest]
    return Mutant(_written(changed, rng), ("amount", "date", "duplicate"))


def nothing(some: list[Movement], rng: random.Random) -> Mutant:
    """The control: another order of entries is no disagreement."""
    rng.shuffle(some)
    return Mutant(_written(some, rng), ())


def already_known(some: list[Movement], rng: random.Random) -> Mutant:
    """The control of a repeat: the same file handed in twice."""
    return Mutant(_written(some, rng), ())


KINDS: tuple[Callable[[list[Movement], random.Random], Mutant], ...] = (
    missing, extra, duplicate, amount, account, day, reversal, unknown_id, truncated, totals, foreign, damaged, several, nothing,
    already_known,
)  # fmt: skip


# --- found ----------------------------------------------------------------------------------------------------------------------


async def found_in(tx: Tx, world: World, content: bytes) -> tuple[str, ...]:
    """The refusal of the file, or the types of the breaks it opens; reconciliation included."""
    desk, clock = world.desk, world.bench.clock
    kept = desk.kept(Provider.BANK_A, content, OPERATOR)
    refusal = await desk.keep(tx, kept, desk.read(content, kept), sealed=desk.sealed(content, kept))
    if refusal:
        return (refusal,)
    while await desk.book(tx, kept.file_id, Provider.BANK_A):
        pass
    await open_missing(tx, Scope(PERIOD, PAYER), days=3, at=clock.now())
    rows = await tx.fetch("SELECT type FROM break_item WHERE line IS NULL OR line <> $1", _until(content))
    return tuple(sorted(row["type"] for row in rows))


def _until(content: bytes) -> int:
    """The line that only says up to which day the statement is whole."""
    return content.count(b"<Ntry>") or content.count(b":61:")


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_mutated_statement_is_found_and_typed(world: World, table: Counter[tuple[str, str]], seed: int) -> None:
    rng = random.Random(seed)
    change = KINDS[seed % len(KINDS)]
    mutant = change(booked(*facts(world.lines)), rng)
    async with world.bench.database.session() as session:
        undone = session.transaction()
        await undone.start()
        try:
            found = await found_in(session, world, mutant.content)
            if change is already_known:
                again = await found_in(session, world, mutant.content)
                assert again == found
            paid = await session.fetchval("SELECT count(*) FROM instruction WHERE state = 'paid'")
        finally:
            await undone.rollback()
    table[change.__name__, " ".join(found) or "nothing"] += 1
    if mutant.expected == (SHORT,):
        assert len(found) == 1
        assert found[0] in set(StatementRefusal)
    else:
        assert found == mutant.expected
    wrong = {"missing": 1, "amount": 1, "account": 1, "day": 1, "unknown_id": 1, "several": 2}.get(change.__name__, 0)
    assert paid == (0 if found and found[0] in set(StatementRefusal) else PEOPLE - wrong), "only proven lines move"
