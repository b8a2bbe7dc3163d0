"""Two reviewers merge and separate people: rows, records and numbers follow, readers are told in order, nothing is merged wrongly."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.registry.joining import Joiner
from services.registry.merging import ActKind, MergeReason
from services.registry.pairing import Pairing
from services.registry.pairs import Pair, PairReason, Paper
from shared.actors import Actor
from shared.events import Changed, Ended, ListClosing
from shared.personal import PersonalData
from shared.words import EndReason, Life
from tests.integration.registry.registry_bench import SOURCE, Bench, a_line, an_identity
from tests.integration.registry.test_registry_candidates import REVIEWER, SLIP

SECOND = replace(REVIEWER, id="second")
NEXT = "2024-03"


async def sight(bench: Bench, pair: Pair, actor: Actor) -> UUID:
    seen = await Pairing(bench.database, bench.clock, bench.registrar.sealer, areas=bench.areas).see(pair, actor)
    return UUID(str(seen["sight_id"]))


async def act(bench: Bench, kind: ActKind, goes: UUID, stays: UUID) -> Any:
    """Propose and confirm."""
    joiner, pair = Joiner(bench.database, bench.clock, bench.registrar), Pair.of(goes, stays)
    seen = await sight(bench, pair, REVIEWER)
    proposed = await joiner.propose(kind, goes, stays, sight_id=seen, paper=Paper.IDENTITY_CARD, actor=REVIEWER)
    if not isinstance(proposed, UUID):
        return proposed
    return await joiner.confirm(proposed, await sight(bench, pair, SECOND), SECOND)


async def merge(bench: Bench, goes: UUID, stays: UUID) -> Any:
    return await act(bench, ActKind.MERGE, goes, stays)


async def unmerge(bench: Bench, goes: UUID, stays: UUID) -> Any:
    return await act(bench, ActKind.UNMERGE, goes, stays)


async def who(bench: Bench, record: str) -> UUID:
    (row,) = await bench.rows("SELECT beneficiary_id FROM source_record WHERE record = $1", record)
    return UUID(str(row["beneficiary_id"]))


async def rows_of(bench: Bench) -> set[tuple[str, UUID, str, str]]:
    found = await bench.rows("SELECT record, beneficiary_id, benefit_code, state FROM list_row")
    return {(row["record"], row["beneficiary_id"], row["benefit_code"], row["state"]) for row in found}


async def everything(bench: Bench) -> list[list[Any]]:
    """All that a merge may touch, versions and times aside."""
    queries = (
        "SELECT beneficiary_id, payer, identity_digest, account_digest, number_ix, old_number_ix, name_birth_ix, name_place_ix FROM person "
        "ORDER BY 1",
        "SELECT source, record, beneficiary_id, sequence, digest FROM source_record ORDER BY 1, 2",
        "SELECT source, record, period, beneficiary_id, state, end_reason, declared_vnd FROM list_row ORDER BY 1, 2, 3",
        "SELECT * FROM merged",
        "SELECT * FROM merged_key",
        "SELECT * FROM merged_record",
    )
    return [[tuple(row) for row in await bench.rows(query)] for query in queries]


async def two(bench: Bench, **other: Any) -> tuple[UUID, UUID]:
    """(stays, goes): the same benefit twice under two numbers, and one more benefit of who goes."""
    await bench.see(bench.enrolled("r1"), bench.enrolled("r2", **{"identity": SLIP, **other}))
    await bench.see(bench.enrolled("r3", identity=SLIP, line=a_line(benefit_code="HT-1")))
    return await who(bench, "r1"), await who(bench, "r2")


async def test_a_merge_carries_rows_over_and_pays_one_benefit_once(bench: Bench) -> None:
    stays, goes = await two(bench)
    await bench.told()
    done = await merge(bench, goes, stays)
    assert (done["merged_id"], done["survivor_id"]) == (goes, stays)
    assert await rows_of(bench) == {
        ("r1", stays, "BT-5c", "active"), ("r2", stays, "BT-5c", "ended"), ("r3", stays, "HT-1", "active"),
    }  # fmt: skip
    (away,) = await bench.snapshots()
    assert (away.beneficiary_id, away.merged_into) == (goes, stays)
    closing = await bench.close()
    assert isinstance(closing, ListClosing)
    assert (closing.count, {line.beneficiary_id for line in await bench.lines()}) == (2, {stays})


async def test_a_merge_and_its_separation_leave_everything_as_it_was(bench: Bench) -> None:
    stays, goes = await two(bench, identity=SLIP.model_copy(update={"old_number": "183900001"}))
    before = await everything(bench)
    await bench.told()
    done = await merge(bench, goes, stays)
    assert done["fields"] == ["old_number"]
    assert [snapshot.beneficiary_id for snapshot in await bench.snapshots()] == [goes, stays]
    await unmerge(bench, goes, stays)
    assert await everything(bench) == before
    told = await bench.snapshots()
    assert [snapshot.beneficiary_id for snapshot in told] == [stays, goes]  # who gives the number up comes first
    assert told[-1].merged_into is None
    kinds = [row["kind"] for row in await bench.rows("SELECT kind FROM merge_act ORDER BY ordinal")]
    assert kinds == ["merge", "unmerge"]


async def test_who_stays_takes_the_number_they_had_not(bench: Bench) -> None:
    await bench.see(bench.enrolled("r1", identity=an_identity(personal_number=None, birth_date="1949")), bench.enrolled("r2"))
    stays, goes = await who(bench, "r1"), await who(bench, "r2")
    assert stays != goes
    before = await everything(bench)
    done = await merge(bench, goes, stays)
    assert set(done["fields"]) == {"personal_number"}
    (row,) = await bench.rows("SELECT number_ix FROM person WHERE beneficiary_id = $1", stays)
    assert row["number_ix"] == bench.vault.index("number", str(an_identity().personal_number))
    await unmerge(bench, goes, stays)
    assert (await everything(bench))[0] == before[0]


async def test_what_comes_later_under_any_of_the_two_is_of_who_stays(bench: Bench) -> None:
    stays, goes = await two(bench)
    await merge(bench, goes, stays)
    await bench.told()
    old_number = SLIP.personal_number
    await bench.see(
        bench.enrolled("r2", 2, identity=SLIP, period=NEXT),  # the record that went over
        bench.enrolled("r7", identity=SLIP, period=NEXT, line=a_line(benefit_code="BT-6c")),  # a new record under the other number
        bench.enrolled("r8", identity=an_identity(full_name="NGUYEN THI HOA", personal_number=None), period=NEXT,
                       line=a_line(benefit_code="BT-8")),
    )  # fmt: skip
    people = await bench.rows("SELECT DISTINCT beneficiary_id FROM list_row WHERE period = $1", NEXT)
    assert [row["beneficiary_id"] for row in people] == [stays]
    assert await bench.snapshots() == []  # the other number says nothing new of who they are
    async with bench.database.reading() as tx:
        (row,) = await tx.fetch("SELECT number_ix FROM person WHERE beneficiary_id = $1", stays)
    assert row["number_ix"] == bench.vault.index("number", str(an_identity().personal_number))
    assert old_number != an_identity().personal_number
    assert len(await bench.rows("SELECT FROM person")) == 2


async def test_a_frozen_line_stays_and_a_row_whose_list_has_closed_is_told(bench: Bench) -> None:
    stays, goes = await two(bench)
    await merge(bench, goes, stays)
    assert isinstance(await bench.close(), ListClosing)
    done = await unmerge(bench, goes, stays)
    assert done["rows_too_late"] == 1
    lines = await bench.rows("SELECT DISTINCT beneficiary_id FROM entitlement_line")
    assert [row["beneficiary_id"] for row in lines] == [stays]


async def test_two_people_are_needed_who_have_both_seen(bench: Bench) -> None:
    stays, goes = await two(bench)
    joiner, pair = Joiner(bench.database, bench.clock, bench.registrar), Pair.of(goes, stays)
    said = {"paper": Paper.IDENTITY_CARD, "actor": REVIEWER}
    assert await joiner.propose(ActKind.MERGE, goes, stays, sight_id=uuid4(), **said) is PairReason.NOT_SEEN
    seen = await sight(bench, pair, REVIEWER)
    proposed = await joiner.propose(ActKind.MERGE, goes, stays, sight_id=seen, **said)
    assert isinstance(proposed, UUID)
    assert await joiner.propose(ActKind.MERGE, stays, goes, sight_id=seen, **said) is MergeReason.ALREADY_PROPOSED
    assert await joiner.confirm(proposed, seen, REVIEWER) is MergeReason.SECOND_PERSON_NEEDED
    assert await joiner.confirm(proposed, seen, SECOND) is PairReason.NOT_SEEN
    assert await joiner.confirm(uuid4(), seen, SECOND) is MergeReason.ACT_UNKNOWN
    mine = await sight(bench, pair, SECOND)
    said_since = PersonalData(identity=an_identity(personal_number="042149990003"))
    await bench.see(Changed(source=SOURCE, record="r2", source_sequence=2, personal=bench.sealed(said_since)))
    assert await joiner.confirm(proposed, mine, SECOND) is PairReason.CHANGED_MEANWHILE
    assert await joiner.withdraw(proposed, REVIEWER) is None
    assert (await merge(bench, goes, stays))["kind"] == "merge"
    assert await joiner.confirm(proposed, mine, SECOND) is MergeReason.ACT_UNKNOWN


async def test_chains_circles_and_the_wrong_order_are_refused(bench: Bench) -> None:
    stays, goes = await two(bench)
    await bench.see(bench.enrolled("r5", identity=an_identity(personal_number="042149990005")))
    third = await who(bench, "r5")
    await merge(bench, goes, stays)
    assert await merge(bench, goes, third) is MergeReason.ALREADY_MERGED
    assert await merge(bench, third, goes) is MergeReason.ALREADY_MERGED
    assert await merge(bench, stays, third) is MergeReason.OTHERS_MERGED_INTO_IT
    assert (await merge(bench, third, stays))["kind"] == "merge"
    assert await unmerge(bench, goes, stays) is MergeReason.LATER_MERGE_FIRST
    assert (await unmerge(bench, third, stays))["kind"] == "unmerge"
    assert (await unmerge(bench, goes, stays))["kind"] == "unmerge"
    assert await unmerge(bench, goes, stays) is MergeReason.NOT_MERGED


async def test_one_who_died_is_not_merged_with_one_who_lives(bench: Bench) -> None:
    stays, goes = await two(bench)
    await bench.see(Ended(source=SOURCE, record="r2", source_sequence=2, reason=EndReason.DEATH, on=date(2024, 1, 5)))
    assert await merge(bench, goes, stays) is MergeReason.LIFE_DIFFERS
    await bench.see(Ended(source=SOURCE, record="r1", source_sequence=2, reason=EndReason.DEATH, on=date(2024, 1, 5)))
    assert (await merge(bench, goes, stays))["kind"] == "merge"
    assert Life.DEAD in {snapshot.life for snapshot in await bench.snapshots()}


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO merged SELECT beneficiary_id, survivor_id, gen_random_uuid() FROM merged",
        "INSERT INTO merged SELECT survivor_id, survivor_id, act_id FROM merged",
        "INSERT INTO merged SELECT survivor_id, beneficiary_id, act_id FROM merged",
        "UPDATE merged SET survivor_id = beneficiary_id",
        "UPDATE list_row SET beneficiary_id = (SELECT beneficiary_id FROM merged) WHERE state = 'active'",
        "INSERT INTO list_row SELECT source, 'another', period, (SELECT beneficiary_id FROM merged), payer, area, 'BT-8', declared_vnd, "
        "line, 'active', NULL, import_id, row_no FROM list_row LIMIT 1",
        "INSERT INTO merged SELECT p.beneficiary_id, "
        "m.beneficiary_id, a.act_id FROM merged m, person p, merge_act a WHERE p.beneficiary_id NOT IN (m.beneficiary_id, m.survivor_id)",
        "UPDATE merge_act SET paper = 'HOME_VISIT'",
        "DELETE FROM merge_act",
        "UPDATE merge_act SET confirmed_at = NULL, confirmed_by = NULL, confirmed_token = NULL, confirmed_sight = NULL, absorbed = NULL",
        "INSERT INTO merge_act (act_id, kind, merged_id, survivor_id, paper, proposed_sight, proposed_by, proposed_token, proposed_at, "
        "confirmed_sight, confirmed_by, confirmed_token, confirmed_at, absorbed) SELECT gen_random_uuid(), kind, merged_id, survivor_id, "
        "paper, proposed_sight, proposed_by, 't', proposed_at, proposed_sight, proposed_by, 't', confirmed_at, absorbed FROM merge_act",
    ],
)
async def test_database_lets_nobody_merge_wrongly(bench: Bench, change: str) -> None:
    stays, goes = await two(bench)
    await bench.see(bench.enrolled("r5", identity=an_identity(personal_number="042149990005")))
    await merge(bench, goes, stays)
    with pytest.raises(asyncpg.PostgresError):
        async with bench.database.transaction("test") as tx:
            await tx.execute(change)


async def test_an_open_row_keeps_an_id_from_going_away(bench: Bench) -> None:
    stays, goes = await two(bench)
    with pytest.raises(asyncpg.PostgresError, match="no live row"):
        async with bench.database.transaction("test") as tx:
            await tx.execute("INSERT INTO merged VALUES ($1, $2, $3)", goes, stays, uuid4())
