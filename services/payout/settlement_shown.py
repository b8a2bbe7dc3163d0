"""What the settlement report shows of a row, under which headings; and the report as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.payout.settlement import CAME_BACK, Place, Report, Row, Total

MEASURES: Mapping[str, str] = {
    "declared": "Kê khai",
    "held": "Tạm giữ",
    "payable": "Được chi",
    "not_built": "Chưa lập",
    "listed": "Đã lập, chưa gửi",
    "sent": "Đã gửi",
    "paid_account": "Đã chi qua tài khoản",
    "paid_counter": "Đã chi tại quầy",
    "paid_home": "Đã chi tại nhà",
    "in_flight": "Đang chờ kết quả",
    "unknown": "Chưa rõ kết quả",
    "rejected": "Bị từ chối",
    "returned": "Bị trả lại",
    "expired": "Không đến nhận",
    "cancelled": "Đã hủy",
    "back": "Chờ chi lại",
    "carried": "Chuyển kỳ sau",
    "recovered": "Đã thu hồi",
}
"""Measure -> its heading. `sent`, `rejected`, `returned`, `expired` and `cancelled` count payments, the others lines."""


def measures(row: Row) -> dict[str, Total]:
    """What a row is shown with, in the order of `MEASURES`. Paid and open amounts are those of lines."""
    shown = {"declared": row.declared, "payable": row.payable, "sent": row.sent, "recovered": row.recovered}
    shown |= {str(place): row.place(place) for place in Place}
    shown |= {str(flow): row.gone(flow) for flow in CAME_BACK}
    return {name: shown[name] for name in MEASURES}


def as_json(found: Report) -> dict[str, Any]:
    """The report as JSON: amounts as `{count, vnd}`."""
    return {
        "period": found.period,
        "balanced": found.balanced,
        "faults": list(found.faults),
        "lists": [
            {"payer": one.payer, "count": one.promised.count, "vnd": one.promised.vnd, "finished_at": one.finished_at}
            for one in found.lists
        ],
        "total": _row_json(found.whole),
        "rows": [{**row.key._asdict(), **_row_json(row)} for row in found.rows],
        "providers": [
            {"payer": one.payer, "provider": one.provider, "balances": one.balances}
            | {name: _pair(getattr(one, name)) for name in ("drawn", "paid", "to_give_back", "still_open", "recovered")}
            for one in found.providers
        ],
        "carry_over": [asdict(one) for one in found.people],
    }


def _row_json(row: Row) -> dict[str, Any]:
    amounts: dict[str, Any] = {name: _pair(amount) for name, amount in measures(row).items()}
    held = {reason: _pair(amount) for reason, amount in sorted(row.held.items())}
    return amounts | {"held_by_reason": held, "faults": list(row.faults)}


def _pair(amount: Total) -> dict[str, int]:
    return {"count": amount.count, "vnd": amount.vnd}
