"""Nothing on a topic can hold personal data in the clear: a field named like it is a closed word, a digest, sealed or JOSE."""

import pytest

from shared.events import BY_TYPE
from shared.fields import Block, Digest, Jose, Sealed
from shared.schema_changes import resolve, vocabulary
from shared.schemas import exported

PERSONAL = {
    "name", "names", "fullname", "surname", "phone", "mobile", "msisdn", "number", "address", "hamlet", "street", "birth", "birthday",
    "born", "dob", "account", "iban", "holder", "payee", "identity", "contact", "delivery", "collector", "person", "personal", "sex",
    "email",
}  # fmt: skip
# Free text that a reader cannot check; each holds a code or an opaque id by its writer's promise. The list may only shrink.
FREE_TEXT = {
    "vn.ansinh.audit.v1": {"actor", "act", "subject"},
    "vn.ansinh.deadletter.v1": {"topic", "event_id", "reason"},
    "vn.ansinh.payout.entries.v1": {"facts.debit", "facts.credit", "facts.reason", "facts.actor"},
    "vn.ansinh.payout.entry.v1": {"debit", "credit", "reason", "actor"},
    "vn.ansinh.payout.payment.v1": {"reason"},
}
TOPIC_SCHEMAS = {name: schema for name, schema in exported().items() if name in BY_TYPE or name == "manifest"}


class Shapes(Block):
    """How the shapes that hide personal data look in a schema."""

    digest: Digest
    sealed: Sealed
    jose: Jose


HIDDEN = {node["pattern"] for node in Shapes.model_json_schema()["properties"].values()}
TOKEN = "^[A-Za-z0-9][A-Za-z0-9._/-]{0,79}$"


def fields_of(node, document, path=""):
    """Every (path, schema) of a field, alternatives and array items unfolded, `null` left out."""
    node = resolve(node, document)
    for part in node.get("anyOf", ()):
        yield from fields_of(part, document, path)
    if "items" in node:
        yield from fields_of(node["items"], document, path)
    for name, field in node.get("properties", {}).items():
        yield from fields_of(field, document, f"{path}.{name}" if path else name)
    if (path and node.get("type") not in ("null", "array", None)) or vocabulary(node) is not None:
        yield path, node


def in_the_clear(schema):
    """Paths of fields named like personal data that may hold it readably."""
    return [
        path
        for path, node in fields_of(schema, schema)
        if PERSONAL & set(path.split(".")[-1].split("_"))
        and vocabulary(node) is None
        and node.get("pattern") not in HIDDEN
        and node["type"] not in ("boolean", "object")
        and not (path.endswith("_token") and node.get("pattern") == TOKEN)
    ]


def free_text(schema):
    """Paths of texts without pattern, format or closed list."""
    return {
        path
        for path, node in fields_of(schema, schema)
        if node.get("type") == "string" and vocabulary(node) is None and not {"pattern", "format"} & node.keys()
    }


@pytest.mark.parametrize("name", TOPIC_SCHEMAS)
def test_no_personal_data_in_the_clear(name):
    assert in_the_clear(TOPIC_SCHEMAS[name]) == []


@pytest.mark.parametrize("name", TOPIC_SCHEMAS)
def test_no_free_text_outside_the_list(name):
    assert free_text(TOPIC_SCHEMAS[name]) == FREE_TEXT.get(name, set())


@pytest.mark.parametrize("field", ["full_name", "phone", "account", "account_number", "birth_date", "address"])
def test_a_field_in_the_clear_is_found(field):
    text = {"type": "string", "pattern": "^.{1,40}$"}
    nested = {"type": "array", "items": {"$ref": "#/$defs/Part"}}
    schema = {"properties": {"parts": nested}, "$defs": {"Part": {"type": "object", "properties": {field: text}}}}
    assert in_the_clear(schema) == [f"parts.{field}"]
    maybe = {"properties": {field: {"anyOf": [text, {"type": "null"}]}}}
    assert in_the_clear(maybe) == [field]


def test_what_jwes_hold_is_full_of_it():
    """The rule would notice if a plain text of a JWE were ever put on a topic."""
    assert len(in_the_clear(exported()["personal_data"])) > 8
    assert len(in_the_clear(exported()["provider_line"])) > 4


def test_free_text_is_found():
    assert free_text({"properties": {"note": {"type": "string"}, "code": {"type": "string", "pattern": "^A$"}}}) == {"note"}
