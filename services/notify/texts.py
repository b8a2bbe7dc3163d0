"""What a text says, and how many parts it costs. Pure.

Public-service notices in our own words: no amount, health group, link, bank name or person's name; the commune office is the contact.
Unaccented wording is written to stay readable without its marks, not made by stripping them. Lengths: GSM 03.38 (3GPP TS 23.038) and
UCS-2, concatenated parts by 3GPP TS 23.040.
"""

from __future__ import annotations

from dataclasses import dataclass

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")  # each costs an escape and itself
GSM_SINGLE, GSM_PART = 160, 153
UCS_SINGLE, UCS_PART = 70, 67

_ACCENTED = (
    "UBND xã mời ông/bà (hoặc người thân) đến mở và đăng ký tài khoản nhận trợ cấp hằng tháng: miễn phí, tiền về đúng ngày, không "
    "phải đi xa chờ đợi. Cần giúp xin gặp cán bộ UBND xã. Không ai được hỏi mã xác nhận của ông/bà.",
    "UBND xã nhắc: ông/bà chưa đăng ký tài khoản nhận trợ cấp hằng tháng. Cán bộ có thể đến tận nhà giúp, không mất phí. Có thể ủy "
    "quyền cho người thân. Xin liên hệ UBND xã.",
    "UBND xã nhắc lần nữa việc đăng ký tài khoản nhận trợ cấp hằng tháng. Nếu không thể dùng tài khoản, ông/bà vẫn nhận tiền mặt như "
    "trước; xin báo UBND xã để không nhắc thêm.",
)
_PLAIN = (
    "UBND xa moi ong ba den dang ky tai khoan nhan tro cap hang thang: mien phi, nhan tien dung ngay. Xin gap can bo UBND xa. "
    "Khong ai duoc hoi ma xac nhan.",
    "UBND xa nhac ong ba dang ky tai khoan nhan tro cap hang thang. Can bo giup tai nha, mien phi, co the uy quyen cho nguoi than. "
    "Xin lien he UBND xa.",
    "UBND xa nhac lai viec dang ky tai khoan nhan tro cap. Ai khong the dung tai khoan van nhan tien mat. Xin bao UBND xa de khong "
    "nhan tin nhac nua.",
)


@dataclass(frozen=True, slots=True)
class Wording:
    """One text as it will be sent."""

    text: str
    accented: bool
    parts: int


def wording(campaign_round: int, *, parts_max: int) -> Wording:
    """The round's text: with accents where that costs at most `parts_max` parts, else the unaccented one. Rounds after the last
    wording repeat the last."""
    accented = render(campaign_round, accented=True)
    if parts_of(accented) <= parts_max:
        return Wording(accented, True, parts_of(accented))
    plain = render(campaign_round, accented=False)
    return Wording(plain, False, parts_of(plain))


def render(campaign_round: int, *, accented: bool) -> str:
    """The words of one round."""
    texts = _ACCENTED if accented else _PLAIN
    return texts[min(campaign_round, len(texts)) - 1]


def is_gsm(text: str) -> bool:
    """Whether every letter is in GSM-7; one that is not turns the whole text to UCS-2."""
    return GSM_BASIC.issuperset(text) or (GSM_BASIC | GSM_EXTENSION).issuperset(text)


def parts_of(text: str) -> int:
    """How many parts a text is sent in. An escape pair or a surrogate pair is never cut in two."""
    if is_gsm(text):
        return _parts([2 if char in GSM_EXTENSION else 1 for char in text], GSM_SINGLE, GSM_PART)
    return _parts([2 if ord(char) > 0xFFFF else 1 for char in text], UCS_SINGLE, UCS_PART)


def _parts(costs: list[int], single: int, part: int) -> int:
    if sum(costs) <= single:
        return 1
    count, used = 1, 0
    for cost in costs:
        if used + cost > part:
            count, used = count + 1, 0
        used += cost
    return count
