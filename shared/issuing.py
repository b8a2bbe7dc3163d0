"""Signs the tokens that `actors` reads. Apart from it, because whoever only signs, as every command does, serves no HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from shared.clock import Clock
from shared.words import Role

EVERY_PAYER = "*"
TOKEN_SECONDS = 15 * 60  # a session of at most 15 minutes (docs/decisions/0006-actors.md)


class Issuer:
    """Signs tokens of a local installation. A real province replaces it by its OIDC provider."""

    def __init__(self, key_file: Path, clock: Clock) -> None:
        """Read the issuer's private JWK."""
        self._key = ECKey.import_key(json.loads(key_file.read_text()))
        self._clock = clock

    def token(
        self, actor_id: str, roles: tuple[Role, ...], *, payers: tuple[str, ...] = (EVERY_PAYER,), sha256: str | None = None
    ) -> str:
        """A token for one actor, valid 15 minutes of business time."""
        claims: dict[str, Any] = {"sub": actor_id, "roles": [str(r) for r in roles], "payers": list(payers)}
        claims["exp"] = int(self._clock.now().timestamp()) + TOKEN_SECONDS
        if sha256:
            claims["sha256"] = sha256
        return jwt.encode({"alg": "ES256"}, claims, self._key)
