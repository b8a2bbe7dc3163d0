"""Every open question is a setting, documented with its default first, and tried both ways."""

import re
from pathlib import Path
from typing import get_args

import pytest

from services.payout.policy import Policy
from services.payout.settings import Settings

ROOT = Path(__file__).parents[3]
DOCUMENTED = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]+?) \|", (ROOT / "docs/rates.md").read_text("utf-8"), re.MULTILINE))
TESTS = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("*") if path.suffix in (".py", ".csv"))
CHOICES = {name: get_args(info.annotation) for name, info in Policy.model_fields.items() if len(get_args(info.annotation)) > 1}


def test_every_open_question_is_documented_with_its_default_first():
    assert DOCUMENTED.keys() == Policy.model_fields.keys()
    for name, info in Policy.model_fields.items():
        values = re.findall(r"`([^`]+)`", DOCUMENTED[name])
        assert values[0] == str(info.default), name
        assert set(values) == set(CHOICES.get(name, values)), name


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in CHOICES.items() for value in values])
def test_every_answer_is_tried(name, value):
    """The default by every test that says nothing; the others by name."""
    if value != Policy.model_fields[name].default:
        named = re.search(rf"""\b{name}["']?(=|: )["']?{value}\b""", TESTS)
        as_parameter = f"{name}=setting" in TESTS and f'("{value}", ' in TESTS
        assert named or as_parameter


@pytest.mark.parametrize("name", sorted(Policy.model_fields))
def test_every_open_question_is_a_setting_of_the_service(name, monkeypatch, tmp_path):
    other = {"province": "40", "misses_max": "5"}.get(name) or next(
        value for value in CHOICES[name] if value != Policy.model_fields[name].default
    )
    for key, value in {
        "POSTGRES_DSN": "unused",
        "KAFKA_BOOTSTRAP": "unused",
        "PORT": "20001",
        "KEYS_FILE": str(tmp_path),
    }.items():
        monkeypatch.setenv(f"ANSINH_{key}", value)
    monkeypatch.setenv(f"ANSINH_{name.upper()}", other)
    assert str(getattr(Settings(), name)) == other  # type: ignore[call-arg]
