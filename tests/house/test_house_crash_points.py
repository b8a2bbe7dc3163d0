"""Every commit, publish, outside call and file write has a named crash point before and after it (shared/crashing.py)."""

import ast
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from house_tree import Function, Source, name_of, problems, said_of, sources

from shared.crashing import inventory, names_in, parsed

_NAME = re.compile(r"[a-z_]+\.[a-z_]+")
_HTTP = {"get", "post", "put", "patch", "delete", "head", "options", "request", "send", "stream"}
_FILE = {"write_bytes", "write_text", "rename", "symlink_to", "hardlink_to"}
_MODULES_THAT_OPEN = {"io", "gzip", "bz2", "lzma", "codecs"}
_OS = {"os.open", "os.replace", "os.rename", "os.link", "shutil.move", "shutil.copy", "shutil.copyfile"}


PUBLISHER = "shared/publishing.py"


def in_scope(source: Source) -> bool:
    """Code that runs inside a service."""
    return source.path.startswith(("services/", "shared/")) and source.path not in ("shared/database.py", "shared/crashing.py")


def unnamed_transactions(source: Source) -> Iterator[str]:
    """A transaction has a literal name; one begun on a `tx` is a savepoint and commits nothing."""
    for node in _calls(source):
        name = name_of(node.func)
        if not in_scope(source) or not name.endswith(".transaction") or name.split(".")[-2] == "tx":
            continue
        first = node.args[0] if node.args else None
        if not (isinstance(first, ast.Constant) and isinstance(first.value, str) and _NAME.fullmatch(first.value)):
            yield f"{source.path}:{node.lineno}: a transaction without a literal name"


def unguarded(source: Source) -> Iterator[str]:
    """What reaches outside stands between `point("x.before_y")` and `point("x.after_y")` of the same function."""
    if not in_scope(source):
        return
    for function in source.functions():
        for node in _own_calls(function):
            what = _reaches_outside(source, node)
            if what and not _between_points(function, node):
                yield f"{source.path}:{node.lineno}: {what} without a crash point before and after"


def _reaches_outside(source: Source, node: ast.Call) -> str | None:
    name = name_of(node.func)
    receiver, _, last = name.rpartition(".")
    receiver = receiver.lower()
    if last in ("send", "send_and_wait", "send_batch") and receiver.endswith("producer"):
        return None if source.path == PUBLISHER else "a publish"
    if name == "publish":  # of PUBLISHER, which sends for whoever calls it
        return "a publish"
    if last == "commit" and "consumer" in receiver:
        return "an offset commit"
    if last in _HTTP and receiver.endswith(("client", "httpx")):
        return "an outside call"
    return "a file write" if source.path.startswith("services/") and _writes_a_file(node, name, last) else None


def _writes_a_file(node: ast.Call, name: str, last: str) -> bool:
    if name in _OS or last in _FILE:
        return True
    if last == "replace" and "." in name:  # a path is replaced by one target; a text needs two
        return len(node.args) == 1 and not node.keywords
    if last != "open":
        return False
    # `path.open(mode)`, else `open(path, mode)`; a member of an archive (`archive.open(member, mode)`) is no file of its own.
    place = 0 if "." in name and name.split(".", maxsplit=1)[0] not in _MODULES_THAT_OPEN else 1
    modes = [*node.args[place : place + 1], *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
    return any(isinstance(m, ast.Constant) and re.fullmatch("[rwaxbt+]*[wax+][bt+]*", str(m.value)) for m in modes)


def _between_points(function: Function, node: ast.Call) -> bool:
    lines = [(str(call.args[0].value), call.lineno) for call in _own_calls(function) if _is_point(call)]
    before = {name.replace(".before_", ".") for name, line in lines if line <= node.lineno and ".before_" in name}
    after = {name.replace(".after_", ".") for name, line in lines if line >= node.lineno and ".after_" in name}
    return bool(before & after)


def _is_point(node: ast.Call) -> bool:
    return name_of(node.func).split(".")[-1] == "point" and bool(node.args) and isinstance(node.args[0], ast.Constant)


def _calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))


def _own_calls(function: Function) -> Iterator[ast.Call]:
    """Calls of a function without those of functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, Function):
            waiting += ast.iter_child_nodes(node)


def test_every_transaction_is_named():
    assert problems(unnamed_transactions) == []


def test_what_reaches_outside_is_guarded():
    assert problems(unguarded) == []


def test_a_name_is_one_place():
    assert [name for name, count in Counter(inventory()).items() if count > 1] == []


def test_inventory_is_what_the_sources_hold():
    names = [name for source in sources() if source.path.startswith(("services/", "shared/")) for name in names_in(source.tree)]
    assert sorted(names) == inventory()
    assert {"consuming.batch.before_commit", "relay.after_publish", "sms_send.before_call"} <= set(names)


def test_points_come_in_pairs():
    names = set(inventory())
    assert [name for name in names if name.replace(".before_", ".after_") not in names] == []
    assert [name for name in names if name.replace(".after_", ".before_") not in names] == []


def test_every_point_can_be_armed():
    """By a signal too, whose file is read without a look at the inventory."""
    for name in inventory():
        assert parsed(f"{name}:2") == (name, 2)


# --- negative examples -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["transaction()", "transaction(name)", 'transaction(f"{a}.b")', 'transaction("Some Thing")'])
def test_unnamed_transaction_is_found(call):
    assert said_of(unnamed_transactions, f"async def f(database):\n    async with database.{call} as tx:\n        pass")


def test_savepoint_is_left_alone():
    assert said_of(unnamed_transactions, "async def f(tx):\n    async with tx.transaction():\n        pass") == []


@pytest.mark.parametrize(
    "call",
    [
        "producer.send('t', b'')", "await self._producer.send_and_wait('t')",
        "await producer.send_batch(b, 't', partition=0)", "await publish(producer, rows, 'payout')", "await self._consumer().commit({})",
        "await self._client.post('/v1')", "await client.get('/v1')", "httpx.get('x')", "part.replace(path)", "os.replace(a, b)",
        "path.write_bytes(b'')", "path.write_text('')", "open(path, 'wb')", "path.open('w')", "path.open(mode='a')",
        "gzip.open(path, 'wb')",
    ],
)  # fmt: skip
def test_unguarded_call_is_found(call):
    assert said_of(unguarded, f"async def f(self):\n    {call}")
    one_side = f'async def f(self):\n    point("a.before_b")\n    {call}\n    point("c.after_b")'
    assert said_of(unguarded, one_side)
    assert said_of(unguarded, f'async def f(self):\n    point("a.before_b")\n    {call}\n    point("a.after_b")') == []


@pytest.mark.parametrize(
    "call",
    [
        "text.replace('a', 'b')",
        "path.open(encoding='utf-8')",
        "vault.open(sealed, owner)",
        "open(path)",
        "archive.open(member, 'w')",
    ],
)
def test_reading_is_left_alone(call):
    assert said_of(unguarded, f"def f():\n    {call}") == []
