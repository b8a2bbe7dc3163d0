"""Who executes what: contracts of payers with providers, effective-dated, by channel, commune and bank (domain 2.1, 4.4). Pure.

Provider and channel are two fields: the post also pays into accounts where its contract says so, and a bank pays into any bank. Giving
a bank its own customers saves a transfer between banks. Only the post hands out cash.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from shared.topics import Provider
from shared.words import Channel

CONTRACTS_FILE = Path(__file__).with_name("contracts.csv")
ANY = "*"
_WORDS = {Channel.ACCOUNT: "tài khoản", Channel.COUNTER: "bưu cục", Channel.HOME: "tại nhà"}


@dataclass(frozen=True, slots=True)
class Contract:
    """One row: who serves a channel in an area for a bank, or for `*`. The first day counts, the last does not."""

    provider: Provider
    channel: Channel
    area: str
    bank_bin: str
    valid_from: date
    valid_until: date

    def fits(self, area: str, bank_bin: str, on: date) -> bool:
        """Whether it speaks of this payment."""
        return self.area in (area, ANY) and self.bank_bin in (bank_bin, ANY) and self.valid_from <= on < self.valid_until


class ContractMissing(LookupError):
    """No contract is in force for a payment. Nobody is paid through a provider without one. `where` names channel, commune and day."""

    def __init__(self, channel: Channel, area: str, on: date) -> None:
        """`area` is empty where contracts do not differ by commune."""
        super().__init__(f"no contract for {channel} on {on}")
        self.where = f"{_WORDS[channel]}, {f'xã {area}' if area else 'mọi xã'}, ngày {on:%d/%m/%Y}"


class Contracts:
    """The table. The row that says most counts: a commune before `*`, then a bank before `*`."""

    def __init__(self, rows: Sequence[Contract]) -> None:
        """Raises ValueError where two rows say as much of the same payments, or cash is not the post's."""
        self.by_area = any(row.area != ANY for row in rows)
        self._rows: dict[Channel, list[Contract]] = {channel: [] for channel in Channel}
        for row in sorted(rows, key=lambda r: (r.area == ANY, r.bank_bin == ANY)):
            if row.channel is not Channel.ACCOUNT and row.provider is not Provider.POST:
                raise ValueError(f"{row.provider} hands out no cash")
            for other in self._rows[row.channel]:
                same = (row.area, row.bank_bin) == (other.area, other.bank_bin)
                if same and row.valid_from < other.valid_until and other.valid_from < row.valid_until:
                    raise ValueError(f"two contracts for {row.channel} {row.area} {row.bank_bin}")
            self._rows[row.channel].append(row)

    def provider(self, channel: Channel, *, area: str, bank_bin: str | None, on: date) -> Provider:
        """Who executes. Raises ContractMissing where no contract is in force."""
        for row in self._rows[channel]:
            if row.fits(area, bank_bin or ANY, on):
                return row.provider
        raise ContractMissing(channel, area, on)


@lru_cache
def read_contracts(path: Path = CONTRACTS_FILE) -> Contracts:
    """The table of a file, read once a process. Raises OSError, KeyError or ValueError: no process may start with such a file."""
    with path.open(encoding="utf-8", newline="") as file:
        return Contracts([_contract(row) for row in csv.DictReader(file)])


def _contract(row: dict[str, str]) -> Contract:
    first = date.fromisoformat(row["valid_from"]) if row["valid_from"] else date.min
    last = date.fromisoformat(row["valid_until"]) if row["valid_until"] else date.max
    return Contract(Provider(row["provider"]), Channel(row["channel"]), row["area"], row["bank_bin"], first, last)
