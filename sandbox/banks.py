"""Banks and synthetic accounts. BINs and names: package `vietnam-qr-pay` 1.0.0 (MIT); the mix and the
lengths are ours.

A bank of fixed length lets a reader restore the zeros a spreadsheet dropped; a bank of free length
does not.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from sandbox.model import Account, AccountTruth, Sex
from sandbox.names import draw_name, without_accents
from sandbox.numbers import NumberMaker


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank with its share per 1,000 accounts and how its synthetic account numbers look."""

    bin: str
    name: str
    share: int
    start: str
    length: int
    free_length: bool = False


BANKS = (
    Bank("970405", "Agribank", 560, "3709", 13),
    Bank("970449", "LPBank", 130, "0099", 12),
    Bank("970415", "VietinBank", 90, "1099", 12),
    Bank("970436", "Vietcombank", 80, "0099", 13),
    Bank("970418", "BIDV", 70, "4209", 14),
    Bank("970422", "MB", 50, "0999", 10, free_length=True),
    Bank("970407", "Techcombank", 20, "1909", 14),
)
UNKNOWN_BIN_BANK = Bank("970499", "Ngân hàng Thử nghiệm", 0, "0099", 12)
CANNOT_VERIFY_BANK = Bank("970444", "CB Bank", 0, "0099", 12)
_SPECIAL = {AccountTruth.UNKNOWN_BIN: UNKNOWN_BIN_BANK, AccountTruth.CANNOT_VERIFY: CANNOT_VERIFY_BANK}

# Per 10,000 accounts; ours, not published.
ACCOUNT_RATES = {
    AccountTruth.NAME_MISMATCH: 200,
    AccountTruth.RELATIVE_WITH_PAPER: 150,
    AccountTruth.RELATIVE_NO_PAPER: 150,
    AccountTruth.UNKNOWN_BIN: 100,
    AccountTruth.CANNOT_VERIFY: 150,
    AccountTruth.CLOSED: 150,
}
RELATIONS = ("Con", "Vợ/chồng", "Cháu", "Người giám hộ")
OWN = "Bản thân"


def account_truths(rng: Random, count: int) -> list[AccountTruth]:
    """What the bank knows of each of `count` accounts, in random order; each planted kind at least once."""
    planted = [truth for truth, rate in ACCOUNT_RATES.items() for _ in range(max(1, count * rate // 10_000))]
    truths = planted + [AccountTruth.GOOD] * max(0, count - len(planted))
    rng.shuffle(truths)
    return truths[:count]


def make_account(rng: Random, numbers: NumberMaker, *, owner: str, truth: AccountTruth) -> Account:
    """A synthetic account of the person with the full name `owner`."""
    bank = _SPECIAL.get(truth) or rng.choices(BANKS, [bank.share for bank in BANKS])[0]
    relative = truth in (AccountTruth.RELATIVE_WITH_PAPER, AccountTruth.RELATIVE_NO_PAPER)
    paper = f"UQ-{rng.randrange(1, 400):03d}/2023" if truth is AccountTruth.RELATIVE_WITH_PAPER else None
    return Account(
        bank_bin=bank.bin, bank_name=bank.name, number=numbers.digits(bank.start, bank.length),
        holder_name=_holder(rng, owner, truth), relation=rng.choice(RELATIONS) if relative else OWN,
        authorisation_paper=paper, truth=truth, already_paid_on_it=False,
        registered_on=date(2023, 3, 1) + timedelta(days=rng.randrange(300)),
    )  # fmt: skip


def _holder(rng: Random, owner: str, truth: AccountTruth) -> str:
    """Upper case without diacritics, family name first; somebody else's name where the truth says so."""
    if truth in (
        AccountTruth.GOOD,
        AccountTruth.UNKNOWN_BIN,
        AccountTruth.CANNOT_VERIFY,
        AccountTruth.CLOSED,
    ):
        return without_accents(owner).upper()
    other = draw_name(rng, rng.choice((Sex.MALE, Sex.FEMALE)), rng.randrange(1965, 2000)).full
    own = without_accents(owner).upper()
    holder = without_accents(other).upper()
    return holder if holder != own else f"{holder} KHAC"
