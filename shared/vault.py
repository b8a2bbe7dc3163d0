"""The only code that seals, opens, signs and indexes. A vault holds the keys its service may hold and no others.

Sealed block: AES-256-GCM under a key derived by HKDF-SHA256 from the kind's root, the business month and a salt that is fresh for every
process and again after 2^30 uses (random 96-bit nonces, NIST SP 800-38D 8.3). Text form: `v1.<kind>.<month>.<salt>.<nonce|ciphertext>`; the
owner, kind, month and salt are associated data, so a block moved to another person does not open.
JOSE (RFC 7515/7516/7518 by joserfc): ministries encrypt to registry with ECDH-ES; a batch key travels as ECDH-ES+A256KW and each line as
`dir` A256GCM; a manifest is a JWS ES256.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey
from pydantic import BaseModel, ValidationError

from shared.fields import json_of
from shared.ids import keyed_sha256

M = TypeVar("M", bound=BaseModel)
USES_MAX = 2**30
# What JSON of another shape than expected raises.
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError)
_LINE_HEADER = {"alg": "dir", "enc": "A256GCM"}


class Kind(StrEnum):
    """What a sealed block holds; each kind has its own root key."""

    IDENTITY = "identity"
    PAYEE = "payee"
    DELIVERY = "delivery"
    CONTACT = "contact"
    POPULATION = "population"
    DEADLETTER = "deadletter"


# Who opens what (docs/decisions/0005-personal-data.md). The dead-letter kind has a root per service.
HOLDERS: dict[str, tuple[Kind, ...]] = {
    "registry": (Kind.IDENTITY, Kind.PAYEE, Kind.DELIVERY, Kind.CONTACT, Kind.DEADLETTER),
    "verification": (Kind.IDENTITY, Kind.PAYEE, Kind.POPULATION, Kind.DEADLETTER),
    "payout": (Kind.PAYEE, Kind.DELIVERY, Kind.DEADLETTER),
    "notify": (Kind.CONTACT, Kind.DEADLETTER),
}


class VaultError(Exception):
    """A block, token or key that does not open, verify or exist here. Carries no content."""


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _b64(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


@lru_cache(maxsize=1024)
def content_kid(head: str) -> str | None:
    """The content key that a JWE's first part names for `dir` and A256GCM; None for any other header. One list has one first part."""
    try:
        header = json.loads(_unb64(head))
        kid = header.get("kid")
    except _MALFORMED:
        return None
    return kid if isinstance(kid, str) and kid and header == {**_LINE_HEADER, "kid": kid} else None


@lru_cache(maxsize=64)
def _gcm(key: bytes) -> AESGCM:
    return AESGCM(key)


def _open_dir(compact: str, key: bytes) -> bytes:
    """RFC 7516 5.2 for `dir` and A256GCM: no encrypted key, a nonce of 12 bytes, a tag of 16, the first part is authenticated."""
    head, encrypted_key, nonce, sealed, tag = compact.split(".")
    raw_nonce, raw_tag = _unb64(nonce), _unb64(tag)
    if encrypted_key or len(raw_nonce) != 12 or len(raw_tag) != 16:
        raise ValueError
    return _gcm(key).decrypt(raw_nonce, _unb64(sealed) + raw_tag, head.encode())


_LINE_HEAD = _b64(json.dumps(_LINE_HEADER, separators=(",", ":")).encode())


@dataclass(frozen=True)
class BatchKey:
    """One batch's content key: seals each line; `wrapped` is the key as a JWE only the provider can open."""

    cipher: AESGCM
    wrapped: str

    def seal_line(self, plain: bytes) -> str:
        """One payment line as a compact JWE (`dir`, A256GCM), written as RFC 7516 5.1 says: five times as fast as a JOSE library."""
        nonce = os.urandom(12)
        sealed = self.cipher.encrypt(nonce, plain, _LINE_HEAD.encode())
        return f"{_LINE_HEAD}..{_b64(nonce)}.{_b64(sealed[:-16])}.{_b64(sealed[-16:])}"


class Vault:
    """Keys of one service. Build with `Vault.load`."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        """Take the parsed key file; see `shared/keyfiles.py` for its shape."""
        self._roots = {Kind(kind): _unb64(root) for kind, root in keys["roots"].items()}
        self._secret = _unb64(keys["secret"])
        self._private = ECKey.import_key(keys["private"])
        self._providers: dict[str, ECKey] = {name: ECKey.import_key(key) for name, key in keys.get("providers", {}).items()}
        self._ciphers: dict[tuple[str, str, str], AESGCM] = {}
        self._sealing: dict[tuple[Kind, str], tuple[str, AESGCM]] = {}
        self._salt = _b64(os.urandom(9))
        self._uses = 0

    @classmethod
    def load(cls, path: Path) -> Vault:
        """Read a key file. Raises VaultError without saying what was in it."""
        try:
            return cls(json.loads(path.read_text()))
        except (*_MALFORMED, JoseError, OSError) as error:
            raise VaultError("key file cannot be read") from error

    def seal(self, kind: Kind, owner: str, month: str, plain: BaseModel | bytes) -> str:
        """Seal for one owner under the kind's key of a business month `YYYY-MM`. Raises VaultError for a kind not held here."""
        data = plain if isinstance(plain, bytes) else json_of(plain)
        self._uses += 1
        if self._uses > USES_MAX:
            self._salt, self._uses = _b64(os.urandom(9)), 1
            self._sealing.clear()
        if (kind, month) not in self._sealing:
            self._sealing[kind, month] = f"v1.{kind}.{month}.{self._salt}", self._cipher(kind, month, self._salt)
        head, cipher = self._sealing[kind, month]
        nonce = os.urandom(12)
        return f"{head}.{_b64(nonce + cipher.encrypt(nonce, data, f'{head}|{owner}'.encode()))}"

    def open(self, block: str, owner: str) -> bytes:
        """The plain bytes of a block sealed for this owner. Raises VaultError for a wrong owner, key, kind or damaged block."""
        try:
            version, kind, month, salt, body = block.split(".")
            raw = _unb64(body)
            cipher = self._cipher(Kind(kind), month, salt)
            return cipher.decrypt(raw[:12], raw[12:], f"{version}.{kind}.{month}.{salt}|{owner}".encode())
        except (InvalidTag, ValueError) as error:
            raise VaultError("sealed block does not open") from error

    def open_as(self, block: str, owner: str, model: type[M]) -> M:
        """A block's content as a model. Raises VaultError also when the content does not fit the model."""
        try:
            return model.model_validate_json(self.open(block, owner))
        except ValidationError:
            raise VaultError("sealed block does not fit its model") from None

    def digest(self, purpose: str, plain: bytes) -> str:
        """Keyed SHA-256, 64 hex: equal content gives an equal digest, and nobody without the key can guess content from it."""
        return self._mac(f"digest:{purpose}|".encode() + plain).hex()

    def index(self, field: str, text: str) -> bytes:
        """Blind index, 32 bytes: looks up equality inside this service's database. Never leaves the service."""
        return self._mac(f"index:{field}|{text}".encode())

    def end_to_end_key(self) -> bytes:
        """The key of `shared.ids.end_to_end_id`; the same after a restore."""
        return hmac.new(self._secret, b"end-to-end", hashlib.sha256).digest()

    def open_jwe(self, compact: str, content_keys: Mapping[str, bytes]) -> bytes:
        """What a ministry encrypted for us: under a list's content key when the header names one, else to our public key."""
        try:
            head = compact.split(".", 1)[0]
            if (content_key := content_keys.get(content_kid(head) or "")) is not None:
                return _open_dir(compact, content_key)
            kid = json.loads(_unb64(head)).get("kid")
            key = OctKey.import_key(content_keys[kid]) if kid in content_keys else self._private
            plain = jwe.decrypt_compact(compact, key).plaintext
        except (*_MALFORMED, JoseError, InvalidTag) as error:
            raise VaultError("JWE does not open") from error
        if plain is None:
            raise VaultError("JWE does not open")
        return plain

    def unwrap_content_key(self, compact: str) -> tuple[str, bytes]:
        """A list's content key: (kid, 32 bytes) from a JWE that holds a symmetric JWK."""
        try:
            key = json.loads(self.open_jwe(compact, {}))
            kid, raw = str(key["kid"]), _unb64(key["k"])
        except _MALFORMED as error:
            raise VaultError("content key is not a symmetric JWK") from error
        if len(raw) != 32:
            raise VaultError("content key is not 256 bits")
        return kid, raw

    def new_batch_key(self, provider: str) -> BatchKey:
        """A fresh content key wrapped for one provider. Raises VaultError when that provider's public key is not here."""
        if provider not in self._providers:
            raise VaultError("no public key of this provider")
        key = OctKey.generate_key(256)
        header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}
        wrapped = jwe.encrypt_compact(header, json.dumps(key.as_dict()).encode(), self._providers[provider])
        return BatchKey(AESGCM(key.raw_value), wrapped)

    def sign(self, payload: bytes) -> str:
        """A compact JWS ES256 by this service."""
        return jws.serialize_compact({"alg": "ES256"}, payload, self._private)

    def _mac(self, text: bytes) -> bytes:
        return keyed_sha256(self._secret, text)

    def _cipher(self, kind: Kind, month: str, salt: str) -> AESGCM:
        known = self._ciphers.get((kind, month, salt))
        if known is not None:
            return known
        if kind not in self._roots:
            raise VaultError("this service does not hold keys of that kind")
        key = HKDF(SHA256(), 32, salt=salt.encode(), info=f"{kind}|{month}".encode()).derive(self._roots[kind])
        if len(self._ciphers) > 10_000:
            self._ciphers.clear()
        return self._ciphers.setdefault((kind, month, salt), AESGCM(key))
