"""Every reader of bytes from outside, as a function of bytes: it ends with rows or with a refusal of its own, never with another exception.

Archives are fuzzed part by part: bytes in place of one part of a sound workbook, because a changed archive seldom opens at all.
"""

from __future__ import annotations

import faulthandler
import io
import json
import os
import resource
import signal
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

from services.payout.rate_files import BadRates, proposed, shipped
from services.payout.reading_statement import read_statement
from services.payout.statement_line import NotAStatement
from services.registry.events_in import LINES, MANY, BadBody, answer, read
from services.registry.reading import MEMORY_BYTES_MAX, Order, Tables, opened
from services.registry.refusals import NotAList
from services.registry.sheets import lines_of
from services.verification.population_feed import COLUMNS, NotAnExtract, look_through
from shared.errors import BadRecord, Parked
from shared.records import parse
from shared.schemas import FOLDER
from shared.topics import Provider
from tests.ugly_lists.old_formats import ods, xls
from tests.ugly_lists.ugly import ACCOUNTS, HEADER, LISTS, PEOPLE, text, xlsx
from tests.unit.payout.statement_files import a_post_list, every_format
from tests.unit.payout.test_post_sheets import HEADER as POST_HEADER
from tests.unit.payout.test_post_sheets import a_book, a_row

SEED_BYTES_MAX = 20_000
ZIP, OLE = b"PK", b"\xd0\xcf"
TODAY = date(2025, 8, 20)
BODY = (HEADER, *PEOPLE)
ACCOUNT = (1, "Nguyễn Thị Hòa", "1949", "042149990001", "Agribank", "3706205000001", "NGUYEN THI HOA", "Đồng ý")
SAMPLES = [json.loads(path.read_text("utf-8")) for path in sorted((FOLDER / "samples").glob("vn.ansinh.*.json"))]


@dataclass(frozen=True, slots=True)
class Target:
    """`take` raises for what must not be; `seeds` are where changing begins."""

    take: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]


def take_list(body: bytes, period: str | None = "2024-02") -> None:
    """A list file. Every row is an act or has problems, and rows come in the order of the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list"
        path.write_bytes(body)
        try:
            file, reader = opened(Order(path, "huyen-444", period, TODAY, Tables()))
            rows = reader.part(list(lines_of(file))).rows
        except NotAList:
            return
    assert all((row.act is None) == bool(row.problems) for row in rows), "a row is an act or has problems"
    numbers = [row.row_no for row in rows]
    assert numbers == sorted(set(numbers)), "rows come once, in order"


def take_old_list(body: bytes) -> None:
    """A list as XLS, in a process of its own as in the service: it may abort, and nothing else but end."""
    if not (child := os.fork()):
        faulthandler.disable()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        try:
            take_list(body)
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGABRT), (
        "the reader of an old workbook fails in a way nobody expects"
    )


def take_statement(body: bytes, provider: Provider = Provider.BANK_A) -> None:
    """A file of a provider. Amounts are whole dong."""
    with suppress(NotAStatement):
        told = read_statement(body, provider, sha256="0" * 64)
        assert all(line.vnd is None or type(line.vnd) is int for line in told.lines), "amounts are whole dong"


def take_events(body: bytes, media_type: str = MANY) -> None:
    """A body at the events' door. Everything in it is answered."""
    with suppress(BadBody):
        found = read(body, media_type, at_ms=1_700_000_000_000)
        told = answer(found, [], {})
        assert len(told["items"]) == len(found.events.keys() | found.problems.keys()), "every event is answered"


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a topic."""

    value: bytes
    headers: Sequence[tuple[str, bytes]]
    topic: str = "ministry.beneficiary.v1"
    partition: int = 0
    offset: int = 7
    timestamp: int = 1_700_000_000_000


def take_record(body: bytes) -> None:
    """A record of a topic: the first line holds its headers, as name=text parted by tabs."""
    head, _, value = body.partition(b"\n")
    headers = [(name.decode("utf-8", "replace"), text) for name, _, text in (part.partition(b"=") for part in head.split(b"\t"))]
    with suppress(BadRecord, Parked):
        parse(Record(value, headers))


def _record(sample: Mapping[str, Any]) -> bytes:
    head = "\t".join(f"{name}={text}" for name, text in sample["headers"].items())
    return f"{head}\n{json.dumps(sample['data'])}".encode()


def _event(sample: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"specversion": "1.0", "id": "1", "type": sample["headers"]["ce_type"], "data": sample["data"]}


def _events() -> Sequence[str]:
    return [json.dumps(_event(sample)) for sample in SAMPLES if ".ministry." in sample["headers"]["ce_type"]]


def take_extract(body: bytes) -> None:
    """An extract of the population register."""
    with suppress(NotAnExtract):
        look_through(io.BytesIO(body))


def take_rates(body: bytes) -> None:
    """Rates proposed for a calculation."""
    with suppress(BadRates):
        proposed(shipped(), [body.decode("utf-8", "replace")])


def _within(whole: bytes, part: str, take: Callable[[bytes], None], body: bytes) -> None:
    take(_with(whole, part, body))


def _with(whole: bytes, part: str, body: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        for name, old in _parts(whole).items():
            made.writestr(name, body if name == part else old)
    return target.getvalue()


@cache
def _parts(whole: bytes) -> Mapping[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _part(whole: bytes, part: str, take: Callable[[bytes], None]) -> Target:
    return Target(partial(_within, whole, part, take), lambda: [_parts(whole)[part]])


def _lists(start: bytes = b"") -> Sequence[bytes]:
    """The ugly lists that begin so; without a beginning, those that are texts."""
    ugly = [one.body for one in LISTS.values() if one.period is not None and len(one.body) < SEED_BYTES_MAX]
    return [body for body in ugly if (body.startswith(start) if start else not body.startswith((ZIP, OLE)))]


def _extract() -> bytes:
    row = dict.fromkeys(COLUMNS, "") | {
        "personal_number": "042149990001", "family_name": "Nguyễn", "middle_name": "Thị", "given_name": "Hòa",
        "birth_date": "1949-03-02", "sex": "female", "area_code": "18499", "status": "alive",
    }  # fmt: skip
    return "\n".join([",".join(COLUMNS), ",".join(row.values())]).encode()


def _statements(start: str) -> Sequence[bytes]:
    return [body for name, body in every_format().items() if name.startswith(start)]


def _post_csv() -> bytes:
    return "Mã giao dịch;Số tiền;Kết quả;Ngày;Ghi chú\n".encode() + b"ANSINHQQQQQQAAB2;360.000;da tra;01/02/2024;\n"


def _all() -> Iterator[tuple[str, Target]]:
    book, sheet = xlsx(BODY), "xl/worksheets/sheet1.xml"
    yield "list-csv", Target(take_list, lambda: [*_lists(), text(BODY)])
    yield "list-csv-accounts", Target(partial(take_list, period=None), lambda: [text((ACCOUNTS, ACCOUNT))])
    yield "list-xlsx-whole", Target(take_list, lambda: [*_lists(ZIP), book])
    yield "list-xlsx-sheet", _part(book, sheet, take_list)
    yield "list-xlsx-texts", _part(book, "xl/sharedStrings.xml", take_list)
    yield "list-xlsx-styles", _part(book, "xl/styles.xml", take_list)
    yield "list-xlsx-book", _part(book, "xl/workbook.xml", take_list)
    yield "list-ods", _part(ods(BODY), "content.xml", take_list)
    yield "list-xls", Target(take_old_list, lambda: [xls(BODY), *_lists(OLE)])
    yield (
        "events",
        Target(take_events, lambda: [f"[{','.join(_events())}]".encode(), *(f"[{one}]".encode() for one in _events())]),
    )
    yield "events-lines", Target(partial(take_events, media_type=LINES), lambda: ["\n".join(_events()).encode()])
    yield "record", Target(take_record, lambda: [_record(sample) for sample in SAMPLES if "headers" in sample])
    for name in ("camt.053", "camt.054", "pain.002", "mt940"):
        yield f"statement-{name}", Target(take_statement, partial(_statements, name))
    post = partial(take_statement, provider=Provider.POST)
    yield "statement-post-csv", Target(post, lambda: [_post_csv()])
    yield "statement-post-whole", Target(post, lambda: [a_post_list()])
    yield "statement-post-sheet", _part(a_post_list(), sheet, post)
    yield (
        "statement-post-book",
        _part(a_book({name: [POST_HEADER, a_row(at)] for at, name in enumerate("AB", 1)}), "xl/workbook.xml", post),
    )
    yield "register-extract", Target(take_extract, lambda: [_extract()])
    yield "rates", Target(take_rates, lambda: [path.read_bytes() for path in sorted(Path("services/payout/rates").glob("*.csv"))])


TARGETS: Mapping[str, Target] = dict(_all())
