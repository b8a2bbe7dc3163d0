"""Settings of verification."""

from __future__ import annotations

from pathlib import Path

from services.verification.account_check import BANKS_FILE
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """The common settings and where the table of banks is."""

    banks_file: Path = BANKS_FILE
