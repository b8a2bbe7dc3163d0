"""Conservation of the settlement report: whatever a payroll did, every line is in one place; one thing wrong anywhere is named."""

import io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payout import settlement, settlement_book, settlement_page, settlement_shown
from services.payout.settlement import NOBODY, Flow, Key, Listed, Place, Report, Row, Total, Unpaid, rows_of
from services.payout.settlement_shown import MEASURES
from shared.words import HeldReason

MADE_AT = datetime(2024, 2, 29, 9, 0, tzinfo=UTC)
PERIOD = "2024-02"
PROVIDERS = ("bank-a", "bank-b", "post")
_words = st.tuples(
    st.sampled_from(["huyen-444", "xa-18496"]),
    st.sampled_from(["merit", "social_assistance"]),
    st.sampled_from(["18496", "18502"]),
)
LIVE = (Place.LISTED, Place.IN_FLIGHT, Place.UNKNOWN, Place.PAID_ACCOUNT, Place.PAID_COUNTER, Place.PAID_HOME)
DEAD = (Flow.REJECTED, Flow.RETURNED, Flow.EXPIRED)


@st.composite
def lines(draw: st.DrawFn) -> Mapping[str, Any]:
    """One line cut in parts, each at one place; what is not explained is back, carried or not there yet."""
    payer, programme, area = draw(_words)
    vnds = draw(st.lists(st.integers(1, 10_000_000), min_size=1, max_size=3))
    parts = [
        (draw(st.sampled_from([*LIVE, Place.HELD, Place.BACK, Place.CARRIED])), draw(st.sampled_from(PROVIDERS)), vnd)
        for vnd in vnds
    ]
    dead = [
        (draw(st.sampled_from(DEAD)), draw(st.sampled_from(PROVIDERS)), vnd)
        for place, _, vnd in parts
        if place in (Place.BACK, Place.CARRIED)
    ]
    dead += draw(st.lists(st.tuples(st.sampled_from(DEAD), st.sampled_from(PROVIDERS), st.integers(1, 999)), max_size=2))
    return {"words": (payer, programme, area), "parts": parts, "dead": dead, "reason": draw(st.sampled_from(list(HeldReason)))}


def found(given: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What the queries find of these lines: grouped rows of places, flows, and lists and people beside them."""
    places: Counter[tuple[Any, ...]] = Counter()
    counts: Counter[tuple[Any, ...]] = Counter()
    flows: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for line in given:
        for number, (place, provider, vnd) in enumerate(sorted(line["parts"], key=lambda part: -part[2])):
            held = place is Place.HELD
            key = (*line["words"], NOBODY if held else provider, place, str(line["reason"]) if held else None)
            places[key] += vnd
            counts[key] += not number
        alive = [
            (Flow(place), provider, vnd) for place, provider, vnd in line["parts"] if place in LIVE and place is not Place.LISTED
        ]
        for flow, provider, vnd in [*alive, *line["dead"]]:
            flows[*line["words"], provider, flow].append(vnd)
    names = ("payer", "programme", "area", "provider")
    return {
        "places": [
            dict(zip((*names, "place", "reason"), key, strict=True)) | {"count": counts[key], "vnd": vnd} for key, vnd in places.items()
        ],
        "flows": [
            dict(zip((*names, "flow"), key, strict=True))
            | {"count": len(vnds), "vnd": sum(vnds), "sent_count": len(vnds), "sent_vnd": sum(vnds)}
            for key, vnds in flows.items()
        ],
    }  # fmt: skip


def closed(given: Sequence[Mapping[str, Any]]) -> list[Listed]:
    by_payer: dict[str, Total] = defaultdict(Total)
    for line in given:
        by_payer[line["words"][0]] += Total(1, sum(vnd for _place, _provider, vnd in line["parts"]))
    return [Listed(payer, promised, None) for payer, promised in by_payer.items()]


def people(given: Sequence[Mapping[str, Any]]) -> list[Unpaid]:
    return [
        Unpaid(
            *line["words"][:1], UUID(int=number), *line["words"][1:], provider, "counter", "expired", "NOT_COLLECTED",
            place is Place.CARRIED, vnd, 1,
        )
        for number, line in enumerate(given)
        for place, provider, vnd in line["parts"]
        if place in (Place.BACK, Place.CARRIED)
    ]  # fmt: skip


def made(given: Sequence[Mapping[str, Any]], **changed: Any) -> Report:
    rows = found(given) | changed
    return settlement.report(PERIOD, closed(given), rows_of(rows["places"], rows["flows"], ()), people=people(given))


@given(st.lists(lines(), max_size=12))
def test_every_line_is_in_exactly_one_place_and_the_ledger_agrees(given: list[Mapping[str, Any]]) -> None:
    report = made(given)
    assert report.faults == ()
    assert report.whole.declared == sum((one.promised for one in report.lists), Total())
    for row in report.rows:
        assert row.declared.vnd == row.payable.vnd + row.place(Place.HELD).vnd
        assert row.sent == row.gone(*Flow)
        assert sum((amount for amount in row.held.values()), Total()) == row.place(Place.HELD)
    drawn = sum((one.drawn for one in report.providers), Total())
    assert drawn == sum((one.paid + one.to_give_back + one.still_open for one in report.providers), Total()) == report.whole.sent
    assert all(one.balances for one in report.providers)


@given(st.lists(lines(), min_size=1, max_size=8), st.data())
def test_one_amount_wrong_anywhere_is_found_and_its_row_is_named(given: list[Mapping[str, Any]], data: st.DataObject) -> None:
    rows = found(given)
    which = data.draw(st.sampled_from([name for name in ("places", "flows") if rows[name]]))
    one = data.draw(st.integers(0, len(rows[which]) - 1))
    unit = data.draw(st.sampled_from(["vnd", "count"] if which == "places" else ["vnd", "count", "sent_vnd", "sent_count"]))
    wrong = [dict(row) for row in rows[which]]
    wrong[one][unit] += data.draw(st.sampled_from([-1, 1, 360_000]))
    report = made(given, **{which: wrong})
    assert not report.balanced
    name = wrong[one]["payer"] if which == "places" else " / ".join(wrong[one][part] for part in Key._fields)
    assert [fault for fault in report.faults if fault.startswith(name)]
    if which == "flows":
        assert [row.key for row in report.rows if row.faults] == [Key(*(wrong[one][part] for part in Key._fields))]


@pytest.mark.parametrize(
    ("others", "place"), [([], Place.NOT_BUILT), (["paid_account"], Place.NOWHERE), (["back"], Place.NOWHERE)]
)
def test_what_nothing_explains_is_early_before_the_first_build_and_lost_after_it(others: list[str], place: Place) -> None:
    rest = {
        "payer": "p",
        "programme": "merit",
        "area": "18496",
        "provider": NOBODY,
        "place": "rest",
        "reason": None,
        "count": 1,
        "vnd": 5,
    }
    parts = [rest, *({**rest, "provider": "post", "place": other} for other in others)]
    row = next(row for row in rows_of(parts, (), ()) if row.key.provider == NOBODY)
    assert row.places == {place: Total(1, 5)}
    assert bool(row.faults) is (place is Place.NOWHERE)


def test_a_line_without_an_amount_that_is_nowhere_is_found_too() -> None:
    assert Row(Key("p", "merit", "18496", NOBODY), {Place.NOWHERE: Total(1, 0)}).faults
    assert Row(Key("p", "merit", "18496", NOBODY), {Place.TWICE: Total(0, -5)}).faults


# --- page and workbook -------------------------------------------------------------------------------------------------------


LINES = [
    {"words": ("huyen-444", "merit", "18496"), "parts": [(Place.PAID_ACCOUNT, "bank-a", 2_055_000)], "dead": [], "reason": HeldReason.DEAD},
    {
        "words": ("huyen-444", "merit", "18496"), "parts": [(Place.BACK, "post", 360_000)], "dead": [(Flow.EXPIRED, "post", 360_000)],
        "reason": HeldReason.DEAD,
    },
    {"words": ("huyen-444", "social_assistance", "18502"), "parts": [(Place.HELD, "post", 540_000)], "dead": [], "reason": HeldReason.DEAD},
]  # fmt: skip
EVIL = '=HYPERLINK("http://x")<b>'


def sheets(report: Report, name: str = "Xã Hà Linh") -> dict[str, list[tuple[Any, ...]]]:
    content = settlement_book.as_workbook(report, lambda _code: name, payer="huyen-444", made_at=MADE_AT)
    assert content == settlement_book.as_workbook(report, lambda _code: name, payer="huyen-444", made_at=MADE_AT)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    return {sheet.title: [tuple(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


def test_workbook_reads_back_as_the_report() -> None:
    report = made(LINES)
    read = sheets(report)
    assert list(read) == ["Quyết toán", "Nhà cung cấp", "Chuyển kỳ sau", "Tạm giữ", "Kiểm tra"]
    title, _empty, head, *rows = read["Quyết toán"]
    assert title[0] == "QUYẾT TOÁN CHI TRẢ KỲ 2024-02 - huyen-444 - Khớp"
    assert head[:5] == ("Đơn vị", "Chương trình", "Mã xã", "Xã", "Nhà cung cấp")
    *shown, whole = [dict(zip(head, row, strict=True)) for row in rows]
    assert [(row["Mã xã"], row["Nhà cung cấp"], row["Kiểm tra"]) for row in shown] == [
        ("18496", "bank-a", "Khớp"), ("18496", "post", "Khớp"), ("18502", "-", "Khớp"),
    ]  # fmt: skip
    for name, heading in MEASURES.items():
        amount = settlement_shown.measures(report.whole)[name]
        assert (whole[f"{heading} (số lượng)"], whole[f"{heading} (đồng)"]) == (amount.count, amount.vnd)
        assert amount.vnd == sum(row[f"{heading} (đồng)"] for row in shown)
    assert [row[3:10] for row in read["Chuyển kỳ sau"][3:]] == [
        (str(UUID(int=1)), "Người có công", "post", "Tại quầy", "Không đến nhận", "NOT_COLLECTED", 360_000)
    ]
    assert [row[-2:] for row in read["Tạm giữ"][3:]] == [(1, 540_000)]
    assert read["Kiểm tra"][3:] == [("Khớp",)]


def test_a_row_that_does_not_balance_is_red_and_named_everywhere() -> None:
    rows = found(LINES)
    rows["flows"][0]["sent_vnd"] += 1
    report = made(LINES, flows=rows["flows"])
    read = sheets(report)
    assert "KHÔNG KHỚP" in read["Quyết toán"][0][0]
    assert [row[-1] != "Khớp" for row in read["Quyết toán"][3:-1]] == [True, False, False]
    assert [row[0] for row in read["Kiểm tra"][3:]] == list(report.faults)
    page = settlement_page.as_html(report, lambda code: code, payer=None)
    assert page.count('<tr class="bad">') == 2, "the row, and its provider's money"
    assert all(fault in page for fault in report.faults)


def test_text_is_never_a_formula_nor_markup() -> None:
    report = made(LINES)
    assert EVIL in {row[3] for row in sheets(report, EVIL)["Quyết toán"][3:]}
    page = settlement_page.as_html(report, lambda _code: EVIL, payer=None)
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_page_shows_no_person() -> None:
    page = settlement_page.as_html(made(LINES), lambda code: code, payer="huyen-444")
    assert str(UUID(int=1)) not in page
    assert "Người chưa nhận, chuyển kỳ sau" in page
    assert "2.055.000" in page
