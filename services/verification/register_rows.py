"""Rows of our copy of the population register: sealed, with blind indexes; and what follows when new ones come in."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from services.verification import store
from services.verification.store import RegisterRow, Row
from shared.database import Tx
from shared.events import PopulationEntry
from shared.names import plain_key
from shared.personal import Identity, RegisterIdentity
from shared.vault import Vault, VaultError


class Unusable(Exception):
    """An entry that cannot be kept. The text is a code: SEALED_BLOCK or NUMBER_OR_BIRTH_MISSING."""


def register_row(vault: Vault, entry: PopulationEntry) -> RegisterRow:
    """The row of one entry. Raises Unusable."""
    try:
        plain = vault.open(entry.sealed, entry.person_token)
        known = RegisterIdentity.model_validate_json(plain)
    except (VaultError, ValueError):
        raise Unusable("SEALED_BLOCK") from None
    number, name_birth = index(vault, "number", known.identity.personal_number), name_birth_index(vault, known.identity)
    if number is None or name_birth is None:
        raise Unusable("NUMBER_OR_BIRTH_MISSING")
    says = f"{entry.status}|{entry.status_on}|{entry.area}|".encode() + plain
    return RegisterRow(
        token=entry.person_token,
        as_of=entry.as_of,
        status=entry.status,
        status_on=entry.status_on,
        area=entry.area,
        sealed=entry.sealed,
        digest=vault.digest("register", says),
        number_ix=number,
        old_number_ix=index(vault, "old_number", known.identity.old_number),
        name_birth_ix=name_birth,
        replaced_by_ix=index(vault, "number", known.replaced_by),
    )


def index(vault: Vault, field: str, text: str | None) -> bytes | None:
    """A keyed hash that finds equal texts; None of nothing."""
    return vault.index(field, text) if text else None


def name_birth_index(vault: Vault, identity: Identity) -> bytes | None:
    """Name without accents and birth year; None without a birth date."""
    if not identity.birth_date:
        return None
    return vault.index("name_birth", f"{plain_key(identity.full_name)}|{identity.birth_date[:4]}")


async def take(tx: Tx, rows: Iterable[RegisterRow]) -> tuple[list[Row], set[UUID]]:
    """Keep entries newer than ours. Returns those taken and the people whom a change of them may concern."""
    given = {row.token: row for row in rows}
    taken = await store.save_register(tx, list(given.values()))
    changed = [row for row in taken if row["changed"]]
    concerned = await store.affected_people(tx, [given[row["person_token"]] for row in changed], changed) if changed else set()
    return taken, concerned
