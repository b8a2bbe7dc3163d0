"""The bytes a bank reads."""

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.payout.bank_file import NAMESPACE, TAIL, Debtor, Transfer, head, transactions
from shared.topics import Provider

ROOT = Path(__file__).parents[3]
NS = {"p": NAMESPACE}


def a_transfer(**changes: object) -> Transfer:
    same: dict[str, object] = {
        "end_to_end_id": "ABCDEFGH234567AB", "vnd": 1_250_000, "name": "Nguyễn Thị Hòa & con", "bank_bin": "970436",
        "account": "0099000000001",
        "remark": "AN SINH 202402",
    }  # fmt: skip
    return Transfer(**{**same, **changes})  # type: ignore[arg-type]


def a_file(*transfers: Transfer) -> bytes:
    given = transfers or (a_transfer(),)
    begun = head(
        UUID(int=1),
        Provider.BANK_A,
        count=len(given),
        vnd=sum(transfer.vnd for transfer in given),
        debtor=Debtor("PHONG LDTBXH <HUONG KHE>", "9990000000001"),
        execution_date=date(2024, 2, 1),
        made_at=datetime(2024, 1, 25, 2, tzinfo=UTC),
    )
    return begun + transactions(given) + TAIL


def test_what_stands_in_the_file() -> None:
    made = a_file(a_transfer(), a_transfer(end_to_end_id="ABCDEFGH234567AC", vnd=360_000))
    root = etree.fromstring(made)
    assert root.xpath("//p:EndToEndId/text()", namespaces=NS) == ["ABCDEFGH234567AB", "ABCDEFGH234567AC"]
    assert root.xpath("//p:InstdAmt/text()", namespaces=NS) == ["1250000", "360000"]
    assert root.xpath("//p:InstdAmt/@Ccy", namespaces=NS) == ["VND", "VND"]
    assert root.xpath("//p:CtrlSum/text()", namespaces=NS) == ["1610000", "1610000"]
    assert root.xpath("//p:NbOfTxs/text()", namespaces=NS) == ["2", "2"]
    assert root.xpath("//p:PmtInf/p:BtchBookg/text()", namespaces=NS) == ["false"], "each transfer is booked by itself"
    assert root.xpath("//p:Cdtr/p:Nm/text()", namespaces=NS) == ["Nguyễn Thị Hòa & con"] * 2
    assert root.xpath("//p:CdtrAgt//p:MmbId/text()", namespaces=NS) == ["970436"] * 2
    assert root.xpath("//p:ReqdExctnDt/p:Dt/text()", namespaces=NS) == ["2024-02-01"]


def test_same_batch_gives_the_same_bytes() -> None:
    assert a_file() == a_file() != a_file(a_transfer(vnd=1_250_001))


def test_made_in_pieces_is_made_at_once() -> None:
    some = [a_transfer(vnd=vnd) for vnd in range(1, 6)]
    assert transactions(some[:2]) + transactions(some[2:]) == transactions(some)


def test_line_numbers_name_payments() -> None:
    lines = a_file(*[a_transfer(vnd=vnd) for vnd in range(1, 6)]).decode().splitlines()
    assert sum(line.startswith("<CdtTrfTxInf>") for line in lines) == 5


@given(st.text(min_size=1, max_size=200).filter(lambda text: any(c.isprintable() and not c.isspace() for c in text)))
def test_any_name_is_well_formed_and_short_enough(name: str) -> None:
    root = etree.fromstring(a_file(a_transfer(name=name)))
    (read,) = root.xpath("//p:Cdtr/p:Nm/text()", namespaces=NS)
    assert 1 <= len(read) <= 140


def test_repr_shows_no_person() -> None:
    assert repr(a_transfer()) == "Transfer(ABCDEFGH234567AB)"
