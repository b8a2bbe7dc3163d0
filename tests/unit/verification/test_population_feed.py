"""The extract is read as the sandbox register writes it; what cannot be read is told by row, column and rule, never by value."""

from pathlib import Path

import pytest

from sandbox.district import make_district
from sandbox.population import write_population_extract
from services.verification.population_feed import COLUMNS, NotAnExtract, Refusal, read_extract

HEADER = ",".join(COLUMNS)
GOOD = "042149990001,,Nguyễn,Thị,Hòa,1949-03-02,female,18496,alive,,"


def read(*lines: str) -> tuple[int, list[Refusal]]:
    entries, refusals = read_extract("\n".join((HEADER, *lines)).encode())
    return len(entries), refusals


def test_whole_sandbox_extract_is_read(tmp_path: Path) -> None:
    written = write_population_extract(make_district(3, people=400), tmp_path / "x.csv")
    entries, refusals = read_extract((tmp_path / "x.csv").read_bytes())
    assert (len(entries), refusals) == (written, [])


def test_byte_order_mark_is_no_part_of_the_header() -> None:
    entries, _ = read_extract(b"\xef\xbb\xbf" + f"{HEADER}\n{GOOD}\n".encode())
    assert entries[0].register.identity.full_name == "Nguyễn Thị Hòa"


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        (GOOD.replace("alive", "gone"), Refusal(2, "status", "UNKNOWN_WORD")),
        (GOOD.replace("042149990001", ""), Refusal(2, "personal_number", "MISSING")),
        (GOOD.replace("042149990001", "42149990001"), Refusal(2, "personal_number", "SHAPE")),
        (GOOD.replace("1949-03-02", "02/03/1949"), Refusal(2, "birth_date", "SHAPE")),
        (GOOD.replace("1949-03-02", ""), Refusal(2, "birth_date", "MISSING")),
        (GOOD.replace("alive,", "dead,yesterday"), Refusal(2, "status_date", "NOT_A_DATE")),
        (GOOD.replace("18496", "1"), Refusal(2, "area_code", "SHAPE")),
    ],
)
def test_row_that_cannot_be_read(line: str, refusal: Refusal) -> None:
    assert read(line) == (0, [refusal])


def test_number_twice_keeps_the_first() -> None:
    assert read(GOOD, GOOD) == (1, [Refusal(3, "personal_number", "DUPLICATE")])


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\xff\xfe", "NOT_UTF8"),
        (b"a,b\n1,2\n", "HEADER"),
        (b"", "HEADER"),
        (HEADER.encode(), "EMPTY"),
        (HEADER.encode() + b"\n" + b'"' + b"1" * 140_000, "CSV"),
    ],
)
def test_file_that_is_no_extract(raw: bytes, code: str) -> None:
    with pytest.raises(NotAnExtract, match=code):
        read_extract(raw)
