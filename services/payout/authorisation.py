"""What a snapshot's blocks say of an account that is somebody else's."""

from __future__ import annotations

from shared.authorisation import Paper, paper_of_holder
from shared.events import BeneficiarySnapshot
from shared.personal import Account, Delivery, Payee
from shared.vault import Vault


def opened_account(vault: Vault, snapshot: BeneficiarySnapshot) -> tuple[Account | None, Paper | None]:
    """A person's account, and the authorisation of a holder who is somebody else: the one said of the account, or that of a collector who
    holds it. Raises VaultError for a block that does not open."""
    owner = str(snapshot.beneficiary_id)
    payee = vault.open_as(snapshot.payee, owner, Payee)
    if payee.account is None:
        return None, None
    paper = paper_of_holder(payee.authorisation, payee.account.holder)
    if paper is None and snapshot.delivery is not None:
        paper = paper_of_holder(vault.open_as(snapshot.delivery, owner, Delivery).collector, payee.account.holder)
    return payee.account, paper
