"""Truth files: append-only JSON lines saying what really happened at a sandbox provider. Checks read them; nothing edits them.

A provider's file is also its memory: it is flushed to disk before any answer leaves, so a restart pays nobody twice. It holds no name,
account, address or any other personal data. One line is one fact:

    {"fact": "line", "provider": "bank-a", "batch_id": "...", "index": 0, "end_to_end_id": "...", "amount_vnd": 720000,
     "status": "paid" | "rejected" | "returned" | "cancelled", "reason": "AC04" | null,
     "answer": "once" | "twice" | "late" | "lost", "at": "..."}
    {"fact": "batch", "batch_id": "...", "state": "acting" | "closed" | "refused" | "cancelled", "reason": "AM10" | null, "at": "..."}
    {"fact": "cancel", "cancel_id": "...", "end_to_end_id": "...", "at": "...",
     "outcome": "cancelled" | "too_late" | "unknown_id" | "silent"}

`paid` means that money left; `returned` after it that it came back, and `returned` alone that it lay
at the counter and nobody came; `cancelled` that no money left and none will. A `cancel` is what was said to the wish to
cancel a line. `at` is business time, ISO 8601.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class Status(StrEnum):
    """What became of one line."""

    PAID = "paid"
    REJECTED = "rejected"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class Reply(StrEnum):
    """How the customer hears of it."""

    ONCE = "once"
    TWICE = "twice"
    LATE = "late"
    LOST = "lost"


class BatchState(StrEnum):
    """How far a batch is. After `acting` answers may still be owed; the others are final."""

    ACTING = "acting"
    CLOSED = "closed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class LineFact:
    """One thing that really happened to one payment line; amounts in whole dong."""

    provider: str
    batch_id: str
    index: int
    end_to_end_id: str
    amount_vnd: int
    status: Status
    reason: str | None
    answer: Reply
    at: datetime


class TruthLocked(Exception):
    """Another process holds this truth file: two providers with one memory would pay twice."""


def line_facts(*paths: Path) -> list[LineFact]:
    """Every line fact of the files, in the order they happened."""
    return [_fact(row) for path in paths for row in _rows(path) if row["fact"] == "line"]


def payments(*paths: Path) -> list[tuple[str, int]]:
    """(end-to-end id, VND) once for every time money left: an id that stands here twice was paid twice."""
    return [(fact.end_to_end_id, fact.amount_vnd) for fact in line_facts(*paths) if fact.status is Status.PAID]


def outcomes(*paths: Path) -> list[tuple[str, int, Status]]:
    """(end-to-end id, VND, last status) once per id."""
    last = {fact.end_to_end_id: fact for fact in line_facts(*paths)}
    return [(key, fact.amount_vnd, fact.status) for key, fact in last.items()]


def batch_states(*paths: Path) -> dict[str, BatchState]:
    """The last state of every batch a decision was made about."""
    return {row["batch_id"]: BatchState(row["state"]) for path in paths for row in _rows(path) if row["fact"] == "batch"}


def refused_batches(*paths: Path) -> dict[str, tuple[str, datetime]]:
    """Reason and moment of every batch that was refused or cancelled."""
    return {
        row["batch_id"]: (row["reason"], datetime.fromisoformat(row["at"]))
        for path in paths
        for row in _rows(path)
        if row["fact"] == "batch" and row["reason"]
    }


def away(truth: Path) -> Path:
    """The file beside a truth file in which a story names, one a line, the end-to-end ids for whom nobody comes to the counter."""
    return truth.with_suffix(".away")


class TruthFile:
    """The file a provider writes, with what it says already in memory. Raises TruthLocked when another process has it."""

    def __init__(self, path: Path) -> None:
        """Open or create; what a crash left of a half-written last line never happened and is cut off."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._away = away(path)
        self._file = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise TruthLocked(path.name) from None
        self._cut_torn_line()
        self._lines: dict[str, dict[Status, LineFact]] = {}
        self._replies: dict[Reply, dict[str, str]] = {Reply.LOST: {}, Reply.TWICE: {}}
        for fact in line_facts(path):
            self._remember(fact)
        self.batches = batch_states(path)
        self.refusals = {row["batch_id"]: row["reason"] for row in _rows(path) if row["fact"] == "batch" and row["reason"]}
        self.cancels = {
            (row["cancel_id"], row["end_to_end_id"]): row["outcome"] for row in _rows(path) if row["fact"] == "cancel"
        }

    def known(self, end_to_end_id: str) -> dict[Status, LineFact]:
        """What happened to an id so far."""
        return self._lines.get(end_to_end_id, {})

    def stays_away(self) -> frozenset[str]:
        """End-to-end ids for whom nobody comes, as somebody chose up to now; nobody chooses where no story says so."""
        return frozenset(self._away.read_text("ascii").split()) if self._away.exists() else frozenset()

    def told(self, reply: Reply, *, outside: str) -> int:
        """How many lines of other batches were given this reply, one of the odd ones `lost` and `twice`."""
        return sum(batch_id != outside for batch_id in self._replies[reply].values())

    def add_lines(self, facts: Iterable[LineFact]) -> None:
        """Write the facts that are not known yet, and be sure that they are on disk. An id has each status at most once."""
        new = {(fact.end_to_end_id, fact.status): fact for fact in facts if fact.status not in self.known(fact.end_to_end_id)}
        self._write([{"fact": "line", **asdict(fact), "at": fact.at.isoformat()} for fact in new.values()])
        for fact in new.values():
            self._remember(fact)

    def mark_batch(self, batch_id: str, state: BatchState, at: datetime, *, reason: str | None = None) -> None:
        """Write how far a batch is."""
        self._write([{"fact": "batch", "batch_id": batch_id, "state": state, "reason": reason, "at": at.isoformat()}])
        self.batches[batch_id] = state
        if reason is not None:
            self.refusals[batch_id] = reason

    def mark_cancels(self, cancel_id: str, outcomes: Mapping[str, str], at: datetime) -> None:
        """Write what is said to a wish to cancel, per end-to-end id."""
        same = {"fact": "cancel", "cancel_id": cancel_id, "at": at.isoformat()}
        self._write([{**same, "end_to_end_id": key, "outcome": outcome} for key, outcome in outcomes.items()])
        self.cancels |= {(cancel_id, key): outcome for key, outcome in outcomes.items()}

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _remember(self, fact: LineFact) -> None:
        self._lines.setdefault(fact.end_to_end_id, {})[fact.status] = fact
        if fact.answer in self._replies:
            self._replies[fact.answer].setdefault(fact.end_to_end_id, fact.batch_id)

    def _write(self, rows: Sequence[dict[str, object]]) -> None:
        self._file.write("".join(json.dumps(row) + "\n" for row in rows).encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    def _cut_torn_line(self) -> None:
        self._file.seek(0)
        content = self._file.read()
        self._file.truncate(content.rfind(b"\n") + 1)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Whole lines only: the last may be in the middle of being written."""
    if path.exists():
        for line in path.read_text("utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)


def _fact(row: dict[str, str]) -> LineFact:
    return LineFact(
        provider=row["provider"],
        batch_id=row["batch_id"],
        index=int(row["index"]),
        end_to_end_id=row["end_to_end_id"],
        amount_vnd=int(row["amount_vnd"]),
        status=Status(row["status"]),
        reason=row["reason"],
        answer=Reply(row["answer"]),
        at=datetime.fromisoformat(row["at"]),
    )
