"""A whole file undone: everything is as before the file, what came later holds, and the same file takes effect again."""

import asyncio
import csv
import io
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.registry.undoing import UndoReason
from shared.events import BeneficiarySnapshot, Ended
from shared.words import EndReason
from tests.integration.registry.registry_bench import PERIOD, SOURCE, Bench

HEADER = ("STT", "Họ và tên", "Ngày sinh", "Số định danh/CCCD", "Xã/thị trấn", "Mã nhóm", "Mức trợ cấp tháng", "Thôn")
ROWS = 20


def a_list(rows: Any = range(ROWS), *, vnd: int = 360_000, hamlet: str = "Thôn 3") -> bytes:
    """A payroll list of some numbered people."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for number in rows:
        writer.writerow((number, "Nguyễn Thị Hòa", "02/03/1949", f"0421499{number:05}", "Xã Hà Linh", "BT-5c", vnd, hamlet))
    return text.getvalue().encode()


def accounts(rows: Any = range(5), *, first: str = "3709") -> bytes:
    """An account list of the same people."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("Họ và tên", "Số CCCD", "Ngân hàng", "Số tài khoản", "Chủ tài khoản"))
    for number in rows:
        writer.writerow(("Nguyễn Thị Hòa", f"0421499{number:05}", "Agribank", f"{first}{number:09}", "NGUYEN THI HOA"))
    return text.getvalue().encode()


async def state(bench: Bench) -> list[list[Any]]:
    """What readers and payers would see: people as published, rows that would be paid."""
    people = await bench.rows(
        "SELECT beneficiary_id, payer, area, identity_digest, account_digest, delivery_digest, wish, life FROM person ORDER BY 1"
    )
    rows = await bench.rows("SELECT source, record, period, area, line FROM list_row WHERE state = 'active' ORDER BY 1, 2, 3")
    waiting = await bench.rows("SELECT source, record FROM waiting ORDER BY 1, 2")
    return [[tuple(row) for row in part] for part in (people, rows, waiting)]


async def undo(bench: Bench, answer: dict[str, Any]) -> Any:
    return await bench.undoer.undo(UUID(answer["import_id"]), actor="officer")


async def test_a_correction_undone_leaves_everything_as_before_it(bench: Bench) -> None:
    await bench.payroll(a_list())
    before = await state(bench)
    second = await bench.payroll(a_list(range(5, 25), vnd=500_000, hamlet="Thôn 9"))
    assert await state(bench) != before
    await bench.told()
    done = await undo(bench, second)
    assert (done["rows_undone"], done["rows_kept"], done["people_put_back"]) == (20, 0, 15)
    people, rows, _waiting = await state(bench)
    assert rows == before[1]
    assert [person for person in people if person in before[0]] == before[0]
    assert len(people) == len(before[0]) + 5  # people the file met are known, and on no list
    told = [message for message in await bench.told() if isinstance(message, BeneficiarySnapshot)]
    assert len(told) == 15
    assert all(snapshot.version.n == 3 for snapshot in told)


async def test_the_same_files_take_effect_again_and_the_older_one_is_known(bench: Bench) -> None:
    older, newer = a_list(), a_list(vnd=500_000)
    await bench.payroll(older)
    second = await bench.payroll(newer)
    await undo(bench, second)
    assert (await bench.payroll(older))["unchanged"] == ROWS
    again = await bench.payroll(newer)
    assert again["accepted"] == ROWS
    closing = await bench.close()
    assert closing.vnd == ROWS * 500_000  # type: ignore[union-attr]


async def test_a_first_file_undone_leaves_an_empty_list_that_can_be_filled_again(bench: Bench) -> None:
    first = await bench.payroll(a_list())
    await undo(bench, first)
    assert (await state(bench))[1] == []
    assert {row["end_reason"] for row in await bench.rows("SELECT end_reason FROM list_row")} == {"import_undone"}
    assert (await bench.payroll(a_list()))["accepted"] == ROWS
    assert len((await state(bench))[1]) == ROWS


async def test_what_was_said_later_holds(bench: Bench) -> None:
    await bench.payroll(a_list())
    second = await bench.payroll(a_list(vnd=500_000, hamlet="Thôn 9"))
    await bench.payroll(a_list(range(3), vnd=700_000))
    record, *_ = await bench.rows("SELECT record FROM list_row WHERE declared_vnd = 500000")
    await bench.see(
        Ended(source=SOURCE, record=record["record"], source_sequence=99, reason=EndReason.GIVEN_UP, on=bench.clock.today())
    )
    done = await undo(bench, second)
    assert (done["rows_undone"], done["rows_kept"]) == (16, 4)
    amounts = [
        row["vnd"] for row in await bench.rows("SELECT declared_vnd AS vnd FROM list_row WHERE state = 'active' ORDER BY 1")
    ]
    assert amounts == [360_000] * 16 + [700_000] * 3
    ((reason,),) = await bench.rows("SELECT end_reason FROM list_row WHERE state = 'ended'")
    assert reason == "given_up"


async def test_an_account_list_undone_takes_its_accounts_and_what_waits_back(bench: Bench) -> None:
    await bench.payroll(a_list(range(3)))
    before = await state(bench)
    answer = await bench.accounts(accounts())
    assert (answer["accepted"], answer["waiting"]) == (3, 2)
    await undo(bench, answer)
    assert await state(bench) == before
    again = await bench.accounts(accounts())
    assert (again["accepted"], again["waiting"]) == (3, 2)


async def test_what_two_files_wait_with_stays_when_one_is_undone(bench: Bench) -> None:
    first = await bench.accounts(accounts())
    await bench.accounts(accounts())
    await undo(bench, first)
    assert len((await state(bench))[2]) == 5


async def test_a_file_is_undone_once_and_only_while_its_list_is_open(bench: Bench) -> None:
    answer = await bench.payroll(a_list())
    assert await bench.undoer.undo(uuid4(), actor="officer") is UndoReason.IMPORT_UNKNOWN
    await bench.close()
    assert await undo(bench, answer) is UndoReason.LIST_CLOSED
    other = await bench.payroll(a_list(), period="2024-03")
    done = await undo(bench, other)
    assert await undo(bench, other) is UndoReason.IMPORT_UNDONE
    assert await bench.undoer.undo(UUID(done["undone_by"]), actor="officer") is UndoReason.IMPORT_UNKNOWN


async def test_one_cut_off_half_way_is_finished_when_asked_again_and_holds_the_closing_back(bench: Bench) -> None:
    await bench.payroll(a_list())
    second = await bench.payroll(a_list(vnd=500_000))
    task = asyncio.ensure_future(undo(bench, second))
    while not (await bench.rows("SELECT FROM import_part p JOIN list_import i USING (import_id) WHERE i.kind = 'undo'")):
        assert not task.done()
        await asyncio.sleep(0.001)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    if await bench.rows("SELECT FROM list_import WHERE kind = 'undo' AND state = 'running'"):
        assert str(await bench.close()) == "FILE_HALF_TAKEN"
        await undo(bench, second)
    amounts = {row["declared_vnd"] for row in await bench.rows("SELECT declared_vnd FROM list_row WHERE state = 'active'")}
    assert amounts == {360_000}
    ((count,),) = await bench.rows("SELECT count(*) FROM source_event WHERE kind = 'import_undone'")
    assert count == ROWS


async def test_two_at_once_undo_a_file_once(bench: Bench) -> None:
    answer = await bench.payroll(a_list())
    await asyncio.gather(*(undo(bench, answer) for _ in range(2)), return_exceptions=True)
    ((count,),) = await bench.rows("SELECT count(*) FROM source_event WHERE kind = 'import_undone'")
    assert count == ROWS


async def test_nothing_kept_for_undoing_is_readable(bench: Bench) -> None:
    await bench.payroll(a_list())
    await bench.accounts(accounts())
    await bench.payroll(a_list(vnd=500_000))
    rows = await bench.rows("SELECT person_then::text AS then FROM person_before")
    assert len(rows) >= 5
    text = "\n".join(row["then"] for row in rows)
    for secret in ("Nguyễn", "042149900001", "3709000000001"):
        assert secret not in text


@pytest.mark.parametrize("column", ["import_id", "undone_by"])
async def test_the_answer_names_file_and_undoing(bench: Bench, column: str) -> None:
    answer = await bench.payroll(a_list(range(2)))
    done = await undo(bench, answer)
    assert (await bench.rows(f"SELECT FROM list_import WHERE import_id = '{done[column]}'")) != []
    (audit,) = await bench.rows("SELECT payload FROM outbox WHERE type = 'vn.ansinh.audit.v1' ORDER BY id DESC LIMIT 1")
    assert b"undo_import" in audit["payload"]
    assert PERIOD in str(await bench.rows("SELECT period FROM list_import WHERE kind = 'undo'"))
