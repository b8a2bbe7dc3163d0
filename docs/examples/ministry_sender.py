"""A ministry's sender in one file: seals personal data, sends a month's list by HTTP, reads what became of each event. SYNTHETIC people.

Needs `joserfc` and `httpx`. Run: python ministry_sender.py https://registry.example token.txt registry.public.json
The same `data` go to the topic `ministry.beneficiary.v1` unchanged; there the envelope is headers (docs/integrate-a-ministry.md).
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey

SOURCE, PERIOD, PAYER = "sandbox/ministry", "2024-02", "huyen-444"
PEOPLE = [
    {"record": "hs-0001", "name": "Nguyễn Thị Ví Dụ", "birth": "1949-03-02", "number": "042149900001"},
    {"record": "hs-0002", "name": "Trần Văn Mẫu", "birth": "1951", "number": "042051900002"},
]


def event(kind: str, name: str, data: dict[str, Any], at: str) -> dict[str, Any]:
    """One CloudEvent. The id is made from what is said, so that sending it again is the same event."""
    kind = f"vn.ansinh.ministry.{kind}.v1"
    return {"specversion": "1.0", "id": f"{SOURCE}:{name}", "type": kind, "time": at, "data": {"source": SOURCE, **data}}


def month(public: dict[str, Any], content_key: OctKey, at: str) -> Iterator[dict[str, Any]]:
    """A list opened with its content key, everybody on it, the list closed with its totals."""
    wrapped = _sealed({"alg": "ECDH-ES", "enc": "A256GCM"}, content_key.as_dict(), ECKey.import_key(public))
    about = {"period": PERIOD, "payer": PAYER}
    first = {"record": f"list-{PERIOD}", "source_sequence": 1, **about, "content_key": wrapped}
    yield event("list_opened", f"list-{PERIOD}:1", first, at)
    line = {"programme": "social_assistance", "benefit_code": "BT-5c", "coefficient_hundredths": 100, "monthly_vnd": 360_000}
    for person in PEOPLE:
        identity = {"full_name": person["name"], "birth_date": person["birth"], "personal_number": person["number"]}
        personal = {"identity": identity, "delivery": {"hamlet": "Thôn 3"}}
        sealed = _sealed({"alg": "dir", "enc": "A256GCM", "kid": content_key.kid}, personal, content_key)
        said = {"record": person["record"], "source_sequence": 1, **about, "area": "18502", "line": line, "personal": sealed}
        yield event("enrolled", f"{person['record']}:1", said, at)
    last = {"record": f"list-{PERIOD}", "source_sequence": 2, **about, "count": len(PEOPLE), "vnd": 360_000 * len(PEOPLE)}
    yield event("list_closed", f"list-{PERIOD}:2", last, at)


def send(http: httpx.Client, token: str, events: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """What became of each event. The same key with the same events gets the same answer. Raises httpx.HTTPStatusError for a refusal."""
    lines = "\n".join(json.dumps(one, ensure_ascii=False) for one in events)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson", "Idempotency-Key": key}
    answer = http.post("/v1/beneficiary-events", content=lines.encode(), headers=headers)
    answer.raise_for_status()
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _sealed(header: dict[str, Any], plain: dict[str, Any], key: ECKey | OctKey) -> str:
    return jwe.encrypt_compact(header, json.dumps(plain, ensure_ascii=False).encode(), key)


if __name__ == "__main__":
    url, token_file, public_file = sys.argv[1:]
    secret = OctKey.generate_key(256)
    list_key = OctKey.import_key(secret.as_dict() | {"kid": f"{SOURCE}-{PERIOD}"})
    made = list(month(json.loads(Path(public_file).read_text()), list_key, "2024-01-20T08:00:00+07:00"))
    with httpx.Client(base_url=url) as client:
        for item in send(client, Path(token_file).read_text().strip(), made, f"{SOURCE}-{PERIOD}-1"):
            print(item["id"], item["outcome"], item["reason"] or "", item["advice"])
