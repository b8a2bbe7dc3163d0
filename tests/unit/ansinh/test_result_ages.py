"""What an office is told of results that are older than allowed, before it closes or pays on them."""

from ansinh.result_ages import said

FOUND = {"people": 10, "register_due": 0, "banks_due": 0, "oldest": None, "renew_before": "2024-02-19T17:00:00+00:00"}


def test_nothing_is_said_of_results_that_are_new_enough() -> None:
    assert list(said(FOUND, "huyen-444")) == []


def test_old_results_are_counted_with_their_days() -> None:
    old, banks = said(FOUND | {"register_due": 3, "banks_due": 2, "oldest": "2024-01-20T02:00:00+00:00"}, "huyen-444")
    assert old.startswith("huyen-444: 3 of 10 results are older")
    assert "before 2024-02-20, the oldest on 2024-01-20" in old
    assert "of 2 accounts" in banks
