"""`python -m tests.faults`: every scenario once, then randomised runs by seed. Ends red when anything was lost, doubled or paid wrongly.

python -m tests.faults                                   the table once with seed 1, then randomised runs of seeds 1 to 12
python -m tests.faults run kill-payout --seed 7          one scenario again
python -m tests.faults --scenario kill-payout,random --seeds 1-30 --profile one --json out.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from ansinh.processes import NotReady
from deploy.local.unavailable import StackUnavailable
from tests.faults import record, report
from tests.faults.nemesis import Scenario
from tests.faults.scenarios import packs, table
from tests.faults.trial import RANDOM, Result, Runner, again, drawn, keep
from tests.faults.world import World

TRIALS_PER_WORLD = 30
SEEDS = "1-12"
BROKERS = {"one": 1, "three": 3}
Planned = tuple[str, int, list[Scenario]]


def main() -> int:
    """0 when every trial was clean, 1 when one was not, 2 when the faults could not be tried."""
    given = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    brokers = BROKERS[given.profile]
    planned = list(_planned(given, table(), brokers))
    if given.tell:
        print(record.tell())
        return 0
    if given.list:
        for name, seed, scenarios in planned:
            print(f"{name:<55} seed {seed:<4} {'; '.join(s.what for s in scenarios)}")
        return 0
    results = asyncio.run(_until_stopped(planned, brokers, keep_all=given.keep))
    trials = [trial for result in results for trial in result.reported(table())]
    report.save(trials)
    report.show(trials)
    if given.json:
        given.json.write_text(json.dumps([asdict(result) for result in results], indent=1))
    if len(results) < len(planned):
        return 2
    return int(any(result.problems for result in results))


async def _until_stopped(planned: Sequence[Planned], brokers: int, *, keep_all: bool) -> list[Result]:
    """Ctrl-C and SIGTERM end it in order: what was started is stopped, what was found is told."""
    results: list[Result] = []
    task = asyncio.create_task(run(planned, brokers, results, keep_all=keep_all))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        print("stopped", file=sys.stderr)
    except (NotReady, StackUnavailable) as error:  # what was tried before is told all the same
        print(f"could not start: {error}", file=sys.stderr)
    return results


async def run(planned: Sequence[Planned], brokers: int, results: list[Result], *, keep_all: bool = False) -> None:
    """Trial after trial; a world is left when a trial was red, when it cannot be used again, or after many trials.

    `keep_all`: clean trials leave what red ones leave.
    """
    world, tried, commit = None, 0, report.commit_now()
    try:
        for name, seed, scenarios in planned:
            if world is None:
                world, tried = World(str(_pid()), brokers=brokers), 0
                await world.start()
            tried += 1
            result = await Runner(world, name, seed, nth=tried).run(scenarios)
            results.append(result)
            record.keep(record.lines_of(result.reported(table()), commit, brokers))
            _say(result)
            if result.problems or keep_all:
                print(f"    kept in {await keep(world, result)}", flush=True)
            if result.problems or tried >= TRIALS_PER_WORLD or any(s.own_world for s in scenarios):
                await world.end()
                world = None
    finally:
        if world is not None:
            await asyncio.shield(world.end(keep=not world.clients))


def _say(result: Result) -> None:
    struck = ", ".join(f"{name} in {phase}" for name, phase in result.phases.items())
    times = ", ".join(f"{seconds:.1f} s" for seconds in result.recoveries.values())
    missed = [name for name in result.phases if not result.hits.get(name)]
    word = "RED " if result.problems else "miss" if missed else "ok  "
    print(
        f"{word} {result.name} {result.seed}: {struck or 'nothing'}; recovered {times or '-'}; {result.seconds:.0f} s", flush=True
    )
    for problem in result.problems[:12]:
        print(f"    {problem}")
    if result.problems:
        print(f"    again: {again(result)}", flush=True)


def _planned(given: argparse.Namespace, rows: dict[str, Scenario], brokers: int) -> Iterator[Planned]:
    seeds = _seeds(given.seed or given.seeds)
    if given.scenario:
        for name in given.scenario.split(","):
            for seed in seeds:
                yield name, seed, drawn(rows, seed, brokers) if name == RANDOM else packs().get(name) or [rows[name]]
        return
    packed = {row.name for few in packs().values() for row in few}
    for name, scenario in rows.items():
        if scenario.brokers in (1, brokers) and name not in packed:
            yield name, seeds[0], [scenario]
    for name, few in packs().items():
        yield name, seeds[0], few
    for seed in seeds:
        yield RANDOM, seed, drawn(rows, seed, brokers)


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description="Hurt a running installation and compare everything"
    )
    parser.add_argument("run", nargs="*", metavar="run SCENARIO", help="one scenario")
    parser.add_argument("--scenario", help=f"comma list of names, or {RANDOM}")
    parser.add_argument("--seeds", default=SEEDS, help="first-last")
    parser.add_argument("--seed", help="one seed")
    parser.add_argument("--profile", choices=BROKERS, default="one")
    parser.add_argument("--json", type=Path, help="write every trial there")
    parser.add_argument("--keep", action="store_true", help="leave what a red trial leaves of clean ones too")
    parser.add_argument("--list", action="store_true", help="print what would be tried")
    parser.add_argument("--tell", action="store_true", help="add what was tried here to docs/faults-tried.csv and docs/FAULTS.md")
    given = parser.parse_args()
    if given.run:
        given.scenario = given.run[-1]
        given.seed = given.seed or "1"
    unknown = set((given.scenario or "").split(",")) - set(table()) - set(packs()) - {RANDOM, ""}
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    if given.scenario and any(table()[name].brokers == 3 for name in given.scenario.split(",") if name in table()):
        given.profile = "three"
    return given


def _pid() -> int:
    import os

    return os.getpid()


if __name__ == "__main__":
    sys.exit(main())
