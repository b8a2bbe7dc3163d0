"""The vault: each service opens what it may and nothing else, and a refusal tells nothing of the content."""

import base64
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe, jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, OctKey
from pydantic import TypeAdapter

from shared.fields import Jose, Sealed
from shared.keyfiles import ISSUER, make_key_files
from shared.personal import Account, Contact
from shared.topics import Provider
from shared.vault import HOLDERS, Kind, Vault, VaultError

SECRET = "0912345678901"
CONTACT = Contact(phone="+84912345678")
MONTH = "2026-03"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("of") / "keys"
    make_key_files(folder)
    return folder


def vault(keys: Path, service: str) -> Vault:
    return Vault.load(keys / f"{service}.json")


def public(keys: Path, name: str) -> ECKey:
    return ECKey.import_key(json.loads((keys / f"{name}.public.json").read_text()))


def to_registry(keys: Path, plain: bytes) -> str:
    return jwe.encrypt_compact({"alg": "ECDH-ES", "enc": "A256GCM"}, plain, public(keys, "registry"))


def raw_of(block: str) -> tuple[str, bytes]:
    head, body = block.rsplit(".", 1)
    return head, base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))


def refused(opener: Vault, block: str, owner: str) -> None:
    with pytest.raises(VaultError) as caught:
        opener.open(block, owner)
    assert SECRET not in f"{caught.value!r}{caught.value.__cause__!r}"


# --- key files


def test_key_files_are_for_their_owner_alone_and_are_kept(keys: Path) -> None:
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == {0o600}
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    make_key_files(keys)
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == before
    assert {f"{name}.json" for name in (*HOLDERS, *Provider, ISSUER)} < set(before)


def test_a_key_file_holds_only_what_its_service_may_hold(keys: Path) -> None:
    files = {name: json.loads((keys / f"{name}.json").read_text()) for name in HOLDERS}
    for name, file in files.items():
        assert set(file["roots"]) == set(HOLDERS[name])
        assert file["sandbox"] is True
        assert "d" not in file["issuer"]
        assert ("providers" in file) == (name == "payout")
    assert all("d" not in key for key in files["payout"]["providers"].values())
    assert len({file["roots"]["deadletter"] for file in files.values()}) == len(files)
    assert len({file["secret"] for file in files.values()}) == len(files)


def test_no_public_file_holds_a_private_key(keys: Path) -> None:
    for path in keys.glob("*.public.json"):
        assert "d" not in json.loads(path.read_text())
    assert all("d" not in key for key in json.loads((keys / "public.json").read_text()).values())


# --- sealed blocks


@given(st.binary(max_size=200), st.text(max_size=20), st.sampled_from(HOLDERS["registry"]))
@settings(max_examples=40)
def test_what_is_sealed_opens_for_the_same_owner(keys: Path, plain: bytes, owner: str, kind: Kind) -> None:
    registry = vault(keys, "registry")
    block = registry.seal(kind, owner, MONTH, plain)
    assert TypeAdapter(Sealed).validate_python(block) == block
    assert registry.open(block, owner) == plain
    refused(registry, block, owner + "x")


def test_a_model_goes_from_one_service_to_another(keys: Path) -> None:
    block = vault(keys, "registry").seal(Kind.CONTACT, "person-1", MONTH, CONTACT)
    assert vault(keys, "notify").open_as(block, "person-1", Contact) == CONTACT
    with pytest.raises(VaultError) as caught:
        vault(keys, "notify").open_as(block, "person-1", Account)
    assert CONTACT.phone not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_equal_content_never_gives_an_equal_block(keys: Path) -> None:
    registry = vault(keys, "registry")
    blocks = {registry.seal(Kind.PAYEE, "o", MONTH, b"same") for _ in range(20)}
    assert len(blocks) == 20


def test_a_block_bound_to_another_owner_kind_month_or_salt_does_not_open(keys: Path) -> None:
    registry = vault(keys, "registry")
    block = registry.seal(Kind.PAYEE, "owner", MONTH, SECRET.encode())
    version, kind, month, salt, body = block.split(".")
    refused(registry, block, "other")
    for other in (
        ("v2", kind, month, salt, body),
        (version, "identity", month, salt, body),
        (version, "nonsense", month, salt, body),
        (version, kind, "2026-04", salt, body),
        (version, kind, month, salt[::-1] + "x", body),
        (version, kind, month, salt, body[:8]),
        (version, kind, month, salt),
    ):
        refused(registry, ".".join(other), "owner")
    for text in ("", "....", SECRET, f"v1.payee.{MONTH}.é.é"):
        refused(registry, text, "owner")


def test_no_flipped_byte_goes_unnoticed(keys: Path) -> None:
    registry = vault(keys, "registry")
    head, raw = raw_of(registry.seal(Kind.PAYEE, "owner", MONTH, SECRET.encode()))
    for place in range(len(raw)):
        damaged = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        refused(registry, f"{head}.{base64.urlsafe_b64encode(damaged).decode().rstrip('=')}", "owner")


@pytest.mark.parametrize("service", HOLDERS)
def test_a_service_can_neither_seal_nor_open_a_kind_it_may_not_hold(keys: Path, service: str) -> None:
    own = vault(keys, service)
    for kind in Kind:
        holder = next(name for name, kinds in HOLDERS.items() if kind in kinds)
        block = vault(keys, holder).seal(kind, "o", MONTH, SECRET.encode())
        if kind not in HOLDERS[service]:
            refused(own, block, "o")
            with pytest.raises(VaultError):
                own.seal(kind, "o", MONTH, b"x")
        elif kind is not Kind.DEADLETTER:
            assert own.open(block, "o") == SECRET.encode()


def test_a_dead_letter_opens_only_where_it_was_sealed(keys: Path) -> None:
    block = vault(keys, "payout").seal(Kind.DEADLETTER, "l", MONTH, SECRET.encode())
    assert vault(keys, "payout").open(block, "l") == SECRET.encode()
    for other in ("registry", "verification", "notify"):
        refused(vault(keys, other), block, "l")


def test_keys_of_another_installation_open_nothing(keys: Path, tmp_path: Path) -> None:
    make_key_files(tmp_path / "keys")
    refused(vault(tmp_path / "keys", "payout"), vault(keys, "payout").seal(Kind.PAYEE, "o", MONTH, SECRET.encode()), "o")


@pytest.mark.parametrize("content", [None, "{", "{}", '{"roots": {"nonsense": ""}}'])
def test_a_key_file_that_cannot_be_read_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "k.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(VaultError, match=r"^key file cannot be read$"):
        Vault.load(path)


# --- digests and indexes


def test_digest_and_index_differ_by_purpose_field_and_service(keys: Path) -> None:
    values: set[str] = set()
    for service in ("registry", "payout"):
        own = vault(keys, service)
        values |= {own.digest(purpose, b"x") for purpose in ("a", "b", "index:a")}
        values |= {own.index(field, "x").hex() for field in ("a", "b")} | {own.end_to_end_key().hex()}
    assert len(values) == 12
    assert {len(value) for value in values} == {64}


def test_digest_and_index_survive_a_restart(keys: Path) -> None:
    first, second = vault(keys, "registry"), vault(keys, "registry")
    assert first.index("number", SECRET) == second.index("number", SECRET)
    assert first.digest("number", b"x") == second.digest("number", b"x")
    assert first.digest("number", b"x") != first.digest("number", b"y")
    assert first.end_to_end_key() == second.end_to_end_key()


# --- JOSE


def test_a_ministrys_jwe_opens_at_registry_alone(keys: Path) -> None:
    token = to_registry(keys, SECRET.encode())
    assert TypeAdapter(Jose).validate_python(token) == token
    assert vault(keys, "registry").open_jwe(token, {}) == SECRET.encode()
    with pytest.raises(VaultError):
        vault(keys, "payout").open_jwe(token, {})


def test_a_list_content_key_opens_the_lines_of_its_list(keys: Path) -> None:
    registry = vault(keys, "registry")
    key = OctKey.generate_key(256)
    kid, raw = registry.unwrap_content_key(to_registry(keys, json.dumps(key.as_dict() | {"kid": "list-1"}).encode()))
    assert (kid, raw) == ("list-1", key.raw_value)
    line = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM", "kid": kid}, SECRET.encode(), key)
    assert registry.open_jwe(line, {kid: raw}) == SECRET.encode()
    for others in ({}, {"list-2": raw}, {kid: bytes(32)}, {kid: bytes(16)}):
        with pytest.raises(VaultError) as caught:
            registry.open_jwe(line, others)
        assert SECRET not in f"{caught.value!r}{caught.value.__cause__!r}"


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'"x"', b'{"kid": "a"}', b'{"kid": "a", "k": 5}', b'{"kid": "a", "k": "c2hvcnQ"}']
)
def test_a_content_key_that_is_none_is_refused(keys: Path, content: bytes) -> None:
    with pytest.raises(VaultError, match="content key"):
        vault(keys, "registry").unwrap_content_key(to_registry(keys, content))


@pytest.mark.parametrize("token", ["", "a.b.c.d.e", "....", "é.b.c.d.e", "e30.a.a.a.a", SECRET])
def test_what_is_no_jwe_is_refused(keys: Path, token: str) -> None:
    with pytest.raises(VaultError) as caught:
        vault(keys, "registry").open_jwe(token, {})
    assert SECRET not in str(caught.value)


def test_a_damaged_jwe_does_not_open(keys: Path) -> None:
    head, key, nonce, body, tag = to_registry(keys, SECRET.encode()).split(".")
    damaged = ("A" if body[0] != "A" else "B") + body[1:]
    with pytest.raises(VaultError):
        vault(keys, "registry").open_jwe(".".join((head, key, nonce, damaged, tag)), {})


def test_a_provider_opens_its_lines_with_a_standard_library_alone(keys: Path) -> None:
    batch = vault(keys, "payout").new_batch_key("bank-a")
    line = batch.seal_line(SECRET.encode())
    own = ECKey.import_key(json.loads((keys / "bank-a.json").read_text()))
    allowed = ["ECDH-ES+A256KW", "A256GCM", "dir"]
    key = OctKey.import_key(json.loads(jwe.decrypt_compact(batch.wrapped, own, algorithms=allowed).plaintext or b""))
    assert jwe.decrypt_compact(line, key, algorithms=allowed).plaintext == SECRET.encode()
    other = ECKey.import_key(json.loads((keys / "bank-b.json").read_text()))
    with pytest.raises(Exception):  # noqa: B017, PT011  any failure is right: the other bank must not get the key
        jwe.decrypt_compact(batch.wrapped, other, algorithms=allowed)


def test_every_batch_has_its_own_key_and_only_payout_makes_them(keys: Path) -> None:
    payout = vault(keys, "payout")
    own = ECKey.import_key(json.loads((keys / "post.json").read_text()))
    allowed = ["ECDH-ES+A256KW", "A256GCM"]
    wrapped = [payout.new_batch_key("post").wrapped for _ in range(2)]
    first, second = (json.loads(jwe.decrypt_compact(text, own, algorithms=allowed).plaintext or b"")["k"] for text in wrapped)
    assert first != second
    with pytest.raises(VaultError):
        payout.new_batch_key("bank-x")
    with pytest.raises(VaultError):
        vault(keys, "registry").new_batch_key("bank-a")


def test_a_signature_verifies_with_the_signers_public_key_alone(keys: Path) -> None:
    token = vault(keys, "payout").sign(b'{"total": 1}')
    found = jws.deserialize_compact(token, public(keys, "payout"), algorithms=["ES256"])
    assert found.payload == b'{"total": 1}'
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(token, public(keys, "registry"), algorithms=["ES256"])


@pytest.mark.parametrize("header", [b"[]", b"null", b'"x"', b'{"kid": []}', b'{"kid": {}}'])
def test_regression_a_jwe_with_a_strange_header_is_refused(keys: Path, header: bytes) -> None:
    token = base64.urlsafe_b64encode(header).rstrip(b"=").decode() + ".a.a.a.a"
    with pytest.raises(VaultError):
        vault(keys, "registry").open_jwe(token, {"x": bytes(32)})


@pytest.mark.parametrize(
    "content", ["[]", '{"roots": [], "secret": "", "private": {}}', '{"roots": {}, "secret": "", "private": {"kty": "EC"}}']
)
def test_regression_a_key_file_of_another_shape_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "k.json").write_text(content)
    with pytest.raises(VaultError):
        Vault.load(tmp_path / "k.json")
