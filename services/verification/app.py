"""Verification: is this the person the register knows, and may their account be paid on? Wiring only."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from pydantic import SecretStr

from services.verification import store_republish
from services.verification.account_check import Banks
from services.verification.account_holders import AccountHolders, AskedBanks, Declared
from services.verification.asking import Asking, Matter
from services.verification.exchange import Exchange
from services.verification.handlers import Handlers
from services.verification.holder_client import HttpHolderService
from services.verification.http import router
from services.verification.judging import Judge
from services.verification.matters import Holders, People
from services.verification.population_register import Asked, PopulationRegister, Replica
from services.verification.register_client import HttpRegisterService
from services.verification.review import Review
from services.verification.settings import Settings
from services.verification.waiting import Waiting
from shared import topics
from shared.process import App, Runtime, run
from shared.topics import Service


def build(runtime: Runtime) -> App:
    """The service's handlers and routes. Raises when the table of banks cannot be read."""
    settings: Settings = runtime.settings
    vault, clock, ages, banks = runtime.vault, runtime.clock, settings.ages, Banks.from_file(settings.banks_file)
    register: PopulationRegister = Asked(vault, clock, ages) if settings.register_url else Replica(vault, clock, ages)
    holders: AccountHolders = AskedBanks(clock, ages) if settings.holders_url else Declared()
    judge = Judge(vault, clock, register=register, banks=banks, holders=holders)
    handlers = Handlers(vault, judge, register)
    waiting = Waiting(runtime.database, judge, clock=clock, register=register, log=runtime.log)
    review = Review(runtime.database, vault, clock=clock, register=register, judge=judge)
    return App(
        consumes={
            topics.REGISTRY_BENEFICIARY: handlers.on_beneficiary,
            topics.REGISTRY_LIST: handlers.on_list,
            topics.POPULATION_PERSON: handlers.on_population,
        },
        router=router(runtime, review),
        background=[waiting.run, *(asking.run for asking in _askings(runtime, judge))],
        republishes=store_republish.PAGES,
    )


def _askings(runtime: Runtime, judge: Judge) -> Iterator[Asking]:
    settings: Settings = runtime.settings
    manner = settings.manner

    def asking(matter: Matter) -> Asking:
        return Asking(runtime.database, matter, clock=runtime.clock, manner=manner, log=runtime.log)

    if settings.register_url:
        register = HttpRegisterService(_exchange(settings, settings.register_url, settings.register_token), manner.authority)
        yield asking(People(runtime.vault, register, judge=judge, manner=manner))
    if settings.holders_url:
        holders = HttpHolderService(_exchange(settings, settings.holders_url, settings.holders_token), manner.authority)
        yield asking(Holders(runtime.vault, holders, judge=judge, manner=manner))


def _exchange(settings: Settings, url: str, token: SecretStr) -> Exchange:
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    return Exchange(httpx.AsyncClient(base_url=url, timeout=settings.asking_timeout_seconds, headers=headers, trust_env=False))


if __name__ == "__main__":
    run(Service.VERIFICATION, build, Settings)
