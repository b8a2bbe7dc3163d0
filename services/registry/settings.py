"""Settings of registry."""

from __future__ import annotations

from pathlib import Path

from services.registry.banks import BANKS_FILE
from shared.areas import AREAS_FILE, CHANGES_FILE, HAMLETS_FILE
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """The common settings, and where the tables of areas, of what became of them, of hamlets and of bank names are."""

    areas_file: Path = AREAS_FILE
    area_changes_file: Path = CHANGES_FILE
    hamlets_file: Path = HAMLETS_FILE
    bank_names_file: Path = BANKS_FILE
