"""A list of the post with a sheet for each commune and one of all: said again is no second payment, and a break says where it stands."""

from datetime import date

from shared.topics import Provider
from tests.integration.payout.payout_bench import Bench
from tests.integration.payout.statement_world import breaks, hand_in, sent, states
from tests.unit.payout.test_post_sheets import HEADER, a_book

PAID_ON = date(2024, 2, 5)


async def test_rows_of_every_sheet_are_booked_once_and_a_break_is_found_again(bench: Bench) -> None:
    first, second, third = await sent(bench, 3, Provider.POST)
    row = lambda line, vnd, day=PAID_ON: ["", "", line.end_to_end_id, vnd, day, ""]  # noqa: E731
    content = a_book(
        {
            "Xã A": [HEADER, row(first, first.vnd)],
            "Xã B": [["XÃ B"], HEADER, row(second, second.vnd), row(third, third.vnd + 1)],
            "Cả huyện": [HEADER, row(first, first.vnd), row(second, second.vnd, date(2024, 2, 6))],
        }
    )
    told = await hand_in(bench, content, Provider.POST)
    assert await states(bench) == {"collected": 2, "sending": 1}
    fates = {fate["fate"]: fate["count"] for fate in told["fates"]}
    assert fates == {"applied": 2, "repeat": 1, "break": 2}
    found = {one["type"]: (one["sheet"], one["line"], one["end_to_end_id"]) for one in await breaks(bench)}
    assert found == {"amount": (2, 4, third.end_to_end_id), "duplicate": (3, 3, second.end_to_end_id)}, (
        "another day: another movement"
    )


async def test_refusal_names_the_sheet(bench: Bench) -> None:
    (line,) = await sent(bench, 1, Provider.POST)
    content = a_book(
        {"Xã A": [HEADER, ["", "", line.end_to_end_id, line.vnd, PAID_ON, ""]], "Xã B": [[line.end_to_end_id, line.vnd]]}
    )
    answer = await hand_in(bench, content, Provider.POST, status=422)
    assert answer["code"] == "NO_HEADER"
    assert answer["detail"].endswith("Trang tính thứ 2 trong các trang đang hiện.")
    assert await states(bench) == {"sending": 1}
