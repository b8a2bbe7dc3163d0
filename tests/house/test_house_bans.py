"""What nobody writes here, with an example of each that the checker must find."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from house_tree import FOLDERS, ROOT, SERVICES, Function, Source, name_of, problems, said_of, sources

from shared.logs import ALLOWED_FIELDS
from shared.topics import TOPICS

RATCHET: dict[str, dict[str, int]] = json.loads((ROOT / "tests/house/broad_except.json").read_text("utf-8"))
BROAD_EXCEPT_BELONGS = ("shared/applying.py", "shared/consuming.py", "shared/outbox.py", "shared/process.py")
_MONEY_WORD = re.compile(r"(^|_)(vnd|dong|amount|amounts|money|balance)(_|$)", re.IGNORECASE)
_MONEY_FILES = re.compile(
    r"shared/(money|events|fields|personal|ids)\.py|services/payout/(batch|ledger|entitlement|bank_file|channel|building|postal_list"
    r"|arrears|combining|comparing|gifts|on_death|owed|rate_book|rate_files|rules)\.py"
)
_SQL = re.compile(
    r"\bSELECT\b[\s\S]+\bFROM\b|\bINSERT\s+INTO\b|\bUPDATE\s+\w+\s+SET\b|\bDELETE\s+FROM\b|\b(CREATE|ALTER|DROP)\s+(TABLE|DATABASE)\b"
)
_SQL_IN_SMALL = re.compile(r"^\s*(select\b[\s\S]+\bfrom\b|insert\s+into\b|update\s+\w+\s+set\b|delete\s+from\b)")
_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
_EVENT = re.compile(r"[a-z]+(_[a-z]+)*")


def where(source: Source, node: ast.AST, what: str) -> str:
    return f"{source.path}:{getattr(node, 'lineno', 0)}: {what}"


# --- time ----------------------------------------------------------------------------------------------------------------------


def naive_time(source: Source) -> Iterator[str]:
    """`datetime.now()` without a zone, `utcnow`, `today` and their like."""
    for node in _calls(source):
        name = name_of(node.func)
        if name.endswith(("utcnow", "utcfromtimestamp", "date.today", "datetime.today")):
            yield where(source, node, f"{name} knows no zone")
        elif name.endswith(("datetime.now", "datetime.fromtimestamp")) and not _zone_given(
            node, 0 if name.endswith("now") else 1
        ):
            yield where(source, node, f"{name} without a zone")


def own_clock(source: Source) -> Iterator[str]:
    """A service asks the runtime's clock for business time; it never reads the machine's."""
    if source.path.startswith("services/"):
        for node in _calls(source):
            if name_of(node.func) in ("datetime.now", "time.time", "time.time_ns", "time.localtime", "time.gmtime", "date.today"):
                yield where(source, node, "business time comes from runtime.clock")


def _zone_given(node: ast.Call, position: int) -> bool:
    named = [keyword.value for keyword in node.keywords if keyword.arg == "tz"]
    given = [*node.args[position:], *named]
    return bool(given) and not (isinstance(given[0], ast.Constant) and given[0].value is None)


# --- logs ----------------------------------------------------------------------------------------------------------------------


def log_calls(source: Source) -> Iterator[str]:
    """A constant event name and allow-listed fields; never text built on the way, never an error's own words."""
    if source.path.startswith("sandbox/"):
        return
    for node in _calls(source):
        if not (isinstance(node.func, ast.Attribute) and node.func.attr in _LEVELS and "log" in name_of(node.func.value).lower()):
            continue
        event = node.args[0] if len(node.args) == 1 else None
        if not (isinstance(event, ast.Constant) and isinstance(event.value, str) and _EVENT.fullmatch(event.value)):
            yield where(source, node, "a log call has one constant event name")
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg not in ALLOWED_FIELDS:
                yield where(source, node, f"log field {keyword.arg or '**'} is not in shared.logs.ALLOWED_FIELDS")
            if isinstance(keyword.value, ast.JoinedStr) or _is_text_of_something(keyword.value):
                yield where(source, node, f"log field {keyword.arg} is built text")


def _is_text_of_something(node: ast.expr) -> bool:
    return (isinstance(node, ast.Call) and name_of(node.func) in ("repr", "format")) or (
        isinstance(node, ast.Call)
        and name_of(node.func) == "str"
        and any(name_of(part) in ("error", "e", "exc") for part in node.args)
    )


# --- errors, SQL, topics, money, patterns, docstrings ----------------------------------------------------------------------------


def broad_excepts(source: Source) -> int:
    """How many handlers catch everything and may go on; one that always raises again is none."""
    handlers = [node for node in ast.walk(source.tree) if isinstance(node, ast.ExceptHandler)]
    return sum(_catches_all(handler) and not _raises_again(handler) for handler in handlers)


def sql_in_python(source: Source) -> Iterator[str]:
    """SQL lives in queries.sql."""
    for node in source.strings():
        if _SQL.search(node.value) or _SQL_IN_SMALL.search(node.value):
            yield where(source, node, "SQL text")


def topic_names(source: Source) -> Iterator[str]:
    """Only shared/topics.py names a topic; the sandbox is the outside world and cannot import it."""
    if source.path == "shared/topics.py" or source.path.startswith("sandbox/"):
        return
    names = {topic.name for topic in TOPICS}
    for node in source.strings():
        if node.value in names or (
            re.fullmatch(r"(payout\.(batch|instruction)|payment\.result)\..*", node.value) and "<" not in node.value
        ):
            yield where(source, node, "topic name")


def floats_near_money(source: Source) -> Iterator[str]:
    """In money modules no float and no true division at all; elsewhere none in an expression that names an amount."""
    strict = _MONEY_FILES.fullmatch(source.path) is not None
    for node in ast.walk(source.tree):
        if _is_float(node) and (strict or _names_money(node)):
            yield where(source, node, "float near money")


def digits_in_patterns(source: Source) -> Iterator[str]:
    """`\\d` matches the digits of every script: a pattern says [0-9]."""
    for node in _calls(source):
        for keyword in node.keywords:
            if keyword.arg == "pattern" and isinstance(keyword.value, ast.Constant) and "\\d" in str(keyword.value.value):
                yield where(source, node, "\\d in a pattern")


def missing_docstrings(source: Source) -> Iterator[str]:
    """Every module, public class and public function says its contract."""
    if source.text.strip() and not ast.get_docstring(source.tree):
        yield f"{source.path}:1: module without docstring"
    yield from _undocumented(source, source.tree.body)


def _undocumented(source: Source, body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_") and not _is_overload(node):
            if not ast.get_docstring(node):
                yield where(source, node, f"{node.name} without docstring")
            if isinstance(node, ast.ClassDef):
                yield from _undocumented(source, node.body)


def _calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))


def _catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or name_of(kind).split(".")[-1] in ("Exception", "BaseException") for kind in kinds)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.body[-1], ast.Raise) and not any(
        isinstance(node, ast.Return | ast.Continue) for node in ast.walk(handler)
    )


def _is_float(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp | ast.AugAssign):
        return isinstance(node.op, ast.Div) or (
            isinstance(node, ast.BinOp) and any(map(_is_float_literal, (node.left, node.right)))
        )
    if isinstance(node, ast.AnnAssign | ast.arg):
        return node.annotation is not None and "float" in ast.unparse(node.annotation)
    return (isinstance(node, ast.Call) and name_of(node.func) == "float") or _is_float_literal(node)


def _is_float_literal(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def _names_money(node: ast.AST) -> bool:
    parts = [*ast.walk(node)]
    names = [part.id for part in parts if isinstance(part, ast.Name)] + [
        part.attr for part in parts if isinstance(part, ast.Attribute)
    ]
    names += [part.arg for part in parts if isinstance(part, ast.arg)]
    return any(_MONEY_WORD.search(name) for name in names)


def _is_overload(node: Function | ast.ClassDef) -> bool:
    return any(name_of(decorator).endswith(("overload", "setter")) for decorator in node.decorator_list)


CHECKS = (
    naive_time, own_clock, log_calls, sql_in_python, topic_names, floats_near_money, digits_in_patterns, missing_docstrings,
)  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_nobody_writes(check):
    assert problems(check) == []


def test_broad_except_only_where_the_loops_of_the_runtime_are():
    """Elsewhere the number per file stands in broad_except.json and can only fall."""
    found = {source.path: broad_excepts(source) for source in sources() if source.path not in BROAD_EXCEPT_BELONGS}
    assert {path: count for path, count in found.items() if count} == RATCHET


BAD = [
    (naive_time, "datetime.now()"),
    (naive_time, "datetime.now(None)"),
    (naive_time, "datetime.datetime.utcnow()"),
    (naive_time, "date.today()"),
    (naive_time, "datetime.fromtimestamp(5)"),
    (own_clock, "datetime.now(UTC)"),
    (own_clock, "time.time()"),
    (log_calls, "self._log.info(f'paid {x}')"),
    (log_calls, "runtime.log.info('paid %s', x)"),
    (log_calls, "log.error('Could not pay')"),
    (log_calls, "log.info('paid', name=x)"),
    (log_calls, "log.info('paid', **x)"),
    (log_calls, "log.info('paid', reason=f'{x}')"),
    (log_calls, "log.info('paid', reason=str(error))"),
    (sql_in_python, "q = 'SELECT a\\n FROM b'"),
    (sql_in_python, "q = f'DELETE FROM {table}'"),
    (sql_in_python, "q = 'update person set a = 1'"),
    (topic_names, "t = 'audit.v1'"),
    (topic_names, "t = f'payout.batch.{p}.v1'"),
    (floats_near_money, "share = total_vnd / 2"),
    (floats_near_money, "x = amount * 1.5"),
    (floats_near_money, "def f(amount_vnd: float): pass"),
    (floats_near_money, "x = float(line.vnd)"),
    (digits_in_patterns, r"x = Field(pattern=r'^\d{12}$')"),
    (missing_docstrings, "x = 1"),
    (missing_docstrings, "'''Doc.'''\ndef f(): pass"),
    (missing_docstrings, "'''Doc.'''\nclass A:\n  '''Doc.'''\n  def f(self): pass"),
]
GOOD = [
    (naive_time, "datetime.now(UTC); datetime.fromtimestamp(5, UTC); datetime.now(tz=UTC)"),
    (own_clock, "runtime.clock.now(); time.monotonic()"),
    (log_calls, "log.info('batch_sent', batch_id=str(batch_id), count=3); math.log(x); catalogue.error"),
    (sql_in_python, "'''SELECT a FROM b is a docstring'''\nx = 'select what you want'"),
    (topic_names, "t = 'vn.ansinh.audit.v1'; u = 'payout.batch.<provider>.v1'"),
    (floats_near_money, "x = total_vnd // 2; seconds = 1.5 / 2; path = folder / 'a'"),
    (digits_in_patterns, "x = Field(pattern='^[0-9]{12}$')"),
    (missing_docstrings, "'''Doc.'''\ndef _f(): pass\ndef g():\n  '''Doc.'''\n  def inner(): pass"),
]


@pytest.mark.parametrize(("check", "text"), BAD)
def test_bad_example_is_found(check, text):
    assert said_of(check, text)


@pytest.mark.parametrize(("check", "text"), GOOD)
def test_good_example_is_left_alone(check, text):
    assert said_of(check, text) == []


def test_money_module_may_hold_no_float_at_all():
    assert said_of(floats_near_money, "x = 1.5", "services/payout/ledger.py")
    assert said_of(floats_near_money, "x = a / b", "shared/money.py")


@pytest.mark.parametrize(
    ("handler", "count"),
    [
        ("except Exception:\n pass", 1),
        ("except:\n pass", 1),
        ("except (ValueError, Exception):\n pass", 1),
        ("except BaseException:\n clean_up()\n raise", 0),
        ("except Exception:\n if a:\n  return\n raise", 1),
        ("except ValueError:\n pass", 0),
    ],
)
def test_broad_except_is_counted(handler, count):
    assert broad_excepts(Source("a.py", f"try:\n f()\n{handler}\n")) == count


def test_checked_folders_exist():
    assert [folder for folder in FOLDERS if not (ROOT / folder).is_dir()] == []
    assert Counter(source.path.split("/")[0] for source in sources()).keys() >= {"shared", "services", "sandbox", "deploy"}
    assert {f"services/{service}/__init__.py" for service in SERVICES} <= {source.path for source in sources()}
