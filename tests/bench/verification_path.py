"""What verification costs per person, apart: the handlers on a real PostgreSQL, no broker.

    python -m tests.bench.verification_path [people] [--profile]

Prints CPU microseconds per person, Python's and PostgreSQL's, by stage, and matches a second with SQL against the replica: look up, open,
compare (the rules alone: `tests.bench.matching`).
"""

import asyncio
import io
import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from services.verification import store
from services.verification.account_check import Banks
from services.verification.ages import Ages
from services.verification.handlers import Handlers
from services.verification.judging import Judge
from services.verification.matching import judge as match
from services.verification.population_feed import COLUMNS, Entry, entries_of, read_extract
from services.verification.population_register import Replica
from services.verification.store import Person
from services.verification.waiting import Waiting
from shared import logs
from shared.clock import HandClock
from shared.events import BeneficiarySnapshot, Version
from shared.personal import Account, Contact, Identity, Payee
from shared.vault import Kind, Vault
from shared.words import AccountSource, Life, Outcome, Wish
from tests.bench.alone import BATCH, Alone, Raw, Stages, alone, feed, raws
from tests.bench.people import Recipient, recipients
from tests.integration.verification.verification_bench import START


def snapshot(vault: Vault, person: Recipient, *, n: int = 1) -> BeneficiarySnapshot:
    """What registry would tell of a person."""
    who = UUID(int=(person.number * 2**61 + 7 * person.number + 1) % 2**128)
    identity = Identity(**person.identity)
    account = Account(**person.account) if person.account else None
    phone = person.details["phone"].replace("0", "+84", 1) if "phone" in person.details else None
    return BeneficiarySnapshot(
        beneficiary_id=who, version=Version(epoch=1, n=n), payer="huyen-444", area=person.area, life=Life.ALIVE,
        wish=Wish.ACCOUNT if account else Wish.NONE, account_source=AccountSource.BULK if account else None,
        identity=vault.seal(Kind.IDENTITY, str(who), "2024-01", identity),
        payee=vault.seal(Kind.PAYEE, str(who), "2024-01", Payee(full_name=identity.full_name, account=account)),
        contact=vault.seal(Kind.CONTACT, str(who), "2024-01", Contact(phone=phone)) if phone else None,
        identity_digest=vault.digest("identity", identity.model_dump_json().encode()),
        account_digest=vault.digest("account", account.model_dump_json().encode()) if account else None,
    )  # fmt: skip


def everybody(people: int) -> list[Recipient]:
    """Synthetic people of as many payers as it takes."""
    return [
        person for payer in range(-(-people // 10_000)) for person in recipients(1, payer, min(people - payer * 10_000, 10_000))
    ]


def extract(vault: Vault, people: Sequence[Recipient], day: int) -> list[Raw]:
    """The register's entries as the feed publishes them on a day."""
    text = "\n".join([",".join(COLUMNS), *[",".join(row) for person in people for row in person.register]])
    entries = [row for row in read_extract(io.BytesIO(text.encode())) if isinstance(row, Entry)]
    assert len(entries) == text.count("\n")
    return raws(event.message for event in entries_of(entries, vault, START + timedelta(days=day)))


async def run(people: int, *, profile: bool = False) -> dict[str, dict[str, int]]:
    """CPU microseconds per person by stage, and matches a second."""
    async with alone("verification") as place:
        stages = Stages(people, place.server, profile=profile)
        registry, vault = Vault.load(place.keys / "registry.json"), Vault.load(place.keys / "verification.json")
        clock = HandClock(START)
        register = Replica(vault, clock, Ages())
        judge = Judge(vault, clock, register=register, banks=Banks.from_file())
        handlers = Handlers(vault, judge, register)
        waiting = Waiting(place.database, judge, clock=clock, register=register, log=logs.configure("verification"))
        known = everybody(people)
        first, second = ([snapshot(registry, person, n=n) for person in known] for n in (1, 2))
        await stages.stage("unasked", feed(place.database, handlers.on_beneficiary, raws(first[: people // 10])))
        await stages.stage("register", feed(place.database, handlers.on_population, extract(vault, known, 1)))
        await stages.stage("waited", _judge_all(waiting))
        await stages.stage("judged", feed(place.database, handlers.on_beneficiary, raws(first)))
        await stages.stage("again", feed(place.database, handlers.on_beneficiary, raws(first)))
        await stages.stage("newer", feed(place.database, handlers.on_beneficiary, raws(second)))
        await stages.stage("silent", feed(place.database, handlers.on_population, extract(vault, known, 2)))
        await _agree(place, known)
        held = await _held(place, judge)
        await stages.stage("matched", _match_all(place, register, held))
        stages.show_profile()
        matched = stages.costs["matched"]
        return stages.costs | {"matches": {"per_cpu_second": round(1e6 / max(matched["python"] + matched["postgres"], 1))}}


async def _judge_all(waiting: Waiting) -> None:
    while await waiting.judge_page():
        pass


async def _held(place: Alone, judge: Judge) -> list[tuple[Person, Identity]]:
    async with place.database.session() as session:
        ids = [row[0] for row in await session.fetch("SELECT beneficiary_id FROM person ORDER BY beneficiary_id")]
    async with place.database.reading() as tx:
        return [(person, judge.open(person)[0]) for person in await store.people(tx, ids)]


async def _match_all(place: Alone, register: Replica, held: Sequence[tuple[Person, Identity]]) -> None:
    """Look up, open and compare; nothing is written."""
    for start in range(0, len(held), BATCH):
        page = held[start : start + BATCH]
        async with place.database.reading() as tx:
            answers = await register.answers(tx, [person for person, _ in page])
        for person, identity in page:
            match(identity, answers[person.beneficiary_id].candidates)


async def _agree(place: Alone, known: Sequence[Recipient]) -> None:
    """A fast wrong answer is no figure."""
    async with place.database.session() as session:
        rows = await session.fetch(
            "SELECT outcome, count(*) FROM person JOIN verdict USING (beneficiary_id, result_seq) GROUP BY 1"
        )
    wanted = {outcome: sum(person.outcome is outcome for person in known) for outcome in Outcome}
    assert dict(map(tuple, rows)) == {str(outcome): count for outcome, count in wanted.items() if count}, (rows, wanted)


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:] if word.isdigit()]
    print(json.dumps(asyncio.run(run(*(wanted or [20_000]), profile="--profile" in sys.argv))))
