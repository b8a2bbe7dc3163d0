"""How many people a second verification checks against a replica of the whole population: the SQL that looks them up, what opens the
entries and the rules, as the service runs them, on one real PostgreSQL, no broker.

    python -m tests.bench.replica [entries] [people]

The replica is filled by COPY, with rows made by verification's own code. Nothing is written while people are checked: a result is the
same work for everybody whatever the replica holds, and stands in the end-to-end figures.
"""

from __future__ import annotations

import asyncio
import io
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.verification.ages import Ages
from services.verification.matching import judge
from services.verification.population_feed import COLUMNS, Entry, read_extract, sealed
from services.verification.population_register import Replica
from services.verification.register_rows import index, name_birth_index, register_row
from services.verification.store import Indexes, Person
from services.verification.waiting import PAGE
from shared.clock import HandClock
from shared.personal import Identity
from shared.vault import Vault
from shared.words import Outcome
from tests.bench import matching
from tests.bench.alone import Alone, alone, cpu_of_children
from tests.bench.people import PEOPLE_PER_PAYER, recipients
from tests.bench.world import SEED
from tests.integration.verification.verification_bench import START

HELD, CHECKED = 1_500_000, 200_000
FILL_SECONDS_MAX = 1_200
ROW = (
    "person_token", "as_of", "status", "status_on", "area", "sealed", "content_digest", "number_ix", "old_number_ix", "name_birth_ix",
    "replaced_by_ix",
)  # fmt: skip


class Asked(NamedTuple):
    """Somebody to be checked, and what must come of it."""

    person: Person
    identity: Identity
    outcome: Outcome


async def run(held: int = HELD, checked: int = CHECKED, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Matches a second on the clock, the CPU time of each, and how many more the rules alone would do. Raises TimeoutError when the replica
    is not filled in time."""
    async with alone("verification") as place:
        began = perf_counter()
        async with asyncio.timeout(FILL_SECONDS_MAX):
            entries = await _fill(place, held)
        filled = perf_counter() - began
        say(f"{entries} entries in {filled:.0f} s")
        vault = Vault.load(place.keys / "verification.json")
        register = Replica(vault, HandClock(START), Ages())
        spent, right = Spent(place.server), 0
        for page in _pages(vault, held, checked):
            if not spent.wall:  # a service has its connection and its plans before anybody asks
                await _check(place, register, page, Spent(place.server))
            right += await _check(place, register, page, spent)
    alone_rate = matching.run(min(checked, matching.PEOPLE))["matches_per_second"]
    rate = round(checked / spent.wall)
    return {
        "entries": entries,
        "people": checked,
        "fill_seconds": round(filled, 1),
        "seconds": round(spent.wall, 2),
        "matches_per_second": rate,
        "python_us": round(spent.python * 1e6 / checked, 1),
        "postgres_us": round(spent.postgres * 1e6 / checked, 1),
        "rules_alone": alone_rate,
        "share_of_rules_alone": round(rate / alone_rate, 3),
        "valid": right == checked,
    }


class Spent:
    """Time on the clock and of both processors, between `begin` and `end`."""

    def __init__(self, server: int) -> None:
        """`server`: pid of PostgreSQL."""
        self._server = server
        self._at = (0.0, 0.0, 0.0)
        self.wall = self.python = self.postgres = 0.0

    def begin(self) -> None:
        """From here."""
        self._at = self._now()

    def end(self) -> None:
        """To here."""
        wall, python, postgres = (now - was for now, was in zip(self._now(), self._at, strict=True))
        self.wall, self.python, self.postgres = self.wall + wall, self.python + python, self.postgres + postgres

    def _now(self) -> tuple[float, float, float]:
        return perf_counter(), process_time(), cpu_of_children(self._server)


async def _check(place: Alone, register: Replica, page: Sequence[Asked], spent: Spent) -> int:
    """How many of a page came out right."""
    spent.begin()
    async with place.database.reading() as tx:
        answers = await register.answers(tx, [one.person for one in page])
    said = [judge(one.identity, answers[one.person.beneficiary_id].candidates).outcome for one in page]
    spent.end()
    return sum(outcome is one.outcome for outcome, one in zip(said, page, strict=True))


def _sizes(held: int) -> list[int]:
    """People of each payer."""
    return [min(PEOPLE_PER_PAYER, held - start) for start in range(0, held, PEOPLE_PER_PAYER)]


def _pages(vault: Vault, held: int, checked: int) -> Iterator[list[Asked]]:
    """As many people of every payer, in pages as the service judges them."""
    page, sizes, left = list[Asked](), _sizes(held), checked
    for payer, size in enumerate(sizes):
        share = min(size, -(-left // (len(sizes) - payer)))
        left -= share
        for person in recipients(SEED, payer, share):
            identity = Identity.model_validate(person.identity)
            page.append(Asked(_person(vault, person.number, identity), identity, person.outcome))
            if len(page) == PAGE:
                yield page
                page = []
    if page:
        yield page


def _person(vault: Vault, number: int, identity: Identity) -> Person:
    indexes = Indexes(
        number=index(vault, "number", identity.personal_number),
        old_number=index(vault, "old_number", identity.old_number),
        name_birth=name_birth_index(vault, identity),
    )
    return Person(UUID(int=number + 1), (1, 1), "huyen-444", "", "", "", None, indexes)


async def _fill(place: Alone, held: int) -> int:
    """Everybody into the replica, as one extract that has arrived whole; returns the entries."""
    tasks = [(payer, size, place.dsn, place.keys / "verification.json") for payer, size in enumerate(_sizes(held))]

    def fill() -> int:
        with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
            return sum(pool.map(_fill_payer, tasks))

    entries = await asyncio.to_thread(fill)
    session = await asyncpg.connect(place.dsn)
    try:
        await session.execute("INSERT INTO extract (as_of, entries, applied) VALUES ($1, $2, $2)", START, entries)
        await session.execute("VACUUM ANALYZE register")
    finally:
        await session.close()
    return entries


def _fill_payer(task: tuple[int, int, str, Path]) -> int:
    payer, size, dsn, keys = task
    vault = Vault.load(keys)
    rows = [",".join(row) for person in recipients(SEED, payer, size) for row in person.register]
    file = io.BytesIO("\n".join([",".join(COLUMNS), *rows]).encode())
    entries = [entry for entry in read_extract(file) if isinstance(entry, Entry)]
    kept = [register_row(vault, sealed(entry, vault, START)) for entry in entries]
    assert len(kept) == len(rows)

    async def copy() -> None:
        session = await asyncpg.connect(dsn)
        try:
            await session.copy_records_to_table("register", records=kept, columns=ROW)
        finally:
            await session.close()

    asyncio.run(copy())
    return len(kept)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:] if word.isdigit()]
    print(json.dumps(asyncio.run(run(*given)), indent=1))
