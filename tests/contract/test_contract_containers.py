"""Asking the tests for containers: a clear refusal when no engine answers, the local stack when nobody asks."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.unavailable import StackUnavailable
from tests.containers import ASKED, servers

ROOT = Path(__file__).parents[2]
NOWHERE = "unix:///nowhere/engine.sock"


def test_without_asking_the_environment_stays_as_it_is():
    with servers({"X": "1"}) as environment:
        assert environment == {"X": "1"}


def test_a_word_nobody_knows_is_refused():
    with pytest.raises(StackUnavailable, match="`local` or `containers`"), servers({ASKED: "contaners"}):
        pytest.fail("never entered")


def test_asked_for_without_an_engine_says_what_to_do(tmp_path):
    """A whole test run, because the message must reach whoever started it."""
    test = tmp_path / "test_asks.py"
    test.write_text("def test_asks(stack):\n    pass\n")
    (tmp_path / "conftest.py").write_text("from tests.conftest import stack\n")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(test)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), ASKED: "containers", "DOCKER_HOST": NOWHERE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "no container engine answers. Start one, or set DOCKER_HOST" in ran.stdout
