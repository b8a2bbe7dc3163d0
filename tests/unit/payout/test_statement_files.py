"""What stands in a bank's files, in one form whatever the format; and files that are refused whole."""

import asyncio
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from deploy.local.xsd import ensure_schemas
from sandbox.provider_files import movements
from sandbox.truth import LineFact, Status
from services.payout.iso_xml import VERSIONS
from services.payout.reading_statement import read_statement
from services.payout.statement_line import FileKind, LineKind, NotAStatement, Statement, StatementRefusal
from shared.topics import Provider
from tests.unit.payout.statement_files import BATCH, FACTS, a_fact, an_id, every_format

ROOT = Path(__file__).parents[3]
FORMATS = sorted(every_format())
BANK = Provider.BANK_A


def read(content: bytes, provider: Provider = BANK) -> Statement:
    return read_statement(content, provider, sha256="0" * 64)


def refusal(content: bytes, provider: Provider = BANK) -> StatementRefusal | None:
    try:
        read(content, provider)
    except NotAStatement as refused:
        return refused.reason
    return None


# --- read ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FORMATS if not name.startswith("pain")])
def test_bookings_read_alike_whatever_the_format(name: str) -> None:
    found = read(every_format()[name])
    assert [(line.kind, line.end_to_end_id, line.vnd, line.booked_on, line.code) for line in found.lines] == [
        (LineKind.PAID, an_id(1), 360_000, date(2024, 2, 1), None),
        (LineKind.PAID, an_id(2), 1_500_000, date(2024, 2, 1), None),
        (LineKind.PAID, an_id(4), 360_000, date(2024, 2, 1), None),
        (LineKind.RETURNED, an_id(4), 360_000, date(2024, 2, 1), "MD07"),
    ]
    assert len({line.bank_ref for line in found.lines}) == 4
    assert (found.accounts, found.banks) == ({"9990000000001"}, {"970405"})
    assert found.to_on == (None if name.startswith("camt.054") else date(2024, 2, 1))


@pytest.mark.parametrize("name", [name for name in FORMATS if name.startswith("pain")])
def test_status_report_says_each_line_and_names_its_batch(name: str) -> None:
    found = read(every_format()[name])
    assert [(line.kind, line.end_to_end_id, line.vnd, line.code) for line in found.lines] == [
        (LineKind.PAID, an_id(1), 360_000, None),
        (LineKind.PAID, an_id(2), 1_500_000, None),
        (LineKind.REJECTED, an_id(3), 360_000, "AC04"),
        (LineKind.PAID, an_id(4), 360_000, None),
    ]
    assert [str(claim.batch_id) for claim in found.claims] == [BATCH]


@pytest.mark.parametrize("version", sorted(version for version in VERSIONS if version != "pain.002.001.10"))
def test_our_samples_are_valid_by_the_schema(version: str) -> None:
    name, _, number = version.partition(".001.")
    schema = etree.XMLSchema(etree.parse(str(asyncio.run(asyncio.to_thread(ensure_schemas, ROOT)) / f"{version}.xsd")))
    schema.assertValid(etree.fromstring(every_format()[f"{name} {number}"]))


def test_schema_at_hand_is_asked() -> None:
    content = every_format()["camt.053 08"]
    schema = (ensure_schemas(ROOT) / "camt.053.001.08.xsd").read_bytes()
    assert read_statement(content, BANK, sha256="", schema_of=lambda _version: schema).kind is FileKind.CAMT_053
    strange = content.replace(b"<NtryRef>", b"<Strange>1</Strange><NtryRef>", 1)
    with pytest.raises(NotAStatement, match="SCHEMA_INVALID"):
        read_statement(strange, BANK, sha256="", schema_of=lambda _version: schema)
    assert refusal(strange) is None, "without the schema our own rules decide"


def test_what_is_not_booked_yet_says_nothing() -> None:
    pending = every_format([a_fact(1)])["camt.054 08"].replace(b"BOOK", b"PDNG")
    assert [line.kind for line in read(pending).lines] == [LineKind.UNKNOWN]


def test_batch_booking_is_read_through_its_details() -> None:
    content = every_format([a_fact(1), a_fact(2)])["camt.054 08"].decode()
    first, second = content.split("<Ntry>")[1:]
    detail = second[second.index("<TxDtls>") : second.index("</NtryDtls>")]
    whole = first.replace("</TxDtls>", "</TxDtls>" + detail).replace(
        '<Amt Ccy="VND">360000</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>',
        '<Amt Ccy="VND">720000</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>',
    )
    summary = "<TtlNtries><NbOfNtries>{}</NbOfNtries>"
    made = (content.split("<Ntry>")[0] + "<Ntry>" + whole + second[second.index("</Ntry>") + 7 :]).replace(
        summary.format(2), summary.format(1)
    )
    made = made.replace("<TtlDbtNtries><NbOfNtries>2<", "<TtlDbtNtries><NbOfNtries>1<")
    assert [(line.end_to_end_id, line.vnd) for line in read(made.encode()).lines] == [(an_id(1), 360_000), (an_id(2), 360_000)]
    assert refusal(made.replace("720000</Amt>", "720001</Amt>").encode()) is StatementRefusal.TOTALS_WRONG


def test_status_of_the_whole_never_stands_for_its_lines() -> None:
    content = every_format()["pain.002 10"]
    head = content[: content.index(b"<OrgnlPmtInfAndSts>")] + b"</CstmrPmtStsRpt></Document>"
    taken = read(head.replace(b"<GrpSts>PART", b"<GrpSts>ACSC"))
    assert [(line.kind, line.end_to_end_id, str(line.batch_id)) for line in taken.lines] == [(LineKind.ACCEPTED, None, BATCH)]
    assert read(head).lines == [], "partly accepted says nothing of any line"
    assert [line.kind for line in read(head.replace(b"<GrpSts>PART", b"<GrpSts>RJCT")).lines] == [LineKind.REJECTED]


def test_refusal_of_the_block_of_payments_is_heard_before_its_lines() -> None:
    content = every_format()["pain.002 10"].replace(b"</OrgnlPmtInfId>", b"</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>")
    assert read(content).lines[0].batch_id is not None


@pytest.mark.parametrize("status", ["ACWP", "BLCK", "", "XXXX"])
def test_status_nobody_knows_says_nothing(status: str) -> None:
    content = every_format([a_fact(1)])["pain.002 10"].replace(b"ACSC", status.encode())
    assert [line.kind for line in read(content).lines] == [LineKind.UNKNOWN]


def test_mt940_of_several_parts_and_marks() -> None:
    found = read(
        b":20:A\n:25:9990000000001\n:28C:3/1\n:60F:C240201VND5000,\n:61:240201D1000,NTRFNONREF//B1\n:86:/EREF/"
        + an_id(1).encode()
        + b"/\n"
        b":61:240201RD500,NTRF" + an_id(2).encode() + b"//B2\n:62M:C240201VND4500,\n"
        b":20:A\n:25:9990000000001\n:28C:3/2\n:60M:C240201VND4500,\n:61:240202RC400,NTRFNONREF//B3\n:62F:C240202VND4100,\n"
    )
    assert [(line.kind, line.end_to_end_id, line.vnd) for line in found.lines] == [
        (LineKind.PAID, an_id(1), 1_000),
        (LineKind.REVERSAL, an_id(2), 500),
        (LineKind.REVERSAL, None, 400),
    ]
    assert found.message_id == "A/3/1"
    assert found.to_on == date(2024, 2, 2)


# --- refused -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_truncated_anywhere_is_refused(name: str) -> None:
    content = every_format()[name]
    kept = [cut for cut in range(1, len(content) - 4, 37) if refusal(content[:cut]) is None]
    assert kept == []


@pytest.mark.parametrize("name", [name for name in FORMATS if name.startswith("camt.053") or name == "mt940"])
def test_statement_without_one_of_its_lines_is_refused(name: str) -> None:
    content = every_format()[name].decode()
    start, end = ("<Ntry>", "</Ntry>") if name != "mt940" else (":61:", ":61:")
    begin = content.index(start)
    rest = content[content.index(end, begin + 1) + (len(end) if name != "mt940" else 0) :]
    assert refusal((content[:begin] + rest).encode()) is StatementRefusal.TOTALS_WRONG


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", StatementRefusal.FILE_EMPTY),
        (b"\n \t", StatementRefusal.FILE_EMPTY),
        (b"PK\x03\x04zip", StatementRefusal.FORMAT_UNKNOWN),
        (b"%PDF-1.7", StatementRefusal.FORMAT_UNKNOWN),
        (b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.04'/>", StatementRefusal.FORMAT_UNKNOWN),
        (b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'/>", StatementRefusal.FILE_DAMAGED),
        (b":20:A\n:25:X\n:60F:C240201EUR1,\n:62F:C240201EUR1,\n", StatementRefusal.NOT_VND),
        (b":20:A\n:25:X\n:60F:C240201VND1,5\n:61:240201D,5NTRFNONREF\n:62F:C240201VND1,\n", StatementRefusal.NOT_VND),
        (b":20:A\n:25:X\n:60F:C240201VND1,\n", StatementRefusal.FILE_TRUNCATED),
    ],
)
def test_what_is_no_statement_is_refused_with_its_reason(content: bytes, reason: StatementRefusal) -> None:
    assert refusal(content) is reason


def test_entities_and_document_types_are_refused_and_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    good = every_format()["camt.053 08"].decode()
    for doctype in (
        f'<!DOCTYPE Document [<!ENTITY x SYSTEM "file://{secret}">]>',
        '<!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY x "&b;&b;&b;&b;">]>',
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">',
    ):
        hostile = good.replace("<Document", f"{doctype}<Document", 1).replace(
            "M1</MsgId>", "&x;</MsgId>" if "ENTITY" in doctype else "M1</MsgId>"
        )
        assert refusal(hostile.encode()) is StatementRefusal.FILE_DAMAGED


def test_text_that_names_a_file_is_no_statement(tmp_path: Path) -> None:
    """The MT940 library opens a text that is a path; ours never gives it one."""
    path = tmp_path / "statement"
    path.write_bytes(every_format()["mt940"])
    assert refusal(str(path).encode()) is StatementRefusal.FORMAT_UNKNOWN


# --- any input -----------------------------------------------------------------------------------------------------------------

amounts = st.integers(1, 9_999_999_999)
things = st.lists(st.tuples(st.integers(1, 30_000), amounts, st.sampled_from(Status)), max_size=8, unique_by=lambda one: one[0])


@settings(deadline=None, max_examples=60)
@given(things=things, name=st.sampled_from(FORMATS))
def test_what_was_written_is_what_is_read(things: list[tuple[int, int, Status]], name: str) -> None:
    facts: list[LineFact] = [
        a_fact(number, status, vnd=vnd, reason=None if status is Status.PAID else "AC04") for number, vnd, status in things
    ]
    if name not in every_format(facts):
        return  # a status report is about something
    found = read(every_format(facts)[name])
    told = {Status.PAID: LineKind.PAID, Status.REJECTED: LineKind.REJECTED, Status.RETURNED: LineKind.RETURNED}
    seen = (Status.PAID, Status.REJECTED) if name.startswith("pain") else (Status.PAID, Status.RETURNED)
    assert [(line.kind, line.end_to_end_id, line.vnd) for line in found.lines] == [
        (told[fact.status], fact.end_to_end_id, fact.amount_vnd) for fact in facts if fact.status in seen
    ]


@settings(deadline=None, max_examples=150)
@given(content=st.one_of(st.binary(max_size=400), st.text(max_size=400).map(str.encode)), provider=st.sampled_from(Provider))
def test_any_bytes_are_read_or_refused(content: bytes, provider: Provider) -> None:
    refusal(content, provider)


@settings(deadline=None, max_examples=250)
@given(data=st.data(), name=st.sampled_from(FORMATS))
def test_any_damage_is_read_or_refused(data: st.DataObject, name: str) -> None:
    content = bytearray(every_format()[name])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=12))
    refusal(bytes(content))


@settings(deadline=None, max_examples=150)
@given(
    text=st.lists(
        st.sampled_from(
            [
                ":20:",
                ":25:",
                ":28C:",
                ":60F:",
                ":61:",
                ":62F:",
                ":86:",
                ":13D:",
                ":34F:",
                ":90D:",
                ":NS:",
                "\n",
                "C240201VND1,",
                "240230D1,NTRFX//Y",
                "R",
                "2402",
                "١٢",
                "/",
            ]
        ),
        max_size=40,
    )
)
def test_any_fields_of_mt940_are_read_or_refused(text: list[str]) -> None:
    refusal(("\n:20:A\n:25:X\n" + "".join(text)).encode())


def test_movements_are_what_moved() -> None:
    assert [one.out for one in movements(FACTS)] == [True, True, True, False]
