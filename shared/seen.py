"""A set of keyed digests that stays small: eight bytes for each, because a list may have a million rows. Pure."""

from __future__ import annotations

from array import array


class Seen:
    """Open addressing over an array of 64-bit numbers, at most half full."""

    def __init__(self) -> None:
        """Empty."""
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, digest: bytes) -> bool:
        """Whether these 32 bytes were there before. Two of a million agree in 64 bits with a probability below 10^-7."""
        if 2 * self._count >= len(self._slots):
            self._grow()
        key = int.from_bytes(digest[:8], "little") or 1
        place = self._place(key)
        if self._slots[place]:
            return True
        self._slots[place] = key
        self._count += 1
        return False

    def _place(self, key: int) -> int:
        place = key % len(self._slots)
        while self._slots[place] not in (0, key):
            place = (place + 1) % len(self._slots)
        return place

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("Q", bytes(8 * 2 * len(old)))
        for key in old:
            if key:
                self._slots[self._place(key)] = key
