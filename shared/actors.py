"""Who acts: an `Actor` from a signed token, on every command and every HTTP write, kept on every row it makes.

The token is a JWT ES256 by the installation's issuer (a stand-in for the province's OIDC provider): `sub`, `roles`, `payers`, and for an
approval `sha256`, the hash of the list the actor approves, so that the stored token is the actor's signature of exactly that list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Header
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import BaseModel, ConfigDict, Field

from shared.clock import Clock
from shared.errors import NotAllowed
from shared.fields import Digest
from shared.issuing import EVERY_PAYER
from shared.words import Role


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who acts. `sha256` is the list hash this token signs, if any."""

    id: str
    roles: frozenset[Role]
    payers: tuple[str, ...]
    sha256: str | None
    token: str

    def __repr__(self) -> str:
        """Without the token."""
        return f"Actor({self.id})"


def require(actor: Actor, role: Role, payer: str) -> None:
    """Raises NotAllowed unless the actor holds the role for that payer."""
    if role not in actor.roles:
        raise NotAllowed(f"ROLE_{role.upper()}_NEEDED")
    if payer not in actor.payers and EVERY_PAYER not in actor.payers:
        raise NotAllowed("PAYER_NOT_YOURS")


class _Claims(BaseModel):
    """A token's claims by type: a plain string where a list belongs must not become a list of its letters."""

    model_config = ConfigDict(hide_input_in_errors=True)
    sub: Annotated[str, Field(min_length=1, max_length=80, strict=True)]
    roles: list[Role]
    payers: tuple[Annotated[str, Field(min_length=1, strict=True)], ...]
    sha256: Digest | None = None
    exp: Annotated[int, Field(strict=True)]


class ActorGate:
    """Reads tokens. Expiry is judged by business time, like everything that has a date."""

    def __init__(self, issuer: dict[str, Any], clock: Clock) -> None:
        """`issuer`: the issuer's public JWK."""
        self._key = ECKey.import_key(issuer)
        self._clock = clock

    def actor(self, authorization: str) -> Actor:
        """The actor of an `Authorization: Bearer ...` header. Raises NotAllowed with a code."""
        token = authorization.removeprefix("Bearer ").strip()
        try:
            claims = _Claims.model_validate(jwt.decode(token, self._key, algorithms=["ES256"]).claims)
        except (JoseError, ValueError) as error:
            raise NotAllowed("TOKEN_INVALID") from error
        if claims.exp <= self._clock.now().timestamp():  # RFC 7519 4.1.4: not on or after
            raise NotAllowed("TOKEN_EXPIRED")
        return Actor(claims.sub, frozenset(claims.roles), claims.payers, claims.sha256, token)

    def dependency(self, authorization: Annotated[str, Header()] = "") -> Actor:
        """For FastAPI: `Depends(gate.dependency)`."""
        return self.actor(authorization)
