"""After a restore of registry: who is erased in any other service is asked for again, and nobody is erased without a second person."""

from typing import Any, cast
from uuid import UUID

import pytest

from ansinh.client import Client, Refusal
from ansinh.erasing import erased_elsewhere

ONE, TWO, THREE, FOUR = (str(UUID(int=number)) for number in range(1, 5))


class Services:
    """Who holds whom as erased; registry's door keeps what is asked."""

    def __init__(self, held: dict[str, list[str]], refuses: dict[str, str]) -> None:
        self.held, self.refuses, self.asked = held, refuses, list[tuple[str, dict[str, Any]]]()

    async def get(self, service: str, path: str, *, most: int, after: str = "") -> list[dict[str, Any]]:
        assert path == "/v1/erased"
        return [{"beneficiary_id": who} for who in sorted(self.held.get(service, [])) if who > after][:most]

    async def post(self, _service: str, path: str, *, actor: str, body: dict[str, Any]) -> dict[str, Any]:
        who = path.split("/")[3]
        assert (path, actor) == (f"/v1/people/{who}/erasures", "reviewer")
        if who in self.refuses:
            raise Refusal(self.refuses[who], "")
        self.asked.append((who, body))
        return {"erasure_id": f"request-{who}"}


@pytest.mark.parametrize("page", [1, 2, 1_000])
async def test_everybody_whom_anybody_else_knows_as_erased_is_asked_for(page: int) -> None:
    held = {"registry": [ONE], "verification": [ONE, TWO, THREE], "payout": [ONE, TWO], "notify": [FOUR]}
    services = Services(held, {FOUR: "ON_OPEN_LIST"})
    told = await erased_elsewhere(cast(Client, services), paper="R-1", actor="reviewer", page=page)
    assert told == {"erased_here": 1, "asked": [f"request-{TWO}", f"request-{THREE}"], "refused": {FOUR: "ON_OPEN_LIST"}}
    assert [who for who, _ in services.asked] == [TWO, THREE]
    assert {body["reason"] for _, body in services.asked} == {"ERASED_BEFORE_RESTORE"}


async def test_where_nothing_was_forgotten_nothing_is_asked() -> None:
    services = Services({name: [ONE] for name in ("registry", "verification", "payout", "notify")}, {})
    told = await erased_elsewhere(cast(Client, services), paper="R-1", actor="reviewer")
    assert told == {"erased_here": 1, "asked": [], "refused": {}}
