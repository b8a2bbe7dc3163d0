"""Settings of verification."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from services.verification.ages import Ages
from services.verification.asking import Manner, Quota
from services.verification.exchange import Authority
from shared.banks import BANKS_FILE
from shared.settings import ServiceSettings, UnsafeSettings

_TO_ASK = ("asking_unit", "asking_officer", "asking_procedure", "asking_integration")
Hour = Annotated[int, Field(ge=0, le=23)]


class Settings(ServiceSettings):
    """The common settings, where the table of banks is, and how others are asked. Without `register_url` the register is our replica;
    without `holders_url` the holder on the list stands in for a bank's answer. Whoever is asked about is asked about by an officer
    under a procedure: no start without them."""

    banks_file: Path = BANKS_FILE
    register_renew_day: int = Field(default=20, ge=1, le=28)
    register_expires_days: int = Field(default=92, ge=1, le=366)
    holders_spread_days: int = Field(default=28, ge=0, le=366)
    holders_renew_days: int = Field(default=30, ge=0, le=366)
    register_url: str | None = None
    register_token: SecretStr = SecretStr("")
    holders_url: str | None = None
    holders_token: SecretStr = SecretStr("")
    asking_unit: Annotated[str, Field(max_length=35)] = ""
    asking_officer: Annotated[str, Field(max_length=20)] = ""
    asking_procedure: Annotated[str, Field(max_length=20)] = ""
    asking_integration: Annotated[str, Field(max_length=20)] = ""
    asking_timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    asking_again_seconds: int = Field(default=60, ge=1, le=3_600)
    asking_a_minute_by_day: int = Field(default=20, ge=0, le=10_000)
    asking_a_minute_at_night: int = Field(default=600, ge=0, le=10_000)
    asking_night_from: Hour = 20
    asking_night_until: Hour = 6

    @model_validator(mode="after")
    def _named(self) -> Self:
        urls = {"register": self.register_url, "holders": self.holders_url}
        asked = [name for name, url in urls.items() if url]
        missing = [name for name in _TO_ASK if asked and not getattr(self, name)]
        if self.profile == "production":
            missing += [f"{name}_token" for name in asked if not getattr(self, f"{name}_token").get_secret_value()]
        if self.holders_spread_days + self.holders_renew_days >= self.register_expires_days:
            raise UnsafeSettings("holders_spread_days and holders_renew_days together leave nothing of register_expires_days")
        if missing:
            raise UnsafeSettings(f"asking others needs {', '.join(missing)}")
        return self

    @property
    def ages(self) -> Ages:
        """How old an answer may grow."""
        return Ages(self.register_renew_day, self.register_expires_days, self.holders_spread_days, self.holders_renew_days)

    @property
    def manner(self) -> Manner:
        """How others are asked; each of them has a quota of its own."""
        authority = Authority(self.asking_unit, self.asking_officer, self.asking_procedure, self.asking_integration)
        quota = Quota(
            by_day=self.asking_a_minute_by_day,
            at_night=self.asking_a_minute_at_night,
            night_from=self.asking_night_from,
            night_until=self.asking_night_until,
            again=timedelta(seconds=self.asking_again_seconds),
        )
        return Manner(authority, quota, self.ages)
