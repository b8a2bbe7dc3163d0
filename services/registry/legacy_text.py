"""Vietnamese text of before Unicode: TCVN3 (fonts .Vn...) and VNI told apart from Unicode and turned into it. Pure.

Such text looks like Western letters (`NguyÔn` is Nguyễn in TCVN3). Which code a column is written in shows in many words at once: of the
words with other letters than ASCII nearly all must be Vietnamese syllables under one code and not without it. No maintained library was
found (docs/decisions/0017-three-doors-one-path.md); the two tables are facts of the codes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

ENOUGH, FEW, MARGIN = 80, 50, 30
"""Per cent of words that must be syllables under a code; below which text is of no code we know; by which a code must be better."""
SURE_WORDS = 20  # fewer say nothing against Unicode: names of other peoples are no Vietnamese syllables


class TextCode(StrEnum):
    """A code of before Unicode."""

    TCVN3 = "TCVN3"
    VNI = "VNI"


_GRAVE, _ACUTE, _TILDE, _HOOK, _DOT = "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"
_TONES = (_GRAVE, _ACUTE, _HOOK, _TILDE, _DOT)
# By vowel: the letter of TCVN3 for grave, acute, hook, tilde, dot.
_TCVN3_VOWELS = {
    "a": "µ¸¶·¹", "ă": "»¾¼½Æ", "â": "ÇÊÈÉË", "e": "ÌÐÎÏÑ", "ê": "ÒÕÓÔÖ", "i": "×ÝØÜÞ", "o": "ßãáâä", "ô": "åèæçé", "ơ": "êíëìî",
    "u": "ïóñòô", "ư": "õøö÷ù", "y": "úýûüþ",
}  # fmt: skip
_TCVN3_LETTERS = dict(zip("¨©®ª«¬\u00ad¡¢§£¤¥¦", "ăâđêôơưĂÂĐÊÔƠƯ", strict=True))
# The sign of VNI that follows a vowel for grave, acute, hook, tilde, dot: alone, with a circumflex, with a breve.
_VNI_PLAIN, _VNI_CIRCUMFLEX, _VNI_BREVE = "øùûõï", "àáåãä", "èéúüë"
_VNI_LETTERS = {"ì": "ì", "í": "í", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "ô": "ơ", "ö": "ư", "î": "ỵ", "ñ": "đ"}
_BREAKS = re.compile(r"[\x00-\x40\x5b-\x60\x7b-\x7f\s\u2000-\u206f\ufeff]+")


def _toned(vowel: str, tone: str) -> str:
    return unicodedata.normalize("NFC", vowel + tone)


def _tcvn3() -> dict[str, str]:
    toned = {sign: _toned(v, tone) for v, signs in _TCVN3_VOWELS.items() for sign, tone in zip(signs, _TONES, strict=True)}
    return _TCVN3_LETTERS | toned


def _vni() -> dict[str, str]:
    pairs = {v + sign: _toned(v, tone) for v in "aeouy" for sign, tone in zip(_VNI_PLAIN, _TONES, strict=True)}
    pairs |= {w + sign: _toned(v, tone) for w, v in ("ôơ", "öư") for sign, tone in zip(_VNI_PLAIN, _TONES, strict=True)}
    for vowels, base, signs in (("aeo", "â", _VNI_CIRCUMFLEX), ("a", "ê", _VNI_BREVE)):
        hat = "\u0302" if base == "â" else "\u0306"
        for vowel in vowels:
            pairs[vowel + base] = _toned(vowel, hat)
            pairs |= {vowel + sign: _toned(_toned(vowel, hat), tone) for sign, tone in zip(signs, _TONES, strict=True)}
    pairs |= _VNI_LETTERS
    upper = {old.upper(): new.upper() for old, new in pairs.items()}
    return pairs | upper


TABLES: dict[TextCode, dict[str, str]] = {TextCode.TCVN3: _tcvn3(), TextCode.VNI: _vni()}
"""By code: what stands there, one letter or two, and the letter it is."""
_PATTERNS = {code: re.compile("|".join(map(re.escape, sorted(t, key=len, reverse=True)))) for code, t in TABLES.items()}


@lru_cache(maxsize=20_000)
def decoded(text: str, code: TextCode) -> str:
    """The text in Unicode. Words typed in capitals come out in capitals: TCVN3 has no accented ones of its own."""
    if text.isascii():
        return text
    table = TABLES[code]
    plain = _PATTERNS[code].sub(lambda found: table[found[0]], text)
    shown = [char for char in text if char.isascii() and char.isalpha()]
    return plain.upper() if shown and all(char.isupper() for char in shown) and len(shown) > 1 else plain


def code_of(texts: Iterable[str]) -> tuple[TextCode | None, bool]:
    """(the code these texts are written in, None for Unicode; whether that is sure). Not sure: of no code we know."""
    words = [word for text in texts for word in words_of(text)]
    if not words:
        return None, True
    as_is = share(words)
    best, code = max((share(words, code), code) for code in TextCode)
    if as_is < ENOUGH <= best and best - as_is >= MARGIN:
        return code, True
    return None, as_is >= FEW or len(words) < SURE_WORDS


def is_unicode(texts: Iterable[str]) -> bool:
    """Whether nothing in these texts speaks against Unicode."""
    words = [word for text in texts for word in words_of(text)]
    return not words or share(words) >= ENOUGH


def words_of(text: str) -> list[str]:
    """The words with other letters than ASCII: the ones that tell."""
    return [] if text.isascii() else [word for word in _BREAKS.split(text) if word and not word.isascii()]


def share(words: Iterable[str], code: TextCode | None = None) -> int:
    """Per cent of words that are Vietnamese syllables under a code; 0 of none."""
    told = [_fits(word, code) if code else is_syllable(word) for word in words]
    return 100 * sum(told) // len(told) if told else 0


def _fits(word: str, code: TextCode) -> bool:
    """A letter that the code does not have speaks against it, whatever the rest would be."""
    return _PATTERNS[code].sub("", word).isascii() and is_syllable(decoded(word, code))


@lru_cache(maxsize=20_000)
def is_syllable(word: str) -> bool:
    """Whether a word is a Vietnamese syllable by its letters: at most one tone, a beginning and a rime that exist."""
    apart = unicodedata.normalize("NFD", word.casefold())
    tones = sum(char in _TONES for char in apart)
    bare = unicodedata.normalize("NFC", "".join(char for char in apart if char not in _TONES))
    return tones <= 1 and _SYLLABLE.fullmatch(bare) is not None


_INITIALS = "ngh ng nh gh gi kh ph qu th tr ch b c d đ g h k l m n p q r s t v x"
_RIMES = """
a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu
i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong ooc oong op ot
ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
u ua uân uâng uât uây uc uê uêch uênh ui um un ung uơ uôc uôi uôm uôn uông uôt up ut uy uya uych uyên uyêt uynh uyp uyt uyu
ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y ych yên yêm yêng yêt yêu ynh yt
"""
_SYLLABLE = re.compile(f"(?:{'|'.join(_INITIALS.split())})?(?:{'|'.join(_RIMES.split())})")
