"""HTTP of a service: health, readiness, metrics, and errors as problem+json (RFC 9457) that name a code and never a value."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from shared.errors import NotAllowed, is_trouble


class Problem(Exception):
    """A refusal with an HTTP status, a code of a closed list, and advice in words that quote nothing."""

    def __init__(self, code: str, detail: str = "", status: int = 409) -> None:
        """409 by default: the request is understood and refused."""
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.status = status


def _answer(status: int, code: str, detail: str = "") -> JSONResponse:
    body = {"type": f"urn:ansinh:problem:{code}", "title": code, "status": status, "code": code, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return _answer(error.status, error.code, error.detail)


async def _not_allowed(_request: Request, error: Exception) -> JSONResponse:
    code = str(error)
    return _answer(401 if code.startswith("TOKEN") else 403, code)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    ours = _declared(request)
    # Of a place only what we declared ourselves (body and the name of a field): other steps may be keys the client made up.
    places = {(".".join(str(step) for step in detail["loc"][:2] if step in ours), detail["type"]) for detail in error.errors()}
    return _answer(422, "REQUEST_INVALID", "; ".join(f"{place}: {rule}" for place, rule in sorted(places)))


def _declared(request: Request) -> set[str]:
    """The parts of a request, and the names of what its route takes."""
    taken = getattr(request.scope.get("route"), "dependant", None)
    names = {"body", "query", "path", "header"}
    for param in (*taken.path_params, *taken.query_params, *taken.header_params, *taken.body_params) if taken else ():
        names |= {param.alias, *getattr(param.field_info.annotation, "model_fields", ())}
    return names


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _answer(error.status_code, f"HTTP_{error.status_code}")


async def _failed(_request: Request, error: Exception) -> JSONResponse:
    return _answer(503, "TRY_AGAIN") if is_trouble(error) else _answer(500, "INTERNAL")


def make_app(title: str, ready: Callable[[], list[str]], state: Callable[[], dict[str, str]] = dict) -> FastAPI:
    """A FastAPI application with the common routes. `ready` lists what is still missing; an empty list means ready. `state`: what parts
    of the process are doing, for people who look at its health."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """The process lives."""
        return {"status": "ok", **state()}

    @app.get("/ready")
    async def readiness() -> JSONResponse:
        """Whether every partition is read and every dependency answers."""
        missing = ready()
        return JSONResponse({"ready": not missing, "missing": missing}, 503 if missing else 200)

    @app.get("/metrics")
    async def metrics() -> PlainTextResponse:
        """Prometheus text format."""
        return PlainTextResponse(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app
