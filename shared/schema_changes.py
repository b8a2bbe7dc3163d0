"""Whether a changed JSON Schema still agrees with a published one. Pure; knows the part of JSON Schema that pydantic writes.

A change is compatible when a new reader understands every old message and an old reader survives every new one: optional fields may
appear and words may be added (consumers upgrade first); nothing may disappear, become required or become narrower.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
_REFERENCE = "#/$defs/"
# A limit that only lets less through when it grows, and one that does so when it shrinks.
_LOWER_LIMITS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER_LIMITS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
# Whether one pattern is narrower than another cannot be decided here: any change of these is one to refuse.
_SHAPES = ("type", "format", "pattern")


def compatible(old: Schema, new: Schema) -> list[str]:
    """What is incompatible in `new`, one sentence each with the path of the field; empty when nothing is."""
    return list(_Comparison(old, new).node(old, new, "$"))


class _Comparison:
    """Two documents whose references point into their own `$defs`."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old
        self._new = new

    def node(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        old, new = resolve(old, self._old), resolve(new, self._new)
        if "anyOf" in old or "anyOf" in new:
            yield from self._choices(_branches(old), _branches(new), path)
            return
        yield from _shape(old, new, path)
        yield from _limits(old, new, path)
        yield from _words(old, new, path)
        yield from self._object(old, new, path)
        if "items" in old:
            yield from self.node(old["items"], new.get("items", {}), f"{path}[]")

    def _choices(self, old: Sequence[Schema], new: Sequence[Schema], path: str) -> Iterator[str]:
        """Every old choice must fit a new one; of several failures the shortest is told."""
        for choice in old:
            failures = [list(self.node(choice, other, path)) for other in new]
            if all(failures):
                yield from min(failures, key=len)

    def _object(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        fields, after = old.get("properties", {}), new.get("properties", {})
        for name, field in fields.items():
            if name not in after:
                yield f"{path}.{name}: field removed or renamed"
                continue
            yield from self.node(field, after[name], f"{path}.{name}")
            if field.get("default") != after[name].get("default"):
                yield f"{path}.{name}: default changed"
        required, required_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(required_after - required):
            yield f"{path}.{name}: required, was {'optional' if name in fields else 'absent'}"
        for name in sorted((required - required_after) & after.keys()):
            yield f"{path}.{name}: optional, was required: an old reader needs it"
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield f"{path}: unknown fields are refused, were ignored"


def resolve(node: Schema, document: Schema) -> Schema:
    """The node itself, or what its `$ref` points to with the node's own keys on top."""
    while "$ref" in node:
        own = {key: value for key, value in node.items() if key != "$ref"}
        node = {**document["$defs"][node["$ref"].removeprefix(_REFERENCE)], **own}
    return node


def _branches(node: Schema) -> Sequence[Schema]:
    choices: Sequence[Schema] = node.get("anyOf", (node,))
    return choices


def _shape(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for key in _SHAPES:
        if key in new and old.get(key) != new[key]:
            yield f"{path}: {key} changed from {old.get(key, 'any')} to {new[key]}"


def _limits(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for key in _LOWER_LIMITS:
        if key in new and (key not in old or new[key] > old[key]):
            yield f"{path}: {key} raised from {old.get(key, 'none')} to {new[key]}"
    for key in _UPPER_LIMITS:
        if key in new and (key not in old or new[key] < old[key]):
            yield f"{path}: {key} lowered from {old.get(key, 'none')} to {new[key]}"


def _words(old: Schema, new: Schema, path: str) -> Iterator[str]:
    allowed = vocabulary(new)
    if allowed is None:
        return
    before = vocabulary(old)
    if before is None:
        yield f"{path}: any value was allowed, now a closed list"
        return
    for word in before:
        if word not in allowed:
            yield f"{path}: word {word} removed"


def vocabulary(node: Schema) -> list[Any] | None:
    """The closed list of values of a node, None where it is open."""
    if "const" in node:
        return [node["const"]]
    words: list[Any] | None = node.get("enum")
    return words
