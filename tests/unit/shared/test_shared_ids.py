"""Ids: the same thing always gets the same id, two things never do, and a mistyped one is noticed."""

import base64
import hashlib
import hmac
import re
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.ids import (
    add_to_digest,
    check_character,
    derived_id,
    digest_hex,
    end_to_end_id,
    entitlement_id,
    instruction_id,
    is_end_to_end_id,
    random_id,
)

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
KEY = b"k" * 32
LINES = st.lists(st.binary(max_size=8), max_size=8)


def digest_of(lines: list[bytes]) -> int:
    digest = 0
    for line in lines:
        digest = add_to_digest(digest, line)
    return digest


@given(st.uuids(), st.integers(1, 99))
@settings(max_examples=50)
def test_an_end_to_end_id_fits_every_bank_and_is_deterministic(instruction: uuid.UUID, attempt: int) -> None:
    made = end_to_end_id(KEY, instruction, attempt)
    assert re.fullmatch(r"[A-Z2-7]{16}", made)
    assert is_end_to_end_id(made)
    assert made == end_to_end_id(KEY, instruction, attempt)
    assert made != end_to_end_id(KEY, instruction, attempt + 1)
    assert made != end_to_end_id(b"x" * 32, instruction, attempt)


@given(st.binary(min_size=1, max_size=100), st.uuids(), st.integers(1, 99))
@settings(max_examples=50)
def test_an_end_to_end_id_is_the_hmac_of_the_library_in_base32(key: bytes, instruction: uuid.UUID, attempt: int) -> None:
    mac = hmac.digest(key, f"{instruction}:{attempt}".encode(), "sha256")
    assert end_to_end_id(key, instruction, attempt)[:15] == base64.b32encode(mac[:10]).decode()[:15]


@given(st.uuids())
@settings(max_examples=15)
def test_every_single_wrong_character_is_found(instruction: uuid.UUID) -> None:
    made = end_to_end_id(KEY, instruction, 1)
    for place, right in enumerate(made):
        for wrong in ALPHABET.replace(right, ""):
            assert not is_end_to_end_id(made[:place] + wrong + made[place + 1 :])


@given(st.text(ALPHABET, min_size=15, max_size=15))
@settings(max_examples=50)
def test_exactly_one_last_character_is_right(body: str) -> None:
    assert [last for last in ALPHABET if is_end_to_end_id(body + last)] == [check_character(body)]


@pytest.mark.parametrize("text", ["", "A" * 15, "A" * 17, "a" * 16, "A" * 15 + "1", "A" * 15 + "À", " " * 16])
def test_a_text_of_another_shape_is_no_end_to_end_id(text: str) -> None:
    assert not is_end_to_end_id(text)


def test_derived_ids_differ_by_kind_part_and_split() -> None:
    ids = [derived_id("a", "b", "c"), derived_id("b", "b", "c"), derived_id("a", "bc"), derived_id("a", "c", "b")]
    assert len(set(ids)) == len(ids)
    assert derived_id("a", "b", "c") == ids[0]
    assert {made.version for made in ids} == {5}


@given(st.text(max_size=20), st.uuids())
@settings(max_examples=50)
def test_an_id_is_the_one_that_the_standard_library_makes(kind: str, part: uuid.UUID) -> None:
    namespace = uuid.UUID("6f6f3d0e-3f7b-5d0b-9a3e-0a5c1b4f7e21")
    made = derived_id(kind, part)
    assert made == uuid.uuid5(namespace, f"{kind}\x1f{part}")
    assert isinstance(made, uuid.UUID)
    assert instruction_id(batch_id=part, beneficiary_id=made, part=1) == derived_id("instruction", part, made, 1)


def test_a_frozen_line_and_an_instruction_are_named_by_all_their_parts() -> None:
    line = {"period": "2026-03", "payer": "p", "source": "s", "record": "r"}
    assert entitlement_id(**line) == entitlement_id(**line)
    others = {entitlement_id(**{**line, name: "other"}) for name in line}
    assert len(others | {entitlement_id(**line)}) == 5
    batch, person = uuid.UUID(int=1), uuid.UUID(int=2)
    parts = {instruction_id(batch_id=batch, beneficiary_id=person, part=part) for part in (1, 2)}
    assert len(parts | {instruction_id(batch_id=person, beneficiary_id=batch, part=1)}) == 3


def test_random_ids_are_random() -> None:
    assert len({random_id() for _ in range(100)}) == 100
    assert {(made.version, made.variant) for made in (random_id() for _ in range(100))} == {(4, uuid.RFC_4122)}


@given(LINES, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_a_digest_ignores_the_order_of_lines(lines: list[bytes], random: object) -> None:
    mixed = list(lines)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert digest_of(mixed) == digest_of(lines)


@given(LINES, st.binary(max_size=8))
@settings(max_examples=50)
def test_a_digest_counts_a_line_as_often_as_it_stands(lines: list[bytes], line: bytes) -> None:
    seen = {digest_of(lines + [line] * times) for times in range(4)}
    assert len(seen) == 4


def test_a_digest_of_one_line_is_its_sha256_in_64_characters() -> None:
    assert digest_hex(add_to_digest(0, b"x")) == hashlib.sha256(b"x").hexdigest()
    assert digest_hex(0) == "0" * 64
