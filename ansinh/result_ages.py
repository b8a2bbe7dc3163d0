"""How old the results are that a list is about to be paid on: said where it is closed and on the evening before the payment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import httpx

from ansinh.client import Client
from shared.clock import LOCAL


async def old_results(client: Client, payer: str) -> list[str]:
    """What is to be renewed before this payer's list is paid; nothing when all is new enough."""
    try:
        found = await client.get("verification", "/v1/population/ages", payer=payer)
    except httpx.TransportError:
        return [f"{payer}: verification does not answer, how old its results are is not known"]
    return list(said(found, payer))


def said(found: Mapping[str, Any], payer: str) -> Iterator[str]:
    """In words. Pure."""
    if found["register_due"]:
        yield (
            f"{payer}: {found['register_due']} of {found['people']} results are older than a closing allows: the register said so before"
            f" {_day(found['renew_before'])}, the oldest on {_day(found['oldest'])}."
            " Renew first: ansinh verification extract FILE, or wait until all are asked"
        )
    if found["banks_due"]:
        yield f"{payer}: of {found['banks_due']} accounts the bank's word ends within weeks and is asked again by night"


def _day(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(LOCAL):%Y-%m-%d}"
