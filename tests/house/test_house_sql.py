"""SQL is named, described, used, and asks no clock for business time."""

import ast
import re
from collections.abc import Iterator

import pytest
from house_tree import ROOT, SERVICES, Source, name_of, sources, sql_files

_NAME = re.compile(r"^-- name: *([a-z][a-z0-9_]*)(?:\(.*\))?[\^$!*<#]*!? *$")
_CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday) *\("
    r"|\b(current_(timestamp|date|time)|localtime(stamp)?)\b",
    re.IGNORECASE,
)
SYSTEM_TIME = "-- system time:"
SHARED = "shared/queries.sql"
_HOLDS_QUERIES = re.compile(r"(.*/)?queries(_[a-z]+)?\.sql")


def names_in(text: str) -> list[str]:
    """The query names of a queries.sql, in order."""
    return [match.group(1) for line in text.splitlines() if (match := _NAME.match(line))]


def undescribed(path: str, text: str) -> Iterator[str]:
    """Every query has a sentence under its name; every name line can be read; no name twice."""
    lines, names = text.splitlines(), names_in(text)
    for number, line in enumerate(lines, 1):
        if re.match(r"-- name *:", line) and not _NAME.match(line):
            yield f"{path}:{number}: name line cannot be read"
        elif _NAME.match(line) and not (number < len(lines) and re.match(r"-- \S", lines[number])):
            yield f"{path}:{number}: no description under the name"
    yield from (f"{path}: {name} twice" for name in sorted({name for name in names if names.count(name) > 1}))


def asks_the_clock(path: str, text: str) -> Iterator[str]:
    """Business time is passed in. The system's is allowed where the line or the one above says `-- system time:` and why."""
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        if _CLOCK.search(line.split("--")[0]) and SYSTEM_TIME not in line + before:
            yield f"{path}:{number}: asks the clock"
        before = line


def orders_by_a_shadow(path: str, text: str) -> Iterator[str]:
    """An output that is a cast of a column under the column's own name is what a bare ORDER BY of that name means: text, not number."""
    for query in re.split(r";|^-- name", text, flags=re.MULTILINE):
        code = re.sub(r"--[^\n]*", "", query)
        shadows = {match[1] for match in re.finditer(r"\b(\w+)\)*::[\w:\[\]]+\s+AS\s+\1\b", code, re.IGNORECASE)}
        ordered = {
            word
            for match in re.finditer(r"ORDER BY([^)]*)", code, re.IGNORECASE)
            for word in re.findall(r"(?<![.\w])\w+", match[1])
        }
        yield from (
            f"{path}: ORDER BY {name} is the order of the output, not of the column" for name in sorted(shadows & ordered)
        )


def unused_and_unknown(defined: dict[str, set[str]], used: dict[str, set[str]]) -> list[str]:
    """`defined`: folder -> names; `used`: folder -> names its Python asks for. The runtime's queries may be used from anywhere."""
    everywhere = {name for names in used.values() for name in names}
    found = []
    for folder, names in defined.items():
        asked = everywhere if folder == "shared" else used.get(folder, set())
        found += [f"{folder}: {name} is used nowhere" for name in sorted(names - asked)]
    for folder, names in used.items():
        known = defined.get(folder, set()) | defined.get("shared", set())
        found += [f"{folder}: {name} is in no queries.sql" for name in sorted(names - known)]
    return found


def names_used(source: Source) -> set[str]:
    """Names asked of a set of queries."""
    nodes = (node for node in ast.walk(source.tree) if isinstance(node, ast.Attribute))
    return {node.attr for node in nodes if name_of(node.value).lower() == "queries"}


def _query_files() -> list[tuple[str, str]]:
    """(path, text) of every file with named queries: `queries.sql`, and `queries_<what>.sql` where one would be too long."""
    return [(path, text) for path, text in sql_files() if _HOLDS_QUERIES.fullmatch(path)]


def _used_in(folder: str) -> set[str]:
    return {name for source in sources() if source.path.rsplit("/", 1)[0] == folder for name in names_used(source)}


def test_every_query_is_described():
    assert [problem for path, text in _query_files() for problem in undescribed(path, text)] == []


def test_every_query_is_used_and_every_used_query_exists():
    folders: dict[str, set[str]] = {}
    for path, text in _query_files():
        folders.setdefault(path.rsplit("/", 1)[0], set()).update(names_in(text))
    for service in SERVICES:
        folders.setdefault(f"services/{service}", set())
    assert unused_and_unknown(folders, {folder: _used_in(folder) for folder in (*folders, "ansinh")}) == []


def test_sql_asks_no_clock():
    assert [problem for path, text in sql_files() for problem in asks_the_clock(path, text)] == []


def test_order_is_that_of_columns():
    assert [
        problem for path, text in sql_files() if path != "tests/faults/oracle.sql" for problem in orders_by_a_shadow(path, text)
    ] == []


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_are_numbered_and_say_up_and_down(service):
    paths = sorted((ROOT / "services" / service / "migrations").glob("*.sql"))
    for path in paths:
        assert re.fullmatch(r"0[1-9][0-9]{2}_[a-z0-9_]+\.sql", path.name)
        text = path.read_text("utf-8")
        assert text.count("-- migrate:up") == text.count("-- migrate:down") == 1
    numbers = [path.name[:4] for path in paths]
    assert len(set(numbers)) == len(numbers)


# --- negative examples -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["-- name: a!\nSELECT 1;", "-- name: A\n-- Text.\nSELECT 1;", "-- name: a\n-- T.\nSELECT 1;\n-- name: a^\n-- T.\nSELECT 2;"],
)
def test_query_that_is_not_described_is_found(text):
    assert list(undescribed("queries.sql", text))


@pytest.mark.parametrize("line", ["SELECT now()", "DEFAULT CURRENT_TIMESTAMP", "x < current_date", "Select Clock_Timestamp ( )"])
def test_clock_is_found(line):
    assert list(asks_the_clock("queries.sql", line))


def test_order_of_an_output_is_found():
    assert list(orders_by_a_shadow("queries.sql", "SELECT xid::text AS xid FROM outbox ORDER BY xid, id LIMIT 1;"))
    assert not list(orders_by_a_shadow("queries.sql", "SELECT xid::text AS xid FROM outbox ORDER BY outbox.xid, id LIMIT 1;"))


@pytest.mark.parametrize(
    "text",
    [
        "-- now() in a comment",
        "SELECT known_at",
        "-- system time: for the log only\nSELECT now()",
        "SELECT now() -- system time: lag",
    ],
)
def test_marked_or_absent_clock_is_left_alone(text):
    assert list(asks_the_clock("queries.sql", text)) == []


def test_unused_and_unknown_queries_are_found():
    assert names_used(Source("a.py", "queries.save(tx)\nQUERIES.other('queries.sql')\nx.sql")) == {"save", "other"}
    assert names_in("-- name: one(a, b)$\n-- name: two*!\n") == ["one", "two"]
    found = unused_and_unknown(
        {"shared": {"take"}, "services/a": {"one", "two"}}, {"services/a": {"one", "take", "three"}, "ansinh": set()}
    )
    assert found == ["services/a: two is used nowhere", "services/a: three is in no queries.sql"]
