"""What an operator is told to do next: one thing that can be done, with the command for it, at every place of a payroll's life."""

from typing import Any

import pytest

from ansinh.next_step import advice

WHOSE = "2024-02 huyen-444"
NOTHING = {"count": 0, "vnd": 0}
ABOUT: dict[str, Any] = {
    "opened": {"period": "2024-02"},
    "budget_waits": None,
    "budgets": [],
    "to_endorse": None,
    "freezes": [],
    "finished": None,
    "paid_with": None,
}
PAGE: dict[str, Any] = {"batches": [], "withdrawals": [], "unknown": NOTHING, "lines": {"held": NOTHING, "undecided_vnd": 5}}
FREEZE = {"starts_at": "2024-12-31", "ends_at": "2025-01-02", "reason": "YEAR_END"}
OVER = {"period": "2024-02", "programme": "merit", "budget_vnd": 5, "used_vnd": 3, "waiting_vnd": 4}
JOINED = {**OVER, "period": "2024-03"}


def lists(*states: str, **more: Any) -> dict[str, Any]:
    return {
        **PAGE,
        "lines": {"held": NOTHING, "undecided_vnd": 0},
        "batches": [{"state": s, "provider": "post"} for s in states],
        **more,
    }


@pytest.mark.parametrize(
    ("page", "about", "commands"),
    [
        (None, {"opened": None}, ["open 2024-02", "close 2024-02 huyen-444"]),
        (None, {"budget_waits": {"sha256": "a"}}, ["confirm", "close"]),
        (PAGE, {}, ["preview"]),
        (lists("draft", "draft"), {}, ["check"]),
        (lists("checked"), {}, ["approve"]),
        (lists("approved"), {}, ["release"]),
        (lists("approved"), {"to_endorse": "a"}, ["endorse"]),
        (lists("approved"), {"freezes": [FREEZE]}, ["a freeze is set", "release"]),
        (lists("approved"), {"budgets": [OVER]}, ["budget 2024-02 huyen-444 --programme merit=7", "release"]),
        (lists("approved"), {"budgets": [{**OVER, "budget_vnd": None}]}, ["release"]),
        (lists("approved"), {"budgets": [JOINED]}, ["budget 2024-03 huyen-444 --programme merit=7", "release"]),
        (lists("approved"), {"budgets": [OVER, {**JOINED, "budget_vnd": None}]}, ["budget 2024-02", "release"]),
        (lists("draft"), {"paid_with": "2024-01"}, ["status 2024-01 huyen-444"]),
        (lists("approved", withdrawals=[{"confirmed_by": None}]), {}, ["confirm-withdrawal", "release"]),
        (lists("sent", "settled"), {}, ["settle"]),
        (lists("sent", unknown={"count": 1, "vnd": 1}), {}, ["statements take", "settle"]),
        (lists("settled"), {}, ["finish"]),
        (lists("settled", lines={"held": NOTHING, "undecided_vnd": 9}), {}, ["build", "finish"]),
        (lists(lines={"held": {"count": 1, "vnd": 1}, "undecided_vnd": 0}), {}, ["finish"]),
        (lists("settled", held={"NEXT_BUILD": {"count": 1, "vnd": 9}}), {}, ["1 lines are still owed"]),
        (lists("settled"), {"finished": {"closed_by": "x"}}, ["settlement"]),
    ],
)  # fmt: skip
def test_next_step(page: dict[str, Any] | None, about: dict[str, Any], commands: list[str]) -> None:
    told = advice(page, {**ABOUT, **about}, WHOSE)
    assert len(told) == len(commands), told
    for words, command in zip(told, commands, strict=True):
        assert command in words
