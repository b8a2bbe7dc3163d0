"""The sandbox's check of account holders: a bank says a name, hides letters of it, or does not say. SYNTHETIC.

It misbehaves on command (`sandbox/moods.py`).
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sandbox.moods import Mood, Moods, answered

LOOPBACK = "127.0.0.1"


class HolderQuery(BaseModel):
    """One question about one account, by a named officer."""

    model_config = ConfigDict(extra="forbid")
    request_id: Annotated[str, Field(alias="MaYeuCau", min_length=1, max_length=40)]
    procedure: Annotated[str, Field(alias="MaDVC", min_length=1, max_length=20)]
    integration: Annotated[str, Field(alias="MaTichHop", min_length=1, max_length=20)]
    unit: Annotated[str, Field(alias="MaDonVi", min_length=1, max_length=35)]
    officer: Annotated[str, Field(alias="MaCanBo", min_length=1, max_length=20)]
    bank: Annotated[str, Field(alias="MaNganHang", pattern=r"^[0-9]{6}$")]
    number: Annotated[str, Field(alias="SoTaiKhoan", pattern=r"^[0-9A-Za-z]{1,30}$")]


class Known(BaseModel):
    """An account as the bank knows it: `result` NAME with a holder, or a refusal."""

    bank: str
    number: str
    result: str = "NAME"
    holder: str = ""


class HolderDesk:
    """What the service remembers."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.moods = Moods()
        self.asked: Counter[str] = Counter()
        self._known: dict[tuple[str, str], Known] = {}

    def know(self, accounts: list[Known]) -> None:
        """These accounts anew."""
        self._known = {(account.bank, account.number): account for account in accounts}

    def say(self, query: HolderQuery) -> Known:
        """What the bank says; nothing is found where it knows nothing."""
        unknown = Known(bank=query.bank, number=query.number, result="NOT_FOUND")
        return self._known.get((query.bank, query.number), unknown)


def make_app(desk: HolderDesk) -> FastAPI:
    """The HTTP side."""
    app = FastAPI(title="Sandbox holders", docs_url=None, redoc_url=None)
    desk.moods.add_to(app)

    @app.post("/v1/accounts/holder")
    async def holder(request: Request, query: HolderQuery) -> Response:
        """Answer one question, in the mood of the moment."""
        if request.headers.get("authorization") != f"Bearer {desk.token}":
            return JSONResponse({"code": 401, "status": "UNAUTHORIZED"}, 401)
        desk.asked[query.request_id] += 1
        mood, known = desk.moods.mood(), desk.say(query)
        said = {
            "MaYeuCau": "another" if mood is Mood.ANOTHER_QUESTION else query.request_id,
            "SoTaiKhoan": "999" if mood is Mood.ANOTHER_PERSON else query.number,
            "KetQua": known.result,
            "TenChuTaiKhoan": known.holder,
        }
        return await answered(request, mood, said)

    @app.put("/sandbox/accounts")
    async def accounts(given: list[Known]) -> dict[str, int]:
        """All accounts anew."""
        desk.know(given)
        return {"accounts": len(given)}

    @app.get("/sandbox/asked")
    async def asked() -> dict[str, Any]:
        """Every question by its id and how often it came."""
        return {"ids": dict(desk.asked)}

    return app


def main() -> None:
    """`python -m sandbox.holder_service --port N [--accounts FILE] [--token T]`."""
    parser = argparse.ArgumentParser(description="Sandbox check of account holders (synthetic, loopback only)")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bind", default=LOOPBACK, help="another address only inside a container")
    parser.add_argument("--accounts", type=Path, default=None, help="JSON: a list of bank, number, result, holder")
    parser.add_argument("--token", default="sandbox")
    given = parser.parse_args()
    desk = HolderDesk(given.token)
    if given.accounts is not None:
        desk.know(TypeAdapter(list[Known]).validate_json(given.accounts.read_bytes()))
    uvicorn.run(make_app(desk), host=given.bind, port=given.port, log_level="critical", access_log=False)


if __name__ == "__main__":
    main()
