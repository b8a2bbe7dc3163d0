"""Notify on a real database: once per phone and round, forward only, silent on repeats."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from services.notify.sms_gateway import Answer
from shared.errors import BadRecord
from shared.events import TextState
from shared.words import Life, MessageStatus, Outcome
from tests.integration.notify.notify_bench import DAYTIME, PATIENCE_SECONDS, PAUSE_SECONDS, Bench, MemoryGateway

DELIVERED, FAILED = MessageStatus.DELIVERED, MessageStatus.FAILED


async def sent_text(bench: Bench) -> TextState:
    """One person reminded, their text accepted by the gateway."""
    await bench.see(bench.snapshot())
    await bench.draw()
    await bench.send_all()
    return (await bench.told())[-1]


async def test_people_who_share_a_phone_get_one_text(bench: Bench) -> None:
    one, other = bench.snapshot("+84912000001"), bench.snapshot("+84912000001")
    await bench.see(one, other, bench.snapshot("+84912000002"))
    await bench.draw()
    await bench.send_all()
    (shown,) = await bench.rounds()
    assert (shown["people"], shown["texts"], shown["states"]) == (3, 2, {"accepted": 2})
    shared = next(state for state in await bench.told() if len(state.beneficiary_ids) == 2)
    assert set(shared.beneficiary_ids) == {one.beneficiary_id, other.beneficiary_id}


async def test_a_round_drawn_twice_exists_once(bench: Bench) -> None:
    await bench.see(bench.snapshot())
    drawn = await asyncio.gather(*(bench.draw() for _ in range(4)))
    assert sorted(drawn) == [False, False, False, True]
    await bench.see(bench.snapshot("+84912000009"))
    assert await bench.draw() is False
    (shown,) = await bench.rounds()
    assert (shown["texts"], shown["states"]) == (1, {"created": 1})
    assert [state.status for state in await bench.told()] == [MessageStatus.CREATED]


async def test_who_is_left_out_and_why(bench: Bench) -> None:
    dead, paid = bench.snapshot("+84912000003"), bench.snapshot("+84912000004")
    await bench.see(
        bench.snapshot(account=True), bench.snapshot(cannot=True), bench.snapshot(None), bench.snapshot(life=Life.DEAD),
        bench.snapshot(life=Life.MOVED_OUT), dead, paid,
    )  # fmt: skip
    await bench.found_dead(dead.beneficiary_id)
    await bench.paid_on_account(paid.beneficiary_id)
    await bench.draw()
    (shown,) = await bench.rounds()
    assert shown["texts"] == 0
    assert shown["left_out"] == {"has_account": 1, "cannot": 1, "no_phone": 1, "dead": 2, "moved_out": 1, "paid_on_account": 1}


async def test_older_snapshot_and_older_result_change_nothing(bench: Bench) -> None:
    who = uuid4()
    old = bench.snapshot(account=True, who=who)
    await bench.see(bench.snapshot(who=who))
    await bench.see(old)
    await bench.found_dead(who, seq=2, outcome=Outcome.MATCH)
    await bench.found_dead(who, seq=1)
    await bench.draw()
    assert (await bench.rounds())[0]["people"] == 1
    assert [state.status for state in await bench.told()] == [MessageStatus.CREATED]


async def test_receipts_never_go_back_and_repeats_are_silent(bench: Bench) -> None:
    text = await sent_text(bench)
    assert text.status is MessageStatus.ACCEPTED
    assert await bench.receipt(text.message_id, DELIVERED) == 1
    assert await bench.receipt(text.message_id, DELIVERED) == 0
    assert await bench.receipt(text.message_id, FAILED, DAYTIME + timedelta(minutes=1)) == 0
    assert await bench.receipt(uuid4(), DELIVERED) == 0
    assert [state.status for state in await bench.told()] == [DELIVERED]


async def test_the_database_refuses_a_step_back(bench: Bench) -> None:
    text = await sent_text(bench)
    await bench.receipt(text.message_id, DELIVERED)
    async with bench.database.session() as session:
        for status in MessageStatus:
            if status is not DELIVERED:
                with pytest.raises(asyncpg.CheckViolationError):
                    await session.execute("UPDATE message SET status = $1", str(status))


async def test_receipt_before_the_answer_wins(bench: Bench) -> None:
    class Hasty(MemoryGateway):
        """Calls back before it answers."""

        async def send(self, texts):  # type: ignore[no-untyped-def]
            for text in texts:
                await bench.receipt(text.message_id, DELIVERED)
            return {text.message_id: Answer.ACCEPTED for text in texts}

    bench.use(Hasty())
    assert (await sent_text(bench)).status is DELIVERED


async def test_no_answer_is_unknown_and_asked_again_under_the_same_id(bench: Bench) -> None:
    assert isinstance(bench.gateway, MemoryGateway)
    bench.gateway.mute = True
    text = await sent_text(bench)
    assert text.status is MessageStatus.UNKNOWN
    bench.gateway.mute = False
    await bench.send_all()
    assert bench.gateway.handed_over == [text.message_id]  # not before the pause is over
    bench.clock.move(timedelta(seconds=PAUSE_SECONDS))
    await bench.send_all()
    assert bench.gateway.handed_over == [text.message_id] * 2
    assert [state.status for state in await bench.told()] == [MessageStatus.ACCEPTED]


async def test_crash_between_intention_and_answer_becomes_unknown(bench: Bench) -> None:
    await bench.see(bench.snapshot())
    await bench.draw()
    await bench.sender._intend()  # and then the process dies
    await bench.send_all()
    assert (await bench.rounds())[0]["states"] == {"sending": 1}
    bench.clock.move(timedelta(seconds=PATIENCE_SECONDS + 1))
    await bench.send_all()
    assert (await bench.rounds())[0]["states"] == {"unknown": 1}
    bench.clock.move(timedelta(seconds=PAUSE_SECONDS))
    await bench.send_all()
    assert (await bench.rounds())[0]["states"] == {"accepted": 1}


async def test_nothing_goes_out_at_night_or_while_the_gateway_is_away(bench: Bench) -> None:
    assert isinstance(bench.gateway, MemoryGateway)
    await bench.see(bench.snapshot())
    await bench.draw()
    bench.gateway.here = False
    await bench.send_all()
    bench.gateway.here = True
    bench.clock.move(datetime(2024, 2, 1, 15, 0, tzinfo=UTC) - DAYTIME)  # 22:00 in Vietnam
    await bench.send_all()
    assert bench.gateway.handed_over == []
    bench.clock.move(timedelta(hours=9))
    await bench.send_all()
    assert len(bench.gateway.handed_over) == 1


async def test_who_died_or_registered_since_the_round_is_skipped(bench: Bench) -> None:
    died, registered, still = uuid4(), uuid4(), uuid4()
    for number, who in enumerate((died, registered, still)):
        await bench.see(bench.snapshot(f"+8491200000{number}", who=who))
    await bench.draw()
    await bench.found_dead(died)
    await bench.see(bench.snapshot("+84912000001", who=registered, account=True))
    await bench.send_all()
    assert (await bench.rounds())[0]["states"] == {"accepted": 1, "skipped": 2}


async def test_two_senders_never_take_the_same_text(bench: Bench) -> None:
    assert isinstance(bench.gateway, MemoryGateway)
    await bench.see(*(bench.snapshot(f"+84912{number:06d}") for number in range(450)))
    await bench.draw()
    await asyncio.gather(*(bench.sender.step() for _ in range(5)))
    await bench.send_all()
    assert len(bench.gateway.handed_over) == len(set(bench.gateway.handed_over)) == 450


async def test_contact_of_another_person_is_a_bad_record(bench: Bench) -> None:
    good, other = bench.snapshot(), bench.snapshot()
    with pytest.raises(BadRecord):
        await bench.see(good.model_copy(update={"contact": other.contact}))


async def test_no_phone_stands_in_any_table_in_the_clear(bench: Bench) -> None:
    text = await sent_text(bench)
    await bench.receipt(text.message_id)
    async with bench.database.session() as session:
        tables = [row["tablename"] for row in await session.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        rows = [row[0] for table in tables for row in await session.fetch(f"SELECT t::text FROM {table} t")]
    held, phone = "".join(rows), "912000001"  # a bytea column shows as hex
    assert phone not in held
    assert phone.encode().hex() not in held
