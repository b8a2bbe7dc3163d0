"""What fuzzing once found, and where it begins, is tried at every run, without a fuzzer."""

from pathlib import Path

import pytest

from services.registry.reading import Order, Reading, Tables
from services.registry.refusals import FileReason, NotAList
from tests.fuzz.targets import TARGETS, TODAY

FOUND = Path(__file__).with_name("found")


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_taken(name: str) -> None:
    seeds = TARGETS[name].seeds()
    assert seeds
    for seed in seeds:
        TARGETS[name].take(seed)


@pytest.mark.parametrize("path", sorted(FOUND.glob("*/*")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_found_stays_mended(path: Path) -> None:
    TARGETS[path.parent.name].take(path.read_bytes())


@pytest.mark.parametrize("path", sorted((FOUND / "list-xls").iterdir()), ids=lambda path: path.name)
async def test_an_old_workbook_that_breaks_its_reader_is_refused_by_name(path: Path) -> None:
    with pytest.raises(NotAList) as caught:
        await Reading.start(Order(path, "huyen-444", "2024-02", TODAY, Tables()))
    assert caught.value.reason is FileReason.FILE_NOT_EXCEL
