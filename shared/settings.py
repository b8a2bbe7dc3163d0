"""Settings from the environment: one closed table with two profiles. Start-up refuses an unknown name or an unsafe production value."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "ANSINH_"


class UnsafeSettings(Exception):
    """A setting that this profile forbids, or a name nobody knows. The text names the setting, never its value."""


class ServiceSettings(BaseSettings):
    """What every service needs. Names in the environment carry the prefix `ANSINH_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    profile: Literal["local", "production"] = "local"
    postgres_dsn: SecretStr
    kafka_bootstrap: str
    port: int = Field(ge=1024, le=65_535)
    bind: str = "127.0.0.1"  # another address only where nothing but our own network reaches it, as inside a container
    keys_file: Path
    clock_file: Path | None = None
    files_dir: Path = Path("files")
    session_seconds: float = Field(default=6.0, ge=1.0, le=30.0)
    crash_point: str | None = None
    crash_file: Path | None = None

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.profile == "production":
            if self.crash_point is not None or self.crash_file is not None:
                raise UnsafeSettings("crash_point and crash_file kill this process")
            if self.clock_file:
                raise UnsafeSettings("clock_file is for demo and tests")
            if json.loads(self.keys_file.read_text()).get("sandbox"):
                raise UnsafeSettings("keys_file holds sandbox keys")
            if self.session_seconds < 10:
                raise UnsafeSettings("session_seconds is below 10")
        if not __debug__:
            raise UnsafeSettings("python -O removes assertions that guard money")
        return self


def refuse_unknown(settings: type[ServiceSettings]) -> None:
    """Raises UnsafeSettings for a variable with our prefix that is no setting: a misspelt name must not be silently ignored."""
    known = {PREFIX + name.upper() for name in settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise UnsafeSettings(f"unknown settings: {', '.join(unknown)}")
