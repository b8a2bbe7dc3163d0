"""A crash point does nothing until it is armed; armed, it kills the process at the passage asked for."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.crashing import arm, hand_down, inventory, point

NAME = "relay.after_publish"
PASSES = (
    "import sys; from shared import crashing as c; c.arm(sys.argv[1]); [(c.point(n), print(n, flush=True)) for n in sys.argv[2:]]"
)


def run(armed: str, *passages: str) -> tuple[int, list[str], str]:
    """(exit code, passages survived, standard error) of a process that passes these points."""
    done = subprocess.run([sys.executable, "-c", PASSES, armed, *passages], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.split(), done.stderr


def test_unarmed_it_does_nothing() -> None:
    point(NAME)


@pytest.mark.parametrize(("armed", "survived"), [(NAME, 0), (f"{NAME}:1", 0), (f"{NAME}:3", 2)])
def test_the_process_dies_at_the_passage_asked_for(armed: str, survived: int) -> None:
    code, seen, error = run(armed, NAME, "relay.before_publish", NAME, NAME, NAME)
    assert code == -signal.SIGKILL
    assert seen.count(NAME) == survived
    assert error == f'{{"event": "crash_point", "code": "{NAME}"}}\n'


def test_of_a_list_the_first_reached_kills() -> None:
    code, seen, _error = run(f"{NAME}:2, relay.after_cursor", NAME, "relay.before_cursor", "relay.after_cursor")
    assert (code, seen) == (-signal.SIGKILL, [NAME, "relay.before_cursor"])


def test_fewer_passages_than_asked_for_kill_nobody() -> None:
    assert run(f"{NAME}:3", NAME, NAME) == (0, [NAME, NAME], "")


@pytest.mark.parametrize(
    "text", ["", "relay", "relay.after_publish:0", "relay.after_publish:x", "relay.no_such_point", f"{NAME},"]
)
def test_a_name_nobody_knows_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="crash point"):
        arm(text)
    point(NAME)


def test_only_the_first_process_that_is_started_is_armed_too() -> None:
    """Else whatever it dies at would be met by every one after it, for as long as this one lives."""
    shown = "from shared import crashing as c; c.arm('relay.after_publish:2'); print(c.hand_down(), c.hand_down())"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["relay.after_publish:2", "None"]
    assert hand_down() is None


def test_points_are_armed_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "points"
    file.write_text("relay.after_publish:2")
    said = "import sys; from pathlib import Path; from shared import crashing as c; c.arm_from(Path(sys.argv[1])); "
    said += "c.point('relay.after_publish'); print('once', flush=True); c.point('relay.after_publish'); print('twice')"
    done = subprocess.run([sys.executable, "-c", said, str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (-signal.SIGKILL, ["once"])
    assert done.stderr.splitlines()[0] == '{"event": "crash_armed"}'


def test_the_inventory_is_printed() -> None:
    done = subprocess.run([sys.executable, "-m", "shared.crashing"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == inventory()
