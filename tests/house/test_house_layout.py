"""The tree: the same files in every service, layers that only look down, pure modules that touch nothing outside."""

import ast
import subprocess
import sys
import tomllib

import pytest
from house_tree import ROOT, SERVICES, Source, sources

SAME_FILES = ("app.py", "settings.py", "handlers.py", "store.py", "queries.sql", "migrations", "README.md")
OUTSIDE = {"asyncpg", "faststream", "aiokafka", "httpx", "fastapi"}
# Modules of a service that may reach outside; every other module decides and nothing else.
TOUCHES_OUTSIDE = {"app", "settings", "handlers", "store", "http"}
ALSO_TOUCHES_OUTSIDE = {
    "registry": {
        "lists",
        "looking",
        "http_events",
        "http_lists",
        "http_areas",
        "http_erasures",
        "http_people",
        "http_funnel",
        "http_placing",
    },
    "verification": {"population_feed", "population_register", "judging", "exchange", "http_review"},
    "payout": {
        "building",
        "cancelling",
        "clerk",
        "commands",
        "delivery",
        "emitting",
        "files",
        "http_recall",
        "http_recovery",
        "http_statements",
        "http_omitted",
        "http_what_if",
        "idempotency",
        "life",
        "life_http",
        "printing",
        "reconciling",
        "recovering",
        "release",
        "resolving",
        "sending",
        "settlement_http",
        "statements",
    },
    "notify": {"campaigns", "sender", "receipts", "sms_gateway"},
}
APP_MAX = 80
MAY_IMPORT = {
    "shared": {"shared"},
    "sandbox": {"sandbox"},
    "services": {"services", "shared"},
    "deploy": {"deploy", "shared"},
    "ansinh": {"ansinh", "shared", "sandbox", "deploy", "services"},
}


def imports(source: Source) -> set[str]:
    """Full names of what a file imports anywhere in it."""
    found = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def crossings(source: Source) -> list[str]:
    """Imports that look up or sideways."""
    folder, *rest = source.path.split("/")
    found = []
    for name in sorted(imports(source)):
        top, *below = name.split(".")
        upwards = top in MAY_IMPORT and top not in MAY_IMPORT[folder]
        sideways = top == folder == "services" and rest[0] in SERVICES and below[:1] != rest[:1]
        if upwards or sideways:
            found.append(f"{source.path} imports {name}")
    return found


def impure(source: Source) -> list[str]:
    """What a pure module of a service imports from outside."""
    parts = source.path.removesuffix(".py").split("/")
    if parts[0] != "services" or len(parts) < 3 or parts[-1] == "__init__":
        return []
    service, module = parts[1], parts[2]
    if module.startswith("store_") or module in TOUCHES_OUTSIDE | ALSO_TOUCHES_OUTSIDE.get(service, set()):
        return []
    return [f"{source.path} imports {name}" for name in sorted(imports(source)) if name.split(".")[0] in OUTSIDE]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_files(service):
    assert [name for name in SAME_FILES if not (ROOT / "services" / service / name).exists()] == []


@pytest.mark.parametrize("service", SERVICES)
def test_app_is_wiring_only(service):
    path = ROOT / "services" / service / "app.py"
    assert path.read_text("utf-8").count("\n") < APP_MAX
    assert [node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.ClassDef)] == []


def test_layers_only_look_down():
    assert [problem for source in sources() for problem in crossings(source)] == []


def test_pure_modules_touch_nothing_outside():
    assert [problem for source in sources() for problem in impure(source)] == []


def test_import_contracts_are_kept():
    """The same by import-linter, through every chain of imports (pyproject.toml)."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-logo"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_contracts_cover_every_service():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    independent = next(contract["modules"] for contract in contracts if contract["type"] == "independence")
    folders = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")}
    assert {f"services.{name}" for name in folders} == set(independent)


# --- negative examples -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("services/payout/batch.py", "from services.registry import store"),
        ("shared/vault.py", "import sandbox.truth"),
        ("shared/vault.py", "from services.payout.batch import x"),
        ("sandbox/provider.py", "from shared.money import dong"),
        ("services/notify/app.py", "from deploy.local import stack"),
        ("services/notify/app.py", "def f():\n    from ansinh import demo"),
    ],
)
def test_crossing_is_found(path, text):
    assert crossings(Source(path, text))


def test_allowed_imports_are_left_alone():
    assert (
        crossings(
            Source("services/payout/handlers.py", "import asyncpg\nfrom services.payout import batch\nfrom shared import ids")
        )
        == []
    )


def test_impure_module_is_found():
    assert impure(Source("services/payout/batch.py", "from asyncpg import Record"))
    assert impure(Source("services/notify/texts.py", "import httpx"))
    assert impure(Source("services/payout/store.py", "import asyncpg")) == []
