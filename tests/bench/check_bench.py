"""How long `ansinh check` takes for a province: `python -m tests.bench.check_bench --people 1000000`.

Fills four databases of a PostgreSQL of its own (tests/bench/state), asks every invariant, prints sizes, seconds per invariant, seconds
together and processor seconds of server and command. Needs about 17 GB for a million people; `--keep` leaves the databases for another run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import time
from pathlib import Path

from rich.console import Console

from ansinh.check import run_checks
from ansinh.check_watch import as_table
from deploy.local.databases import migrate
from deploy.local.postgres import PostgresServer
from shared.topics import Service
from tests.bench.state import state

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".ansinh" / "bench-check"


def main() -> int:
    """Exit code 1 when the generated state breaks a promise: then the numbers say nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000_000, help="a multiple of 1000")
    parser.add_argument("--full", action="store_true", help="ask with --full")
    parser.add_argument("--keep", action="store_true", help="leave the databases; they are found again by their number of people")
    given = parser.parse_args()
    folder = FOLDER / str(given.people)
    server = PostgresServer(ROOT, folder / "postgres")
    made = (folder / "made").exists()
    dsn = server.start(fresh=not made)
    try:
        dsns = {str(service): dsn.replace("/postgres?", f"/check_{service}?") for service in Service}
        for service, address in dsns.items():
            migrate(address, service)
        if not made:
            _fill(dsns, given.people)
            (folder / "made").touch()
        return _measure(dsns, server.pid or 0, full=given.full)
    finally:
        server.stop()
        if not given.keep:
            shutil.rmtree(server.home, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)


def _fill(dsns: dict[str, str], people: int) -> None:
    begun = time.monotonic()
    sizes = asyncio.run(state.make(dsns, people))
    print(f"{people} people written in {time.monotonic() - begun:.0f} s")
    for service, dsn in dsns.items():
        tables = ", ".join(f"{name} {rows} rows {size >> 20} MB" for name, rows, size in asyncio.run(state.largest(dsn)))
        print(f"{service} {sizes[service] >> 20} MB: {tables}")


def _measure(dsns: dict[str, str], pid: int, *, full: bool) -> int:
    """Twice: the first time from a cold cache. Sessions have ended when their processor time is read."""
    verdicts = []
    for what in ("first", "again"):
        begun, server, ours = time.monotonic(), _processor_seconds(pid), time.process_time()
        verdicts = asyncio.run(run_checks(dsns.__getitem__, full=full, patience=0))
        seconds = time.monotonic() - begun
        time.sleep(1)
        print(
            f"{what}: {seconds:.1f} s; processor seconds: PostgreSQL {_processor_seconds(pid) - server:.1f}, "
            f"command {time.process_time() - ours:.1f}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )
    Console(width=150).print(as_table(verdicts))
    return 0 if all(verdict.ok for verdict in verdicts) else 1


def _processor_seconds(pid: int) -> float:
    """Of every session that ended so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    raise SystemExit(main())
