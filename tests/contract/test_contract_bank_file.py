"""pain.001.001.09 as two readers see it that know nothing of each other: lxml, and the JDK's own validator."""

import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from deploy.local.java import find_java
from deploy.local.unavailable import StackUnavailable
from deploy.local.xsd import ensure_xsd
from services.payout.bank_file import TAIL, Debtor, Transfer, head, transactions
from shared.topics import Provider

ROOT = Path(__file__).parents[2]
VALIDATOR = Path(__file__).with_name("ValidateBankFile.java")
NAMES = ("Nguyễn Thị Hòa & con", "Đặng Ẩn <Ỷ>", 'Hồ "Sỹ" Quỳnh', "O'Brien ₫ ế")


def a_file(transfers: list[Transfer], *, provider: Provider = Provider.BANK_A, payer: str = "UBND XÃ HƯƠNG KHÊ") -> bytes:
    totals = {"count": len(transfers), "vnd": sum(transfer.vnd for transfer in transfers)}
    moment = datetime(2024, 1, 25, 2, tzinfo=UTC)
    debtor = Debtor(payer, "9990000000001")
    begun = head(UUID(int=7), provider, **totals, debtor=debtor, execution_date=date(2024, 2, 15), made_at=moment)
    return begun + transactions(transfers) + TAIL


def some(count: int) -> list[Transfer]:
    letters = str.maketrans("0189", "WXYZ")
    ids = [f"ABCDEFGH{n:08d}".translate(letters) for n in range(count)]
    return [Transfer(one, 360_000 + n, NAMES[n % 4], "970436", f"00{n:011d}", "AN SINH 202402") for n, one in enumerate(ids)]


@pytest.fixture(scope="module")
def schema() -> Path:
    return ensure_xsd(ROOT)


def java_says(schema: Path, *paths: Path) -> list[str]:
    """What the validator prints per file. A Java without a compiler cannot run a source file."""
    try:
        java = find_java()
    except StackUnavailable:
        pytest.skip("no Java here: Kafka is given by the environment")
    modules = subprocess.run([java, "--list-modules"], capture_output=True, text=True, check=True).stdout
    if "jdk.compiler@" not in modules:
        pytest.skip("this Java is a runtime without a compiler (the wheel's): install default-jdk-headless for the second reader")
    command = [java, "-XX:TieredStopAtLevel=1", "-Xmx256m", str(VALIDATOR), str(schema), *map(str, paths)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_both_readers_agree(schema: Path, tmp_path: Path) -> None:
    good = a_file(some(50))
    spoiled = {
        "no_amount": good.replace(b'<InstdAmt Ccy="VND">360007</InstdAmt>', b""),
        "long_id": good.replace(b"<EndToEndId>", b"<EndToEndId>" + b"X" * 30, 1),
        "order": good.replace(b"<PmtMtd>TRF</PmtMtd>", b"").replace(b"</PmtInf>", b"<PmtMtd>TRF</PmtMtd></PmtInf>"),
        "six_decimals": good.replace(b">360003<", b">360003.000001<"),
        "no_currency": good.replace(b' Ccy="VND"', b"", 1),
    }
    paths = []
    for name, content in {"good": good, "one": a_file(some(1), provider=Provider.BANK_B), **spoiled}.items():
        paths.append(tmp_path / f"{name}.xml")
        paths[-1].write_bytes(content)
    reader = etree.XMLSchema(etree.parse(str(schema)))
    ours = [reader.validate(etree.parse(str(path))) for path in paths]
    theirs = java_says(schema, *paths)
    assert ours == [True, True] + [False] * len(spoiled)
    assert theirs[:2] == [f"50 {sum(t.vnd for t in some(50))}", "1 360000"]
    assert all(line.startswith("invalid") for line in theirs[2:])


@settings(max_examples=60, deadline=None)
@given(names=st.lists(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=150), min_size=1, max_size=5))
def test_any_name_is_valid_by_the_schema(names: list[str]) -> None:
    reader = etree.XMLSchema(etree.parse(str(ensure_xsd(ROOT))))
    named = [name for name in names if any(char.isprintable() and not char.isspace() for char in name)] or ["A"]
    transfers = [Transfer("ABCDEFGH234567AB", 1, name, "970436", "0099", "AN SINH") for name in named]
    reader.assertValid(etree.fromstring(a_file(transfers, payer=named[0])))
