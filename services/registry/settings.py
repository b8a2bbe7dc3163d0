"""Settings of registry."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.registry.account_ranks import RANKS_FILE
from shared.areas import AREAS_FILE, CHANGES_FILE, HAMLETS_FILE
from shared.banks import BANKS_FILE
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """The common settings, and where the tables of areas, of what became of them, of hamlets, of bank names and of
    the ranks of account sources are.

    `erasure_after_months`: nobody is erased before so many months have passed since the last one in which anything of theirs moved.
    Ten years are how long papers that books are kept from must stay (Law on Accounting 88/2015/QH13, article 41, Decree 174/2016); no term
    for benefits in particular is known, so a province must confirm it.
    """

    areas_file: Path = AREAS_FILE
    area_changes_file: Path = CHANGES_FILE
    hamlets_file: Path = HAMLETS_FILE
    account_ranks_file: Path = RANKS_FILE
    bank_names_file: Path = BANKS_FILE
    erasure_after_months: int = Field(default=120, ge=0, le=1_200)
