"""Whom verification asks in a local installation: the sandbox's register and banks, or others that the environment names. SYNTHETIC."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from ansinh.processes import Child
from shared.settings import PREFIX
from shared.topics import Service

REGISTER, HOLDERS = "register", "holders"
_MODULES = {REGISTER: "sandbox.population_service", HOLDERS: "sandbox.holder_service"}
_TOKEN = "sandbox"  # noqa: S105  the sandbox services' own default
_QUESTIONS_A_MINUTE = 600


def asked_settings(url: Callable[[str], str]) -> dict[str, str]:
    """Verification's settings for asking the sandbox; what the environment names comes first."""
    named = {
        "REGISTER_URL": url(REGISTER), "REGISTER_TOKEN": _TOKEN, "HOLDERS_URL": url(HOLDERS), "HOLDERS_TOKEN": _TOKEN,
        "ASKING_UNIT": "SANDBOX", "ASKING_OFFICER": "SANDBOX-CB", "ASKING_PROCEDURE": "SANDBOX-DVC",
        "ASKING_INTEGRATION": "SANDBOX-TH", "ASKING_A_MINUTE_BY_DAY": str(_QUESTIONS_A_MINUTE),
    }  # fmt: skip
    return {PREFIX + name: value for name, value in named.items() if PREFIX + name not in os.environ}


def sandbox_child(name: str, port: int, logs: Path) -> Child:
    """The sandbox's register or banks as a process. They know nobody before they are told."""
    return Child(name, ["-m", _MODULES[name], "--port", str(port)], logs / f"{name}.log")


def settings_of_others(service: Service) -> frozenset[str]:
    """Variables of the environment that are settings of other services only: a service refuses what it does not know."""
    names = {one: _settings(one) for one in Service}
    return frozenset().union(*names.values()) - names[service]


def _settings(service: Service) -> frozenset[str]:
    fields = import_module(f"services.{service}.settings").Settings.model_fields
    return frozenset(PREFIX + name.upper() for name in fields)
