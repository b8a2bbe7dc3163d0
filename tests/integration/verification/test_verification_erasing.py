"""Registry erased somebody: verification forgets them, whoever shared something with them is judged anew, and nothing comes back."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.events import BeneficiarySnapshot, Version
from shared.words import AccountCheck, Outcome
from tests.integration.verification.verification_bench import Bench, a_register_line, an_account, an_identity

OTHER = {"personal_number": "042149990002", "given_name": "Hạnh"}


def erased(bench: Bench, was: BeneficiarySnapshot, **changes: Any) -> BeneficiarySnapshot:
    """As registry tells it: nobody, without an account."""
    nobody = bench.snapshot(an_identity(full_name="-", birth_date=None, sex=None, personal_number=None), who=was.beneficiary_id)
    return nobody.model_copy(update={"erased_at": bench.clock.now(), **changes})


async def rows(bench: Bench, sql: str, *values: Any) -> list[asyncpg.Record]:
    async with bench.database.session() as session:
        return list(await session.fetch(sql, *values))


async def everything(bench: Bench) -> str:
    """All that stands in the tables of people, and what was published."""
    tables = ("person", "verdict", "question", "review_sight", "review_decision", "dead_letter")
    found = [str(dict(row)) for table in tables for row in await rows(bench, f"SELECT * FROM {table}")]
    return "\n".join([*found, *[bytes(row["payload"]).decode() for row in await rows(bench, "SELECT payload FROM outbox")]])


async def published(bench: Bench) -> None:
    async with bench.database.transaction("test") as tx:
        await tx.execute("UPDATE outbox_cursor SET (xid, id) = (SELECT xid, id FROM outbox ORDER BY xid DESC, id DESC LIMIT 1)")


async def two_with_one_account(bench: Bench) -> tuple[BeneficiarySnapshot, BeneficiarySnapshot]:
    """Both are known to the register and gave the same account."""
    await bench.load(a_register_line(), a_register_line(**OTHER))
    one = bench.snapshot(an_identity(), an_account())
    other = bench.snapshot(
        an_identity(full_name="Nguyễn Thị Hạnh", personal_number=OTHER["personal_number"]), an_account(holder="NGUYEN THI HANH")
    )
    await bench.see(one, other)
    assert {result.account for result in await bench.told()} >= {AccountCheck.SHARED_ACCOUNT}
    await published(bench)
    return one, other


async def test_nothing_of_the_person_stays_and_the_other_one_has_the_account(bench: Bench) -> None:
    one, other = await two_with_one_account(bench)
    async with bench.database.transaction("test") as tx:
        await tx.execute(
            "INSERT INTO question (request_id, about, beneficiary_id, digest, officer, procedure, urgent, made_at, due_at)"
            " VALUES (gen_random_uuid(), 'person', $1, $2, 'o', 'p', true, $3, $3)",
            one.beneficiary_id, one.identity_digest, bench.clock.now(),
        )  # fmt: skip
    traces = [one.identity, one.payee, one.identity_digest]
    before = await everything(bench)
    assert all(trace in before for trace in traces)
    await bench.see(erased(bench, one))
    after = await everything(bench)
    assert [trace for trace in traces if trace in after] == []
    (told,) = await bench.told()
    assert (told.beneficiary_id, told.outcome, told.account) == (other.beneficiary_id, Outcome.MATCH, AccountCheck.USABLE)
    (question,) = await rows(bench, "SELECT digest, ended_at, answer FROM question")
    assert tuple(question) == (None, bench.clock.now(), None)
    assert (await rows(bench, "SELECT count(*) AS count FROM register"))[0]["count"] == 2  # the state's own register stays


async def test_no_snapshot_old_or_new_brings_anybody_back(bench: Bench) -> None:
    one, _other = await two_with_one_account(bench)
    gone = erased(bench, one)
    await bench.see(gone)
    await bench.told()
    later = bench.snapshot(an_identity(), an_account(), who=one.beneficiary_id)
    restored = later.model_copy(update={"version": Version(epoch=2, n=1)})
    await bench.see(one)
    await bench.see(gone, restored)
    await bench.see(one, gone, later)
    (row,) = await rows(bench, "SELECT epoch, n, identity, number_ix FROM person WHERE beneficiary_id = $1", one.beneficiary_id)
    assert tuple(row) == (1, gone.version.n, None, None)
    assert await bench.told() == []
    async with bench.database.transaction("test") as tx:
        assert await bench.judge.judge(tx, [one.beneficiary_id]) == 0


async def test_a_new_reader_that_hears_of_nobody_else_knows_an_id(bench: Bench) -> None:
    gone = erased(bench, bench.snapshot(an_identity()))
    await bench.see(gone)
    (row,) = await rows(bench, "SELECT beneficiary_id, erased_at FROM person")
    assert tuple(row) == (gone.beneficiary_id, bench.clock.now())
    assert await bench.told() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE person SET erased_at = NULL, identity = 'v1', payee = 'v1', identity_digest = 'd' WHERE beneficiary_id = $1",
        "UPDATE person SET person_token = 't' WHERE beneficiary_id = $1",
        "UPDATE verdict SET outcome = 'dead', identity_digest = NULL WHERE beneficiary_id = $1",
        "DELETE FROM verdict WHERE beneficiary_id = $1",
    ],
)
async def test_database_keeps_who_is_erased(statement: str, bench: Bench) -> None:
    await bench.load(a_register_line())
    one = bench.snapshot(an_identity())
    await bench.see(one)
    await bench.see(erased(bench, one))
    await refuses(bench, statement, one.beneficiary_id)


async def test_database_erases_nobody_else(bench: Bench) -> None:
    await bench.load(a_register_line())
    one = bench.snapshot(an_identity())
    await bench.see(one)
    await refuses(bench, "UPDATE verdict SET identity_digest = NULL WHERE beneficiary_id = $1", one.beneficiary_id)
    await refuses(bench, "UPDATE person SET erased_at = '2024-02-01Z' WHERE beneficiary_id = $1", one.beneficiary_id)


async def refuses(bench: Bench, statement: str, who: UUID) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with bench.database.transaction("test") as tx:
            await tx.execute(statement, who)
