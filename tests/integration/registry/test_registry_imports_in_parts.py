"""A file is taken part by part: cut off half way it is finished when it comes again, and nothing doubles."""

import asyncio
import csv
import io
import os
import signal
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from services.registry.importing import Importer, Request
from services.registry.refusals import CloseReason, FileReason, NotAList
from shared.errors import Trouble
from shared.events import BeneficiarySnapshot, ListClosing
from tests.integration.registry.registry_bench import PERIOD, SOURCE, Bench

HEADER = ("STT", "Họ và tên", "Ngày sinh", "Số định danh/CCCD", "Xã/thị trấn", "Mã nhóm", "Mức trợ cấp tháng")
ROWS, PART = 60, 7
COUNTED = ("person", "source_record", "list_row")


def a_list(rows: int = ROWS, *, vnd: int = 360_000, twins: tuple[int, ...] = ()) -> bytes:
    """A list of people; `twins` are written once more at the end."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for number in (*range(rows), *twins):
        writer.writerow((number, "Nguyễn Thị Hòa", "02/03/1949", f"0421499{number:05}", "Xã Hà Linh", "BT-5c", vnd))
    return text.getvalue().encode()


async def cut_off(bench: Bench, importing: Awaitable[Any], parts: int) -> None:
    """End an import as a crash does: somewhere after some parts."""
    task = asyncio.ensure_future(importing)
    while await count(bench, "import_part") < parts:
        assert not task.done()
        await asyncio.sleep(0.001)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def count(bench: Bench, table: str) -> int:
    return int((await bench.rows(f"SELECT count(*) FROM {table}"))[0]["count"])


async def payroll(bench: Bench, body: bytes, *, dry_run: bool = False) -> Request:
    return await bench.handed("payroll", body, source=SOURCE, period=PERIOD, dry_run=dry_run)


@pytest.fixture
def importer(bench: Bench) -> Importer:
    """In small parts."""
    return bench.an_importer(part_rows=PART)


async def test_a_file_cut_off_half_way_is_finished_when_it_comes_again(bench: Bench, importer: Importer) -> None:
    body = a_list(twins=(3, 50))
    await cut_off(bench, importer.take(await payroll(bench, body)), parts=2)
    assert 0 < await count(bench, "person") < ROWS
    assert await bench.close() is CloseReason.FILE_HALF_TAKEN
    answer = await bench.an_importer(part_rows=PART + 4).take(await payroll(bench, body))
    assert (answer["rows"], answer["accepted"], answer["reasons"]) == (ROWS + 2, ROWS, {"DUPLICATE_ROW": 2})
    assert {await count(bench, table) for table in COUNTED} == {ROWS}
    told = [message for message in await bench.told() if isinstance(message, BeneficiarySnapshot)]
    assert len(told) == len({snapshot.beneficiary_id for snapshot in told}) == ROWS
    with bench.returned(answer).open(encoding="utf-8-sig", newline="") as file:
        words = [row[-2] for row in csv.reader(file)]
    assert words == ["Kết quả", *["Đã nhận"] * ROWS, "TRÙNG", "TRÙNG"]
    (file,) = await bench.rows("SELECT state, row_count FROM list_import")
    assert (file["state"], file["row_count"]) == ("done", ROWS + 2)
    closing = await bench.close()
    assert isinstance(closing, ListClosing)
    assert (closing.count, closing.vnd) == (ROWS, ROWS * 360_000)


async def test_the_same_file_twice_changes_nothing(bench: Bench, importer: Importer) -> None:
    await importer.take(await payroll(bench, a_list(twins=(1,))))
    await bench.told()
    before = await bench.rows("SELECT * FROM person ORDER BY beneficiary_id")
    again = await importer.take(await payroll(bench, a_list(twins=(1,))))
    assert (again["accepted"], again["unchanged"], again["refused"]) == (0, ROWS, 1)
    assert [message for message in await bench.told() if isinstance(message, BeneficiarySnapshot)] == []
    assert await bench.rows("SELECT * FROM person ORDER BY beneficiary_id") == before


async def test_a_dry_run_of_many_parts_says_the_same_and_changes_nothing(bench: Bench, importer: Importer) -> None:
    body = a_list(twins=(0, 33, 59))
    dry = await importer.take(await payroll(bench, body, dry_run=True))
    for table in (*COUNTED, "source_event", "list_import", "import_part", "outbox"):
        assert await count(bench, table) == 0
    real = await importer.take(await payroll(bench, body))
    own = ("import_id", "dry_run", "returned_list")
    assert {key: dry[key] for key in dry if key not in own} == {key: real[key] for key in real if key not in own}
    assert bench.returned(dry).read_bytes() == bench.returned(real).read_bytes()


async def test_two_at_once_take_a_file_once(bench: Bench, importer: Importer) -> None:
    body = a_list()
    both = [importer.take(await payroll(bench, body)), bench.an_importer(part_rows=PART).take(await payroll(bench, body))]
    done = await asyncio.gather(*both, return_exceptions=True)
    refused = [one.reason for one in done if isinstance(one, NotAList)]
    assert len(refused) < 2
    assert set(refused) <= {FileReason.FILE_BEING_TAKEN}
    assert {await count(bench, table) for table in COUNTED} == {ROWS}


async def test_another_file_takes_the_place_of_one_left_half_taken(bench: Bench, importer: Importer) -> None:
    await cut_off(bench, importer.take(await payroll(bench, a_list())), parts=2)
    answer = await importer.take(await payroll(bench, a_list(vnd=500_000)))
    assert answer["accepted"] == ROWS
    states = [row["state"] for row in await bench.rows("SELECT state FROM list_import ORDER BY ordinal")]
    assert states == ["left", "done"]
    closing = await bench.close()
    assert isinstance(closing, ListClosing)
    assert closing.vnd == ROWS * 500_000


async def test_a_file_that_cannot_be_read_to_its_end_takes_nothing(bench: Bench, importer: Importer) -> None:
    for end in (b'61,"Lan', b"61,L\xe0n"):
        with pytest.raises(NotAList):
            await importer.take(await payroll(bench, a_list() + end))
    assert await count(bench, "list_import") == await count(bench, "person") == 0


async def test_no_file_stays_behind(bench: Bench, importer: Importer) -> None:
    request = await payroll(bench, a_list())
    answer = await importer.take(request)
    assert {path.suffix for path in request.path.parent.iterdir() if path != request.path} >= {".csv"}
    assert not list(request.path.parent.glob("*.marks"))
    assert bench.returned(answer).stat().st_mode & 0o077 == 0


def readers() -> list[int]:
    """Processes of ours that read a list."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if b"services.registry.reading" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.parametrize("parts", [0, 2])
async def test_a_killed_reader_loses_nothing_and_doubles_nothing(bench: Bench, importer: Importer, parts: int) -> None:
    body = a_list()
    importing = asyncio.ensure_future(importer.take(await payroll(bench, body)))
    while not (killed := readers()) or await count(bench, "import_part") < parts:
        await asyncio.sleep(0.001)
    os.kill(killed[0], signal.SIGKILL)
    with pytest.raises(Trouble):
        await importing
    assert readers() == []
    answer = await importer.take(await payroll(bench, body))
    assert (answer["rows"], answer["accepted"] + answer["unchanged"]) == (ROWS, ROWS)
    assert {await count(bench, table) for table in COUNTED} == {ROWS}
    told = [message for message in await bench.told() if isinstance(message, BeneficiarySnapshot)]
    assert len(told) == len({snapshot.beneficiary_id for snapshot in told}) == ROWS
