"""Ages and circumstances travel with the frozen line and nowhere else: reduced, sealed, as of the closing."""

from datetime import date
from typing import Any

import asyncpg
import pytest

from services.registry import store_republish
from shared import topics
from shared.events import Changed, Ended
from shared.personal import Circumstances, Delivery, Happened, Moved, PersonalData, PovertyOf
from shared.words import EndReason, LifeEvent, Poverty
from tests.integration.registry.registry_bench import PERIOD, SOURCE, Bench, an_identity

POOR = PovertyOf(year=2024, status=Poverty.POOR)
CUSTODY = Happened(event=LifeEvent.CUSTODY, since=date(2024, 1, 4))


def personal(**facts: Any) -> PersonalData:
    return PersonalData(identity=an_identity(), circumstances=Circumstances(**facts) if facts else None)


def opened(bench: Bench, line: Any) -> Circumstances:
    found: Circumstances = bench.vault.open_as(line.circumstances, str(line.beneficiary_id), Circumstances)
    return found


async def test_a_frozen_line_carries_ages_reached_and_sealed_circumstances(bench: Bench) -> None:
    """Born in March 1949: 74 in February 2024, so 70 is the highest age of the rules."""
    await bench.see(bench.enrolled(personal=personal(poverty=(POOR,))))
    await bench.see(
        Changed(source=SOURCE, record="r1", source_sequence=2, personal=bench.sealed(personal(events=(CUSTODY,), requested=True)))
    )
    await bench.close()
    [line] = await bench.lines()
    assert line.ages == (70, 70)
    assert opened(bench, line) == Circumstances(poverty=(POOR,), events=(CUSTODY,), requested=True)
    async with bench.database.transaction("test") as tx:
        [(_place, event)] = await store_republish.pages(bench.registrar.sealer, bench.clock)[topics.REGISTRY_ENTITLEMENT](
            tx, "", 10
        )
    assert event.message == line, "told again as it was frozen"


async def test_a_bare_year_has_an_age_for_every_setting_and_no_date_has_none(bench: Bench) -> None:
    await bench.see(
        bench.enrolled("r1", identity=an_identity(birth_date="1949")),
        bench.enrolled("r2", identity=an_identity(birth_date=None, personal_number="042149990002", full_name="Lê Nam")),
    )
    await bench.close()
    assert sorted(line.ages for line in await bench.lines()) == [(), (75, 75, 70, 70, 70, 70)]


async def test_circumstances_make_no_new_version(bench: Bench) -> None:
    """Nobody but payout is told, and payout with the line."""
    await bench.see(bench.enrolled())
    assert len(await bench.snapshots()) == 1
    await bench.see(Changed(source=SOURCE, record="r1", source_sequence=2, personal=bench.sealed(personal(events=(CUSTODY,)))))
    assert await bench.snapshots() == []
    [row] = await bench.rows("SELECT circumstances FROM person")
    assert row["circumstances"].startswith("v1.payee.")
    async with bench.database.session() as session:
        with pytest.raises(asyncpg.CheckViolationError):
            await session.execute("UPDATE person SET circumstances = 'in prison'")


async def test_who_moved_away_and_stands_on_a_new_list_has_a_move(bench: Bench) -> None:
    await bench.see(bench.enrolled())
    away = Ended(source=SOURCE, record="r1", source_sequence=2, reason=EndReason.MOVED_OUT, on=date(2024, 1, 20))
    await bench.see(away, bench.enrolled("r9", payer="so-18550"))
    await bench.closer.close(PERIOD, "so-18550", actor="officer")
    [line] = await bench.lines()
    move = Moved(on=date(2024, 1, 20), from_payer="huyen-444", to_payer="so-18550", decided_on=date(2024, 1, 31))
    assert opened(bench, line).moves == (move,)


async def test_what_readers_hold_stays_byte_for_byte_where_they_are_told_nothing(bench: Bench) -> None:
    """Told again under the same version, it is the same: a new reader holds what the old ones hold."""
    said = PersonalData(identity=an_identity(), delivery=Delivery(hamlet="Thôn 1"), phone="0912000077")
    await bench.see(bench.enrolled(personal=said))
    [told] = await bench.snapshots()
    await bench.see(Changed(source=SOURCE, record="r1", source_sequence=2, personal=bench.sealed(personal(events=(CUSTODY,)))))
    assert await bench.snapshots() == []
    blocks = ("identity", "payee", "delivery", "contact", "identity_digest", "delivery_digest")
    [row] = await bench.rows(f"SELECT {', '.join(blocks)} FROM person")
    assert {name: row[name] for name in blocks} == {name: getattr(told, name) for name in blocks}
