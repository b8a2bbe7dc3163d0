"""Who may act: a token by the installation's issuer, in time, with the role, for the payer."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from shared.actors import Actor, ActorGate, require
from shared.clock import HandClock
from shared.errors import NotAllowed
from shared.issuing import TOKEN_SECONDS, Issuer
from shared.words import Role

CLOCK_START = datetime(2026, 3, 1, tzinfo=UTC)
PAIR = ECKey.generate_key("P-256")
PUBLIC = PAIR.as_dict(private=False)
CLAIMS = {"sub": "a", "roles": ["maker"], "payers": ["p"], "exp": 2_000_000_000}


@pytest.fixture
def clock() -> HandClock:
    return HandClock(CLOCK_START)


@pytest.fixture
def issuer(clock: HandClock, tmp_path: Path) -> Issuer:
    path = tmp_path / "issuer.json"
    path.write_text(json.dumps(PAIR.as_dict(private=True)))
    return Issuer(path, clock)


def code(gate: ActorGate, header: str) -> str:
    with pytest.raises(NotAllowed) as caught:
        gate.actor(header)
    return str(caught.value)


def signed(claims: dict[str, Any], key: ECKey = PAIR) -> str:
    return f"Bearer {jwt.encode({'alg': 'ES256'}, claims, key)}"


def test_a_token_says_who_what_and_for_whom(issuer: Issuer, clock: HandClock) -> None:
    token = issuer.token("officer-1", (Role.MAKER, Role.CHECKER), payers=("commune-1",))
    actor = ActorGate(PUBLIC, clock).actor(f"Bearer {token}")
    assert actor == Actor("officer-1", frozenset({Role.MAKER, Role.CHECKER}), ("commune-1",), None, token)
    assert token not in repr(actor)


def test_an_approval_carries_the_hash_of_its_list(issuer: Issuer, clock: HandClock) -> None:
    token = issuer.token("officer-2", (Role.APPROVER,), sha256="ab" * 32)
    assert ActorGate(PUBLIC, clock).dependency(f"Bearer {token}").sha256 == "ab" * 32


def test_a_token_lasts_fifteen_minutes_of_business_time(issuer: Issuer, clock: HandClock) -> None:
    header = f"Bearer {issuer.token('a', (Role.MAKER,))}"
    gate = ActorGate(PUBLIC, clock)
    clock.move(timedelta(seconds=TOKEN_SECONDS - 1))
    assert gate.actor(header).id == "a"
    clock.move(timedelta(seconds=2))
    assert code(gate, header) == "TOKEN_EXPIRED"


def test_a_token_by_another_key_is_refused(clock: HandClock) -> None:
    gate = ActorGate(PUBLIC, clock)
    assert gate.actor(signed(CLAIMS)).id == "a"
    assert code(gate, signed(CLAIMS, ECKey.generate_key("P-256"))) == "TOKEN_INVALID"


def test_a_token_under_another_algorithm_is_refused(clock: HandClock) -> None:
    gate = ActorGate(PUBLIC, clock)
    public_as_secret = OctKey.import_key(json.dumps(PUBLIC))
    token = jwt.encode({"alg": "HS256"}, CLAIMS, public_as_secret)
    assert code(gate, f"Bearer {token}") == "TOKEN_INVALID"
    head, body, _ = signed(CLAIMS).removeprefix("Bearer ").split(".")
    assert code(gate, f"Bearer {head}.{body}.") == "TOKEN_INVALID"
    assert code(gate, f"Bearer eyJhbGciOiJub25lIn0.{body}.") == "TOKEN_INVALID"


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer x", "Basic abc", "Bearer a.b.c", "Bearer é.é.é"])
def test_what_is_no_token_is_refused(clock: HandClock, header: str) -> None:
    assert code(ActorGate(PUBLIC, clock), header) == "TOKEN_INVALID"


@pytest.mark.parametrize("name", list(CLAIMS))
def test_a_token_without_a_claim_is_refused(clock: HandClock, name: str) -> None:
    claims = {key: value for key, value in CLAIMS.items() if key != name}
    assert code(ActorGate(PUBLIC, clock), signed(claims)) == "TOKEN_INVALID"


@pytest.mark.parametrize("wrong", [{"roles": ["king"]}, {"roles": 5}, {"payers": None}, {"exp": "soon"}])
def test_a_token_with_a_wrong_claim_is_refused(clock: HandClock, wrong: dict[str, object]) -> None:
    assert code(ActorGate(PUBLIC, clock), signed(CLAIMS | wrong)) == "TOKEN_INVALID"


def test_a_role_is_needed_for_that_payer() -> None:
    one = Actor("a", frozenset({Role.MAKER}), ("p",), None, "")
    require(one, Role.MAKER, "p")
    with pytest.raises(NotAllowed, match=r"^ROLE_CHECKER_NEEDED$"):
        require(one, Role.CHECKER, "p")
    with pytest.raises(NotAllowed, match=r"^PAYER_NOT_YOURS$"):
        require(one, Role.MAKER, "q")
    require(Actor("b", frozenset({Role.MAKER}), ("*",), None, ""), Role.MAKER, "q")
    with pytest.raises(NotAllowed):
        require(Actor("c", frozenset(), ("*",), None, ""), Role.MAKER, "q")


@pytest.mark.parametrize(
    "wrong", [{"payers": "*ab"}, {"payers": [5]}, {"sub": None}, {"sha256": 7}, {"exp": 1e300}, {"exp": "2000000000"}]
)
def test_regression_a_claim_of_another_type_is_refused(clock: HandClock, wrong: dict[str, object]) -> None:
    """`tuple("*ab")` would have made every payer out of a plain string."""
    assert code(ActorGate(PUBLIC, clock), signed(CLAIMS | wrong)) == "TOKEN_INVALID"


def test_regression_a_token_ends_at_its_second(clock: HandClock) -> None:
    """RFC 7519 4.1.4: not accepted on or after `exp`."""
    assert code(ActorGate(PUBLIC, clock), signed(CLAIMS | {"exp": int(clock.now().timestamp())})) == "TOKEN_EXPIRED"
