"""Loopback ports nobody listens on."""

import random
import socket
from contextlib import ExitStack

from deploy.local.unavailable import StackUnavailable

LOOPBACK = "127.0.0.1"
# Below the range from which Linux, macOS and Windows take the ports of outgoing connections.
FIRST, LAST = 20_000, 32_000


def free_ports(count: int) -> tuple[int, ...]:
    """Return `count` different ports free at this moment; whoever binds first has one.

    Raises StackUnavailable when a thousand tries do not find them.
    """
    found: list[int] = []
    with ExitStack() as held:
        for _ in range(1000):
            if len(found) == count:
                return tuple(found)
            probe = held.enter_context(socket.socket())
            port = random.randint(FIRST, LAST)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            found.append(port)
    raise StackUnavailable(f"No {count} free ports from {FIRST} to {LAST} on {LOOPBACK}. Stop their users.")
