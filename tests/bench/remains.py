"""Of every aim that was missed: what it would take, in numbers of the same run. A part of the page."""

from __future__ import annotations

from typing import Any

Results = dict[str, Any]
PYTHON = ("registry", "verification", "payout", "notify")
PROFILES = (
    "No hot spot is left in Python: in profiles of 20,000 people (29 November 2026, `python -m tests.bench end-to-end --people 20000"
    " --profile SERVICE`, others on the machine) the function with the largest share had 6 % of registry's samples (the making of models),"
    " 5 % of verification's. What would make it much cheaper changes the product: fewer messages per person, unsealed personal"
    " data, no outbox, or another language."
)


def remains(found: Results) -> str:
    """Why aims of speed were missed, each in figures of its own part of the run; empty where none was."""
    missed = [str(aim["aim"]) for aim in found["aims"] if aim["met"] is False]
    said = {
        "people/s": _end_to_end, "share of the bare limit": _bare_limit, "payroll build": _build, "import of a CSV": _import,
        "matches/s": _replica,
    }  # fmt: skip
    lines = [line for name, why in said.items() if any(aim.startswith(name) for aim in missed) for line in why(found)]
    return "## What remains, and why\n\n" + "\n".join(lines) if lines else ""


def _end_to_end(found: Results) -> list[str]:
    run, cores = found["end_to_end"][-1], found["machine"]["cores"]
    cpu: dict[str, float] = run["cpu_us_per_person"]
    spent = sum(cpu.values())
    python = sum(cpu.get(name, 0.0) for name in PYTHON)
    database = sum(us for name, us in cpu.items() if name.startswith("postgres"))
    most, reached = cores * 1e6 / spent, run["people_per_second"]
    return [
        f"- **3,000 people/s.** {cores} cores have {cores * 1e6:,.0f} us of CPU a second and a person takes {spent:,.0f}: at most"
        f" {most:,.0f}/s, of which {reached:,.0f} ({reached / most:.0%}) were reached, so nothing waits; it is work. 3,000/s leave"
        f" {cores * 1e6 / 3_000:,.0f} us a person. Of the {spent:,.0f} the services' Python takes {python:,.0f}, PostgreSQL"
        f" {database:,.0f}, the broker {cpu.get('kafka', 0):,.0f}, prints and the driver the rest.",
        f"- {PROFILES}",
    ]


def _bare_limit(found: Results) -> list[str]:
    bare = found["bare_limit"]["cpu_us_per_person"]["sum"]
    registry = found["end_to_end"][-1]["cpu_us_per_person"].get("registry", 0)
    return [
        f"- **Half of the bare limit** leaves {2 * bare:,.0f} us a person for everything; registry's Python alone takes"
        f" {registry:,.0f}."
    ]


def _build(found: Results) -> list[str]:
    payroll, cores = found["payroll"], found["machine"]["cores"]
    stage, people = payroll["stages"]["build"], payroll["people"]
    spent = stage["python_us_each"] + stage["postgres_us_each"]
    least = spent * people / 1e6 / cores
    return [
        f"- **Build and pain.001 in 60 s for 1 M.** A person's lines take {stage['python_us_each']:,.1f} us of Python and"
        f" {stage['postgres_us_each']:,.1f} us of PostgreSQL: at least {least:,.1f} s for {people:,} people on {cores} cores;"
        f" {stage['wall_s']:,.1f} s were taken. PostgreSQL's share is the payment, its lines, what is told of them, and the guarantees"
        " that hold at the moment they are written (one live payment a line, one payer a benefit, totals, budget)."
    ]


def _import(found: Results) -> list[str]:
    one, cores = found["list_import"], found["machine"]["cores"]
    row = one["seconds"] * cores / one["rows"] * 1e6
    return [
        f"- **A list of 1 M rows in 180 s** leaves {180 * cores:,.0f} us of {cores} cores a row; {row:,.0f} were taken. One process reads,"
        " one decides, seals and writes part after part, so that a file takes effect once, in order; PostgreSQL works beside them."
    ]


def _replica(found: Results) -> list[str]:
    one = found["replica"]
    return [
        f"- **20,000 matches/s** leave 50 us a person; {1e6 / one['matches_per_second']:,.0f} were taken:"
        f" {one['python_us']:,.0f} us of Python, which opens the register's sealed entries and compares, and {one['postgres_us']:,.0f} us"
        " of PostgreSQL, which looks them up. One judge works at a time, so that two duplicates cannot miss each other."
    ]
