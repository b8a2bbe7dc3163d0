"""docs/benchmarks.md out of docs/benchmarks.json: ratios first, then every figure, then what is and is not in it. Nobody edits the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tests.bench.remains import remains

Results = dict[str, Any]
PROCESSES = ("registry", "verification", "payout", "notify")
GROUPS = (
    *PROCESSES, "printing",
    "postgres registry", "postgres verification", "postgres payout", "postgres notify", "postgres", "kafka", "bench",
)  # fmt: skip


def aims(found: Results) -> list[dict[str, Any]]:
    """Every aim of the issue against what was measured; `met` is None where its part was not run."""
    runs = found.get("end_to_end", [])
    most = runs[-1] if runs else {}
    at_200 = next((one for one in found.get("latency", []) if one["rate"] == 200), {})
    rows = [
        ("people/s end to end, the largest run", "at least 3,000", most.get("people_per_second"), lambda v: v >= 3_000),
        ("times the documented way", "at least 15", found["ratios"].get("documented_way"), lambda v: v >= 15),
        ("share of the bare limit", "at least 0.5", found["ratios"].get("bare_limit"), lambda v: v >= 0.5),
        ("cost per person, largest run over 100 k", "at most 1.3", found["ratios"].get("growth"), lambda v: v <= 1.3),
        ("p99 at 200 events/s (ms)", "under 1,000", at_200.get("p99_ms"), lambda v: v < 1_000),
        ("largest service (MB)", "under 250", _largest(most), lambda v: v < 250),
        (
            "memory of a service within a phase, last quarter over second, largest",
            "flat: at most 1.1",
            _least_flat(most),
            lambda v: v <= 1.1,
        ),
        ("payroll build and pain.001 (s for 1 M)", "60", _paid_seconds(found.get("payroll")), lambda v: v <= 60),
        (
            f"matches/s against a replica of {_n(found.get('replica', {}).get('entries', 1_500_000))} people",
            "at least 20,000",
            found.get("replica", {}).get("matches_per_second"),
            lambda v: v >= 20_000,
        ),
        ("import of a CSV list (s for 1 M rows)", "180", _import_seconds(found.get("list_import")), lambda v: v <= 180),
        ("`ansinh check` after the largest run (s)", "under 10", most.get("gate", {}).get("check_seconds"), lambda v: v < 10),
    ]
    return [
        {"aim": aim, "wanted": wanted, "measured": value, "met": met(value) if value is not None else None}
        for aim, wanted, value, met in rows
    ]


def ratios(found: Results) -> dict[str, float]:
    """What holds on any machine."""
    runs = found.get("end_to_end", [])
    said = {}
    small, most = (runs[0], runs[-1]) if runs else ({}, {})
    if small and found.get("documented_way"):
        said["documented_way"] = round(small["people_per_second"] / found["documented_way"]["people_per_second"], 1)
    if most and found.get("bare_limit"):
        said["bare_limit"] = round(most["people_per_second"] / found["bare_limit"]["people_per_second"], 2)
    middle = next((run for run in runs if run["people"] >= 100_000), None)
    if middle and most is not middle:
        said["growth"] = round((most["total_seconds"] / most["people"]) / (middle["total_seconds"] / middle["people"]), 2)
    return said


def _largest(run: Results) -> float | None:
    return max((run["peak_mb"].get(name, 0.0) for name in PROCESSES), default=None) if run else None


def _least_flat(run: Results) -> float | None:
    return max((_growth(run, name) or 0.0 for name in PROCESSES), default=0.0) or None if run else None


def _growth(run: Results, group: str) -> float | None:
    """The most a process grew within one phase; phases differ in what they ask of it."""
    return max((by_group[group] for by_group in run["flatness_by_phase"].values() if group in by_group), default=None)


def render(found: Results) -> str:
    """The page."""
    parts = [_head(found), _aims(found), _end_to_end(found), _steady(found), _compared(found), _cpu(found), _memory(found)]
    parts += [_latency(found), _parts(found), remains(found), _included(), _reproduce(found)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(found: Results) -> str:
    machine = found["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    durability = "; ".join(f"{server}: {_said(values)}" for server, values in machine["durability"].items())
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Made by `make bench` from `docs/benchmarks.json`; not edited by hand. All people are synthetic.",
            "",
            f"- {found['day']}, commit {found['commit']}, {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB,"
            f" {machine['system']}; everything (broker, database, services, driver) on these cores;"
            f" load average before the run {found['load_before']}.",
            *_other_commits(found),
            *(f"- {note}" for note in found.get("notes", ())),
            f"- {versions}.",
            f"- {durability}.",
            f"- Java: `{machine['java_options']}`. One copy of each service.",
            "- A run counts only when events in are equal effects out (people, statements, outcomes, lines and VND in exactly one place,",
            "  messages on the providers' topics, texts decided) and every invariant of `ansinh check` holds; otherwise it is marked VOID.",
        ]
    )


def _other_commits(found: Results) -> list[str]:
    other = {name: where for name, where in found.get("measured", {}).items() if where["commit"] != found["commit"]}
    runs: dict[tuple[str, str, str], list[str]] = {}
    for name, where in sorted(other.items()):
        runs.setdefault((where["day"], where["commit"], where["processor"]), []).append(name.replace("_", " "))
    return [
        f"- Measured before, {day} at {commit} on {processor}: {', '.join(names)}."
        for (day, commit, processor), names in runs.items()
    ]


def _said(values: Any) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items()) if isinstance(values, dict) else str(values)


def _aims(found: Results) -> str:
    rows = [
        (a["aim"], a["wanted"], _n(a["measured"]), {True: "yes", False: "**no**", None: "not run"}[a["met"]])
        for a in found["aims"]
    ]
    return "## Aims\n\n" + _table(("what", "aim", "measured", "met"), rows)


def _end_to_end(found: Results) -> str:
    runs = found.get("end_to_end", [])
    if not runs:
        return ""
    phases = list(runs[0]["seconds"])
    rows = [
        (
            _n(run["people"]), _n(run["people_per_second"]), _n(run["total_seconds"]),
            *(_n(run["seconds"][phase]) for phase in phases), "yes" if run["valid"] else "**VOID**",
        )
        for run in runs
    ]  # fmt: skip
    head = ("people", "people/s", "seconds", *(f"{phase} (s)" for phase in phases), "valid")
    return (
        "## End to end\n\nMinistry event, verified, list closed, payroll line, signed batch on its topic, SMS decided.\n\n"
        + _table(head, rows)
        + "\n\n![people a second](benchmarks-speed.svg)"
    )


def _steady(found: Results) -> str:
    runs = [run for run in found.get("end_to_end", []) if run.get("steady_people_per_second")]
    if not runs:
        return ""
    rows = [(_n(run["people"]), _n(run["steady_people_per_second"])) for run in runs]
    return "Intake and verification alone, first and last tenth of the time dropped (warm-up and cool-down):\n\n" + _table(
        ("people", "verified people/s"), rows
    )


def _compared(found: Results) -> str:
    rows = []
    for name, title in (("documented_way", "the documented way"), ("bare_limit", "the bare limit")):
        if one := found.get(name):
            rows.append((title, _n(one["people"]), _n(one["people_per_second"]), _n(one["cpu_us_per_person"]["sum"])))
    rows += [
        ("An Sinh", _n(run["people"]), _n(run["people_per_second"]), _n(sum(run["cpu_us_per_person"].values())))
        for run in found.get("end_to_end", [])
    ]
    text = (
        "The documented way is one record at a time with a transaction each and an off-the-shelf outbox relay"
        " (`tests/bench/documented_way.py`); it does less per person. The bare limit is a fixed script without any logic"
        " (`tests/bench/bare_limit.py`), which may lose and double records."
    )
    return f"## Compared\n\n{text}\n\n" + _table(("what", "people", "people/s", "CPU us per person"), rows)


def _cpu(found: Results) -> str:
    runs = found.get("end_to_end", [])
    if not runs:
        return ""
    groups = [group for group in GROUPS if any(group in run["cpu_us_per_person"] for run in runs)]
    rows = [(group, *(_n(run["cpu_us_per_person"].get(group)) for run in runs)) for group in groups]
    rows.append(("**sum**", *(f"**{_n(sum(run['cpu_us_per_person'].values()))}**" for run in runs)))
    return "## CPU microseconds per person\n\n" + _table(("process", *(_n(run["people"]) for run in runs)), rows)


def _memory(found: Results) -> str:
    runs = found.get("end_to_end", [])
    if not runs:
        return ""
    run = runs[-1]
    groups = [group for group in GROUPS if group in run["peak_mb"]]
    rows = [(group, _n(run["peak_mb"][group]), _n(run["flatness"].get(group)), _n(_growth(run, group))) for group in groups]
    disk = ", ".join(f"{service} {_n(mb)}" for service, mb in run["disk_mb"].items())
    text = (
        "PSS every two seconds. Growth is the median of the last quarter over that of the second: over the whole run, in which phases"
        " ask different things of a process, and within the phase where it is largest."
    )
    table = _table(("process", "peak MB", "growth, whole run", "growth within a phase"), rows)
    return (
        f"## Memory over the run of {_n(run['people'])} people\n\n{text}\n\n{table}\n\n"
        f"Databases on disk afterwards (MB): {disk}.\n\n![memory](benchmarks-memory.svg)"
    )


def _latency(found: Results) -> str:
    rows = [
        (
            _n(one["rate"]),
            _n(one["measured"]),
            _n(one["p50_ms"]),
            _n(one["p99_ms"]),
            _n(one["max_ms"]),
            "yes" if one["valid"] else "**VOID**",
        )
        for one in found.get("latency", [])
    ]
    text = (
        "From the moment an event was meant to be sent (fixed rate, no coordinated omission) to its verification result read from the"
        " topic; the first 5 s dropped."
    )
    head = ("events/s", "events", "p50 ms", "p99 ms", "max ms", "valid")
    return f"## Latency\n\n{text}\n\n" + _table(head, rows) if rows else ""


def _parts(found: Results) -> str:
    parts = [_payroll(found["payroll"])] if found.get("payroll") else []
    rows = []
    for name, form in (("list_import", "CSV list"), ("workbook_import", "XLSX list")):
        if not (one := found.get(name)):
            continue
        rows += [(f"{form} of {_n(one['rows'])} rows taken by registry: seconds", _n(one["seconds"]))]
        rows += [("the same: rows/s", _n(one["rows_per_second"])), ("the same: registry's peak MB", _n(one["peak_mb"]))]
    if one := found.get("matching"):
        rows.append(("identities matched a second on one core, rules alone", _n(one["matches_per_second"])))
    if one := found.get("replica"):
        rows += [
            (f"people checked a second against a replica of {_n(one['entries'])} entries", _n(one["matches_per_second"])),
            ("the same: share of the rules alone", _n(one["share_of_rules_alone"])),
            ("the same: CPU us per person, Python and PostgreSQL", f"{_n(one['python_us'])} and {_n(one['postgres_us'])}"),
        ]
    parts += [_table(("what", "measured"), rows)] if rows else []
    return "## Parts\n\n" + "\n\n".join(parts) if parts else ""


def _payroll(payroll: Results) -> str:
    rows = [
        (name, _n(stage["wall_s"]), _n(stage["python_us_each"]), _n(stage["postgres_us_each"]))
        for name, stage in payroll["stages"].items()
    ]
    text = (
        f"Payout alone, {_n(payroll['people'])} people, everybody on an account: its handlers and HTTP commands in one process on a real"
        " PostgreSQL, no broker; as end to end, four offices give their commands at the same time."
        " Release seals every line for its provider and writes the files; writing pain.001 alone and its check with"
        " the schema stand apart as well."
    )
    text += "\n\n" + _table(("stage", "seconds", "Python us per person", "PostgreSQL us per person"), rows)
    if postal := payroll.get("postal_release_per_100k"):
        text += f"\n\nPostal workbook with everything else of a release, per 100,000 people: {_n(postal['wall'])} s."
    if printed := payroll.get("postal_print_per_100k"):
        text += f" Printing those lists as PDF, afterwards, one process per list: {_n(printed['wall'])} s, {_n(printed['cpu'])} s of CPU."
    return text + (_office(payroll["office"]) if payroll.get("office") else "")


def _office(office: Results) -> str:
    """What an office asks afterwards: CPU of our process and of PostgreSQL."""
    rows = [(name, *(_n(stage[kind]) for kind in ("wall", "python", "postgres"))) for name, stage in office["stages"].items()]
    text = (
        f"Afterwards an office asks, of the whole period of {_n(office['people'])} people ({_n(office['lines'])} lines,"
        f" {_n(office['links'])} links of the ledger's chain); statements and reconciliation of {_n(office['reconciled_people'])} of them:"
    )
    return f"\n\n{text}\n\n" + _table(("question", "seconds", "Python CPU s", "PostgreSQL CPU s"), rows)


def _paid_seconds(payroll: Results | None) -> float | None:
    """Build and the writing of pain.001, for a million people."""
    if not payroll:
        return None
    return round((payroll["build_s"] + payroll["pain001_s"]) * 1e6 / payroll["people"], 1)


def _import_seconds(one: Results | None) -> float | None:
    return round(one["seconds"] * 1e6 / one["rows"], 1) if one else None


def _included() -> str:
    return """## What is in it and what is not

In: sealed personal data as JWE under a content key per list, decryption, sealing, matching with the register, account pre-flight, outbox
and fence for every effect, closing with totals and digests, four signatures per list over HTTP, pain.001 and the post's workbook
where the release writes them, encrypted lines and signed manifests for three providers, ledger, the decision on every text. 18.6 % of the
people hold an account that comes as an event of its own; 1 in 10 has something wrong; 3 % have two benefits; one payer per 10,000 people,
four offices at work at the same time.

Not in: drawing the people and filling the register before; writing the events before; what banks, the post and the SMS centre do after.
Lists of the post are printed after they have left, at the lowest priority: what is printed by the end of a run stands under `printing`,
the rest is not waited for.
Everybody is new: nobody was known to any service before. A second month of the same people is not measured."""


def _reproduce(found: Results) -> str:
    return (
        "## Again\n\n`make bench` (about an hour), `make bench BENCH=quick` (about a minute, small numbers), or one part:"
        f" `python -m tests.bench end-to-end --people 10000`. This run: `BENCH={found['size']}`, {_n(found['minutes'])} minutes."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def _n(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value < 100:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
