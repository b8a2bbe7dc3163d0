"""What was ever tried is kept as it was, and the page says no more than that."""

from tests.faults import record
from tests.faults.record import Line, lines_of, table
from tests.faults.report import Trial
from tests.faults.scenarios import table as scenarios


def line(number: int = 1, result: str = "ok", **fields: str) -> Line:
    given = dict.fromkeys(record.COLUMNS, "")
    given |= {
        "at": f"2026-01-{number:02}T08:00:00+00:00",
        "commit": "abc",
        "trial": "kill-payout",
        "scenario": "kill-payout",
        "fault": "service killed",
    }
    return Line(**{**given, "result": result, "limit_seconds": "15.0", **fields})


def row(lines: list[Line]) -> list[str]:
    return [cell.strip() for cell in table(lines).splitlines()[2].strip("|").split("|")]


def test_only_what_came_after_the_last_red_one_bounds():
    lines = [line(1), line(2, "red"), line(3), line(4, "miss"), line(5)]
    assert row(lines)[:6] == ["service killed", "4", "1", "1", "2", "100.0%"]
    assert row([line(number) for number in range(1, 31)])[4:6] == ["30", "10.0%"]
    assert "2 clean ones since the last red one of any fault" in table(lines)


def test_recovery_is_what_was_measured():
    lines = [line(number, recovery_seconds=seconds) for number, seconds in enumerate(("2.0", "15.1", "3.0"), 1)]
    assert row(lines)[6:] == ["3.0 s", "15.1 s", "15 s", "1"]
    assert row([line(limit_seconds="")])[6:] == ["-", "-", "-", "-"]


def test_a_missed_one_was_not_tried_but_a_red_one_was():
    trials = [
        Trial("service killed", "kill-payout", 1, ok=True, missed=True),
        Trial("service killed", "kill-payout", 2, ok=False, missed=True, findings=("lost: somewhere",)),
        Trial("service killed", "kill-payout", 3, ok=True, recovery_seconds=1.25),
    ]
    kept = lines_of(trials, "abc", 1)
    assert [one.result for one in kept] == ["miss", "red", "ok"]
    assert [one.finding for one in kept] == ["", "lost: somewhere", ""]


def test_lines_are_kept_once_in_order_and_none_of_a_changed_tree(tmp_path):
    file = tmp_path / "so-far.csv"
    record.keep([line(2), line(1)], file)
    record.keep([line(2), line(3), line(4, commit="abc+")], file)
    assert record.read(file) == [line(1), line(2), line(3)]


def test_the_page_is_what_the_lines_say():
    said = record.BETWEEN.search(record.PAGE.read_text("utf-8"))
    assert said is not None
    assert said.group() == table(record.read(record.TRIED))


def test_what_was_tried_is_of_a_commit_and_by_name():
    faults = {scenario.fault for scenario in scenarios().values()}
    for one in record.read(record.TRIED):
        assert one.result in (record.OK, record.RED, record.MISS), one
        assert one.commit.isalnum(), one
        assert one.brokers in ("1", "3"), one
        assert one.result != record.RED or one.finding, one
        assert one.fault in faults, one
