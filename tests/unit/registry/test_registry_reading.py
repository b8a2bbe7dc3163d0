"""The process that reads a list: every part in order, a few parts ahead, and trouble for whoever waits for a dead one."""

from datetime import date

import pytest
import uvloop

from services.registry.reading import PARTS_AHEAD, Order, Reading, Tables
from shared.errors import Trouble

HEADER = "STT,Họ và tên,Ngày sinh,Số định danh/CCCD,Xã/thị trấn,Mã nhóm,Mức trợ cấp tháng\n"
ROW = "{0},Nguyễn Thị Hòa,02/03/1949,0421499{0:05},Xã Hà Linh,BT-5c,360000\n"
ROWS, PART = 2_000, 100


@pytest.fixture
def order(tmp_path):
    path = tmp_path / "list"
    path.write_text(HEADER + "".join(ROW.format(number) for number in range(ROWS)), "utf-8")
    return Order(path, "huyen-444", "2024-02", date(2024, 1, 20), Tables())


async def taken(order, *, uptos=(), killed_after=None):
    reading, found = await Reading.start(order), []
    try:
        async for read in reading.parts(uptos, PART):
            found.append(read)
            if len(found) == killed_after:
                await reading.close()
        marks, target = order.path.with_name("marks"), order.path.with_name("returned")
        marks.write_text("", "utf-8")
        await reading.write_returned(marks, target)
    finally:
        await reading.close()
    return found, target.read_text("utf-8-sig").splitlines()


# The service's own loop: it treats a closed pipe otherwise than asyncio's.
def test_every_part_comes_once_in_order_and_the_list_goes_back(order):
    found, returned = uvloop.run(taken(order, uptos=[101, 201]))
    assert [read.part_no for read in found] == list(range(ROWS // PART))
    assert [read.part is None for read in found] == [True, True, *[False] * (ROWS // PART - 2)]
    assert [row.row_no for read in found if read.part for row in read.part.rows] == list(range(202, ROWS + 2))
    assert len(returned) == ROWS + 1


@pytest.mark.parametrize("parts", [1, PARTS_AHEAD + 1])
def test_a_dead_reader_is_trouble(order, parts):
    with pytest.raises(Trouble):
        uvloop.run(taken(order, killed_after=parts))
