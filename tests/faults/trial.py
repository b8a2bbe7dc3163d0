"""One trial: a payer's month during which something fails, then rest, then everything is compared with everything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

from ansinh import check
from shared import topics
from tests.conftest import ROOT
from tests.faults import oracle
from tests.faults.nemesis import Scenario, Scene
from tests.faults.oracle_read import read_log
from tests.faults.probe import Probe
from tests.faults.report import Trial
from tests.faults.work import Work
from tests.faults.world import World

TRIAL_SECONDS, MORE_SECONDS = 420.0, 60.0
EXAMINE_SECONDS, STILL_SECONDS = 60.0, 20.0
KEPT = ROOT / ".ansinh" / "faults"
RANDOM = "random"


@dataclass
class Result:
    """What a trial showed. `problems` is empty when all is well; `missed`: scenarios that never struck."""

    name: str
    seed: int
    phases: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    recoveries: dict[str, float] = field(default_factory=dict)
    hits: dict[str, int] = field(default_factory=dict)
    points: dict[str, list[str]] = field(default_factory=dict)
    deliveries: int = 0
    seconds: float = 0.0
    spent: dict[str, float] = field(default_factory=dict)  # phase -> seconds

    def reported(self, table: dict[str, Scenario]) -> list[Trial]:
        """A line per fault: what was found is told of those too that never struck."""
        return [
            Trial(
                fault=table[name].fault if name in table else name,
                scenario=self.name,
                seed=self.seed,
                ok=not self.problems,
                recovery_seconds=self.recoveries.get(name),
                limit_seconds=table[name].limit if name in table else None,
                deliveries=self.deliveries,
                seconds=round(self.seconds, 1),
                findings=tuple(self.problems[:20]),
                points=tuple(self.points.get(name, ())),
                what=name,
                missed=not self.hits.get(name),
            )
            for name in self.phases or [self.name]
        ]


def plan(scenarios: Sequence[Scenario], rng: Random) -> dict[str, list[Scenario]]:
    """Which scenario strikes in which phase, chosen by the seed."""
    chosen: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        free = [phase for phase in scenario.phases if phase not in chosen] or list(scenario.phases)
        chosen.setdefault(rng.choice(free), []).append(scenario)
    return chosen


def in_order(scenes: Sequence[tuple[Scenario, Scene]]) -> tuple[list[tuple[Scenario, Scene]], list[tuple[Scenario, Scene]]]:
    """(those that strike while the phase begins, those that take their turn): one alone never waits."""
    waiting = [each for each in scenes if each[0].in_a_row]
    if len(waiting) < 2:
        return list(scenes), []
    return [each for each in scenes if not each[0].in_a_row], waiting


def drawn(table: dict[str, Scenario], seed: int, brokers: int) -> list[Scenario]:
    """Two to four faults of different kinds for a randomised run, in the manner of Jepsen's nemeses."""
    rng = Random(f"faults:{seed}")
    kinds: dict[str, list[Scenario]] = {}
    for row in table.values():
        if row.brokers in (1, brokers) and not (row.alone or row.own_world or row.last):
            kinds.setdefault(row.fault, []).append(row)
    return [rng.choice(kinds[kind]) for kind in rng.sample(sorted(kinds), rng.randrange(2, 5))]


class Runner:
    """Runs one trial in a world."""

    def __init__(self, world: World, name: str, seed: int, *, nth: int = 1) -> None:
        """`nth`: makes the trial's payer differ from that of the same trial tried before in this world."""
        self.world = world
        self.rng = Random(f"{name}:{seed}")
        self.trial = f"{name}.{seed}.{nth}".replace("_", "-")[-36:].lstrip(".-")
        self.result = Result(name, seed)
        self._probe = Probe(world, self.trial)
        self._scenes: list[tuple[Scenario, Scene]] = []

    async def run(self, scenarios: Sequence[Scenario]) -> Result:
        """Never raises but for a stop from outside: what goes wrong is a problem of the result."""
        started = monotonic()
        self.world.timeline.clear()
        self.world.note("trial", name=self.result.name, seed=self.result.seed)
        try:
            async with asyncio.timeout(TRIAL_SECONDS + MORE_SECONDS * (len(scenarios) - 1)):
                await self._run(scenarios)
        except Exception as error:
            self.result.problems.append(_told(error))
            self.world.note("failed", trace=traceback.format_exc())
            await self._say_what_is_missing(scenarios)
        await self.world.brokers_back()
        self.result.seconds = monotonic() - started
        return self.result

    async def _say_what_is_missing(self, scenarios: Sequence[Scenario]) -> None:
        """A trial that never came to rest is asked all the same: what it waits for may be what was lost."""
        try:
            async with asyncio.timeout(EXAMINE_SECONDS):
                with contextlib.suppress(Exception):  # nobody works any more: what is only on its way arrives now
                    await self.world.at_rest(STILL_SECONDS)
                await self._examine(scenarios)
        except Exception as error:  # the servers may be what is broken
            self.world.note("not examined", error=type(error).__name__)

    async def _run(self, scenarios: Sequence[Scenario]) -> None:
        work = Work(self.world, self.trial, self.result.seed)
        planned = plan([scenario for scenario in scenarios if not scenario.last], self.rng)
        for name, phase in work.phases.items():
            self.world.note("phase", name=name)
            with self._spends(name):
                await self._phase(work, name, phase, planned.get(name, []))
        with self._spends("rest"):
            await self.world.receipts_out()
            await self.world.at_rest()
        with self._spends("examine"):
            await self._examine(scenarios)
        for scenario in scenarios:
            if scenario.last:
                await self._strike(scenario, Scene(self.world, work, self.rng, scenario.phases[0]), measured=False)
        with self._spends("verify"):
            await self._verify()

    @contextmanager
    def _spends(self, what: str) -> Iterator[None]:
        started = monotonic()
        yield
        self.result.spent[what] = round(monotonic() - started, 1)

    async def _phase(self, work: Work, name: str, phase: Any, scenarios: Sequence[Scenario]) -> None:
        scenes = [(scenario, Scene(self.world, work, self.rng, name)) for scenario in scenarios]
        together, in_a_row = in_order(scenes)
        for scenario, scene in together:
            await scenario.before(scene)
        strikes = [self._strike(scenario, scene, measured=True) for scenario, scene in together]
        tasks = [asyncio.ensure_future(each) for each in (phase(), *strikes)]
        try:
            await asyncio.gather(*tasks)
            await self._in_a_row(in_a_row)  # afterwards: a phase waits for rest, and statements come all the while
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if scenarios:
                self.world.heal()

    async def _in_a_row(self, scenes: Sequence[tuple[Scenario, Scene]]) -> None:
        """The next one when everything goes on again after the one before."""
        for scenario, scene in scenes:
            await scenario.before(scene)
            await self._strike(scenario, scene, measured=True)

    async def _strike(self, scenario: Scenario, scene: Scene, *, measured: bool) -> None:
        self.result.phases[scenario.name] = scene.phase
        self._scenes.append((scenario, scene))
        self.world.note("strike", scenario=scenario.name, phase=scene.phase)
        await scenario.strike(scene)
        self.world.note("struck", scenario=scenario.name, hits=scene.hits, points=list(scene.points))
        self.result.hits[scenario.name] = scene.hits
        if measured and scenario.limit is not None and scene.hits:
            seconds = await self._probe.seconds(scene.since)
            self.result.recoveries[scenario.name] = round(seconds, 2)
            self.world.note("recovered", scenario=scenario.name, seconds=round(seconds, 2))

    async def _verify(self) -> None:
        for scenario, scene in self._scenes:
            self.result.problems += [f"{scenario.name}: {wrong}" for wrong in await scenario.verify(scene)]
            self.result.hits[scenario.name] = scene.hits
            self.result.points[scenario.name] = [point for point in scene.points if point.count(".") and " " not in point]

    async def _examine(self, scenarios: Sequence[Scenario]) -> None:
        tolerated = frozenset().union(*(scenario.tolerates for scenario in scenarios))
        truth = self.world.folder / "truth"
        examined = await oracle.examine(kafka=self.world.addresses.kafka, databases=self.world.addresses.databases, truth=truth)
        self.result.deliveries = examined.deliveries
        self.result.problems += [str(finding) for finding in examined.findings if str(finding.kind) not in tolerated]
        files = [path for path in sorted(truth.glob("*.jsonl")) if path.stem != "sms"]
        verdicts = await check.run_checks(lambda service: self.world.addresses.databases[service], files)
        self.result.problems += [f"{v.id} {v.title}: {v.detail}" for v in verdicts if not v.ok and v.id not in tolerated]
        self.result.problems += self._seen_on_the_wire()

    def _seen_on_the_wire(self) -> list[str]:
        """What clients of ours asked of the broker, whatever their settings say."""
        wrong = []
        for service, proxies in self.world.links.kafka_of.items():
            for seen in {seen for proxy in proxies for seen in proxy.seen}:
                if service == "partners":
                    continue
                if seen.what == "produce" and seen.value != -1:
                    wrong.append(f"wire: {service} published with acks={seen.value}")
                if seen.what == "fetch" and seen.value != 1:
                    wrong.append(f"wire: {service} reads uncommitted records")
        return wrong


def _told(error: Exception) -> str:
    """One line: what it was, and where in the trial, because a time-out of a library says nothing of itself."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == Path(__file__).parent]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(own[-3:]))
    return f"{type(error).__name__}: {error}".splitlines()[0] + f" (at {places})"


async def keep(world: World, result: Result) -> Path:
    """What a red trial leaves for whoever looks: seed, commit, timeline, topics, tables, logs, truth files. Synthetic people only."""
    folder = KEPT / f"{result.name}-{result.seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    summary = {
        "name": result.name, "seed": result.seed, "commit": _commit(), "phases": result.phases, "problems": result.problems,
        "hits": result.hits, "points": result.points, "again": again(result),
    }  # fmt: skip
    (folder / "trial.json").write_text(json.dumps(summary, indent=1, default=str))
    (folder / "timeline.json").write_text(json.dumps(world.timeline, indent=1, default=str))
    for name in ("truth", "logs"):
        shutil.copytree(world.folder / name, folder / name, dirs_exist_ok=True)
    try:
        await _dump_topics(world, folder / "topics")
        await asyncio.to_thread(_dump_tables, world, folder / "tables")
    except Exception as error:  # the servers may be what is broken
        (folder / "dump-failed.txt").write_text(type(error).__name__)
    return folder


def again(result: Result) -> str:
    """The command that does it again."""
    return f"make faults ONLY={result.name} SEED={result.seed}"


async def _dump_topics(world: World, folder: Path) -> None:
    folder.mkdir()
    log = await read_log(world.addresses.kafka)
    for place, records in log.records.items():
        lines = [json.dumps({"offset": r.offset, "event_id": r.event_id, "body": r.body}, default=str) for r in records]
        (folder / f"{place[0]}-{place[1]}.jsonl").write_text("\n".join(lines))


def _dump_tables(world: World, folder: Path) -> None:
    folder.mkdir()
    for service, dsn in world.addresses.databases.items():
        with (folder / f"{service}.sql").open("wb") as out:
            subprocess.run(["pg_dump", "--data-only", "--inserts", dsn], stdout=out, stderr=subprocess.DEVNULL, check=False)


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


__all__ = ["RANDOM", "Result", "Runner", "again", "drawn", "keep", "topics"]
