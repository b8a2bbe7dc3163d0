"""The extract is read as the sandbox register writes it; what cannot be read is told by row, column and rule, never by value."""

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.district import make_district
from sandbox.population import write_population_extract
from services.verification.population_feed import COLUMNS, ERRORS_SHOWN, Entry, NotAnExtract, Refusal, look_through, read_extract

HEADER = ",".join(COLUMNS)
GOOD = "042149990001,,Nguyễn,Thị,Hòa,1949-03-02,female,18496,alive,,"


def read(*lines: str) -> tuple[int, list[Refusal]]:
    looked = look_through(io.BytesIO("\n".join((HEADER, *lines)).encode()))
    assert looked.refused == len(looked.errors)
    return looked.entries, looked.errors


def test_whole_sandbox_extract_is_read(tmp_path: Path) -> None:
    written = write_population_extract(make_district(3, people=400), tmp_path / "x.csv")
    with (tmp_path / "x.csv").open("rb") as file:
        looked = look_through(file)
    assert (looked.entries, looked.refused) == (written, 0)


def test_byte_order_mark_is_no_part_of_the_header() -> None:
    (entry,) = read_extract(io.BytesIO(b"\xef\xbb\xbf" + f"{HEADER}\n{GOOD}\n".encode()))
    assert isinstance(entry, Entry)
    assert entry.register.identity.full_name == "Nguyễn Thị Hòa"


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
        (HEADER.encode() + b"\n" + b"1" * 140_000, "CSV"),
        (f"{HEADER}\n{GOOD}\n".encode() + b"\xff", "NOT_UTF8"),
    ],
)
def test_file_that_is_no_extract(raw: bytes, code: str) -> None:
    with pytest.raises(NotAnExtract, match=code):
        look_through(io.BytesIO(raw))


class Made(io.RawIOBase):
    """A file of any length that is nowhere: its lines are made while they are read."""

    def __init__(self, rows: int) -> None:
        self._rows, self._lines, self._rest = rows, iter(()), b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        assert (offset, whence) in ((0, 0), (0, 1))
        if whence == 0:
            self._lines, self._rest = self._made(), b""
        return 0

    def tell(self) -> int:
        return 0

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = next(self._lines, b"")
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def _made(self) -> Iterator[bytes]:
        yield f"{HEADER}\n".encode()
        for number in range(self._rows):
            yield GOOD.replace("042149990001", f"{42_149_000_000 + number:012d}").encode() + b"\n"


def test_long_extract_is_not_held_in_memory() -> None:
    rows, bytes_a_row = 20_000, 75
    tracemalloc.start()
    looked = look_through(io.BufferedReader(Made(rows)))  # type: ignore[arg-type]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert looked.entries == rows
    assert most < rows * bytes_a_row  # the file itself would not fit


def test_of_many_refusals_the_first_are_told() -> None:
    bad = GOOD.replace("alive", "gone")
    looked = look_through(io.BytesIO("\n".join((HEADER, *[bad] * 250)).encode()))
    assert (looked.refused, len(looked.errors), looked.errors[-1].row) == (250, ERRORS_SHOWN, ERRORS_SHOWN + 1)
