"""The contract of a gateway, on the one in memory and on the sandbox SMS centre as a real process."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from deploy.local.ports import free_ports
from services.notify.sms_gateway import Answer, HttpGateway, NoAnswer, OutText, SmsGateway
from tests.integration.notify.notify_bench import MemoryGateway

ROOT = Path(__file__).parents[3]


def a_text(to: str = "+84912000001") -> OutText:
    return OutText(uuid4(), to, "UBND xa moi ong ba den dang ky tai khoan.")


class GatewayContract:
    """What notify relies on, whoever sends the texts."""

    async def test_answers_every_id(self, gateway: SmsGateway) -> None:
        texts = [a_text(), a_text("+84912000002")]
        assert await gateway.send(texts) == {text.message_id: Answer.ACCEPTED for text in texts}

    async def test_same_id_again_is_the_same_text(self, gateway: SmsGateway) -> None:
        text = a_text()
        assert await gateway.send([text]) == await gateway.send([text])
        assert await self.taken(text) == 1

    async def test_refuses_what_is_no_number(self, gateway: SmsGateway) -> None:
        text = a_text("12")
        assert await gateway.send([text]) == {text.message_id: Answer.REFUSED}

    async def test_is_reachable(self, gateway: SmsGateway) -> None:
        assert await gateway.reachable()

    async def taken(self, text: OutText) -> int:
        """How many texts the gateway really took under this id."""
        raise NotImplementedError


class TestMemoryGateway(GatewayContract):
    """The fake of our tests."""

    @pytest.fixture
    def gateway(self) -> SmsGateway:
        self.memory = MemoryGateway()
        return self.memory

    async def taken(self, text: OutText) -> int:
        return int(text.message_id in self.memory.taken)


class TestSandboxCentre(GatewayContract):
    """The sandbox SMS centre over HTTP."""

    @pytest.fixture
    async def gateway(self, tmp_path: Path) -> AsyncIterator[SmsGateway]:
        (port,) = free_ports(1)
        self.truth = tmp_path / "truth.jsonl"
        arguments = ["-m", "sandbox.sms_centre", "--port", str(port), "--truth", str(self.truth), "--hung-request", "0"]
        process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5, trust_env=False) as client:
            gateway = HttpGateway(client, "UBND")
            for _ in range(200):
                if await gateway.reachable():
                    break
                await asyncio.sleep(0.05)
            yield gateway
        process.terminate()
        await process.wait()

    async def taken(self, text: OutText) -> int:
        lines = [json.loads(line) for line in self.truth.read_text().splitlines()]
        assert text.to not in self.truth.read_text()
        return sum(line["id"] == str(text.message_id) for line in lines)


async def test_nobody_there_is_no_answer() -> None:
    (port,) = free_ports(1)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        gateway = HttpGateway(client, "UBND")
        assert not await gateway.reachable()
        with pytest.raises(NoAnswer):
            await gateway.send([a_text()])
