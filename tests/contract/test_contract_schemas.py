"""docs/events is what the code exports, and an incompatible change is told apart from a compatible one."""

import copy

import pytest

from shared.schema_changes import compatible
from shared.schemas import FOLDER, exported, incompatibilities, published, text_of

EXPORTED = exported()
NAMES = sorted(EXPORTED)


def test_every_schema_is_published_and_nothing_else():
    assert sorted(published()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_published_schema_is_compatible_with_the_code(name):
    assert compatible(published()[name], EXPORTED[name]) == []


@pytest.mark.parametrize("name", NAMES)
def test_published_schema_equals_the_export(name):
    """If this fails: `python -m shared.schemas` (it refuses an incompatible change)."""
    assert (FOLDER / f"{name}.json").read_text("utf-8") == text_of(EXPORTED[name])


def test_removed_schema_is_incompatible():
    kept = {name: schema for name, schema in EXPORTED.items() if name != "manifest"}
    assert incompatibilities(EXPORTED, kept) == ["manifest: schema removed"]


@pytest.mark.parametrize("name", NAMES)
def test_every_removed_field_is_found(name):
    schema = EXPORTED[name]
    for field in schema["properties"]:
        new = copy.deepcopy(schema)
        del new["properties"][field]
        assert compatible(schema, new) == [f"$.{field}: field removed or renamed"]


@pytest.mark.parametrize("name", NAMES)
def test_every_optional_field_made_required_is_found_and_the_other_way(name):
    schema = EXPORTED[name]
    for field in schema["properties"].keys() - set(schema.get("required", ())):
        new = copy.deepcopy(schema)
        new["required"] = [*schema.get("required", ()), field]
        assert compatible(schema, new) == [f"$.{field}: required, was optional"]
        assert compatible(new, schema) == [f"$.{field}: optional, was required: an old reader needs it"]


@pytest.mark.parametrize("name", NAMES)
def test_every_removed_word_is_found_and_an_added_one_is_fine(name):
    schema = EXPORTED[name]
    for definition, node in schema.get("$defs", {}).items():
        if "enum" not in node:
            continue
        fewer = copy.deepcopy(schema)
        word = fewer["$defs"][definition]["enum"].pop()
        assert any(f"word {word} removed" in problem for problem in compatible(schema, fewer))
        assert compatible(fewer, schema) == []


@pytest.mark.parametrize("name", NAMES)
def test_new_optional_field_is_fine(name):
    new = copy.deepcopy(EXPORTED[name])
    new["properties"]["new"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert compatible(EXPORTED[name], new) == []


OLD = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z]{1,9}$"},
        "vnd": {"type": "integer", "minimum": 0, "maximum": 100},
        "word": {"enum": ["a", "b"]},
        "only": {"const": "x"},
        "maybe": {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}], "default": None},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 1},
    },
    "$defs": {"Part": {"type": "object", "properties": {"day": {"type": "string", "format": "date"}}, "required": ["day"]}},
}
BROKEN = {
    "new required field": (("required",), ["id", "new"], "$.new: required, was absent"),
    "pattern": (("properties", "id", "pattern"), "^[a-z]{1,8}$", "$.id: pattern changed"),
    "type": (("properties", "vnd", "type"), "string", "$.vnd: type changed"),
    "minimum raised": (("properties", "vnd", "minimum"), 1, "$.vnd: minimum raised"),
    "maximum lowered": (("properties", "vnd", "maximum"), 99, "$.vnd: maximum lowered"),
    "word removed": (("properties", "word", "enum"), ["b", "c"], "$.word: word a removed"),
    "constant changed": (("properties", "only", "const"), "y", "$.only: word x removed"),
    "list closed": (("properties", "id", "enum"), ["a"], "$.id: any value was allowed"),
    "null refused": (("properties", "maybe", "anyOf"), [{"type": "string", "maxLength": 9}], "$.maybe: type changed from null"),
    "nullable shorter": (("properties", "maybe", "anyOf", 0, "maxLength"), 8, "$.maybe: maxLength lowered"),
    "default": (("properties", "maybe", "default"), "b", "$.maybe: default changed"),
    "items longer": (("properties", "parts", "minItems"), 2, "$.parts: minItems raised"),
    "nested format": (("$defs", "Part", "properties", "day", "format"), "date-time", "$.parts[].day: format changed"),
    "nested field renamed": (("$defs", "Part", "properties"), {"on": {"type": "string"}}, "$.parts[].day: field removed"),
    "unknown fields refused": (("additionalProperties",), False, "$: unknown fields are refused"),
}


@pytest.mark.parametrize("change", BROKEN)
def test_broken_change_is_found(change):
    path, value, problem = BROKEN[change]
    new = copy.deepcopy(OLD)
    node = new
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    assert [found for found in compatible(OLD, new) if found.startswith(problem)]


@pytest.mark.parametrize("change", ["minimum raised", "maximum lowered", "nullable shorter", "items longer"])
def test_the_same_change_backwards_is_fine(change):
    path, value, _ = BROKEN[change]
    narrow = copy.deepcopy(OLD)
    node = narrow
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    assert compatible(narrow, OLD) == []
