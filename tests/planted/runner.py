"""Plant each bug in a copy of the tree and see whether its command notices, next to a copy without it where the same command is content."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from time import monotonic

from deploy.local.stack import KAFKA_ADDRESS, POSTGRES_ADDRESS, LocalStack
from tests.planted import tree
from tests.planted.catalogue import ROOT, Bug

STACK = "planted-servers"
RUN_SECONDS, FAULTS_SECONDS = 300.0, 600.0
CONTROL_SECONDS = 900.0
LAST_WORDS_SECONDS = 40.0
# A run that ends with one of these broke before it looked.
NOT_STARTED = re.compile(
    r"errors? during collection|ImportError|ModuleNotFoundError|SyntaxError|IndentationError|StackUnavailable|no tests ran"
)


Servers = Mapping[str, str]
"""Names of the environment that say where servers are."""


class Verdict(StrEnum):
    """What became of a planted bug. Only the first is good."""

    CAUGHT = "caught"
    NOT_CAUGHT = "NOT CAUGHT"
    NOT_STARTED = "could not even start"
    OTHER_FINDING = "failed, but not for this"
    TIMED_OUT = "timed out"
    DOES_NOT_APPLY = "diff does not apply"
    NO_CONTROL = "red without the bug too"


@dataclass(frozen=True, slots=True)
class Run:
    """One command in one tree. `code` is None when it was cut off."""

    code: int | None
    output: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One planted bug with its verdict and the line that shows it."""

    bug: Bug
    verdict: Verdict
    seconds: float
    line: str


_running: set[subprocess.Popen[bytes]] = set()


def stop(*_: object) -> None:
    """What runs is told to end, what waits is not begun. Raises KeyboardInterrupt."""
    for process in list(_running):
        process.send_signal(signal.SIGINT)
    raise KeyboardInterrupt


def run_all(bugs: Sequence[Bug], *, jobs: int, say: Callable[[str], object] = partial(print, flush=True)) -> list[Judged]:
    """Controls first, then every bug in a copy of its own, `jobs` at a time."""
    tree.snapshot()
    with _servers(bugs) as servers:
        contents = controls(bugs, jobs=jobs, servers=servers)
        return _judge_all(bugs, contents, jobs=jobs, servers=servers, say=say)


@contextmanager
def _servers(bugs: Sequence[Bug]) -> Iterator[Servers]:
    """One Kafka and PostgreSQL for all tests: each makes databases and topics of its own. Worlds of faults bring their own."""
    if not any(test.startswith("tests/integration") for bug in bugs for test in bug.tests):
        yield {}
        return
    stack = LocalStack.start(ROOT, STACK, fresh=True, environment={})
    try:
        yield {KAFKA_ADDRESS: stack.kafka_bootstrap, POSTGRES_ADDRESS: stack.postgres_dsn("postgres")}
    finally:
        stack.remove()


def _judge_all(
    bugs: Sequence[Bug], contents: Mapping[str, Run], *, jobs: int, servers: Servers, say: Callable[[str], object]
) -> list[Judged]:
    def judged(bug: Bug) -> Judged:
        result = judge(bug, contents[bug.name], servers)
        say(f"{result.verdict:<24} {bug.name:<36} {result.seconds:6.1f} s  {result.line[:90]}")
        return result

    with ThreadPoolExecutor(jobs) as side_by_side:
        return list(side_by_side.map(judged, bugs))


def controls(bugs: Sequence[Bug], *, jobs: int, servers: Servers) -> dict[str, Run]:
    """bug name -> its command in a tree without bugs. All tests run in one session; every other command once."""
    tests = sorted({test for bug in bugs for test in bug.tests})
    others = sorted({bug.caught_by for bug in bugs if not bug.tests})
    with ThreadPoolExecutor(jobs) as side_by_side:
        session = side_by_side.submit(_control, "control-tests", ["pytest", *tests], servers) if tests else None
        runs = {
            command: side_by_side.submit(_control, f"control-{n}", command.split(), servers) for n, command in enumerate(others)
        }
        try:
            return {
                bug.name: _of_session(session.result(), bug.tests) if bug.tests and session else runs[bug.caught_by].result()
                for bug in bugs
            }
        except KeyboardInterrupt:
            side_by_side.shutdown(wait=False, cancel_futures=True)
            raise


def _control(name: str, words: Sequence[str], servers: Servers) -> Run:
    place = tree.copy(name)
    try:
        return run(place, [*words, "-rA"] if words[0] == "pytest" else words, servers=servers, within=CONTROL_SECONDS)
    finally:
        tree.remove(place)


def _of_session(session: Run, tests: Iterable[str]) -> Run:
    """The part of the common session that is about these tests: green when each of them passed and none of them failed."""
    lines = session.output.splitlines()
    passed = all(any(line.startswith(f"PASSED {test}") for line in lines) for test in tests)
    failed = any(line.startswith((f"FAILED {test}", f"ERROR {test}")) for line in lines for test in tests)
    ours = [line for line in lines if any(test in line for test in tests)]
    return Run(0 if passed and not failed else 1, "\n".join(ours) or session.output[-2_000:], session.seconds)


def judge(bug: Bug, control: Run, servers: Servers) -> Judged:
    """Plant, run, compare with the control."""
    if control.code != 0 or re.search(bug.finds, control.output):
        return Judged(bug, Verdict.NO_CONTROL, control.seconds, _last(control.output))
    place = tree.copy(bug.name)
    try:
        tree.plant(place, place / bug.file.relative_to(ROOT))
        done = run(place, bug.words, servers=servers, within=RUN_SECONDS if bug.tests else FAULTS_SECONDS)
    except tree.DoesNotApply as problem:
        return Judged(bug, Verdict.DOES_NOT_APPLY, 0.0, str(problem))
    finally:
        tree.remove(place)
    (tree.PLACE / f"{bug.name}.log").write_text(done.output, encoding="utf-8")
    verdict, line = verdict_of(bug, done)
    return Judged(bug, verdict, done.seconds, line)


def verdict_of(bug: Bug, done: Run) -> tuple[Verdict, str]:
    """What a run with the bug shows. Pure."""
    found = next((line for line in done.output.splitlines() if re.search(bug.finds, line)), None)
    if done.code is None:
        return Verdict.TIMED_OUT, _last(done.output)
    if done.code == 0:
        return Verdict.NOT_CAUGHT, bug.caught_by
    if done.code != 1 or NOT_STARTED.search(done.output):
        return Verdict.NOT_STARTED, _last(done.output)
    return (Verdict.CAUGHT, found.strip()) if found else (Verdict.OTHER_FINDING, _last(done.output))


def _last(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "said nothing"


def run(place: Path, words: Sequence[str], *, servers: Servers, within: float) -> Run:
    """One command of a header inside a copy. Cut off it may say its last words; what it left running is ended."""
    started = monotonic()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSINH_", "PYTEST_"))}
    environment |= servers if words[0] == "pytest" else {}
    process = subprocess.Popen(
        command_of(words), cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    _running.add(process)
    code: int | None = None
    try:
        output, _ = process.communicate(timeout=within)
        code = process.returncode
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            output, _ = process.communicate(timeout=LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            output = b""
    finally:
        _running.discard(process)
    tree.end_left_over(place)
    return Run(code, output.decode("utf-8", "replace"), monotonic() - started)


def command_of(words: Sequence[str]) -> list[str]:
    """The words of a header as a command of this interpreter."""
    if words[0] == "pytest":
        return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *words[1:]]
    scenario, seed = words[1:3]
    return [sys.executable, "-m", "tests.faults", "run", scenario, "--seed", seed]
