"""What passes on a wire, read without changing it: where a PostgreSQL COMMIT is, what Kafka clients ask of acknowledgement and isolation.

Pure. Each reader is fed the bytes one client sends, in any pieces, and says what it recognised.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

COMMIT = "commit"
POST = "post"
HEAD_MAX = 400
_STARTUP_V3 = 196_608
_PRODUCE, _FETCH = 0, 1
_FLEXIBLE_PRODUCE, _FLEXIBLE_FETCH = 9, 12


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing of interest: `commit`, `post`, `produce` (value: acks) or `fetch` (value: isolation level, 1 is read_committed)."""

    what: str
    value: int = 0


class Heads:
    """Cuts a stream of length-prefixed frames and gives the first bytes of each, however the stream was split."""

    def __init__(self, prefix: int) -> None:
        """`prefix`: bytes before the four length bytes (PostgreSQL's type byte); the length counts itself there, not in Kafka."""
        self.prefix = prefix
        self._head = b""
        self._rest = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Frames whose first bytes are complete now."""
        while data:
            if self._rest:
                skipped = min(self._rest, len(data))
                self._rest -= skipped
                data = data[skipped:]
                continue
            taken = data[: self._missing()]
            self._head += taken
            data = data[len(taken) :]
            if not self._missing():
                self._rest = self._size() - len(self._head)
                head, self._head = self._head, b""
                yield head

    def _size(self) -> int:
        (length,) = struct.unpack_from(">I", self._head, self.prefix)
        return int(length) + (self.prefix if self.prefix or self._counts_itself else 4)

    _counts_itself = False

    def _missing(self) -> int:
        if len(self._head) < self.prefix + 4:
            return self.prefix + 4 - len(self._head)
        return min(self._size(), HEAD_MAX) - len(self._head)


class _Untyped(Heads):
    _counts_itself = True


class PostgresReader:
    """Finds the COMMIT of a client, sent as a simple query or parsed for an extended one."""

    def __init__(self) -> None:
        """The first messages have no type."""
        self._untyped: Heads | None = _Untyped(0)
        self._typed = Heads(1)

    def feed(self, data: bytes) -> Iterator[Seen]:
        """Commits that begin in this piece."""
        if self._untyped is not None:
            for head in self._untyped.feed(data):
                if struct.unpack_from(">I", head, 4)[0] == _STARTUP_V3:
                    self._untyped = None  # a client waits for the server before it sends more: nothing is left of this piece
                    break
            return
        for head in self._typed.feed(data):
            if _is_commit(head):
                yield Seen(COMMIT)


def _is_commit(head: bytes) -> bool:
    kind, text = head[:1], head[5:]
    if kind == b"P":  # statement name, then the query
        text = text.partition(b"\0")[2]
    return kind in (b"Q", b"P") and text.lstrip()[:6].upper() == b"COMMIT"


class KafkaReader:
    """Finds `acks` of produce requests and the isolation level of fetch requests."""

    def __init__(self) -> None:
        """Requests are length-prefixed."""
        self._frames = Heads(0)

    def feed(self, data: bytes) -> Iterator[Seen]:
        """Produce and fetch requests that begin in this piece."""
        for head in self._frames.feed(data):
            seen = _kafka_request(head[4:])
            if seen:
                yield seen


def _kafka_request(body: bytes) -> Seen | None:
    key, version, _correlation, name_length = struct.unpack_from(">hhih", body)
    place = 10 + max(name_length, 0)
    if key == _PRODUCE:
        if version >= _FLEXIBLE_PRODUCE:
            place += 1  # no tagged fields in the header
            place += max(body[place] - 1, 0) + 1
        elif version >= 3:
            place += 2 + max(struct.unpack_from(">h", body, place)[0], 0)
        return Seen("produce", struct.unpack_from(">h", body, place)[0])
    if key == _FETCH and version >= 4:
        place += 1 if version >= _FLEXIBLE_FETCH else 0
        before = 12 if version >= 15 else 16  # replica id (until 14), longest wait, fewest and most bytes
        return Seen("fetch", body[place + before])
    return None


class HttpReader:
    """Finds POST requests that begin a piece, which is how a client's buffer leaves."""

    def feed(self, data: bytes) -> Iterator[Seen]:
        """One POST at most."""
        if data.startswith(b"POST "):
            yield Seen(POST)
