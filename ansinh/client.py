"""What the command line asks the services: HTTP with a signed token, refusals turned into one exception with a code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from ansinh.installation import Addresses
from shared.clock import clock_from
from shared.issuing import Issuer
from shared.words import Role

# Demo actors of a local installation: one role each, so that no list passes by fewer than four people.
ACTORS: dict[str, tuple[Role, ...]] = {
    "officer": (Role.LIST_OFFICER,),
    "maker": (Role.MAKER,),
    "checker": (Role.CHECKER,),
    "approver": (Role.APPROVER,),
    "releaser": (Role.RELEASER,),
    "operator": (Role.OPERATOR,),
    "province": (Role.PROVINCE_APPROVER,),
    "emergency": (Role.EMERGENCY,),
    "ministry": (Role.SENDER,),
    "reviewer": (Role.REVIEWER,),
    "second-reviewer": (Role.REVIEWER,),
}


_BLOCK = 1 << 18
_NO_TIMEOUT = httpx.Timeout(60, read=None)


class Refusal(Exception):
    """A service refused. `code` is from its closed list; `advice` quotes no personal data."""

    def __init__(self, code: str, advice: str) -> None:
        """Keep both."""
        super().__init__(f"{code}: {advice}" if advice else code)
        self.code = code
        self.advice = advice


class Client:
    """Talks to the services of one running installation."""

    def __init__(self, addresses: Addresses, *, timeout_seconds: float = 120) -> None:
        """Tokens are signed with the installation's own issuer key."""
        folder = Path(addresses.folder)
        clock_file = folder / "clock.json"
        self._addresses = addresses
        self._issuer = Issuer(folder / "keys" / "actor-issuer.json", clock_from(clock_file if clock_file.exists() else None))
        self._http = httpx.AsyncClient(timeout=timeout_seconds)

    async def close(self) -> None:
        """Close connections."""
        await self._http.aclose()

    async def get(self, service: str, path: str, **query: Any) -> Any:
        """A JSON answer. Raises Refusal."""
        return _answer(await self._http.get(self._addresses.url(service) + path, params=query))

    async def every(self, service: str, path: str, what: str, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list, one after another: what a page names as `next` is what the next one is asked for. Raises Refusal."""
        found: list[dict[str, Any]] = []
        behind: dict[str, Any] | None = {}
        while behind is not None:
            page = await self.get(service, path, **query, **behind)
            found += page[what]
            behind = page["next"]
        return found

    async def send(self, service: str, path: str, file: Path, *, actor: str, **query: Any) -> Any:
        """A file as the body of a command, streamed; waited for as long as it takes. Raises Refusal."""
        headers = {"Authorization": f"Bearer {self._issuer.token(actor, ACTORS[actor])}"}
        url = self._addresses.url(service) + path
        return _answer(await self._http.post(url, params=query, headers=headers, content=_blocks(file), timeout=_NO_TIMEOUT))

    async def fetch(self, service: str, path: str, target: Path, *, actor: str, **query: Any) -> None:
        """A file, streamed to a path. Raises Refusal."""
        headers = {"Authorization": f"Bearer {self._issuer.token(actor, ACTORS[actor])}"}
        async with self._http.stream("GET", self._addresses.url(service) + path, params=query, headers=headers) as response:
            if not response.is_success:
                await response.aread()
                _answer(response)
            with target.open("wb") as file:
                async for block in response.aiter_bytes(_BLOCK):
                    file.write(block)

    async def post(
        self,
        service: str,
        path: str,
        *,
        actor: str,
        body: bytes | Mapping[str, Any] | None = None,
        sha256: str | None = None,
        key: str | None = None,
        **query: Any,
    ) -> Any:
        """A command by one of the demo actors; `sha256` is what the token signs, `key` the Idempotency-Key. Raises Refusal."""
        token = self._issuer.token(actor, ACTORS[actor], sha256=sha256)
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        return _answer(await self._http.post(self._addresses.url(service) + path, params=query, headers=headers, **content))


async def _blocks(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            yield block


def _answer(response: httpx.Response) -> Any:
    if response.is_success:
        return response.json()
    try:
        problem = response.json()
        raise Refusal(str(problem["code"]), str(problem.get("detail", "")))
    except (ValueError, KeyError, TypeError):
        raise Refusal(f"HTTP_{response.status_code}", "") from None
