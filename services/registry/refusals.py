"""What can become of a statement or a file, as closed words, with the Vietnamese an officer reads. No text here quotes a value."""

from __future__ import annotations

from enum import StrEnum


class Fate(StrEnum):
    """What became of one statement."""

    APPLIED = "applied"
    REPEATED = "repeated"
    STALE = "stale"
    CONFLICT = "conflict"
    REFUSED = "refused"
    NO_PERSON = "no_person"


class RowReason(StrEnum):
    """Why a statement or a row was refused, in order of precedence."""

    MISSING = "MISSING"
    TEXT_BAD = "TEXT_BAD"
    NUMBER_SCIENTIFIC = "NUMBER_SCIENTIFIC"
    NUMBER_BAD = "NUMBER_BAD"
    NUMBER_ZEROS_LOST = "NUMBER_ZEROS_LOST"
    DATE_BAD = "DATE_BAD"
    PERIOD_BAD = "PERIOD_BAD"
    MONEY_BAD = "MONEY_BAD"
    COEFFICIENT_BAD = "COEFFICIENT_BAD"
    CODE_UNKNOWN = "CODE_UNKNOWN"
    AREA_UNKNOWN = "AREA_UNKNOWN"
    AREA_OTHER_TIME = "AREA_OTHER_TIME"
    AREA_NOT_OF_PAYER = "AREA_NOT_OF_PAYER"
    AREA_AMBIGUOUS = "AREA_AMBIGUOUS"
    AREA_SPLIT = "AREA_SPLIT"
    PAYER_OTHER_TIME = "PAYER_OTHER_TIME"
    WORD_UNKNOWN = "WORD_UNKNOWN"
    OWED_INCOMPLETE = "OWED_INCOMPLETE"
    SUM_DIFFERS = "SUM_DIFFERS"
    IDENTITY_TOO_THIN = "IDENTITY_TOO_THIN"
    BANK_UNKNOWN = "BANK_UNKNOWN"
    ACCOUNT_BAD = "ACCOUNT_BAD"
    PERSONAL_UNREADABLE = "PERSONAL_UNREADABLE"
    NUMBER_CLASH = "NUMBER_CLASH"
    PERSON_NOT_OF_PAYER = "PERSON_NOT_OF_PAYER"
    DUPLICATE_ROW = "DUPLICATE_ROW"
    PERSON_DEAD = "PERSON_DEAD"
    PERSON_ALIVE = "PERSON_ALIVE"
    DEATH_IS_LISTED = "DEATH_IS_LISTED"
    PERSON_ERASED = "PERSON_ERASED"
    LIST_CLOSED = "LIST_CLOSED"
    NO_LIVE_ROW = "NO_LIVE_ROW"
    CELLS_TOO_MANY = "CELLS_TOO_MANY"
    TOO_LARGE = "TOO_LARGE"


class RowNote(StrEnum):
    """What an officer should know of a row that was taken all the same."""

    NUMBER_REPAIRED = "NUMBER_REPAIRED"
    NUMBER_MISSING = "NUMBER_MISSING"
    OLD_NUMBER_USED = "OLD_NUMBER_USED"
    OLD_NUMBER_DROPPED = "OLD_NUMBER_DROPPED"
    PHONE_DROPPED = "PHONE_DROPPED"
    ACCOUNT_DROPPED = "ACCOUNT_DROPPED"
    ACCOUNT_REPAIRED = "ACCOUNT_REPAIRED"
    ACCOUNT_AS_NUMBER = "ACCOUNT_AS_NUMBER"
    CANNOT_UNKNOWN = "CANNOT_UNKNOWN"
    PAPER_DROPPED = "PAPER_DROPPED"
    HOLDER_NEEDS_PAPER = "HOLDER_NEEDS_PAPER"
    TEXT_CLEANED = "TEXT_CLEANED"
    AREA_BY_OLD_NAME = "AREA_BY_OLD_NAME"
    AREA_BY_HAMLET = "AREA_BY_HAMLET"
    AREA_BY_DECISION = "AREA_BY_DECISION"
    SEVERAL_FIT = "SEVERAL_FIT"
    NUMBER_NEEDED = "NUMBER_NEEDED"
    STRONGER_ACCOUNT = "STRONGER_ACCOUNT"
    LINE_FROZEN = "LINE_FROZEN"
    ENDED_BEFORE = "ENDED_BEFORE"
    NOT_DEAD = "NOT_DEAD"


class Undone(StrEnum):
    """Why a row ended about which nobody said anything: the file that brought it was undone; its person is another one, who has the row."""

    IMPORT = "import_undone"
    MERGE = "merged"


class FileReason(StrEnum):
    """Why a whole file was refused; nothing of it is taken then."""

    FILE_EMPTY = "FILE_EMPTY"
    FILE_IS_PDF = "FILE_IS_PDF"
    FILE_HAS_PASSWORD = "FILE_HAS_PASSWORD"  # noqa: S105
    FILE_NOT_EXCEL = "FILE_NOT_EXCEL"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    FILE_NOT_UTF8 = "FILE_NOT_UTF8"
    TEXT_CODE_UNKNOWN = "TEXT_CODE_UNKNOWN"
    FILE_QUOTES = "FILE_QUOTES"
    FILE_BEING_TAKEN = "FILE_BEING_TAKEN"
    HEADER_NOT_FOUND = "HEADER_NOT_FOUND"
    HEADER_INCOMPLETE = "HEADER_INCOMPLETE"
    HEADER_TWICE = "HEADER_TWICE"
    SHEETS_SEVERAL = "SHEETS_SEVERAL"
    NO_ROWS = "NO_ROWS"
    PAYER_UNKNOWN = "PAYER_UNKNOWN"
    PAYER_OTHER_TIME = "PAYER_OTHER_TIME"


class CloseReason(StrEnum):
    """Why a list does not close."""

    LIST_EMPTY = "LIST_EMPTY"
    TOTALS_DIFFER = "TOTALS_DIFFER"
    FILE_HALF_TAKEN = "FILE_HALF_TAKEN"
    GONE_UNDECIDED = "GONE_UNDECIDED"


FATE_TEXT: dict[Fate, str] = {
    Fate.APPLIED: "Đã nhận",
    Fate.REPEATED: "Không thay đổi",
    Fate.STALE: "Cũ hơn dữ liệu đang có",
    Fate.CONFLICT: "Mâu thuẫn với bản trước",
    Fate.REFUSED: "Từ chối",
    Fate.NO_PERSON: "Chờ: chưa có người hưởng",
}
DUPLICATE_TEXT = "TRÙNG"
SKIPPED_TEXT = "Bỏ qua"
TOTALS_AGREE_TEXT = "Dòng tổng cộng khớp với các dòng"

ADVICE: dict[RowReason | RowNote | FileReason | CloseReason, str] = {
    RowReason.MISSING: "Ô bắt buộc đang để trống: điền rồi nộp lại dòng này.",
    RowReason.TEXT_BAD: "Ô chứa ký tự không dùng được (ký tự điều khiển, chữ số trong họ tên, hoặc quá dài): gõ lại.",
    RowReason.NUMBER_SCIENTIFIC: "Số bị Excel đổi sang dạng 4.2E+10 và mất chữ số: định dạng cột là Văn bản rồi nhập lại số.",
    RowReason.NUMBER_BAD: "Số định danh phải có 12 chữ số (hoặc CMND cũ 9 chữ số): đối chiếu giấy tờ rồi gõ lại.",
    RowReason.NUMBER_ZEROS_LOST: "Số bị mất số 0 ở đầu và không khôi phục chắc chắn được: định dạng cột là Văn bản rồi nhập lại.",
    RowReason.DATE_BAD: "Ngày không đọc được: ghi dd/mm/yyyy, mm/yyyy hoặc chỉ năm sinh.",
    RowReason.PERIOD_BAD: "Kỳ không đọc được: ghi mm/yyyy, nhiều kỳ cách nhau bằng dấu phẩy.",
    RowReason.MONEY_BAD: "Số tiền phải là số đồng nguyên, không âm, không có phần lẻ.",
    RowReason.COEFFICIENT_BAD: "Hệ số phải là số từ 0 đến 100, nhiều nhất hai chữ số lẻ.",
    RowReason.CODE_UNKNOWN: "Mã nhóm không có trong bảng mã trợ cấp: ghi đúng một mã của trang Mã nhóm trong mẫu danh sách.",
    RowReason.AREA_UNKNOWN: "Tên hoặc mã xã, phường, thị trấn không có trong bảng địa bàn của tỉnh: ghi đúng tên hoặc mã 5 chữ số.",
    RowReason.AREA_OTHER_TIME: "Xã, phường, thị trấn này không có vào kỳ của danh sách: ghi tên đơn vị của đúng thời điểm.",
    RowReason.AREA_NOT_OF_PAYER: "Xã, phường, thị trấn này thuộc đơn vị chi trả khác: chuyển dòng sang danh sách của đơn vị đó.",
    RowReason.AREA_AMBIGUOUS: "Có hai đơn vị cùng tên trong địa bàn: ghi đủ xã, phường hoặc thị trấn.",
    RowReason.AREA_SPLIT: "Đơn vị cũ này đã chia về nhiều đơn vị mới: dòng được giữ lại chờ cán bộ quyết định; hoặc ghi tên mới.",
    RowReason.PAYER_OTHER_TIME: "Đơn vị chi trả này không lập danh sách của kỳ đó (huyện đến hết 6/2025, xã từ 7/2025).",
    RowReason.WORD_UNKNOWN: "Từ ghi trong ô không nằm trong các từ được dùng ở cột này: xem trang Hướng dẫn của mẫu danh sách.",
    RowReason.OWED_INCOMPLETE: "Tiền của kỳ trước phải ghi đủ cả kỳ và số tiền: điền nốt hoặc xóa cả hai.",
    RowReason.SUM_DIFFERS: "Tổng cộng của dòng không bằng tổng các khoản: sửa khoản sai hoặc ô tổng rồi nộp lại dòng này.",
    RowReason.IDENTITY_TOO_THIN: "Không đủ để biết là ai: cần số định danh, CMND cũ hoặc ngày sinh.",
    RowReason.BANK_UNKNOWN: "Không nhận ra ngân hàng: ghi mã BIN 6 chữ số hoặc tên thường dùng.",
    RowReason.ACCOUNT_BAD: "Số tài khoản chỉ gồm chữ và số, tối đa 30 ký tự; tên chủ tài khoản phải có.",
    RowReason.PERSONAL_UNREADABLE: "Phần thông tin cá nhân không mở được hoặc sai khuôn: bên gửi kiểm tra khóa và khuôn dữ liệu.",
    RowReason.NUMBER_CLASH: (
        "Số định danh này đang thuộc về người có họ tên khác: đối chiếu số, họ tên, ngày sinh với giấy tờ; chưa rõ thì để trống ô số."
    ),
    RowReason.PERSON_NOT_OF_PAYER: (
        "Người này thuộc danh sách của đơn vị chi trả khác: gửi dòng cho đơn vị đó, hoặc nộp lại khi đã có trong danh sách của mình."
    ),
    RowReason.DUPLICATE_ROW: "TRÙNG: người này đã có dòng với cùng nội dung chi trả trong kỳ; chỉ chi một lần.",
    RowReason.PERSON_DEAD: (
        "Người này đã được ghi nhận mất trước kỳ chi trả: chỉ nhận tiền còn nợ đến hết tháng mất, hoặc tiền mai táng với mã MT-..."
    ),
    RowReason.PERSON_ALIVE: "Chưa ghi nhận người này đã mất: báo mất trước rồi nộp lại dòng tiền mai táng.",
    RowReason.DEATH_IS_LISTED: (
        "Danh sách đang mở còn dòng tiền mai táng hoặc trợ cấp khi mất của người này: kết thúc dòng đó trước, rồi mới bỏ ghi nhận đã mất."
    ),
    RowReason.PERSON_ERASED: "Dữ liệu cá nhân của hồ sơ này đã được xoá: chỉ việc ghi danh mới bắt đầu lại được.",
    RowReason.LIST_CLOSED: "Danh sách của kỳ này đã chốt: đưa vào kỳ sau.",
    RowReason.NO_LIVE_ROW: "Không có dòng nào đang hiệu lực để thay đổi hoặc kết thúc.",
    RowReason.TOO_LARGE: "Số thứ tự (source_sequence) hoặc số dòng công bố lớn hơn mức hệ thống ghi được: bên gửi đánh số lại.",
    RowReason.CELLS_TOO_MANY: "Dòng có nhiều ô hơn dòng tiêu đề: ô chứa dấu phân cách phải đặt trong ngoặc kép.",
    RowNote.NUMBER_REPAIRED: "Đã thêm lại số 0 ở đầu số định danh.",
    RowNote.NUMBER_MISSING: "Chưa có số định danh.",
    RowNote.OLD_NUMBER_USED: "Mới có CMND cũ 9 số.",
    RowNote.OLD_NUMBER_DROPPED: "Số CMND cũ không đúng 9 chữ số, không dùng.",
    RowNote.PHONE_DROPPED: "Số điện thoại không đúng, không dùng.",
    RowNote.ACCOUNT_DROPPED: "Tài khoản ghi thiếu hoặc sai, không dùng; trả tiền mặt.",
    RowNote.ACCOUNT_REPAIRED: "Đã thêm lại số 0 ở đầu số tài khoản.",
    RowNote.ACCOUNT_AS_NUMBER: "Số tài khoản lưu dạng số, có thể thiếu số 0 ở đầu.",
    RowNote.CANNOT_UNKNOWN: "Lý do bất khả kháng không có trong bảng, không dùng.",
    RowNote.PAPER_DROPPED: (
        "Giấy ủy quyền ghi thiếu số, ngày không đọc được, hoặc phạm vi không rõ (tiền mặt, tài khoản, cả hai): giấy này không dùng."
    ),
    RowNote.HOLDER_NEEDS_PAPER: (
        "Chủ tài khoản không phải người hưởng và chưa có giấy ủy quyền nhận qua tài khoản còn hiệu lực: tiền trả qua bưu điện."
    ),
    RowNote.TEXT_CLEANED: "Đã bỏ ký tự ẩn.",
    RowNote.AREA_BY_OLD_NAME: "Ghi theo tên hoặc mã cũ: đã chuyển sang đơn vị mới.",
    RowNote.AREA_BY_HAMLET: "Ghi theo đơn vị cũ đã chia: đã chuyển sang đơn vị mới theo thôn, tổ dân phố.",
    RowNote.AREA_BY_DECISION: "Ghi theo đơn vị cũ đã chia: đơn vị mới theo quyết định của cán bộ.",
    RowNote.SEVERAL_FIT: "Có nhiều người giống nhau: lập hồ sơ mới, cần cán bộ kiểm tra.",
    RowNote.NUMBER_NEEDED: (
        "Chưa biết chắc là ai: không có số định danh mà ngày sinh không đủ, có nhiều người cùng họ tên, ngày sinh, hoặc người đó ở xã, "
        "đơn vị chi trả khác: ghi số định danh rồi nộp lại."
    ),
    RowNote.STRONGER_ACCOUNT: "Giữ tài khoản từ nguồn tin cậy hơn.",
    RowNote.LINE_FROZEN: "Danh sách đã chốt: số tiền không đổi trong kỳ này.",
    RowNote.ENDED_BEFORE: "Dòng này đã kết thúc trước đó.",
    RowNote.NOT_DEAD: "Không ghi nhận người này đã mất nên không có gì để bỏ; nếu dòng đã kết thúc vì lý do khác, nộp lại tệp có dòng đó.",
    FileReason.FILE_EMPTY: "Tệp rỗng: kiểm tra đã chọn đúng tệp.",
    FileReason.FILE_IS_PDF: "Đây là tệp PDF đổi đuôi, không phải bảng tính: nộp tệp Excel (.xlsx).",
    FileReason.FILE_HAS_PASSWORD: "Tệp đặt mật khẩu: bỏ mật khẩu rồi nộp lại.",
    FileReason.FILE_NOT_EXCEL: "Tệp không phải bảng tính (.xlsx, .xls, .ods) hoặc CSV, hoặc bị hỏng: mở bằng Excel, lưu lại dạng .xlsx.",
    FileReason.FILE_TOO_LARGE: "Tệp quá lớn: lưu dạng CSV UTF-8, hoặc chia theo xã rồi nộp từng phần.",
    FileReason.FILE_NOT_UTF8: "Tệp CSV không ghi bằng UTF-8 và không nhận ra bảng mã: trong Excel chọn Lưu thành, CSV UTF-8, rồi nộp lại.",
    FileReason.TEXT_CODE_UNKNOWN: "Chữ trong cột họ tên không phải Unicode, TCVN3 hay VNI: chuyển sang Unicode rồi nộp lại.",
    FileReason.FILE_QUOTES: "Dấu ngoặc kép trong tệp CSV không khép lại hoặc đứng sai chỗ: sửa dòng này rồi nộp lại.",
    FileReason.FILE_BEING_TAKEN: "Tệp này đang được nhận hoặc đã có tệp mới hơn thay: chờ xong rồi xem kết quả.",
    FileReason.HEADER_NOT_FOUND: (
        "Không tìm thấy dòng tiêu đề trong 20 dòng đầu của trang tính đầu tiên đang hiện: đặt tên cột như mẫu danh sách."
    ),
    FileReason.HEADER_INCOMPLETE: (
        "Dòng tiêu đề thiếu cột bắt buộc: thêm cột như mẫu danh sách, hoặc khai tên cột của đơn vị bằng lệnh: ansinh lists columns."
    ),
    FileReason.HEADER_TWICE: "Dòng tiêu đề có hai cột cùng một nội dung: bỏ bớt một cột.",
    FileReason.SHEETS_SEVERAL: (
        "Tệp có nhiều trang tính là danh sách, mỗi tệp chỉ nhận một: lưu mỗi trang thành một tệp, hoặc gộp về một trang; "
        "trang không nộp thì xóa hoặc ẩn."
    ),
    FileReason.NO_ROWS: "Dưới dòng tiêu đề không có dòng nào: kiểm tra đã chọn đúng tệp và đúng trang tính đầu tiên đang hiện.",
    FileReason.PAYER_UNKNOWN: "Chưa có địa bàn của đơn vị chi trả này: kiểm tra mã đơn vị, ví dụ huyen-444 hoặc xa-18073.",
    FileReason.PAYER_OTHER_TIME: "Đơn vị chi trả này không lập danh sách của kỳ đó (huyện đến hết 6/2025, xã từ 7/2025).",
    CloseReason.LIST_EMPTY: "Danh sách chưa có dòng nào đang hiệu lực: nhập danh sách trước khi chốt.",
    CloseReason.FILE_HALF_TAKEN: "Một tệp của danh sách này mới nhận được một phần: nộp lại đúng tệp đó để nhận nốt.",
    CloseReason.GONE_UNDECIDED: "Có dòng vắng mặt trong danh sách đầy đủ mới nhất chưa được quyết định giữ lại hay kết thúc.",
    CloseReason.TOTALS_DIFFER: "Số dòng hoặc số tiền không khớp với tổng mà nơi gửi công bố: đợi nhận đủ hoặc hỏi nơi gửi, rồi chốt lại.",
}
TOTALS_DIFFER = "TOTALS_ROW_DIFFERS"
TOTALS_DIFFER_ADVICE = "Dòng tổng cộng không bằng tổng các dòng của cột này: kiểm tra có dòng bị xóa hoặc thêm."


class NotAList(Exception):
    """A file that is not a list. Raised before anything was taken. `where` names row and columns, never a value."""

    def __init__(self, reason: FileReason, where: str = "") -> None:
        """Keep the code and the place."""
        super().__init__(reason)
        self.reason = reason
        self.where = where

    @property
    def advice(self) -> str:
        """What the officer reads."""
        return " ".join(filter(None, (ADVICE[self.reason], self.where)))
