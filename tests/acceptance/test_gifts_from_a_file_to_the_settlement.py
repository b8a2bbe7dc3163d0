"""A Tết gift as an office gives it: a file with nothing but gifts, imported, built, handed out by the post, settled. Who is on a second
file gets it once, a wrong sum is held, and the monthly money of the same people is another line of the same month."""

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
from office import Office, Person

from ansinh import check, pipeline

MONTH, NEXT, PAYER, AREA = "2025-12", "2026-01", "xa-18547", "18547"
GIFT, WRONG = 400_000, 500_000
HEADER = ("STT", "Họ và tên", "Ngày sinh", "Giới tính", "Số định danh/CCCD", "Xã/thị trấn", "Mã nhóm", "Mức trợ cấp tháng",
          "Trợ cấp một lần", "Tổng cộng", "Hình thức chi trả")  # fmt: skip
GIVEN = """SELECT i.beneficiary_id, i.state, i.vnd, count(*) FROM instruction i JOIN batch b USING (batch_id)
            WHERE b.payer = $1 GROUP BY 1, 2, 3"""


async def test_a_gift_goes_from_the_file_to_the_settlement(office: Office, tmp_path: Path) -> None:
    first, second, wrong, stranger = (Person(area=AREA) for _ in range(4))
    await office.people_are_registered(first, second, wrong)
    rows = [
        (first, "TET-2026-BT", GIFT),
        (second, "TET-2026-NCC", GIFT),
        (wrong, "TET-2026-BT", WRONG),
        (stranger, "TET-2026-HT", GIFT),
    ]
    taken = await _imported(office, tmp_path / "tet.csv", MONTH, rows)
    assert (taken["accepted"], taken["refused"]) == (4, 0)

    shown = await office.close_and_build(MONTH, PAYER)
    assert (shown["lines"]["count"], shown["postal"]) == (4, {"payments": 2, "vnd": 2 * GIFT})
    assert shown["held"] == {
        "AMOUNT_DIFFERS": {"count": 1, "vnd": WRONG}, "NOT_FOUND": {"count": 1, "vnd": GIFT},
    }  # fmt: skip
    await office.sign(MONTH, PAYER)
    listed = _names_on(Path(office.addresses.folder), await office.payroll(MONTH, PAYER))
    assert listed == {first.full_name: GIFT, second.full_name: GIFT}
    await office.answered()

    again = await _imported(office, tmp_path / "again.csv", NEXT, [(first, "TET-2026-BT", GIFT), (wrong, "TET-2026-BT", GIFT)])
    assert again["accepted"] == 2
    shown = await office.close_and_build(NEXT, PAYER)
    assert shown["held"] == {"PAID_ELSEWHERE": {"count": 1, "vnd": GIFT}}, "given once; the corrected sum is given now"
    await office.sign(NEXT, PAYER)
    await office.answered()
    given = await office.rows("payout", GIVEN, PAYER)
    assert [tuple(row)[1:] for row in given] == [("collected", GIFT, 1)] * 3
    for period, paid, held in ((MONTH, 2 * GIFT, WRONG + GIFT), (NEXT, GIFT, GIFT)):
        report = await office.client.get("payout", f"/v1/settlements/{period}/{PAYER}")
        total = report["total"]
        assert (report["balanced"], total["paid_counter"]["vnd"], total["held"]["vnd"]) == (True, paid, held)
    verdicts = await check.run_checks(office.addresses.databases.__getitem__, [])
    assert [verdict for verdict in verdicts if verdict.id in ("I01", "I03", "I05", "I60", "I61") and not verdict.ok] == []


async def _imported(office: Office, path: Path, period: str, rows: list[tuple[Person, str, int]]) -> dict[str, Any]:
    """A file of gifts as a commune writes it: no monthly sum, one sum in the column of what is paid once."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for number, (who, code, vnd) in enumerate(rows, 1):
        day = "/".join(reversed(who.birth.split("-")))
        writer.writerow((number, who.full_name, day, "Nam", who.number, "Xã Phúc Trạch", code, 0, vnd, vnd, "Điểm bưu điện"))
    path.write_text(text.getvalue(), "utf-8")
    query = {"period": period, "payer": PAYER, "source": "story/tet"}
    done = await pipeline.import_list(office.client, "payroll", path, dry_run=False, **query)
    await office.at_rest()
    return done


def _names_on(folder: Path, page: dict[str, Any]) -> dict[str, int]:
    """Who stands on the postal lists of a payroll, with the sum: read as the counter reads it."""
    paths = [file["path"] for file in page["files"] if file["kind"] == "postal_list"]
    found: dict[str, int] = {}
    for path in paths:
        (place,) = folder.rglob(path)
        sheet = openpyxl.load_workbook(place, read_only=True).active
        assert sheet is not None
        for row in list(sheet.iter_rows(values_only=True))[3:]:
            if row[7]:
                found[str(row[1])] = int(str(row[6]))
    return found
