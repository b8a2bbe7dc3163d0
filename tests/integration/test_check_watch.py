"""`ansinh check --every`: what was found is served on loopback, trouble leaves the last findings standing."""

import asyncio
import re

import httpx

from ansinh.check import Verdict
from ansinh.check_watch import as_json, watch
from deploy.local.ports import free_ports

HOLDS = Verdict("I01", "A line is in at most one live payment", True, "nothing breaks it", seconds=0.5)
BROKEN = Verdict("I09", "Every decision was published", False, "2 findings, first: event a", ("event a", "event b"), 2)


async def test_findings_are_served_and_survive_a_database_that_is_away():
    (port,) = free_ports(1)
    stop, said = asyncio.Event(), []
    answers: list[list[Verdict] | OSError] = [[HOLDS, BROKEN], ConnectionRefusedError(), ConnectionRefusedError()]

    async def ask() -> list[Verdict]:
        answer = answers.pop(0) if answers else OSError()
        if isinstance(answer, OSError):
            raise answer
        return answer

    watching = asyncio.create_task(watch(ask, every=0.05, port=port, say=said.append, stop=stop))
    try:
        while len(said) < 3:
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient() as client:
            page = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    finally:
        stop.set()
        await watching
    assert 'ansinh_invariant_findings{invariant="I01"} 0.0' in page
    assert 'ansinh_invariant_findings{invariant="I09"} 2.0' in page
    assert 'ansinh_invariant_seconds{invariant="I01"} 0.5' in page
    assert re.search(r"^ansinh_invariant_checked_timestamp_seconds 1\.\d+e\+09", page, re.M)
    assert said[0] == "I09 2 findings, first: event a"
    assert said[1].startswith("not asked: ")


def test_json_names_the_first_findings_and_how_many_there_are():
    assert as_json([BROKEN])[0]["rows"] == ("event a", "event b")
    assert as_json([BROKEN])[0]["count"] == 2
