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
    """Why the aims of speed end to end are out of reach where they were missed; empty where there is nothing to say."""
    run, cores = (found.get("end_to_end") or [{}])[-1], found["machine"]["cores"]
    missed = {aim["aim"] for aim in found["aims"] if aim["met"] is False}
    if not run or not any(aim.startswith("people/s") for aim in missed):
        return ""
    cpu: dict[str, float] = run["cpu_us_per_person"]
    spent = sum(cpu.values())
    python = sum(cpu.get(name, 0.0) for name in PYTHON)
    database = sum(us for name, us in cpu.items() if name.startswith("postgres"))
    most, reached = cores * 1e6 / spent, run["people_per_second"]
    lines = [
        f"- **3,000 people/s.** {cores} cores have {cores * 1e6:,.0f} us of CPU a second and a person takes {spent:,.0f}: at most"
        f" {most:,.0f}/s, of which {reached:,.0f} ({reached / most:.0%}) were reached, so nothing waits; it is work. 3,000/s leave"
        f" {cores * 1e6 / 3_000:,.0f} us a person. Of the {spent:,.0f} the services' Python takes {python:,.0f}, PostgreSQL"
        f" {database:,.0f}, the broker {cpu.get('kafka', 0):,.0f}, prints and the driver the rest.",
        f"- {PROFILES}",
    ]
    if limit := found.get("bare_limit"):
        bare = limit["cpu_us_per_person"]["sum"]
        lines.append(
            f"- **Half of the bare limit** leaves {2 * bare:,.0f} us a person for everything; registry's Python alone takes"
            f" {cpu.get('registry', 0):,.0f}."
        )
    return "## What remains, and why\n\n" + "\n".join(lines)
