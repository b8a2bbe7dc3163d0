"""Identities: what each id is, how it is made, and which are derived so that a restore makes the same one again."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable
from functools import lru_cache
from typing import NewType

from asyncpg.pgproto.pgproto import UUID  # a uuid.UUID, made and written several times as fast; the driver gives the same

BeneficiaryId = NewType("BeneficiaryId", uuid.UUID)
"""Random, made once when registry first meets a person; the only name a person has outside sealed blocks."""

EntitlementId = NewType("EntitlementId", uuid.UUID)
"""Derived from period, payer, source and record: closing the same list again names the same line."""

BatchId = NewType("BatchId", uuid.UUID)
InstructionId = NewType("InstructionId", uuid.UUID)
EndToEndId = NewType("EndToEndId", str)

_NAMESPACE = uuid.UUID("6f6f3d0e-3f7b-5d0b-9a3e-0a5c1b4f7e21")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
END_TO_END_LENGTH = 16
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SINGLE = {char: value for value, char in enumerate(_ALPHABET)}
_DOUBLED = {char: value * 2 // 32 + value * 2 % 32 for char, value in _SINGLE.items()}
_PAIR_CHECKS = [_DOUBLED[pair[0]] + _SINGLE[pair[1]] for pair in _PAIRS]
_PAIR_SHIFTS = range(70, 0, -10)
_SHA256_BLOCK = 64


def random_id() -> uuid.UUID:
    """A fresh random id (UUID version 4)."""
    return _versioned(os.urandom(16), 4)


def derived_id(kind: str, *parts: object) -> uuid.UUID:
    """The same parts always give the same id (UUID version 5). `kind` keeps two kinds of thing apart."""
    return _versioned(hashlib.sha1(_named(kind, *parts), usedforsecurity=False).digest()[:16], 5)


def _named(kind: str, *parts: object) -> bytes:
    return _NAMESPACE.bytes + "\x1f".join((kind, *map(str, parts))).encode()


def _versioned(bits: bytes, version: int) -> uuid.UUID:
    """RFC 9562: 128 bits, six of them replaced by version and variant."""
    made = bytearray(bits)
    made[6] = made[6] & 0x0F | version << 4
    made[8] = made[8] & 0x3F | 0x80
    return UUID(bytes(made))


def entitlement_id(*, period: str, payer: str, source: str, record: str) -> EntitlementId:
    """The id of one frozen line."""
    return EntitlementId(derived_id("entitlement", period, payer, source, record))


def instruction_id(*, batch_id: uuid.UUID, beneficiary_id: uuid.UUID, part: int) -> InstructionId:
    """Payee x batch x part. What all payments of a batch share is hashed once."""
    hashed = _named_of_batch(batch_id).copy()
    hashed.update(f"\x1f{beneficiary_id}\x1f{part}".encode())
    return InstructionId(_versioned(hashed.digest()[:16], 5))


@lru_cache(maxsize=64)
def _named_of_batch(batch_id: uuid.UUID) -> hashlib._Hash:
    return hashlib.sha1(_named("instruction", batch_id), usedforsecurity=False)


def end_to_end_id(key: bytes, instruction: uuid.UUID, attempt: int) -> EndToEndId:
    """16 characters A-Z 2-7, the last a check character; deterministic from instruction and attempt under a secret key.

    16 because the customer reference of MT940 field 61 holds 16 and silently cuts the rest; A-Z 2-7 because every bank's remark
    and reference rule allows them. 75 random bits: two of a billion lines agree with probability below 10^-4, and the unique
    constraint on the column refuses the rest.
    """
    bits = int.from_bytes(
        keyed_sha256(key, f"{instruction}:{attempt}".encode())[:10]
    )  # as base32 of RFC 4648 writes them, two characters at a time
    pairs = [bits >> shift & 1023 for shift in _PAIR_SHIFTS]
    single = bits >> 5 & 31
    check = sum([_PAIR_CHECKS[pair] for pair in pairs]) + _DOUBLED[_ALPHABET[single]]
    return EndToEndId("".join([_PAIRS[pair] for pair in pairs]) + _ALPHABET[single] + _ALPHABET[-check % 32])


def keyed_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 of a message; what the key alone makes of it is worked out once, at half the price of asking a library anew."""
    inner, outer = _hmac_halves(key)
    inner, outer = inner.copy(), outer.copy()
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()


@lru_cache(maxsize=8)
def _hmac_halves(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """HMAC-SHA-256 (RFC 2104) up to where the message begins: a payroll has one key and very many messages."""
    key = (hashlib.sha256(key).digest() if len(key) > _SHA256_BLOCK else key).ljust(_SHA256_BLOCK, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in key)), hashlib.sha256(bytes(byte ^ 0x5C for byte in key))


def check_character(body: str) -> str:
    """Luhn mod N (N = 32): finds every single wrong character and nearly every swap of neighbours."""
    acc = sum(map(_DOUBLED.__getitem__, body[::-2])) + sum(map(_SINGLE.__getitem__, body[-2::-2]))
    return _ALPHABET[-acc % 32]


def is_end_to_end_id(text: str) -> bool:
    """Whether a text has the shape and the right check character of an id of ours."""
    if len(text) != END_TO_END_LENGTH or any(char not in _ALPHABET for char in text):
        return False
    return check_character(text[:-1]) == text[-1]


def line_canonical(entitlement: uuid.UUID, beneficiary: uuid.UUID, *, of: tuple[str, str], vnd: int) -> bytes:
    """What the digest of a closed list is made of: one of its lines. `of`: period and payer. In SQL: `line_canonicals` of payout."""
    return f"{entitlement}|{beneficiary}|{of[0]}|{of[1]}|{vnd}".encode()


def add_to_digest(total: int, canonical_line: bytes) -> int:
    """An order-independent digest: the sum, modulo 2^256, of the SHA-256 of each line. Start from 0."""
    return (total + int.from_bytes(hashlib.sha256(canonical_line).digest())) % (1 << 256)


def sum_of_digests(total: int, canonical_lines: Iterable[bytes]) -> int:
    """`add_to_digest` of many lines."""
    return (total + sum(int.from_bytes(hashlib.sha256(line).digest()) for line in canonical_lines)) % (1 << 256)


def digest_hex(total: int) -> str:
    """The running digest as 64 hex characters."""
    return f"{total:064x}"
