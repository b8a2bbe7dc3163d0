"""Settings of registry."""

from __future__ import annotations

from pathlib import Path

from services.registry.account_ranks import RANKS_FILE
from services.registry.banks import BANKS_FILE
from shared.areas import AREAS_FILE, CHANGES_FILE, HAMLETS_FILE
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """The common settings, and where the tables of areas, of what became of them, of hamlets, of bank names and of
    the ranks of account sources are."""

    areas_file: Path = AREAS_FILE
    area_changes_file: Path = CHANGES_FILE
    hamlets_file: Path = HAMLETS_FILE
    account_ranks_file: Path = RANKS_FILE
    bank_names_file: Path = BANKS_FILE
