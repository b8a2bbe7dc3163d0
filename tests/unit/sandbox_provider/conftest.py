"""Keys are made once; a truth file per test."""

import pytest
from provider_orders import Customer, Office


@pytest.fixture(scope="session")
def customer(tmp_path_factory):
    """Payout with keys for all providers."""
    return Customer(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def office(customer, tmp_path):
    """A bank that simply pays."""
    office = Office(customer, tmp_path / "truth.jsonl")
    yield office
    office.truth.close()
