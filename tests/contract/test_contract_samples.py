"""What was once sent can always be read; what comes from the future is survived or parked, never called bad."""

import copy
import json

import pytest
from contract_samples import ON_TOPICS, SAMPLES, places, record_of, with_unknown_fields

from shared import topics
from shared.errors import BadRecord, Parked
from shared.events import BY_TYPE
from shared.records import parse
from shared.schema_changes import resolve, vocabulary
from shared.schemas import INSIDE, exported

CLOUDEVENTS = {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_dataschema", "content-type", "traceparent"}
EXPORTED = exported()
MODELS = {**BY_TYPE, **INSIDE}


@pytest.mark.parametrize("name", MODELS)
def test_every_message_has_a_sample_that_parses(name):
    MODELS[name].model_validate_json(json.dumps(SAMPLES[name]["data"]))


@pytest.mark.parametrize("name", SAMPLES)
def test_no_sample_is_left_without_a_reader(name):
    """A second sample of a type is named `<type>@<anything>.json`; an old sample is never edited or deleted."""
    assert name.split("@")[0] in MODELS


@pytest.mark.parametrize("name", ON_TOPICS)
def test_old_sample_still_parses_as_a_record(name):
    sample = ON_TOPICS[name]
    received = parse(record_of(sample))
    assert received.message.TYPE == sample["headers"]["ce_type"] == name.split("@")[0]
    assert received.event_id == sample["headers"]["ce_id"]


@pytest.mark.parametrize("name", ON_TOPICS)
def test_sample_shows_the_headers_and_topic_of_the_contract(name):
    sample = ON_TOPICS[name]
    assert set(sample["headers"]) == CLOUDEVENTS
    assert sample["headers"]["ce_specversion"] == "1.0"
    assert sample["topic"] in topics.BY_NAME
    assert sample["headers"]["ce_dataschema"] == f"/docs/events/{name.split('@')[0]}.json#1.0"


@pytest.mark.parametrize("name", SAMPLES)
def test_reader_survives_unknown_optional_fields(name):
    model, data = MODELS[name.split("@")[0]], SAMPLES[name]["data"]
    read = model.model_validate_json(json.dumps(data))
    assert model.model_validate_json(json.dumps(with_unknown_fields(data))) == read


@pytest.mark.parametrize("name", ON_TOPICS)
def test_unknown_word_is_parked(name):
    """Wherever the schema has a closed list of words, a word of the future parks the record and nothing else happens."""
    sample, schema = ON_TOPICS[name], EXPORTED[name.split("@")[0]]
    tried = 0
    for data in _with_a_word_of_the_future(sample["data"], schema):
        with pytest.raises(Parked, match="WORD_UNKNOWN"):
            parse(record_of(sample, data))
        tried += 1
    assert tried >= len({word for word in ("kind", "status", "outcome") if word in sample["data"]})


def test_words_are_tried_in_nested_parts_too():
    sample = ON_TOPICS["vn.ansinh.verification.result.v1"]
    tried = list(_with_a_word_of_the_future(sample["data"], EXPORTED["vn.ansinh.verification.result.v1"]))
    assert len(tried) == 2 + 2 * len(sample["data"]["evidence"])


@pytest.mark.parametrize("name", ON_TOPICS)
def test_missing_required_field_is_bad_and_not_parked(name):
    sample = ON_TOPICS[name]
    for field in EXPORTED[name.split("@")[0]]["required"]:
        data = {key: value for key, value in sample["data"].items() if key != field}
        with pytest.raises(BadRecord, match="SCHEMA_INVALID") as caught:
            parse(record_of(sample, data))
        assert not isinstance(caught.value, Parked)


def test_unknown_type_is_parked_and_missing_header_is_bad():
    sample = copy.deepcopy(ON_TOPICS["vn.ansinh.audit.v1"])
    sample["headers"]["ce_type"] = "vn.ansinh.audit.v2"
    with pytest.raises(Parked, match="TYPE_UNKNOWN"):
        parse(record_of(sample))
    del sample["headers"]["ce_type"]
    with pytest.raises(BadRecord, match="HEADER_MISSING"):
        parse(record_of(sample))


def _with_a_word_of_the_future(data, schema):
    """One copy of the data per word in it that the schema takes from a closed list."""
    worded = copy.deepcopy(data)
    for container, key in places(worded):
        if isinstance(container[key], str) and _closed(schema, container, key, worded):
            before, container[key] = container[key], "word_of_the_future"
            yield copy.deepcopy(worded)
            container[key] = before


def _closed(schema, container, key, data):
    node = _schema_at(schema, _path_to(data, container), schema)
    return node is not None and vocabulary(_schema_at(node, (key,), schema) or {}) is not None


def _path_to(data, container, path=()):
    if data is container:
        return path
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, part in parts:
        if (found := _path_to(part, container, (*path, key))) is not None:
            return found
    return None


def _schema_at(node, path, document):
    for step in path:
        node = _not_null(node, document)
        node = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
        if node is None:
            return None
    return _not_null(node, document)


def _not_null(node, document):
    node = resolve(node, document)
    if "anyOf" in node:
        node = resolve(next(part for part in node["anyOf"] if part.get("type") != "null"), document)
    return node
