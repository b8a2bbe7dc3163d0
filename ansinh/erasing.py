"""After a restore: people whom the other services hold as erased and registry does not are asked for again, each for a second reviewer."""

from __future__ import annotations

from typing import Any

from ansinh.client import Client, Refusal
from services.registry.erasing import ErasureCause, Requester
from shared.topics import Service

KNOW_IT_TOO = (Service.VERIFICATION, Service.PAYOUT, Service.NOTIFY)
PAGE = 1_000


async def erased_elsewhere(client: Client, *, paper: str, actor: str, page: int = PAGE) -> dict[str, Any]:
    """Ask for everybody; tells the requests that wait now, and of whom none could be made and why. `page`: ids asked for at once."""
    here = await _erased(client, Service.REGISTRY, page)
    others = set().union(*[await _erased(client, service, page) for service in KNOW_IT_TOO])
    asked, refused = list[str](), dict[str, str]()
    for who in sorted(others - here):
        body = {"reason": ErasureCause.ERASED_BEFORE_RESTORE, "requester": Requester.OFFICE, "paper": paper}
        try:
            done = await client.post(Service.REGISTRY, f"/v1/people/{who}/erasures", actor=actor, body=body)
            asked.append(done["erasure_id"])
        except Refusal as refusal:
            refused[who] = refusal.code
    return {"erased_here": len(here), "asked": asked, "refused": refused}


async def _erased(client: Client, service: Service, most: int) -> set[str]:
    found = set[str]()
    rows = await client.get(service, "/v1/erased", most=most)
    while rows:
        found |= {row["beneficiary_id"] for row in rows}
        rows = await client.get(service, "/v1/erased", most=most, after=rows[-1]["beneficiary_id"])
    return found
