"""A TCP proxy of ours between a process and a server: it passes, delays, throttles, holds back, cuts, or loses one answer.

What is held back is delivered when the line is healed, as TCP does after a silence. Loopback only; no dependency.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Protocol

from deploy.local.ports import LOOPBACK
from tests.faults.wire import Seen

PIECE = 65_536
UP, DOWN = "up", "down"


class Reader(Protocol):
    """Recognises things in what one client sends."""

    def feed(self, data: bytes) -> Iterator[Seen]:
        """What begins in this piece."""


class _Connection:
    """One client and its way on to the server."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.reader = proxy.reader() if proxy.reader else None
        self.answer_is_lost = False

    def reset(self) -> None:
        """RST to both sides: no farewell."""
        for writer in (self.client, self.server):
            with contextlib.suppress(OSError, AttributeError):
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Proxy:
    """One listening port before one server port. `open`, set `target`, `close`."""

    def __init__(self, name: str, reader: Callable[[], Reader] | None = None) -> None:
        """`reader`: makes a reader for what each client sends; what it recognises is counted in `seen`."""
        self.name = name
        self.reader = reader
        self.port = 0
        self.target = 0
        self.seen: Counter[Seen] = Counter()
        self.lost_answers = 0
        self._delay = 0.0
        self._bytes_per_second = 0.0
        self._held: set[str] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._to_lose: dict[str, tuple[int, int]] = {}
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._taken, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def close(self) -> None:
        """End every connection and stop listening."""
        if self._server:
            self._server.close()
        self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    # --- faults ----------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Cut every connection with RST; new ones are taken."""
        for connection in list(self._connections):
            connection.reset()

    def cut(self) -> None:
        """Cut every connection with RST and refuse new ones until healed."""
        self._refusing = True
        self.reset()

    def hold(self, *ways: str) -> None:
        """A black hole: nothing passes `up` (to the server), `down`, or both ways, and nobody is told."""
        self._held = set(ways or (UP, DOWN))
        self._flowing.clear()

    def delay(self, seconds: float) -> None:
        """Every piece arrives so much later."""
        self._delay = seconds

    def throttle(self, bytes_per_second: float) -> None:
        """No more than so many bytes a second, per connection and way."""
        self._bytes_per_second = bytes_per_second

    def lose_answer(self, what: str, *, times: int = 1, after: int = 0) -> None:
        """Let the next requests of a kind (`commit`, `post`) reach the server, then cut the line before its answer comes back.

        `after`: so many of them pass unharmed first.
        """
        self._to_lose[what] = (after, times)

    def heal(self) -> None:
        """Everything passes again; what was held back is delivered."""
        self._delay = self._bytes_per_second = 0.0
        self._held = set()
        self._flowing.set()
        self._refusing = False
        self._to_lose.clear()

    # --- passing ---------------------------------------------------------------------------------------------------------

    def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._accept(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            _Connection(self, writer, writer).reset()
            return
        connection = _Connection(self, writer, server)
        if self._refusing:
            connection.reset()
            return
        self._connections.add(connection)
        try:
            await self._both_ways(connection, reader, server_reader)
        finally:
            self._connections.discard(connection)
            connection.client.close()
            connection.server.close()

    async def _both_ways(self, connection: _Connection, up: asyncio.StreamReader, down: asyncio.StreamReader) -> None:
        pumps = [
            asyncio.create_task(self._pump(connection, up, connection.server, way=UP)),
            asyncio.create_task(self._pump(connection, down, connection.client, way=DOWN)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, connection: _Connection, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, way: str) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(PIECE):
                await self._slowed(len(data), way)
                if way == UP:
                    self._watch(connection, data)
                elif connection.answer_is_lost:  # it came, so what was asked for is done
                    self.lost_answers += 1
                    connection.reset()
                    return
                sink.write(data)
                await sink.drain()

    async def _slowed(self, size: int, way: str) -> None:
        if self._delay:
            await asyncio.sleep(self._delay)
        if self._bytes_per_second:
            await asyncio.sleep(size / self._bytes_per_second)
        while way in self._held:
            await self._flowing.wait()

    def _watch(self, connection: _Connection, data: bytes) -> None:
        for seen in connection.reader.feed(data) if connection.reader else ():
            self.seen[seen] += 1
            after, times = self._to_lose.get(seen.what, (0, 0))
            if after:
                self._to_lose[seen.what] = (after - 1, times)
            elif times:
                self._to_lose[seen.what] = (0, times - 1)
                connection.answer_is_lost = True
