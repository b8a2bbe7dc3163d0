"""Benefit codes a list may use, and the family of law of each (domain 1.2, 1.3: codes are ours, no official list was found). Pure."""

from __future__ import annotations

import re

from shared.after_death import ON_DEATH
from shared.words import Programme

_ASSISTANCE = (
    "BT-1a", "BT-1b", "BT-2", "BT-3a", "BT-3b", "BT-4", "BT-5a1", "BT-5a2", "BT-5b", "BT-5c", "BT-5d", "BT-6a", "BT-6b", "BT-6c",
    "BT-6d", "BT-7", "BT-8", "CS-BT6", "CS-BT1",
)  # fmt: skip
_MERIT = ("NCC-BM", "NCC-BM-PC", "NCC-BM-PV", "NCC-LS1", "NCC-LS2", "NCC-LS3", "NCC-LS-ND", "NCC-AH")
_MERIT_BY_LOSS = re.compile(r"NCC-(TB|BB)-(2[1-9]|[3-9][0-9]|100)")
_PENSION = ("HT-1", "HT-2")
_GIFT = re.compile(r"TET-20[0-9]{2}-(BT|NCC|HT)")  # a gift of a year, by the law of the benefit the person has
_GIFT_OF = {"BT": Programme.SOCIAL_ASSISTANCE, "NCC": Programme.MERIT, "HT": Programme.SOCIAL_PENSION}

_KNOWN = {
    code.casefold(): (code, programme)
    for codes, programme in (
        (_ASSISTANCE, Programme.SOCIAL_ASSISTANCE),
        (_MERIT, Programme.MERIT),
        (_PENSION, Programme.SOCIAL_PENSION),
    )
    for code in codes
} | {code.casefold(): (code, programme) for code, programme in ON_DEATH.items()}


def benefit_code(written: str) -> tuple[str, Programme] | None:
    """The code as we write it and its programme; None for a code nobody knows. Case and spaces do not matter."""
    bare = written.replace(" ", "")
    known = _KNOWN.get(bare.casefold())
    if known is None and _MERIT_BY_LOSS.fullmatch(bare.upper()):
        return bare.upper(), Programme.MERIT
    gift = _GIFT.fullmatch(bare.upper())
    return (bare.upper(), _GIFT_OF[gift[1]]) if gift else known


def written_codes() -> list[tuple[str, Programme]]:
    """Every code a list may use, as a list officer reads it, with its programme; the families that carry a number say which."""
    families = [("NCC-TB-21 ... NCC-TB-100", Programme.MERIT), ("NCC-BB-21 ... NCC-BB-100", Programme.MERIT)]
    return [*_KNOWN.values(), *families, *((f"TET-2024-{law} (năm, loại)", programme) for law, programme in _GIFT_OF.items())]
