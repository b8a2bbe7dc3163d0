"""The proxy between a client and an echo server of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from tests.faults.proxy import DOWN, UP, Proxy
from tests.faults.wire import HttpReader, Seen


@pytest.fixture
async def heard() -> list[bytes]:
    return []


@pytest.fixture
async def proxy(heard: list[bytes]) -> AsyncIterator[Proxy]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1_000):
            heard.append(data)
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = Proxy("echo", HttpReader)
    await proxy.open()
    proxy.target = server.sockets[0].getsockname()[1]
    yield proxy
    await proxy.close()
    server.close()


class Client:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, proxy: Proxy) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", proxy.port))

    async def ask(self, data: bytes, within: float = 2.0) -> bytes:
        self.writer.write(data)
        await self.writer.drain()
        return await asyncio.wait_for(self.reader.read(1_000), within)


async def test_passes(proxy):
    client = await Client.to(proxy)
    assert await client.ask(b"hello") == b"hello"
    assert proxy.connections == 1


async def test_black_hole_delivers_when_healed(proxy, heard):
    client = await Client.to(proxy)
    proxy.hold()
    with pytest.raises(TimeoutError):
        await client.ask(b"late", 0.3)
    assert heard == []
    proxy.heal()
    assert await asyncio.wait_for(client.reader.read(10), 2) == b"late"


@pytest.mark.parametrize(("way", "reached"), [(UP, []), (DOWN, [b"x"])])
async def test_black_hole_one_way(proxy, heard, way, reached):
    client = await Client.to(proxy)
    await client.ask(b"x")
    heard.clear()
    proxy.hold(way)
    with pytest.raises(TimeoutError):
        await client.ask(b"x", 0.3)
    assert heard == reached


async def test_cut_resets_and_refuses_until_healed(proxy):
    client = await Client.to(proxy)
    await client.ask(b"x")
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        await client.ask(b"x")
    with pytest.raises(ConnectionResetError):
        await (await Client.to(proxy)).ask(b"x")
    proxy.heal()
    assert await (await Client.to(proxy)).ask(b"x") == b"x"


async def test_answer_is_lost_after_the_server_heard(proxy, heard):
    proxy.lose_answer("post", after=1)
    first, second = await Client.to(proxy), await Client.to(proxy)
    assert await first.ask(b"POST /1") == b"POST /1"
    with pytest.raises(ConnectionResetError):
        await second.ask(b"POST /2")
    assert heard == [b"POST /1", b"POST /2"]
    assert proxy.lost_answers == 1
    assert await (await Client.to(proxy)).ask(b"POST /3") == b"POST /3"
    assert proxy.seen[Seen("post")] == 3


async def test_delay_and_throttle(proxy):
    client = await Client.to(proxy)
    started = monotonic()
    proxy.delay(0.1)
    await client.ask(b"x")
    assert monotonic() - started >= 0.2
    proxy.heal()
    proxy.throttle(1_000)
    started = monotonic()
    await client.ask(b"x" * 200)
    assert monotonic() - started >= 0.35


async def test_server_away_is_a_reset(proxy):
    proxy.target = 1
    with pytest.raises(ConnectionResetError):
        await (await Client.to(proxy)).ask(b"x")
