"""Settings of registry."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.registry.account_ranks import RANKS_FILE
from services.registry.person import CANNOT_DAYS
from shared.areas import AREAS_FILE, CHANGES_FILE, HAMLETS_FILE
from shared.banks import BANKS_FILE
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """The common settings, and where the tables of areas, of what became of them, of hamlets, of bank names and of
    the ranks of account sources are.

    `cannot_review_days`: somebody of whom only a list says that they cannot have an account is looked at again after so many days; half a
    year, because nobody has seen evidence (a home visit sets its own day, up to two years). 0: no day, and to be reviewed at once. What
    provinces do is not published.

    `erasure_after_months`: nobody is erased before so many months have passed since the last one in which anything of theirs moved.
    Ten years are how long papers that books are kept from must stay (Law on Accounting 88/2015/QH13, article 41, Decree 174/2016); no term
    for benefits in particular is known, so a province must confirm it.
    """

    areas_file: Path = AREAS_FILE
    area_changes_file: Path = CHANGES_FILE
    hamlets_file: Path = HAMLETS_FILE
    account_ranks_file: Path = RANKS_FILE
    bank_names_file: Path = BANKS_FILE
    cannot_review_days: int = Field(default=CANNOT_DAYS, ge=0, le=731)
    erasure_after_months: int = Field(default=120, ge=0, le=1_200)
