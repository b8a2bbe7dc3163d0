"""A text file that is not UTF-8: which encoding its words speak for, and the same text in UTF-8 beside it. Files in and out.

Told by words, not by bytes: of the words with other letters than ASCII nearly all must be Vietnamese syllables under one encoding and under
no other. A file whose letters were already lost (`Nguy?n`) or of which two encodings make sense is not converted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.registry.legacy_text import ENOUGH, MARGIN, TextCode, decoded, share, words_of
from shared.crashing import point

_SAMPLE_BYTES = 1 << 18
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Kind:
    """An encoding: bytes to letters by `codec`, and letters of before Unicode by `code`."""

    name: str
    codec: str
    code: TextCode | None = None

    def unicode(self, text: str) -> str:
        """What `codec` made of the bytes, in Unicode."""
        return decoded(text, self.code) if self.code else text


UTF16 = Kind("UTF-16", "utf-16")
# TCVN3 and VNI were typed under Western Windows: their bytes read as its letters are what the tables of `legacy_text` hold.
_BY_WORDS = (
    Kind("Windows-1258", "cp1258"),
    Kind("TCVN3", "cp1252", TextCode.TCVN3),
    Kind("VNI", "cp1252", TextCode.VNI),
)


def kind_of(path: Path) -> Kind | None:
    """The encoding of a file that is not UTF-8; None where none fits the whole file, or more than one fits its words."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    if sample.startswith(_UTF16_MARKS):
        return UTF16 if _is_whole(path, UTF16) else None
    scored = sorted(((_score(sample, kind), place) for place, kind in enumerate(_BY_WORDS)), reverse=True)
    (best, place), (second, _) = scored[:2]
    kind = _BY_WORDS[place]
    return kind if best >= ENOUGH and best - second >= MARGIN and _is_whole(path, kind) else None


def copy_of(path: Path) -> Path:
    """Where a file lies in UTF-8, if it had to be converted."""
    return path.with_name(f"{path.name}.utf8")


def as_utf8(path: Path, kind: Kind) -> Path:
    """The file in UTF-8, beside it, line by line in constant memory. Whoever asked for it throws it away."""
    target = copy_of(path)
    point("list_in_utf8.before_write")
    with target.open("w", encoding="utf-8", newline="") as written:
        written.writelines(kind.unicode(line) for line in _lines(path, kind))
    point("list_in_utf8.after_write")
    return target


def _score(sample: bytes, kind: Kind) -> int:
    """Per cent of telling words that are syllables. A word cut off at the end of the sample is one of thousands."""
    try:
        text = sample.decode(kind.codec)
    except UnicodeDecodeError:
        return 0
    # What tells is what is not ASCII in the file, whatever an encoding makes of it.
    return share(words_of(text), kind.code)


def _is_whole(path: Path, kind: Kind) -> bool:
    try:
        return all(True for _ in _lines(path, kind))
    except UnicodeError:
        return False


def _lines(path: Path, kind: Kind) -> Iterator[str]:
    with path.open(encoding=kind.codec, newline="") as file:
        yield from file
