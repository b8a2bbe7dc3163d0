"""The accounts we pay from and those we are funded from, as keyed indexes: what a line of a statement is compared with. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from services.payout.sending import account_index
from services.payout.settings import Settings
from shared.issuing import EVERY_PAYER
from shared.vault import Vault


class OwnAccounts:
    """`numbers`: the accounts that payers pay from; `funding`: indexes of those that money for them comes from."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        """Of every row of the settings, whenever it begins: a statement may be about an account that is not paid from any more."""
        self.numbers = frozenset({settings.debtor_account, *(row.account for row in settings.debtors)})
        self.funding = frozenset(account_index(vault, account) for account in settings.funding_accounts)
        payers = defaultdict[bytes, set[str]](set)
        payers[account_index(vault, settings.debtor_account)].add(EVERY_PAYER)
        for row in settings.debtors:
            payers[account_index(vault, row.account)].add(row.payer)
        self._payers = {index: sorted(names) for index, names in payers.items()}

    def payers(self, index: bytes | None) -> list[str] | None:
        """Who pays from an account, `*` for the usual one; None where nobody does or none is said."""
        return self._payers.get(index) if index is not None else None


def shown_by_payers(row: Mapping[str, Any], own: OwnAccounts) -> dict[str, Any]:
    """A row in which an account of ours is shown by who pays from it: `payers` for `ours_ix`."""
    shown = dict(row)
    payers = own.payers(shown.pop("ours_ix"))
    return {**shown, "payers": payers}
