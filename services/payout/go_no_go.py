"""The go / no-go sheet for the evening of the 24th: one row per payer, eight questions in order, and what to do where one is red. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

QUESTIONS: Mapping[str, tuple[str, str]] = {
    "closed": ("Đã chốt", "Đơn vị chốt danh sách của kỳ."),
    "totals": ("Tổng khớp", "Chờ nhận đủ dòng; nếu vẫn lệch thì đối chiếu với bản đã chốt."),
    "verified": ("Đã xác thực", "Chờ kết quả xác thực hoặc đến hạn chốt xác thực."),
    "budget": ("Dự toán", "Lập dự toán và ký hai người, hoặc điều chỉnh dự toán."),
    "checked": ("Đã kiểm tra", "Lập bảng chi rồi người kiểm tra ký."),
    "approved": ("Đã duyệt", "Người duyệt ký các bảng chi đã kiểm tra."),
    "released": ("Đã phát hành", "Người phát hành ký và gửi các bảng chi đã duyệt."),
    "acknowledged": ("Đã nhận", "Hỏi ngân hàng hoặc bưu điện vì sao chưa báo nhận."),
}
"""Question -> (its heading, what to do when the answer is no)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One payer. `answers`: question -> yes or no; `todo`: what to do first, empty when everything is green; `to_build`: lines that are
    still owed of payments that fell out, and wait for the next build."""

    payer: str
    answers: Mapping[str, bool]
    todo: str
    to_build: int = 0

    @property
    def go(self) -> bool:
        """Everything is green."""
        return all(self.answers.values())


def row_of(facts: Mapping[str, Any], *, budget_required: bool) -> Row:
    """The row of one payer from its numbers, over all months that it pays together. A question that cannot be asked yet is red: nothing is
    green by silence. Who has no list because every line is held was built all the same, and has nothing to sign."""
    closed = facts["closed_count"] is not None
    built = facts["lists"] > 0 or (closed and facts["unlike"] == facts["undecided"] == 0)
    answers = {
        "closed": closed,
        "totals": closed and facts["unlike"] == 0,
        "verified": closed and facts["unverified"] == 0,
        "budget": facts["over_vnd"] == 0 and (facts["has_budget"] or not budget_required),
        "checked": built and facts["draft"] + facts["again"] == 0,
        "approved": built and facts["draft"] + facts["checked"] == 0,
        "released": built and facts["draft"] + facts["checked"] + facts["approved"] == 0,
        "acknowledged": built and facts["draft"] + facts["checked"] + facts["approved"] + facts["unheard"] == 0,
    }
    first = next((question for question, yes in answers.items() if not yes), None)
    todo = QUESTIONS[first][1] if first else ""
    if first == "checked" and facts["again"]:
        todo = f"Lập đợt chi tiếp theo: {facts['again']} dòng vẫn được hưởng của khoản chi đã rút."
    return Row(facts["payer"], answers, todo, facts["again"])


def as_json(period: str, rows: list[Row]) -> dict[str, Any]:
    """The sheet as JSON; `go` only when every payer is green and there is one."""
    payers = [{"payer": row.payer, "go": row.go, **row.answers, "to_build": row.to_build, "todo": row.todo} for row in rows]
    return {"period": period, "go": bool(rows) and all(row.go for row in rows), "payers": payers}


def as_html(period: str, rows: list[Row]) -> str:
    """The sheet as a plain page that prints."""
    head = "".join(f"<th>{title}</th>" for title, _todo in QUESTIONS.values())
    body = "".join(
        f"<tr><td>{escape(row.payer)}</td>"
        + "".join(f'<td class="{"yes" if row.answers[q] else "no"}">{"Có" if row.answers[q] else "Chưa"}</td>' for q in QUESTIONS)
        + f"<td>{escape(row.todo)}</td></tr>"
        for row in rows
    )
    style = "table{border-collapse:collapse}td,th{border:1px solid #555;padding:4px}.yes{background:#cfc}.no{background:#fbb}"
    title = f"Sẵn sàng chi trả kỳ {escape(period)}"
    return (
        f'<!doctype html><html lang="vi"><meta charset="utf-8"><title>{title}</title><style>{style}</style><h1>{title}</h1>'
        f"<table><tr><th>Đơn vị</th>{head}<th>Việc cần làm</th></tr>{body}</table></html>"
    )
