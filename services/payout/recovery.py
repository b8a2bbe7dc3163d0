"""Money that reached somebody for months not owed: how much is claimed back, and how a claim ends. Pure.

The month of a death is owed still, and by the old place that of a move (domain 2.2): told late, either claims back only the months after
it, and of arrears only the share of those months. What a death itself brings (funeral money) and other one-off sums are never claimed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from shared.after_death import vnd_after
from shared.events import DeclaredLine

OPEN, CLAIMED = "recovery:open", "recovery:claimed"


class Ending(StrEnum):
    """How a recovery case ends. `came_back` is the provider's word that the payment was returned; the others need two people."""

    RECOVERED = "recovered"
    WAIVED = "waived"
    CAME_BACK = "came_back"


class RecoveryRefusal(StrEnum):
    """Why a step on a recovery case is not done, in order of precedence. Nothing was changed."""

    RECOVERY_UNKNOWN = "RECOVERY_UNKNOWN"
    RECOVERY_ENDED = "RECOVERY_ENDED"
    NOT_THE_OWNER = "NOT_THE_OWNER"
    NOTHING_PROPOSED = "NOTHING_PROPOSED"
    PROPOSER_APPROVES = "PROPOSER_APPROVES"
    PROPOSAL_DIFFERS = "PROPOSAL_DIFFERS"


RECOVERY_ADVICE: Mapping[RecoveryRefusal, str] = {
    RecoveryRefusal.RECOVERY_UNKNOWN: "Không có hồ sơ thu hồi này.",
    RecoveryRefusal.RECOVERY_ENDED: "Hồ sơ thu hồi này đã kết thúc.",
    RecoveryRefusal.NOT_THE_OWNER: "Nhận xử lý hồ sơ thu hồi trước khi đề nghị cách kết thúc.",
    RecoveryRefusal.NOTHING_PROPOSED: "Chưa có đề nghị kết thúc nào để duyệt.",
    RecoveryRefusal.PROPOSER_APPROVES: "Người duyệt phải khác người đề nghị.",
    RecoveryRefusal.PROPOSAL_DIFFERS: "Chữ ký không đúng với đề nghị hiện tại; xem lại rồi ký lại.",
}


def claim(paid_vnd: int, line: DeclaredLine, period: str, *, through: str, claimed_vnd: int) -> int:
    """What one payment of `paid_vnd` on a line is to give back when other payments of it are claimed for `claimed_vnd` already.

    `through`: the last month that was owed. Halves of a dong stay with who was paid.
    """
    return max(min(paid_vnd, vnd_after(line, period, through) - claimed_vnd), 0)


def accounts(ending: Ending) -> tuple[str, str]:
    """(debit, credit) of the posting that ends a case; opening one debits `recovery:open` and credits `recovery:claimed`."""
    return f"recovery:{ending}", OPEN


def proposal_sha256(case_id: UUID, vnd: int, *, ending: Ending, why: str, proposed_by: str) -> str:
    """What the second person signs: this case, this end and its reason, this proposer."""
    return hashlib.sha256("|".join(("recovery", str(case_id), str(vnd), ending, why, proposed_by)).encode()).hexdigest()
