"""The sandbox query service of the population register: one question, one answer, over HTTP. SYNTHETIC.

Fields as one published description of such a service has them (`MaYeuCau`, `MaCanBo`, `SoDinhDanh` ...); what is not
published is ours: how many entries an answer may hold, that a question by name needs a birth year, and the marks for
alive, dead and moved. It misbehaves on command (`sandbox/moods.py`).
"""

import argparse
import csv
import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from sandbox.moods import Mood, Moods, answered
from sandbox.names import without_accents

LOOPBACK = "127.0.0.1"
ENTRIES_MAX = 100
Row = dict[str, str]


class Query(BaseModel):
    """One question. Officer, agency, procedure and integration service are mandatory, as is a birth date."""

    model_config = ConfigDict(extra="forbid")
    request_id: Annotated[str, Field(alias="MaYeuCau", min_length=1, max_length=40)]
    procedure: Annotated[str, Field(alias="MaDVC", min_length=1, max_length=20)]
    integration: Annotated[str, Field(alias="MaTichHop", min_length=1, max_length=20)]
    unit: Annotated[str, Field(alias="MaDonVi", min_length=1, max_length=35)]
    officer: Annotated[str, Field(alias="MaCanBo", min_length=1, max_length=20)]
    number: Annotated[str, Field(alias="SoDinhDanh", pattern=r"^([0-9]{12})?$")] = ""
    old_number: Annotated[str, Field(alias="SoCMND", pattern=r"^([0-9]{9})?$")] = ""
    name: Annotated[str, Field(alias="HoVaTen", min_length=1, max_length=100)]
    birth: Annotated[str, Field(alias="NgayThangNamSinh", pattern=r"^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$")]
    sex: Annotated[str, Field(alias="GioiTinh", pattern=r"^[12]?$")] = ""


class People:
    """Everybody the register knows, by what they can be asked for."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = list(rows)
        self._by_number = {row["personal_number"]: row for row in self.rows}

    def find(self, query: Query) -> list[Row]:
        """By the number, with the entry that a changed one leads to; else by the old number; else by name and birth year."""
        if query.number:
            found = self._by_number.get(query.number)
            return [found, *self._successor(found)] if found else []
        by_old = [row for row in self.rows if query.old_number and row["old_number"] == query.old_number]
        return by_old or [row for row in self.rows if _sounds(row) == (_plain(query.name), query.birth[:4])][:ENTRIES_MAX]

    def somebody_else(self, query: Query) -> list[Row]:
        """An entry of a person who was not asked about."""
        return [row for row in self.rows if row not in self.find(query)][:1]

    def _successor(self, row: Row) -> list[Row]:
        """The entries that a replaced number leads to, as often as it was replaced."""
        found: list[Row] = []
        new = self._by_number.get(row["replaced_by_number"])
        while new and new not in found:
            found.append(new)
            new = self._by_number.get(new["replaced_by_number"])
        return found


class Desk:
    """What the service remembers: the people, its mood, every question it was asked."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.people = People([])
        self.moods = Moods()
        self.asked: Counter[str] = Counter()
        self.officers: Counter[tuple[str, str]] = Counter()

    def remember(self, query: Query) -> None:
        """Count a question under its id and its officer."""
        self.asked[query.request_id] += 1
        self.officers[query.officer, query.procedure] += 1


def make_app(desk: Desk) -> FastAPI:
    """The HTTP side."""
    app = FastAPI(title="Sandbox population register", docs_url=None, redoc_url=None)
    desk.moods.add_to(app)

    @app.get("/health")
    async def health() -> dict[str, int]:
        """How many people it knows."""
        return {"people": len(desk.people.rows)}

    @app.post("/v1/population/query")
    async def query(request: Request, asked: Query) -> Response:
        """Answer one question, in the mood of the moment."""
        if request.headers.get("authorization") != f"Bearer {desk.token}":
            return JSONResponse({"code": 401, "status": "UNAUTHORIZED"}, 401)
        desk.remember(asked)
        mood = desk.moods.mood()
        rows = desk.people.somebody_else(asked) if mood is Mood.ANOTHER_PERSON else desk.people.find(asked)
        said = _envelope("another" if mood is Mood.ANOTHER_QUESTION else asked.request_id, rows)
        return await answered(request, mood, said)

    @app.put("/sandbox/extract")
    async def extract(request: Request) -> dict[str, int]:
        """Everybody anew, as CSV."""
        desk.people = People(csv.DictReader(io.StringIO((await request.body()).decode())))
        return {"people": len(desk.people.rows)}

    @app.get("/sandbox/asked")
    async def asked() -> dict[str, Any]:
        """Every question by its id, how often it came, and on whose behalf."""
        return {"ids": dict(desk.asked), "officers": [[*who, count] for who, count in desk.officers.items()]}

    return app


def _envelope(request_id: str, rows: list[Row]) -> dict[str, Any]:
    listed = [_told(row) for row in rows]
    return {
        "code": 200,
        "status": "SUCCESS",
        "correlationId": request_id,
        "response": {"MaYeuCau": request_id, "DanhSach": listed},
    }


def _told(row: Row) -> dict[str, str]:
    return {
        "SoDinhDanh": row["personal_number"], "SoCMND": row["old_number"], "Ho": row["family_name"],
        "ChuDem": row["middle_name"], "Ten": row["given_name"], "NgayThangNamSinh": row["birth_date"],
        "GioiTinh": {"male": "1", "female": "2"}.get(row["sex"], ""),
        "TrangThai": {"alive": "1", "dead": "2", "moved": "3"}[row["status"]], "NgayTrangThai": row["status_date"],
        "SoDinhDanhMoi": row["replaced_by_number"], "MaDiaBan": row["area_code"],
    }  # fmt: skip


def _sounds(row: Row) -> tuple[str, str]:
    name = " ".join(part for part in (row["family_name"], row["middle_name"], row["given_name"]) if part)
    return _plain(name), row["birth_date"][:4]


def _plain(name: str) -> str:
    return " ".join(without_accents(name).upper().replace("Y", "I").split())


def main() -> None:
    """`python -m sandbox.population_service --port N [--extract FILE] [--token T]`."""
    parser = argparse.ArgumentParser(description="Sandbox population register (synthetic, loopback only)")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bind", default=LOOPBACK, help="another address only inside a container")
    parser.add_argument("--extract", type=Path, default=None)
    parser.add_argument("--token", default="sandbox")
    given = parser.parse_args()
    desk = Desk(given.token)
    if given.extract is not None:
        desk.people = People(csv.DictReader(io.StringIO(given.extract.read_text("utf-8"))))
    uvicorn.run(make_app(desk), host=given.bind, port=given.port, log_level="critical", access_log=False)


if __name__ == "__main__":
    main()
