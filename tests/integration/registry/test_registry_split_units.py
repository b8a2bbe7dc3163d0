"""People of a unit that came to several communes: the hamlet decides, or a person; nobody is dropped and no payer pays for a stranger."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from ansinh import promises as checks
from services.registry import store_lists, store_placing
from services.registry.placer import Placer
from services.registry.placing import AreaEvidence, Decision, PlaceReason
from shared.database import load_queries
from shared.events import AuditRecord, ListClosed, ListClosing, ListOpened
from shared.personal import Delivery, PersonalData
from tests.integration.registry.registry_bench import SOURCE, Bench, a_line, an_identity
from tests.integration.registry.test_registry_candidates import REVIEWER, SLIP

JUNE, JULY, AUGUST = "2025-06", "2025-07", "2025-08"
CITY, THANH_SEN, HA_HUY_TAP, DAI_NAI = "huyen-436", "xa-18073", "xa-18652", "18082"
HOA = an_identity()
COLUMNS = "case_id, old_area, old_until, since, codes, area, evidence, subject, decider, decider_token, decided_at"


def listed(bench: Bench, record: str = "r1", seq: int = 1, *, hamlet: str = "", identity: Any = HOA, **changes: Any) -> Any:
    """An enrolment that names the ward that was split, in July on the list of one of its two successors."""
    said = {"period": JULY, "payer": THANH_SEN, "area": DAI_NAI, **changes}
    personal = PersonalData(identity=identity, delivery=Delivery(hamlet=hamlet) if hamlet else None)
    return bench.enrolled(record, seq, personal=personal, **said)


def placer(bench: Bench) -> Placer:
    return Placer(bench.database, bench.clock, bench.registrar, areas=bench.door.areas)


async def cases(bench: Bench, payer: str | None = None) -> list[dict[str, Any]]:
    async with bench.database.reading() as tx:
        return await store_placing.waiting(tx, payer, after=UUID(int=0), most=100)


async def late(bench: Bench) -> list[dict[str, Any]]:
    async with bench.database.reading() as tx:
        return await store_placing.too_late(tx, after=UUID(int=0), most=100)


async def decide(bench: Bench, area: str, *case_ids: UUID) -> Any:
    return await placer(bench).decide([Decision(case, area, AreaEvidence.RESIDENCE_PAPER) for case in case_ids], REVIEWER)


async def rows(bench: Bench) -> list[tuple[str, str, str, str]]:
    return [tuple(row) for row in await bench.rows("SELECT record, period, payer, area FROM list_row ORDER BY period, record")]


async def close(bench: Bench, payer: str, period: str = JULY) -> Any:
    return await bench.closer.close(period, payer, actor="officer")


@pytest.fixture(autouse=True)
async def no_case_is_forgotten(bench: Bench) -> AsyncIterator[None]:
    """I70, I71 and I72 hold when a test ends."""
    yield
    found = load_queries(checks.__file__, "checks.sql")
    async with bench.database.reading() as tx:
        for asked in (found.waiting_and_listed, found.placed_without_effect, found.cases_out_of_sight):
            assert [row["row"] async for row in asked(tx)] == []


async def test_the_hamlet_of_the_address_decides(bench: Bench) -> None:
    await bench.see(
        listed(bench, "here", hamlet="Tổ dân phố Mẫu 2"), listed(bench, "there", hamlet="Tổ dân phố Mẫu 3", identity=SLIP)
    )
    assert await rows(bench) == [("here", JULY, THANH_SEN, "18073")]
    assert sorted(await bench.fates(), key=str) == [("applied", None), ("refused", "AREA_NOT_OF_PAYER")]
    assert await cases(bench) == []


async def test_who_gives_no_hamlet_waits_and_no_payer_lists_them(bench: Bench) -> None:
    await bench.see(listed(bench, "old", period=JUNE, payer=CITY))
    await bench.see(listed(bench, hamlet="Tổ dân phố Không ai biết"), listed(bench, "r2", area="18073", identity=SLIP))
    (case,) = await cases(bench)
    assert (case["payer"], case["old_area"], case["codes"], case["declared_vnd"]) == (
        THANH_SEN,
        DAI_NAI,
        ["18073", "18652"],
        360_000,
    )
    assert case["beneficiary_id"] is not None  # the June list knows them
    assert [row for row in await rows(bench) if row[1] == JULY] == [("r2", JULY, THANH_SEN, "18073")]
    closing = await close(bench, THANH_SEN)
    assert isinstance(closing, ListClosing)
    assert closing.count == 1
    async with bench.database.reading() as tx:
        assert await store_placing.held_at_closing(tx, JULY, THANH_SEN) == {"AREA_SPLIT": {"count": 1, "vnd": 360_000}}
        shown = await store_lists.shown_list(tx, JULY, THANH_SEN)
    assert shown
    assert (shown["area_held"], shown["area_waiting"], shown["area_waiting_vnd"]) == (1, 1, 360_000)


async def test_a_decision_lists_them_where_they_live_and_holds_for_lists_to_come(bench: Bench) -> None:
    await bench.see(listed(bench), listed(bench, "r2", line=a_line(benefit_code="BT-6d")))
    one, _ = await cases(bench)
    done = await decide(bench, "18652", one["case_id"])
    assert done == {"decided": 1, "unchanged": 0, "fates": {"applied": 2}}  # both benefits of the one person
    assert await rows(bench) == [("r1", JULY, HA_HUY_TAP, "18652"), ("r2", JULY, HA_HUY_TAP, "18652")]
    assert await cases(bench) == []
    await bench.see(listed(bench, "r1", 2))  # the same list again: theirs is another payer's list
    assert (await bench.fates())[-1] == ("refused", "AREA_NOT_OF_PAYER")
    await bench.see(listed(bench, "r1", 3, period=AUGUST, payer=HA_HUY_TAP))
    assert (await rows(bench))[-1] == ("r1", AUGUST, HA_HUY_TAP, "18652")
    assert await cases(bench) == []


async def test_one_who_is_placed_where_they_are_listed_stays_through_the_same_list_again(bench: Bench) -> None:
    await bench.see(listed(bench))
    (case,) = await cases(bench)
    await decide(bench, "18073", case["case_id"])
    await bench.see(listed(bench))
    await bench.see(listed(bench, seq=2))
    assert [fate for fate, _ in await bench.fates()] == ["refused", "applied", "repeated", "repeated"]
    assert await cases(bench) == []


async def test_a_list_that_says_the_new_name_needs_no_decision(bench: Bench) -> None:
    await bench.see(listed(bench))
    (case,) = await cases(bench)
    await bench.see(listed(bench, seq=2, area="18073"))
    assert await cases(bench) == []
    assert await decide(bench, "18073", case["case_id"]) is PlaceReason.CASE_ENDED


async def test_the_same_list_again_makes_no_second_case(bench: Bench) -> None:
    await bench.see(listed(bench))
    (before,) = await cases(bench)
    await bench.see(listed(bench))
    await bench.see(listed(bench, seq=2, line=a_line(monthly_vnd=400_000)))
    (after,) = await cases(bench)
    assert (after["case_id"], after["declared_vnd"]) == (before["case_id"], 400_000)


async def test_upstreams_totals_agree_before_and_after_somebody_goes_to_another_list(bench: Bench) -> None:
    opened = [
        ListOpened(source=SOURCE, record=f"open-{p}", source_sequence=1, period=JULY, payer=p) for p in (THANH_SEN, HA_HUY_TAP)
    ]
    await bench.see(*opened, listed(bench), listed(bench, "r2", area="18073", identity=SLIP))
    other = an_identity(personal_number="042149990077", full_name="Lê Thị Én")
    await bench.see(listed(bench, "r3", area="18652", payer=HA_HUY_TAP, identity=other))
    said = {THANH_SEN: 2, HA_HUY_TAP: 1}
    await bench.see(*(
        ListClosed(source=SOURCE, record=f"close-{p}", source_sequence=9, period=JULY, payer=p, count=n, vnd=n * 360_000)
        for p, n in said.items()
    ))  # fmt: skip
    (case,) = await cases(bench)
    await decide(bench, "18652", case["case_id"])
    closings = [await close(bench, payer) for payer in said]
    assert [closing.count for closing in closings if isinstance(closing, ListClosing)] == [1, 2]


async def test_a_decision_after_the_closing_is_kept_and_what_is_owed_stays_in_sight(bench: Bench) -> None:
    await bench.see(listed(bench), listed(bench, "r2", area="18073", identity=SLIP))
    await close(bench, THANH_SEN)
    (case,) = await cases(bench)
    done = await decide(bench, "18073", case["case_id"])
    assert done["fates"] == {"LIST_CLOSED": 1}
    assert [row["declared_vnd"] for row in await late(bench)] == [360_000]
    await bench.see(listed(bench, seq=2, period=AUGUST))
    assert (await rows(bench))[-1] == ("r1", AUGUST, THANH_SEN, "18073")


@pytest.mark.parametrize("field", ["unpaid", "arrears"])
async def test_what_a_later_line_carries_is_not_owed_any_more(bench: Bench, field: str) -> None:
    await bench.see(listed(bench, period=JUNE, payer=CITY), listed(bench, "r2", area="18073", identity=SLIP))
    await bench.see(listed(bench, seq=2))
    await close(bench, THANH_SEN)
    (case,) = await cases(bench)
    await decide(bench, "18073", case["case_id"])
    assert len(await late(bench)) == 1
    carried = a_line(**{field: {"periods": (JULY,), "vnd": 360_000}})
    await bench.see(listed(bench, seq=3, period=AUGUST, line=carried))
    assert await late(bench) == []


async def test_decisions_are_taken_all_or_none(bench: Bench) -> None:
    await bench.see(listed(bench), listed(bench, "r2", identity=SLIP))
    one, two = [case["case_id"] for case in await cases(bench)]
    assert await decide(bench, "18073", one, uuid4()) is PlaceReason.CASE_UNKNOWN
    assert await decide(bench, "18502", one) is PlaceReason.NOT_A_CANDIDATE
    both = [Decision(one, "18073", AreaEvidence.HAMLET_HEAD), Decision(one, "18652", AreaEvidence.HAMLET_HEAD)]
    assert await placer(bench).decide(both, REVIEWER) is PlaceReason.DECIDED_TWICE
    assert await rows(bench) == []
    assert (await decide(bench, "18073", one, two))["decided"] == 2
    assert (await decide(bench, "18073", one, two))["unchanged"] == 2
    assert await decide(bench, "18652", one) is PlaceReason.DECIDED_OTHERWISE


async def test_the_decider_and_the_evidence_are_kept_and_the_address_is_seen_by_name(bench: Bench) -> None:
    await bench.see(listed(bench, hamlet="Xóm Chợ"))
    (case,) = await cases(bench)
    await bench.told()
    seen = await placer(bench).see(case["case_id"], replace(REVIEWER, id="eyes"))
    assert seen["hamlet"] == "Xóm Chợ"
    await decide(bench, "18652", case["case_id"])
    acts = [(message.actor, message.act) for message in await bench.told() if isinstance(message, AuditRecord)]
    assert acts == [("eyes", "area_sight"), ("reviewer", "decide_area")]
    (kept,) = await bench.rows("SELECT area, evidence, decider, beneficiary_id FROM area_decision")
    assert tuple(kept)[:3] == ("18652", "RESIDENCE_PAPER", "reviewer")
    assert kept["beneficiary_id"] is not None  # who was nobody's person before is one now


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE area_decision SET area = '18073'",
        "DELETE FROM area_decision",
        f"INSERT INTO area_decision ({COLUMNS}) "
        "SELECT case_id, old_area, old_until, since, codes, '18502', evidence, sha256('x'), 'a', 'b', decided_at FROM area_decision",
        f"INSERT INTO area_decision ({COLUMNS}) "
        "SELECT case_id, old_area, old_until, since, codes, '18073', evidence, subject, 'a', 'b', decided_at FROM area_decision",
        "UPDATE area_case SET sealed = 'Xóm Chợ'",
        "UPDATE area_case SET fate = 'refused', reason = NULL",
    ],
)
async def test_the_database_refuses(bench: Bench, statement: str) -> None:
    await bench.see(listed(bench))
    (case,) = await cases(bench)
    await decide(bench, "18652", case["case_id"])
    with pytest.raises(asyncpg.PostgresError):
        async with bench.database.transaction("test") as tx:
            await tx.execute(statement)


async def test_rows_of_a_file_wait_and_are_taken_and_an_undone_file_asks_nobody(bench: Bench) -> None:
    body = (
        "Họ và tên,Ngày sinh,Số CCCD,Xã/phường,Mã đối tượng,Mức trợ cấp tháng,Thôn/xóm\r\n"
        "Nguyễn Thị Hòa,02/03/1949,042149990001,Phường Đại Nài,BT-5c,360000,Xóm Chợ\r\n"
        "Trần Văn Ân,03/04/1951,042051990002,Đại Nài,BT-5c,360000,TDP Mẫu 1\r\n"
    ).encode()

    async def hand_in(text: bytes) -> dict[str, Any]:
        handed = await bench.handed("payroll", text, source="office", period=JULY)
        return await bench.importer.take(replace(handed, payer=THANH_SEN))

    told = await hand_in(body)
    assert (told["accepted"], told["refused"], told["reasons"]) == (1, 1, {"AREA_SPLIT": 1})
    (case,) = await cases(bench, THANH_SEN)
    assert (case["row_no"], case["import_id"]) == (2, UUID(told["import_id"]))
    await decide(bench, "18073", case["case_id"])
    again = await hand_in(body)
    assert (again["accepted"], again["unchanged"], again["refused"]) == (0, 2, 0)

    other = await hand_in(body.replace(b"042149990001", b"042149990009"))
    assert other["refused"] == 1
    assert len(await cases(bench)) == 1
    await bench.undoer.undo(UUID(other["import_id"]), actor="officer")
    assert await cases(bench) == []

    third = body.replace(b"042149990001", b"042149990008")
    await hand_in(third)
    assert len(await cases(bench)) == 1
    mended = await hand_in(third.replace("Phường Đại Nài".encode(), "Phường Thành Sen".encode()))
    assert mended["accepted"] == 1
    assert await cases(bench) == [], (
        "who is listed under the new name waits no more, though nobody knew them when they began to wait"
    )
