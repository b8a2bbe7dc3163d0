"""What kind of file a provider handed in, and what it says. Pure; `schema_of` brings the schemas that are at hand."""

from __future__ import annotations

import re
from dataclasses import replace

from services.payout import iso_xml
from services.payout.camt import read_camt
from services.payout.iso_xml import VERSIONS, SchemaOf
from services.payout.mt940_file import looks_like_mt940, read_mt940
from services.payout.pain002 import read_pain002
from services.payout.post_returns import ZIP, read_post_list
from services.payout.statement_line import BYTES_MAX, FileKind, NotAStatement, Statement, StatementRefusal
from shared.topics import Provider

_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")


def no_schema(_version: str) -> None:
    """No schema is at hand: the reader's own rules decide."""


def read_statement(content: bytes, provider: Provider, *, sha256: str, schema_of: SchemaOf = no_schema) -> Statement:
    """What a file says. `sha256` names a list that has no number of its own. Raises NotAStatement and nothing else."""
    if not content.strip():
        raise NotAStatement(StatementRefusal.FILE_EMPTY)
    if len(content) > BYTES_MAX:
        raise NotAStatement(StatementRefusal.FILE_TOO_LARGE)
    if provider is Provider.POST:
        return replace(read_post_list(content), message_id=sha256)
    if content.startswith(ZIP):
        raise NotAStatement(StatementRefusal.FORMAT_UNKNOWN)
    if looks_like_mt940(content):
        return read_mt940(content)
    if not _XML.match(content):
        raise NotAStatement(StatementRefusal.FORMAT_UNKNOWN)
    return _xml(content, schema_of)


def _xml(content: bytes, schema_of: SchemaOf) -> Statement:
    version = iso_xml.version_of(content)
    if version is None:
        raise NotAStatement(StatementRefusal.FORMAT_UNKNOWN)
    read = read_pain002(content) if VERSIONS[version] is FileKind.PAIN_002 else read_camt(content, VERSIONS[version])
    if (schema := schema_of(version)) is not None:
        iso_xml.validate(content, schema)
    return read
