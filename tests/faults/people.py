"""The people of one trial, drawn from its seed: synthetic, few, and of every kind that takes another way through the system. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

AREA = "18496"
KINDS = {
    "bank-a": 8, "bank-b": 8, "post": 7, "home": 2, "two-benefits": 5, "wishes-post": 2, "shared-account": 2, "dead": 2,
    "mismatch": 3, "not-found": 1, "bad-code": 1, "bad-amount": 2, "corrected": 3, "late-death": 2,
}  # fmt: skip
BIN_OF = {"bank-a": "970405", "bank-b": "970418"}
# (code, programme, coefficient in hundredths, VND a month in February 2024); decrees as in services/payout/rates.
BENEFITS = (
    ("BT-5a1", "social_assistance", 150, 540_000),
    ("BT-6a", "social_assistance", 200, 720_000),
    ("BT-6b", "social_assistance", 250, 900_000),
)
BORN = {"BT-5a1": (1945, 1960), "BT-6a": (1966, 2006), "BT-6b": (1930, 1960)}
"""Years in which somebody is born whose age fits the code in all of 2024."""
MERIT = ("NCC-LS1", "merit", None, 2_055_000)
FAMILIES = (("Nguyễn", "NGUYEN"), ("Trần", "TRAN"), ("Lê", "LE"), ("Phạm", "PHAM"), ("Võ", "VO"), ("Đặng", "DANG"))
MIDDLES = (("Thị", "THI"), ("Văn", "VAN"), ("Đức", "DUC"), ("Ngọc", "NGOC"))


@dataclass(frozen=True, slots=True)
class Person:
    """One synthetic person as the ministry writes them and as the register has them."""

    record: str
    kind: str
    number: str
    name: tuple[str, str, str]
    plain_name: str
    birth: str
    benefits: tuple[tuple[str, str, int | None, int], ...]
    bank_bin: str | None
    account: str | None
    phone: str | None

    def personal(self) -> dict[str, Any]:
        """What the ministry seals for registry."""
        identity = {"full_name": " ".join(self.name), "birth_date": self.birth, "sex": "female", "personal_number": self.number}
        personal: dict[str, Any] = {"identity": identity, "delivery": {"hamlet": "Thôn 1", "address": "Số 1"}}
        if self.account:
            personal["account"] = {"bank_bin": self.bank_bin, "number": self.account, "holder": self.plain_name}
        if self.phone:
            personal["phone"] = self.phone
        if self.kind == "home":
            personal["home_delivery"] = True
        return personal

    def register_row(self) -> str | None:
        """The line of the population extract; None for somebody it does not know."""
        if self.kind == "not-found":
            return None
        birth = "1931-12-30" if self.kind == "mismatch" else self.birth
        status, since = ("dead", "2023-11-20") if self.kind == "dead" else ("alive", "")
        return ",".join((self.number, "", *self.name, birth, "female", AREA, status, since, ""))


def draw(rng: Random, trial: str, count: int, *, kinds: dict[str, int] | None = None) -> list[Person]:
    """So many people; `trial` makes their numbers differ from those of every other trial. Every kind is there when count allows."""
    shares = kinds or KINDS
    order = [*shares, *rng.choices(list(shares), list(shares.values()), k=max(0, count - len(shares)))][:count]
    rng.shuffle(order)
    base = zlib.crc32(trial.encode()) % 10_000_000
    shared = _account(rng, base, 9_999, "970405")
    return [_person(rng, f"{trial}-{index}", kind, base=base, index=index, shared=shared) for index, kind in enumerate(order)]


def _person(rng: Random, record: str, kind: str, *, base: int, index: int, shared: str) -> Person:
    family, middle = rng.choice(FAMILIES), rng.choice(MIDDLES)
    given = "".join(chr(ord("A") + int(digit)) for digit in f"{base % 10_000:04d}{index:03d}").capitalize()
    bank_bin, account = None, None
    if kind in ("bank-a", "bank-b", "wishes-post", "two-benefits", "late-death", "corrected", "mismatch"):
        bank_bin = BIN_OF.get(kind) or rng.choice(list(BIN_OF.values()))
        account = _account(rng, base, index, bank_bin)
    if kind == "shared-account":
        bank_bin, account = "970405", shared
    benefits = [rng.choice(BENEFITS)] + ([MERIT] if kind == "two-benefits" else [])
    return Person(
        record=record,
        kind=kind,
        number=f"0{base:07d}{index:04d}",
        name=(family[0], middle[0], given),
        plain_name=f"{family[1]} {middle[1]} {given.upper()}",
        birth=f"{rng.randrange(*BORN[benefits[0][0]])}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
        benefits=tuple(benefits),
        bank_bin=bank_bin,
        account=account,
        phone=f"09{(base * 37 + index // 2) % 100_000_000:08d}" if kind in ("post", "home", "mismatch", "dead") else None,
    )


def _account(rng: Random, base: int, index: int, bank_bin: str) -> str:
    length = 13 if bank_bin == "970405" else 14
    return f"{rng.randrange(1, 10)}{base:07d}{index:04d}".ljust(length, "0")


def register_csv(people: list[Person]) -> bytes:
    """The population extract that knows them."""
    header = "personal_number,old_number,family_name,middle_name,given_name,birth_date,sex,area_code,status,status_date"
    rows = [row for person in people if (row := person.register_row())]
    return "\n".join([f"{header},replaced_by_number", *rows, ""]).encode()


def of_kind(people: list[Person], kind: str) -> Iterator[Person]:
    """Those of one kind."""
    return (person for person in people if person.kind == kind)
