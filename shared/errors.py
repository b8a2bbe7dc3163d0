"""Errors of the runtime. Exceptions are for trouble; business refusals are values, never raised.

Exception
├── Trouble        the world is away (broker, database, time-out): retried with growing pauses for ever
├── Fenced         another owner moved this partition on: roll back, re-read the offset
├── BadRecord      one record can never be taken: dead letter, the rest proceeds
│   └── Parked     one record speaks a word we do not know yet: kept aside with an alarm, never a dead letter
├── PartitionStopped  a gap, a recreated topic or too many dead letters: a person must look
└── NotAllowed     an actor lacks the role, the payer or the signature
"""

from __future__ import annotations

import asyncpg


class Trouble(Exception):
    """The database, the broker or a partner is away; nothing is wrong with the data."""


class Fenced(Exception):
    """The stored next offset is not the one this owner read up to: a stale owner, or a batch already taken."""


class BadRecord(Exception):
    """One record that can never be taken. `reason` is a code, never the value."""

    def __init__(self, offset: int, reason: str) -> None:
        """Name the record by its offset in the partition at hand."""
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


class Parked(BadRecord):
    """A record with an enum word this release does not know (consumers upgrade first)."""


class PartitionStopped(Exception):
    """A partition that must not go on by itself. `reason` is what `consumed.stopped_reason` shows."""

    def __init__(self, reason: str) -> None:
        """Keep the code for the operator."""
        super().__init__(reason)
        self.reason = reason


class NotAllowed(Exception):
    """The actor may not do this. The text is a code."""


# Closed table: SQLSTATE classes and errors after which the same statement may succeed later. Anything else is a bug or bad data.
# 08 connection, 25006 read-only after a failover, 40 rollback (deadlock, serialization), 53 resources, 55P03 lock not available,
# 57 operator intervention (shutdown, cancel), 58 system error.
_RETRYABLE_PREFIXES = ("08", "40", "53", "57", "58")
_RETRYABLE_STATES = {"25006", "55P03"}
# asyncpg has one class for a connection that is gone and for its own misuse (a wrong number of arguments, a value of the wrong type):
# only these words of its messages tell them apart. "Another operation": what a cut-off call leaves on a connection.
_CONNECTION_GONE = ("is closed", "is closing", "was closed", "released back to the pool", "another operation is in progress")


def is_trouble(error: BaseException) -> bool:
    """Whether an error says that the world is away, so that waiting and trying again is right."""
    # InternalClientError: the driver met a message out of turn, as when a server ends a session between two statements.
    if isinstance(error, Trouble | OSError | TimeoutError | asyncpg.InternalClientError):
        return True
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, asyncpg.DataError) and any(word in str(error) for word in _CONNECTION_GONE)
    state = getattr(error, "sqlstate", None)
    if isinstance(error, asyncpg.PostgresError) and isinstance(state, str):
        return state in _RETRYABLE_STATES or state.startswith(_RETRYABLE_PREFIXES)
    return False


def code_of(error: BaseException) -> str:
    """A loggable code for any error: its class and SQLSTATE. Never its text, which may quote a person's data."""
    if isinstance(error, BadRecord | PartitionStopped):
        return error.reason
    state = getattr(error, "sqlstate", None)
    constraint = getattr(error, "constraint_name", None)
    return ":".join(part for part in (type(error).__name__, state, constraint) if isinstance(part, str) and part)
