"""Groups of commands that are imported when they are asked for: together they take seconds, and an operator's command needs one of them."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperGroup

GROUPS = MappingProxyType(
    {
        "audit": ("ansinh.cli_audit", "audit"),
        "breaks": ("ansinh.statements", "breaks"),
        "conformance": ("ansinh.conformance_cli", "app"),
        "lists": ("ansinh.cli_lists", "lists"),
        "payroll": ("ansinh.recall", "payroll"),  # the payroll's own commands, and those of cancels beside them
        "recoveries": ("ansinh.recall", "recoveries"),
        "registry": ("ansinh.cli_registry", "registry"),
        "review": ("ansinh.cli_review", "review"),
        "statements": ("ansinh.statements", "statements"),
        "verification": ("ansinh.cli_verification", "verification"),
    }
)
"""Name of a group: its module, and the Typer application there."""


class Groups(TyperGroup):
    """The commands beside it and the groups above, as one list."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every name, in order of the alphabet."""
        return sorted([*super().list_commands(ctx), *GROUPS])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command or group of this name; None when there is none."""
        if cmd_name not in GROUPS:
            return super().get_command(ctx, cmd_name)
        module, attribute = GROUPS[cmd_name]
        group = typer.main.get_group(getattr(import_module(module), attribute))
        group.name = cmd_name
        return group
