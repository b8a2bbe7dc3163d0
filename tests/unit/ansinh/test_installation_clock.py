"""By which clock an installation goes on: data that were written in a business time are read in it, whoever starts the processes again."""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime

import pytest

from ansinh.installation import Addresses, Installation, home
from shared.clock import LOCAL
from shared.topics import Service

MOMENT = datetime(2024, 1, 20, 9, tzinfo=LOCAL)


@pytest.fixture
def name() -> Iterator[str]:
    name = f"test-clock-{os.getpid()}"
    yield name
    shutil.rmtree(home(name), ignore_errors=True)


def clock_of_services(name: str, moment: datetime | None, *, fresh: bool = False) -> str | None:
    """The clock file that a service is started with."""
    installation = Installation(name, business_time=moment, fresh=fresh)
    installation._folders()
    installation.addresses = Addresses(
        str(installation.folder), "kafka", dict.fromkeys(Service, ""), dict.fromkeys(Service, 20_001)
    )
    return installation._service(Service.REGISTRY, "registry").environment.get("ANSINH_CLOCK_FILE")


def test_clock_goes_on_until_everything_begins_anew(name: str) -> None:
    assert clock_of_services(name, None) is None
    assert clock_of_services(name, MOMENT) == clock_of_services(name, None) == str(home(name) / "clock.json")
    assert clock_of_services(name, None, fresh=True) is None
