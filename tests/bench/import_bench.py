"""A CSV payroll list of many rows through the importer, on a PostgreSQL of its own: `python -m tests.bench.import_bench [rows] [--again]`.

Rows are made as they are written; every person has a number, two in three live where a list says, one in fifty has a second benefit.
All SYNTHETIC.
"""

import asyncio
import csv
import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from time import monotonic, process_time
from typing import Any

from sandbox.areas import COMMUNES
from services.registry.importing import Request
from shared.collecting import collect_less_often
from tests.bench.alone import cpu_of_children
from tests.bench.registry_path import registry_alone
from tests.integration.registry.registry_bench import PAYER, PERIOD, SOURCE, Bench

HEADER = (
    "STT", "Họ và tên", "Ngày sinh", "Giới tính", "Số định danh/CCCD", "Thôn/tổ dân phố", "Xã/thị trấn", "Số điện thoại", "Mã nhóm",
    "Hệ số", "Mức trợ cấp tháng", "Kinh phí chăm sóc", "Kỳ truy lĩnh", "Số tiền truy lĩnh", "Trợ cấp một lần", "Tổng cộng",
    "Hình thức chi trả", "Ngân hàng", "Số tài khoản", "Tên chủ tài khoản", "Ghi chú",
)  # fmt: skip
_FAMILY = ("Nguyễn", "Trần", "Lê", "Phan", "Võ", "Đặng", "Bùi", "Hồ", "Dương", "Đinh")
_GIVEN = ("Hòa", "Lành", "Đức", "Sáu", "Bảy", "Én", "Tâm", "Hải", "Minh", "Loan", "Thủy", "Quang", "Lý", "Xuân", "Cúc", "Dần")


def write_list(path: Path, rows: int) -> None:
    """A list of that many rows with its header."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["DỮ LIỆU GIẢ LẬP - SYNTHETIC DATA"])
        writer.writerow(HEADER)
        writer.writerows(_rows(rows))


def _rows(rows: int) -> Iterator[tuple[object, ...]]:
    for number in range(1, rows + 1):
        who = number - 1 if number % 50 == 0 else number
        rng = Random(who)
        name = f"{rng.choice(_FAMILY)} {rng.choice(('Thị', 'Văn', 'Đình', 'Hữu'))} {rng.choice(_GIVEN)} {rng.choice(_GIVEN)}"
        year, month, day = rng.randint(1930, 1999), rng.randint(1, 12), rng.randint(1, 28)
        by_account = who % 3 == 0
        yield (
            number, name, f"{day:02}/{month:02}/{year}", "Nữ" if who % 2 else "Nam", f"042{'1' if who % 2 else '0'}{year % 100:02}{who:06}",
            f"Thôn {rng.randint(1, 12)}" if who % 3 else "", rng.choice(COMMUNES).name, f"09{rng.randrange(10**8):08}",
            "BT-6d" if number % 50 == 0 else "BT-5c", "1.0", 360_000, "", "", "", "", 360_000,
            "Tài khoản" if by_account else "Điểm bưu điện", "Agribank" if by_account else "", f"3709{who:09}" if by_account else "",
            name.upper() if by_account else "", "",
        )  # fmt: skip


async def run(rows: int, *, again: bool = False) -> dict[str, Any]:
    """Seconds, CPU, memory of an import of that many rows; `again`: hand the same file in once more."""
    async with registry_alone() as (bench, server):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "list.csv"
            await asyncio.to_thread(write_list, path, rows)
            measured = {"rows": rows, "megabytes": path.stat().st_size >> 20, "first": await _take(bench, server, path, rows)}
            if again:
                measured["again"] = await _take(bench, server, path, rows)
            return measured


async def _take(bench: Bench, server: int, path: Path, rows: int) -> dict[str, Any]:
    collect_less_often()  # as the service does
    python, reader, postgres, began = process_time(), _cpu_of_reader(), cpu_of_children(server), monotonic()
    handed = await bench.inbox.receive(_blocks(path))
    request = Request(
        "payroll", handed.path, handed.sha256, source=SOURCE, payer=PAYER, period=PERIOD, actor="officer", dry_run=False
    )
    answer = await bench.importer.take(request)
    spent = {
        "python": process_time() - python,
        "reader": _cpu_of_reader() - reader,
        "postgres": cpu_of_children(server) - postgres,
    }
    assert answer["rows"] == rows == answer["accepted"] + answer["unchanged"] + answer["refused"]
    handed.path.unlink()
    bench.returned(answer).unlink()
    return {
        "seconds": round(monotonic() - began, 1),
        "rows_per_second": round(rows / (monotonic() - began)),
        "cpu_us_per_row": {who: round(seconds / rows * 1e6) for who, seconds in spent.items()},
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        **{name: answer[name] for name in ("accepted", "unchanged", "refused")},
    }


def _cpu_of_reader() -> float:
    """Of the processes that read lists and have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


async def _blocks(path: Path) -> Any:
    with path.open("rb") as file:
        while block := file.read(1 << 18):
            yield block


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:] if word.isdigit()]
    print(json.dumps(asyncio.run(run(*(wanted or [100_000]), again="--again" in sys.argv)), indent=2))
