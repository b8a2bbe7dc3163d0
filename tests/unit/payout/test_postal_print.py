"""The postal list on paper, read back from the PDF."""

import io
import re
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from services.payout.postal_list import PostalRow
from services.payout.postal_print import ROWS, Heading, dotted, pages, postal_print

HEADING = Heading("Thị trấn Hương Khê", "2024-02", date(2024, 2, 7))
MADE_AT = datetime(2024, 1, 25, 2, tzinfo=UTC)
NAMES = ("Nguyễn Thị Hòa", "Trần Văn Đậu", "Lê Thị Ngữ", "Phạm Ỷ Lữ", "Hồ Sỹ Quỳnh", "Đặng Thị Ẩn")


def a_row(number: int, **changes: object) -> PostalRow:
    same: dict[str, object] = {
        "end_to_end_id": f"ABCDEFGH{number:06d}AB".replace("0", "A").replace("1", "B").replace("8", "C").replace("9", "D"),
        "full_name": NAMES[number % len(NAMES)], "hamlet": f"Thôn {number % 3 + 1}", "address": f"Số {number}, xóm Đồi",
        "collector": "", "home": number % 4 == 0, "vnd": 360_000 + number,
    }  # fmt: skip
    return PostalRow(**{**same, **changes})  # type: ignore[arg-type]


def texts(made: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(made)).pages]


def test_what_is_printed_is_what_is_paid() -> None:
    rows = [a_row(number) for number in range(70)]
    printed = texts(postal_print(rows, HEADING, made_at=MADE_AT))
    sheets = list(pages(rows))
    assert len(printed) == len(sheets)
    for sheet, text in zip(sheets, printed, strict=True):
        assert f"Cộng trang: {len(sheet.rows)} khoản" in text
        assert dotted(sheet.vnd) in text
        assert sheet.route in text
        for row in sheet.rows:
            for word in (row.full_name, row.end_to_end_id, dotted(row.vnd), row.address):
                assert word in text
    assert "Ngày chi trả: 07/02/2024" in printed[0]
    assert "KỲ 02/2024 - THỊ TRẤN HƯƠNG KHÊ" in printed[0]
    assert "Tổng cộng: 70 khoản, 25.202.415 đồng" in printed[-1]
    assert "Tổng cộng" not in "".join(printed[:-1])
    assert all("Ký nhận" in text for text in printed)


def test_no_identity_number_is_printed() -> None:
    printed = "".join(texts(postal_print([a_row(number) for number in range(30)], HEADING, made_at=MADE_AT)))
    assert re.findall(r"(?<![0-9.])[0-9]{9}(?:[0-9]{3})?(?![0-9.])", printed) == []


def test_long_text_does_not_move_the_page_break() -> None:
    rows = [a_row(number, home=False, full_name="Nguyễn " * 14, address="Đường rất dài " * 14) for number in range(ROWS)]
    assert len(texts(postal_print(rows, HEADING, made_at=MADE_AT))) == 1


def test_the_postman_is_told_the_whole_of_a_long_address() -> None:
    address = "Số 12, đường Nguyễn Tất Thành, tổ dân phố số 4, sau trạm y tế, cạnh nhà văn hóa, gần chợ"
    (text,) = texts(postal_print([a_row(1, home=True, address=address, hamlet="Thôn Tây")], HEADING, made_at=MADE_AT))
    assert f"{address}, Thôn Tây" in " ".join(text.split())


def test_a_note_stands_beside_its_row() -> None:
    noted = "Gia đình nhận, giấy số 12/UQ-2024"
    (text,) = texts(
        postal_print([a_row(1, home=False, note=noted, months="tháng 12/2023, 1/2024"), a_row(2)], HEADING, made_at=MADE_AT)
    )
    assert f"{noted}; tháng 12/2023, 1/2024" in " ".join(text.split())
    long = [a_row(number, home=False, note=noted * 9, months="tháng 1/2024" * 9) for number in range(ROWS)]
    assert len(texts(postal_print(long, HEADING, made_at=MADE_AT))) == 1


def test_font_is_embedded_and_paper_is_a4_across() -> None:
    (page,) = PdfReader(io.BytesIO(postal_print([a_row(1)], HEADING, made_at=MADE_AT))).pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (842, 595)
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    descriptors = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts]
    assert fonts
    assert all("/FontFile3" in descriptor or "/FontFile2" in descriptor for descriptor in descriptors)


def test_same_rows_give_the_same_bytes() -> None:
    rows = [a_row(number) for number in range(20)]
    first = postal_print(rows, HEADING, made_at=MADE_AT)
    assert postal_print(rows[::-1], HEADING, made_at=MADE_AT) == first
    assert postal_print(rows[1:], HEADING, made_at=MADE_AT) != first


def test_words_of_the_template_language_are_only_words() -> None:
    strange = '#eval("1") $x$ *đậm* _nghiêng_ @x <b> \\ "'
    (text,) = texts(postal_print([a_row(1, full_name=strange)], HEADING, made_at=MADE_AT))
    assert '#eval("1") $x$ *đậm* _nghiêng_ @x <b>' in text


@given(st.lists(st.builds(a_row, st.integers(1, 999), home=st.booleans(), hamlet=st.sampled_from(["", "Thôn 1", "Xóm Đình"]))))
def test_every_row_is_on_one_sheet_and_sums_add_up(rows: list[PostalRow]) -> None:
    sheets = list(pages(rows))
    assert sorted((row.end_to_end_id, row.vnd) for sheet in sheets for row in sheet.rows) == sorted(
        (row.end_to_end_id, row.vnd) for row in rows
    )
    assert sum(sheet.vnd for sheet in sheets) == sum(row.vnd for row in rows)
    homes = [row.home for sheet in sheets for row in sheet.rows]
    assert homes == sorted(homes, reverse=True), "home deliveries come first"
    assert all(0 < len(sheet.rows) <= ROWS and len({(r.home, r.home and r.hamlet) for r in sheet.rows}) == 1 for sheet in sheets)
    assert [sheet.first for sheet in sheets] == [1 + sum(len(s.rows) for s in sheets[:n]) for n in range(len(sheets))]
