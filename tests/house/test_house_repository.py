"""Nothing of the machine it was written on, and no package registry, is named in any file."""

import re
from collections.abc import Iterator

import pytest
from house_tree import repository_texts

# Put together from pieces, so that this file does not name them either.
_HOSTS = (
    ("py", "pi", ".org"), ("python", "hosted", ".org"), ("npm", "js", ".org"), ("npm", "js", ".com"), ("repo1.", "mav", "en"),
    ("repo.", "mav", "en.apache"), ("proxy.", "gol", "ang"), ("crat", "es.", "io"), ("deb.", "deb", "ian.org"), ("ruby", "gems", ".org"),
    ("docker", ".", "io"), ("ghcr", ".", "io"), ("quay", ".", "io"),
)  # fmt: skip
_REGISTRY = re.compile("|".join(re.escape("".join(pieces)) for pieces in _HOSTS))
_PLACES = ("work", "root", "farm", "home")
_MACHINE = re.compile(r"(?:^|[^A-Za-z0-9_.<>/-])/(?:" + "|".join(_PLACES) + r")/", re.MULTILINE)


def named(path: str, text: str) -> Iterator[str]:
    """Registry hosts and machine paths in a text, with the line."""
    for number, line in enumerate(text.splitlines(), 1):
        if _REGISTRY.search(line):
            yield f"{path}:{number}: a registry host"
        if _MACHINE.search(line):
            yield f"{path}:{number}: a path of a machine"


def test_no_registry_and_no_machine_is_named():
    assert [problem for path, text in repository_texts() for problem in named(path, text)] == []


@pytest.mark.parametrize("pieces", _HOSTS)
def test_host_is_found(pieces):
    assert list(named("a", "index-url = https://" + "".join(pieces)))


@pytest.mark.parametrize("place", _PLACES)
def test_machine_path_is_found(place):
    assert list(named("a", f"open('/{place}/main/x')"))
    assert list(named("a", f"/{place}/x"))


@pytest.mark.parametrize("text", ["services/work/x", "https://example.org/home/", "<a href='/v1/homes/'>", "a docker image"])
def test_harmless_text_is_left_alone(text):
    assert list(named("a", text)) == []


_PATCHES = re.compile(r"unittest\." + r"mock|from " + r"mock import|\bmocker\b|monkeypatch\." + r"setattr")


def patched(path: str, text: str) -> Iterator[str]:
    """Where a test patches code or imports a mocking library."""
    if path.startswith("tests/") and path.endswith(".py"):
        for number, line in enumerate(text.splitlines(), 1):
            if _PATCHES.search(line):
                yield f"{path}:{number}: patches"


def test_nobody_patches_our_code():
    assert [problem for path, text in repository_texts() for problem in patched(path, text)] == []


@pytest.mark.parametrize("line", ["from unittest." + "mock import patch", "monkeypatch." + "setattr(store, 'save', f)"])
def test_patching_is_found(line):
    assert list(patched("tests/unit/test_a.py", line))


_STOPWATCH = re.compile(r"assert .*(?:perf_counter|monotonic|process_time)" + r"\(\).*[^-=]<")


def test_no_test_fails_because_the_machine_is_busy():
    """Speed lives in tests/bench, which prints ratios measured in one run."""
    timed = [path for path, text in repository_texts() if path.startswith("tests/") and _STOPWATCH.search(text)]
    assert timed == []


def test_stopwatch_is_found():
    """A lower bound (it waited at least so long) is no stopwatch."""
    assert _STOPWATCH.search("assert time.monotonic" + "() - began < 2")
