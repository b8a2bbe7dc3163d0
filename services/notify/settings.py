"""Settings of notify."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """The common settings, where the gateway is, and how texts go out. Without a gateway nothing is sent: texts stay `created`."""

    sms_gateway_url: str | None = None
    sms_sender_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9 .-]{1,11}$")] = "UBND"
    sms_parts_max: int = Field(default=1, ge=1, le=4)
    sms_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    sms_ask_again_seconds: float = Field(default=60.0, ge=0, le=3_600)
