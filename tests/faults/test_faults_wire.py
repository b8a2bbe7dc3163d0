"""The readers of the wire, on bytes written by hand and cut into every kind of pieces."""

import struct

import pytest

from tests.faults.wire import COMMIT, HttpReader, KafkaReader, PostgresReader, Seen

STARTUP = struct.pack(">II", 8 + 9, 196_608) + b"user\0an\0\0"
SSL = struct.pack(">II", 8, 80_877_103)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


def kafka(key: int, version: int, body: bytes, name: bytes = b"aiokafka") -> bytes:
    head = struct.pack(">hhih", key, version, 7, len(name)) + name
    return struct.pack(">I", len(head + body)) + head + body


def said(reader, data: bytes, size: int) -> list[Seen]:
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return [seen for piece in pieces for seen in reader.feed(piece)]


@pytest.mark.parametrize("size", [1, 3, 7, 10_000])
@pytest.mark.parametrize(
    ("sent", "commits"),
    [
        (message(b"Q", b"COMMIT;\0"), 1),
        (message(b"Q", b"BEGIN;\0") + message(b"Q", b"commit\0"), 1),
        (message(b"P", b"\0COMMIT\0\0\0") + message(b"S", b""), 1),
        (message(b"P", b"\0SELECT 'COMMIT'\0\0\0"), 0),
        (message(b"B", b"x" * 5_000) + message(b"Q", b"COMMIT;\0") + message(b"X", b""), 1),
        (message(b"d", b"QCOMMIT;\0"), 0),
    ],
)
def test_commit_is_found(sent, commits, size):
    reader = PostgresReader()
    assert said(reader, SSL, size) == said(reader, STARTUP, size) == []
    assert said(reader, sent, size) == [Seen(COMMIT)] * commits


@pytest.mark.parametrize("size", [1, 5, 10_000])
@pytest.mark.parametrize("acks", [-1, 0, 1])
def test_acks_are_found(acks, size):
    records = b"\xff" * 3_000
    plain = kafka(0, 7, struct.pack(">hhi", -1, acks, 30_000) + records)
    transactional = kafka(0, 3, struct.pack(">h", 4) + b"tx-1" + struct.pack(">hi", acks, 30_000) + records)
    flexible = kafka(0, 9, b"\0" + b"\0" + struct.pack(">hi", acks, 30_000) + records)
    assert said(KafkaReader(), plain + transactional + flexible, size) == [Seen("produce", acks)] * 3


@pytest.mark.parametrize("isolation", [0, 1])
def test_isolation_is_found(isolation):
    old = kafka(1, 4, struct.pack(">iiiib", -1, 500, 1, 52_428_800, isolation) + b"topics")
    flexible = kafka(1, 12, b"\0" + struct.pack(">iiiib", -1, 500, 1, 52_428_800, isolation) + b"topics")
    newest = kafka(1, 15, b"\0" + struct.pack(">iiib", 500, 1, 52_428_800, isolation) + b"topics")
    other = kafka(3, 1, b"metadata")
    assert said(KafkaReader(), old + other + flexible + newest, 9) == [Seen("fetch", isolation)] * 3


def test_nameless_client_is_read():
    head = struct.pack(">hhih", 0, 7, 7, -1)
    body = struct.pack(">hhi", -1, 1, 30_000)
    assert list(KafkaReader().feed(struct.pack(">I", len(head + body)) + head + body)) == [Seen("produce", 1)]


def test_post_is_found():
    assert list(HttpReader().feed(b"POST /v1/messages HTTP/1.1\r\n")) == [Seen("post")]
    assert list(HttpReader().feed(b"GET /health HTTP/1.1\r\n")) == []
