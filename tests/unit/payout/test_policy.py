"""Every open question is a setting, documented with its default first, and tried both ways."""

import re
from pathlib import Path
from typing import get_args

import pytest
from policy_cases import CASES, judged

from services.payout.policy import Policy
from services.payout.settings import Settings
from shared.keyfiles import make_key_files
from shared.vault import Vault

ROOT = Path(__file__).parents[3]
DOCUMENTED = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]+?) \|", (ROOT / "docs/rates.md").read_text("utf-8"), re.MULTILINE))
CHOICES = {name: get_args(info.annotation) for name, info in Policy.model_fields.items() if len(get_args(info.annotation)) > 1}


def test_every_open_question_is_documented_with_its_default_first():
    assert DOCUMENTED.keys() == Policy.model_fields.keys()
    for name, info in Policy.model_fields.items():
        values = re.findall(r"`([^`]+)`", DOCUMENTED[name])
        assert values[0] == str(info.default), name
        assert set(values) == set(CHOICES.get(name, values)), name


@pytest.fixture(scope="module")
def vaults(tmp_path_factory):
    """Registry's and payout's: what one seals the other opens."""
    folder = tmp_path_factory.mktemp("keys")
    make_key_files(folder)
    return {name: Vault.load(folder / f"{name}.json") for name in ("registry", "payout")}


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, case in CASES.items() for answer in case.expected])
def test_build_does_as_it_was_answered(name, answer, vaults):
    assert judged(name, answer, **vaults) == CASES[name].expected[answer]


@pytest.mark.parametrize("name", sorted(Policy.model_fields))
def test_every_answer_is_tried_on_a_build_and_matters(name):
    expected = CASES[name].expected
    assert str(Policy.model_fields[name].default) in expected
    assert set(CHOICES.get(name, expected)) == set(expected)
    assert len({tuple(reasons) for reasons in expected.values()}) > 1


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
