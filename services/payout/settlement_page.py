"""The settlement report as a plain page that prints on A4 across. No name, no number, no account. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from services.payout.postal_list import REASONS
from services.payout.settlement import NOTHING, Report, Row, Total, Unpaid, total
from services.payout.settlement_shown import MEASURES, measures
from shared.money import Dong, in_words_of_figures
from shared.words import HeldReason, Programme

Named = Callable[[str], str]
"""What a commune's code is called."""
PROGRAMMES: Mapping[str, str] = {
    Programme.SOCIAL_ASSISTANCE: "Bảo trợ xã hội",
    Programme.MERIT: "Người có công",
    Programme.SOCIAL_PENSION: "Hưu trí xã hội",
}
ENDS: Mapping[str, str] = {end: MEASURES[end] for end in ("rejected", "returned", "expired", "cancelled")}
ALWAYS = ("declared", "payable", "sent")
MONEY = {
    "drawn": "Đã rút", "paid": "Đã chi", "to_give_back": "Phải hoàn", "still_open": "Chưa có kết quả", "recovered": "Đã thu hồi",
}  # fmt: skip
STYLE = (
    "@page{size:A4 landscape;margin:8mm}body{font:11px sans-serif}table{border-collapse:collapse;margin-bottom:1em}"
    "td,th{border:1px solid #555;padding:2px 4px;vertical-align:top}td.n{text-align:right;white-space:nowrap}tr{page-break-inside:avoid}"
    ".bad,.bad td{background:#fbb}.good{background:#cfc}.sum td{font-weight:bold}small{color:#444}p{padding:4px}"
)


def as_html(found: Report, name: Named, *, payer: str | None) -> str:
    """The page. `payer`: of whom it was asked, None for all."""
    title = escape(f"Quyết toán chi trả kỳ {found.period}" + (f" - {payer}" if payer else ""))
    parts = (_verdict(found), _rows(found, name), _providers(found), _held(found), _carried(found.people, name))
    return (
        f'<!doctype html><html lang="vi"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>'
        f"{''.join(parts)}</html>"
    )


def _verdict(found: Report) -> str:
    if found.balanced:
        return '<p class="good">Khớp: mỗi dòng ở đúng một chỗ, sổ cái và lệnh chi bằng nhau.</p>'
    faults = "".join(f"<li>{escape(fault)}</li>" for fault in found.faults)
    return f'<div class="bad"><p>KHÔNG KHỚP, cần người kiểm tra:</p><ul>{faults}</ul></div>'


def _rows(found: Report, name: Named) -> str:
    whole = measures(found.whole)
    shown = [measure for measure in MEASURES if measure in ALWAYS or whole[measure] != NOTHING]
    head = ["Đơn vị", "Chương trình", "Xã", "Nhà cung cấp", *(MEASURES[measure] for measure in shown), "Kiểm tra"]
    body = [_row(row, name, shown) for row in found.rows]
    last = f'<tr class="sum"><td colspan="4">Tổng cộng</td>{_amounts(whole, shown)}<td></td></tr>'
    return f"<h2>Theo chương trình, xã, nhà cung cấp (số lượng, đồng)</h2>{_table(head, [*body, last])}"


def _row(row: Row, name: Named, shown: Sequence[str]) -> str:
    """Red when something of it does not balance, and then it says what."""
    words = (row.key.payer, PROGRAMMES.get(row.key.programme, row.key.programme), name(row.key.area), row.key.provider)
    check = escape("; ".join(row.faults)) or "Khớp"
    return f"<tr{_marked(good=not row.faults)}>{_words(words)}{_amounts(measures(row), shown)}<td>{check}</td></tr>"


def _providers(found: Report) -> str:
    body = [
        f"<tr{_marked(good=one.balances)}>{_words((one.payer, one.provider))}"
        + "".join(_amount(getattr(one, column)) for column in MONEY)
        + "</tr>"
        for one in found.providers
    ]
    return f"<h2>Tiền theo nhà cung cấp</h2>{_table(['Đơn vị', 'Nhà cung cấp', *MONEY.values()], body)}"


def _held(found: Report) -> str:
    body = [
        f"<tr>{_words((REASONS[HeldReason(reason)][0], REASONS[HeldReason(reason)][1]))}{_amount(amount)}</tr>"
        for reason, amount in sorted(found.whole.held.items())
    ]
    return f"<h2>Tạm giữ</h2>{_table(['Lý do', 'Việc cần làm', 'Số dòng, đồng'], body)}" if body else ""


def _carried(people: Sequence[Unpaid], name: Named) -> str:
    """How many people go into the next month's list; who they are stands in the workbook."""
    if not people:
        return ""
    groups: dict[tuple[str, str, str, str], list[Unpaid]] = defaultdict(list)
    for one in people:
        groups[one.payer, one.area, one.provider, one.state].append(one)
    body = []
    for (payer, area, provider, state), theirs in sorted(groups.items()):
        long = total(Total(1, one.vnd) for one in theirs if one.months > 1)
        words = _words((payer, name(area), provider, ENDS.get(state, state)))
        body.append(f"<tr>{words}{_amount(total(Total(1, one.vnd) for one in theirs))}{_amount(long)}</tr>")
    head = ["Đơn vị", "Xã", "Nhà cung cấp", "Vì sao", "Chuyển kỳ sau", "Trong đó từ hai tháng liền chưa nhận"]
    return f"<h2>Người chưa nhận, chuyển kỳ sau</h2>{_table(head, body)}"


def _marked(*, good: bool) -> str:
    return "" if good else ' class="bad"'


def _table(head: Iterable[str], body: Iterable[str]) -> str:
    return f"<table><tr>{''.join(f'<th>{escape(title)}</th>' for title in head)}</tr>{''.join(body)}</table>"


def _words(words: Iterable[str]) -> str:
    return "".join(f"<td>{escape(word)}</td>" for word in words)


def _amounts(amounts: Mapping[str, Total], shown: Iterable[str]) -> str:
    return "".join(_amount(amounts[measure]) for measure in shown)


def _amount(amount: Total) -> str:
    if amount == NOTHING:
        return "<td></td>"
    vnd, count = (in_words_of_figures(Dong(number)) for number in (amount.vnd, amount.count))
    return f'<td class="n">{vnd}<br><small>{count}</small></td>'
