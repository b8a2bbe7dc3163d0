"""XML of ISO 20022 from outside: no entities, no network, no document type, sizes capped; read entry by entry. Pure."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from lxml import etree

from services.payout.statement_line import FileKind, NotAStatement, StatementRefusal, whole_dong

Element = etree._Element
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:((pain\.002|camt\.05[34])\.001\.[0-9]{2})")
# pain.001.001.09 is answered with pain.002.001.10; older banks still write .03, newer .12. Statements: 2009 and 2019 editions.
VERSIONS: Mapping[str, FileKind] = {
    "pain.002.001.03": FileKind.PAIN_002,
    "pain.002.001.10": FileKind.PAIN_002,
    "pain.002.001.12": FileKind.PAIN_002,
    "camt.053.001.02": FileKind.CAMT_053,
    "camt.053.001.08": FileKind.CAMT_053,
    "camt.054.001.02": FileKind.CAMT_054,
    "camt.054.001.08": FileKind.CAMT_054,
}
_SAFE: Any = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
SchemaOf = Callable[[str], bytes | None]


def version_of(content: bytes) -> str | None:
    """The message and version that a document's first element says, when it is one we read."""
    try:
        for _event, element in etree.iterparse(io.BytesIO(content), events=("start",), **_SAFE):
            match = _NAMESPACE.fullmatch(element.tag.rpartition("}")[0].lstrip("{"))
            return match[1] if match and match[1] in VERSIONS and _local(element) == "Document" else None
    except (etree.XMLSyntaxError, ValueError):
        raise NotAStatement(StatementRefusal.FILE_DAMAGED) from None
    return None


def elements(content: bytes, tags: frozenset[str]) -> Iterator[tuple[str, Element]]:
    """(tag, element) at the end of each element so named, in order; what was read is forgotten after the caller went on.

    Raises NotAStatement for XML that is not well-formed to its very end or declares a document type.
    """
    try:
        parser = etree.iterparse(io.BytesIO(content), events=("end",), tag=[f"{{*}}{tag}" for tag in tags], **_SAFE)
        for _event, element in parser:
            if element.getroottree().docinfo.doctype:
                raise NotAStatement(StatementRefusal.FILE_DAMAGED)
            yield _local(element), element
            if _local(element) in _FORGOTTEN:
                _forget(element)
    except (etree.XMLSyntaxError, ValueError):
        raise NotAStatement(StatementRefusal.FILE_DAMAGED) from None


def _local(element: Element) -> str:
    """The name without its namespace. The library's own way refuses names with two colons, which its parser lets pass."""
    return str(element.tag).rpartition("}")[2]


_FORGOTTEN = frozenset({"Ntry", "TxInfAndSts"})


def _forget(element: Element) -> None:
    """Free an entry that was dealt with, and the empty shells of its kind before it."""
    element.clear()
    before = element.getprevious()
    while before is not None and before.tag == element.tag:
        element.getparent().remove(before)  # type: ignore[union-attr]
        before = element.getprevious()


def validate(content: bytes, schema: bytes) -> None:
    """Compare with a schema. Raises NotAStatement."""
    parser = etree.XMLParser(**_SAFE)
    try:
        document = etree.fromstring(content, parser)
        if not etree.XMLSchema(etree.fromstring(schema, parser)).validate(document):
            raise NotAStatement(StatementRefusal.SCHEMA_INVALID)
    except (etree.XMLSyntaxError, ValueError):
        raise NotAStatement(StatementRefusal.FILE_DAMAGED) from None


def said(element: Element, path: str) -> str | None:
    """The text at a path like `Refs/EndToEndId`, whatever the version's namespace; None when absent or empty."""
    found = element.findtext("/".join(f"{{*}}{step}" for step in path.split("/")))
    return found.strip() or None if found else None


def every(element: Element, path: str) -> list[Element]:
    """The elements at a path."""
    return element.findall("/".join(f"{{*}}{step}" for step in path.split("/")))


def inside(element: Element, parent: str) -> bool:
    """Whether the element stands directly in a parent so named."""
    above = element.getparent()
    return above is not None and _local(above) == parent


def amount(element: Element, path: str) -> int | None:
    """The whole dong at a path; None when absent. Raises NotAStatement for another currency."""
    found = every(element, path)
    if not found:
        return None
    if found[0].get("Ccy", "VND") != "VND":
        raise NotAStatement(StatementRefusal.NOT_VND)
    return whole_dong(found[0].text)


def day(element: Element, path: str) -> date | None:
    """The day of a date or a moment at a path; None when absent. Raises NotAStatement for what is no day."""
    text = said(element, f"{path}/Dt") or said(element, f"{path}/DtTm") or said(element, path)
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED) from None
