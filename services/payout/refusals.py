"""Why a payroll command is refused: a closed list, in order of precedence, with what an officer is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """A command that is understood and not done. Nothing was changed."""

    NOT_CLOSED = "NOT_CLOSED"
    LINES_MISSING = "LINES_MISSING"
    TOTALS_DIFFER = "TOTALS_DIFFER"
    VERIFICATION_MISSING = "VERIFICATION_MISSING"
    CONTRACT_MISSING = "CONTRACT_MISSING"
    NO_BATCH = "NO_BATCH"
    SIGNATURE_DIFFERS = "SIGNATURE_DIFFERS"
    SAME_ACTOR = "SAME_ACTOR"
    LIST_CHANGED = "LIST_CHANGED"
    WITHDRAWAL_OPEN = "WITHDRAWAL_OPEN"
    NOT_ON_A_LIST = "NOT_ON_A_LIST"
    ALREADY_SENT = "ALREADY_SENT"
    WITHDRAWAL_UNKNOWN = "WITHDRAWAL_UNKNOWN"
    TRY_AGAIN = "TRY_AGAIN"
    PERIOD_NOT_OPEN = "PERIOD_NOT_OPEN"
    BUDGET_UNKNOWN = "BUDGET_UNKNOWN"
    BUDGET_BELOW_USE = "BUDGET_BELOW_USE"
    BUDGET_MISSING = "BUDGET_MISSING"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    ENDORSEMENT_MISSING = "ENDORSEMENT_MISSING"
    ENDORSEMENT_NOT_NEEDED = "ENDORSEMENT_NOT_NEEDED"
    FROZEN = "FROZEN"
    FREEZE_EMPTY = "FREEZE_EMPTY"
    PAYROLL_CLOSED = "PAYROLL_CLOSED"
    NOT_FINISHED = "NOT_FINISHED"
    CANCEL_OPEN = "CANCEL_OPEN"
    ALREADY_PAID = "ALREADY_PAID"
    NOT_SENT = "NOT_SENT"
    NOTHING_TO_CANCEL = "NOTHING_TO_CANCEL"
    CANCEL_UNKNOWN = "CANCEL_UNKNOWN"
    CANCEL_DISPUTED = "CANCEL_DISPUTED"
    MONTH_JOINED = "MONTH_JOINED"
    MONTH_LEADS = "MONTH_LEADS"
    NOT_JOINED = "NOT_JOINED"
    ALREADY_BUILT = "ALREADY_BUILT"


ADVICE: Mapping[Refusal, str] = {
    Refusal.NOT_CLOSED: "Danh sách của kỳ này chưa chốt.",
    Refusal.LINES_MISSING: "Chưa nhận đủ số dòng của danh sách đã chốt; chờ rồi thử lại.",
    Refusal.TOTALS_DIFFER: "Số dòng, số tiền hoặc mã kiểm tra khác với bản đã chốt; cần người kiểm tra.",
    Refusal.VERIFICATION_MISSING: "Chưa có kết quả xác thực cho mọi người và chưa đến hạn chốt xác thực.",
    Refusal.CONTRACT_MISSING: "Không có hợp đồng chi trả còn hiệu lực; bổ sung vào bảng hợp đồng rồi lập lại.",
    Refusal.NO_BATCH: "Không có bảng chi nào đang chờ bước này.",
    Refusal.SIGNATURE_DIFFERS: "Chữ ký không đúng với mã của bảng chi hiện tại; xem lại bảng chi rồi ký lại.",
    Refusal.SAME_ACTOR: "Người lập, người kiểm tra, người duyệt và người phát hành phải là những người khác nhau.",
    Refusal.LIST_CHANGED: "Bảng chi đã khác so với lúc lập; không được ký.",
    Refusal.WITHDRAWAL_OPEN: "Còn danh sách rút chưa có người thứ hai ký.",
    Refusal.NOT_ON_A_LIST: "Có người không nằm trong bảng chi chưa gửi.",
    Refusal.ALREADY_SENT: "Khoản chi đã gửi đi, không rút được nữa.",
    Refusal.WITHDRAWAL_UNKNOWN: "Không có danh sách rút này, hoặc đã có người ký thứ hai.",
    Refusal.TRY_AGAIN: "Dữ liệu thay đổi trong lúc phát hành; thử lại.",
    Refusal.PERIOD_NOT_OPEN: "Kỳ chi trả này chưa mở.",
    Refusal.BUDGET_UNKNOWN: "Không có bảng dự toán này, hoặc đã có người ký thứ hai, hoặc đã có bản mới hơn.",
    Refusal.BUDGET_BELOW_USE: "Dự toán mới thấp hơn số đã chi.",
    Refusal.BUDGET_MISSING: "Kỳ này chưa có dự toán đã được hai người ký.",
    Refusal.BUDGET_EXCEEDED: "Số tiền của bảng chi vượt dự toán còn lại.",
    Refusal.ENDORSEMENT_MISSING: "Tổng số tiền vượt mức, cần cấp tỉnh ký duyệt thêm.",
    Refusal.ENDORSEMENT_NOT_NEEDED: "Không có bảng chi nào đang chờ cấp tỉnh ký.",
    Refusal.FROZEN: "Đang trong thời gian tạm dừng phát hành; chỉ người có quyền khẩn cấp được phát hành, có lý do.",
    Refusal.FREEZE_EMPTY: "Thời gian tạm dừng phải kết thúc sau khi bắt đầu.",
    Refusal.PAYROLL_CLOSED: "Kỳ chi trả của đơn vị này đã khóa; không thay đổi được nữa.",
    Refusal.NOT_FINISHED: "Còn bảng chi chưa quyết toán hoặc dòng chưa có kết quả; chưa khóa được.",
    Refusal.CANCEL_OPEN: "Đã có yêu cầu hủy khác cho khoản chi này.",
    Refusal.ALREADY_PAID: "Có người đã nhận tiền; không hủy được nữa, xem danh sách phải thu hồi.",
    Refusal.NOT_SENT: "Khoản chi chưa gửi đi; dùng rút khỏi bảng chi.",
    Refusal.NOTHING_TO_CANCEL: "Có người không có khoản chi nào đang trên đường đi.",
    Refusal.CANCEL_UNKNOWN: "Không có yêu cầu hủy này, hoặc đã có người ký thứ hai.",
    Refusal.CANCEL_DISPUTED: "Có khoản đã hủy nhưng bên chi trả lại báo đã trả; giải quyết chênh lệch hoặc rút khỏi bảng chi trước.",
    Refusal.MONTH_JOINED: "Kỳ này được chi cùng với kỳ khác của đơn vị; thực hiện ở kỳ đứng tên.",
    Refusal.MONTH_LEADS: "Kỳ muốn ghép đang đứng tên một bảng chi có kỳ ghép, hoặc là chính kỳ này.",
    Refusal.NOT_JOINED: "Kỳ này không ghép vào bảng chi của kỳ đứng tên.",
    Refusal.ALREADY_BUILT: "Một trong hai kỳ đã lập bảng chi; chỉ ghép hoặc tách được trước lần lập đầu tiên.",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal with what it is about, if anything: the number of lines or people missing, or a place in words."""

    refusal: Refusal
    count: int = 0
    about: str = ""
