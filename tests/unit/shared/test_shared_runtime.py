"""Errors, settings, logs and HTTP: nothing unsafe starts, and no text of a person leaves by the side door."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import asyncpg
import httpx
import pytest
import structlog
from fastapi import FastAPI
from pydantic import BaseModel, Field, ValidationError

from shared.errors import BadRecord, Fenced, NotAllowed, Parked, PartitionStopped, Trouble, code_of, is_trouble
from shared.logs import configure
from shared.settings import ServiceSettings, UnsafeSettings, refuse_unknown
from shared.web import Problem, make_app

SECRET = "NGUYEN VAN SECRET 001234567890"

# --- errors


@pytest.mark.parametrize(
    "error",
    [
        Trouble(),
        OSError(),
        ConnectionRefusedError(),
        TimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InterfaceError("pool is closing"),
        asyncpg.InterfaceError("cannot call Connection.fetch(): connection has been released back to the pool"),
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        asyncpg.InternalClientError("got result for unknown protocol state 3"),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.SerializationError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.AdminShutdownError(),
        asyncpg.QueryCanceledError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.ReadOnlySQLTransactionError(),
    ],
)
def test_the_world_is_away(error: Exception) -> None:
    assert is_trouble(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(),
        KeyError(),
        AssertionError(),
        asyncpg.InterfaceError("the server expects 2 arguments for this query, 1 was passed"),
        asyncpg.DataError("invalid input for query argument $1: 'the door is closed' (an integer is required)"),
        asyncpg.UniqueViolationError(),
        asyncpg.CheckViolationError(),
        asyncpg.PostgresSyntaxError(),
        asyncpg.RaiseError(),
        asyncpg.ObjectNotInPrerequisiteStateError(),
        asyncpg.ActiveSQLTransactionError(),
        Fenced(),
        BadRecord(1, "X"),
        PartitionStopped("X"),
        NotAllowed("X"),
        KeyboardInterrupt(),
    ],
)
def test_waiting_would_not_help(error: BaseException) -> None:
    assert not is_trouble(error)


def test_an_error_is_logged_by_its_code_and_never_by_its_text() -> None:
    unique = asyncpg.UniqueViolationError(SECRET)
    unique.constraint_name = "one_line_per_person"
    unique.detail = SECRET
    assert code_of(unique) == "UniqueViolationError:23505:one_line_per_person"
    for error in (ValueError(SECRET), OSError(5, SECRET), NotAllowed(SECRET), asyncpg.InterfaceError(SECRET), KeyError(SECRET)):
        assert code_of(error) == type(error).__name__
    assert [code_of(error) for error in (BadRecord(1, "A"), Parked(2, "B"), PartitionStopped("C"))] == ["A", "B", "C"]


# --- settings

NAMES = {"postgres_dsn": "postgresql://x", "kafka_bootstrap": "127.0.0.1:9092", "port": 8080}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text("{}")
    return path


def made(key_file: Path, **values: object) -> ServiceSettings:
    return ServiceSettings.model_validate({**NAMES, "keys_file": key_file, **values})


def test_a_local_profile_may_use_what_production_refuses(key_file: Path) -> None:
    key_file.write_text('{"sandbox": true}')
    local = made(key_file, clock_file=key_file)
    assert local.profile == "local"
    assert "postgresql://x" not in repr(local)


def test_production_starts_with_safe_settings(key_file: Path) -> None:
    assert made(key_file, profile="production", session_seconds=10).profile == "production"


def test_production_refuses_a_clock_file(key_file: Path) -> None:
    with pytest.raises(UnsafeSettings, match="clock_file"):
        made(key_file, profile="production", session_seconds=10, clock_file=key_file)


def test_production_refuses_a_crash_point(key_file: Path) -> None:
    with pytest.raises(UnsafeSettings, match="crash_point"):
        made(key_file, profile="production", session_seconds=10, crash_point="")


def test_production_refuses_a_file_that_crash_points_are_armed_from(key_file: Path) -> None:
    with pytest.raises(UnsafeSettings, match="crash_file"):
        made(key_file, profile="production", session_seconds=10, crash_file=key_file)


def test_production_refuses_sandbox_keys(key_file: Path) -> None:
    key_file.write_text('{"sandbox": true}')
    with pytest.raises(UnsafeSettings, match="keys_file"):
        made(key_file, profile="production", session_seconds=10)


def test_production_refuses_a_short_session(key_file: Path) -> None:
    with pytest.raises(UnsafeSettings, match="session_seconds"):
        made(key_file, profile="production", session_seconds=9.9)


@pytest.mark.parametrize("wrong", [{"port": 80}, {"profile": "prod"}, {"epoch": 0}, {"session_seconds": 0.5}, {"unknown": 1}])
def test_a_wrong_setting_is_refused_without_its_value(key_file: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        made(key_file, postgres_dsn=SECRET, **wrong)
    assert SECRET not in str(caught.value)


def test_a_misspelt_variable_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSINH_PORT", "8080")
    refuse_unknown(ServiceSettings)
    monkeypatch.setenv("ANSINH_CLOK_FILE", SECRET)
    with pytest.raises(UnsafeSettings, match=r"^unknown settings: ANSINH_CLOK_FILE$"):
        refuse_unknown(ServiceSettings)


# --- logs


@pytest.fixture
def log() -> Iterator[tuple[structlog.stdlib.BoundLogger, io.StringIO]]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    noisy = [logging.getLogger(name) for name in ("aiokafka", "faststream", "uvicorn.access")]
    levels = [logger.level for logger in noisy]
    stream = io.StringIO()
    yield configure("registry", stream), stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger, old in zip(noisy, levels, strict=True):
        logger.setLevel(old)
    structlog.reset_defaults()


def test_a_field_that_is_not_listed_is_dropped_and_counted(log: tuple[structlog.stdlib.BoundLogger, io.StringIO]) -> None:
    logger, stream = log
    logger.info("imported", rows=3, full_name=SECRET, phone=SECRET)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["service"], line["rows"], line["dropped"]) == ("imported", "registry", 3, 2)
    assert SECRET not in stream.getvalue()


def test_a_traceback_is_never_printed(log: tuple[structlog.stdlib.BoundLogger, io.StringIO]) -> None:
    logger, stream = log
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("failed", code="X")
    assert SECRET not in stream.getvalue()
    assert json.loads(stream.getvalue())["code"] == "X"


def test_of_a_librarys_message_only_name_level_and_class_are_written(
    log: tuple[structlog.stdlib.BoundLogger, io.StringIO],
) -> None:
    _, stream = log
    library = logging.getLogger("some.library")
    library.info(SECRET)
    assert stream.getvalue() == ""
    try:
        raise KeyError(SECRET)
    except KeyError:
        library.exception("payload %s", SECRET, extra={"payload": SECRET})
    line = json.loads(stream.getvalue())
    assert SECRET not in stream.getvalue()
    assert (line["code"], line["error"], line["state"]) == ("some.library", "KeyError", "ERROR")


# --- HTTP


class Body(BaseModel):
    """A request with what must not come back."""

    number: Annotated[str, Field(pattern="^[0-9]{12}$")]
    rows: int


def app_with(error: Exception | None = None) -> FastAPI:
    app = make_app("test", list)

    @app.post("/act")
    async def act(body: Body) -> str:
        if error:
            raise error
        return body.number

    return app


async def ask(app: FastAPI, method: str, path: str, body: object = None) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, json=body)


GOOD = {"number": "001234567890", "rows": 1}


@pytest.mark.parametrize("body", [{"number": SECRET, "rows": SECRET}, SECRET, [SECRET], {"rows": 1}])
async def test_a_request_that_does_not_fit_is_answered_without_its_values(body: object) -> None:
    answer = await ask(app_with(), "POST", "/act", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "body" in answer.json()["detail"]
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Problem("LIST_CLOSED", "open a new one"), 409, "LIST_CLOSED"),
        (Problem("NO_SUCH_LIST", status=404), 404, "NO_SUCH_LIST"),
        (NotAllowed("TOKEN_EXPIRED"), 401, "TOKEN_EXPIRED"),
        (NotAllowed("ROLE_MAKER_NEEDED"), 403, "ROLE_MAKER_NEEDED"),
        (NotAllowed("PAYER_NOT_YOURS"), 403, "PAYER_NOT_YOURS"),
        (OSError(SECRET), 503, "TRY_AGAIN"),
        (asyncpg.UniqueViolationError(SECRET), 500, "INTERNAL"),
        (ValueError(SECRET), 500, "INTERNAL"),
    ],
)
async def test_errors_have_a_status_and_a_code(error: Exception, status: int, code: str) -> None:
    answer = await ask(app_with(error), "POST", "/act", GOOD)
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text


async def test_health_readiness_and_metrics() -> None:
    missing = ["kafka"]
    app = make_app("test", lambda: missing)
    assert (await ask(app, "GET", "/health")).json() == {"status": "ok"}
    waiting = await ask(app, "GET", "/ready")
    assert (waiting.status_code, waiting.json()) == (503, {"ready": False, "missing": ["kafka"]})
    missing.clear()
    assert (await ask(app, "GET", "/ready")).status_code == 200
    assert "# HELP" in (await ask(app, "GET", "/metrics")).text
