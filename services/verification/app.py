"""Verification: is this the person the register knows, and may their account be paid on? Wiring only."""

from __future__ import annotations

from services.verification import store_republish
from services.verification.account_check import Banks
from services.verification.handlers import Handlers
from services.verification.http import router
from services.verification.judging import Judge
from services.verification.population_register import Replica
from services.verification.settings import Settings
from services.verification.waiting import Waiting
from shared import topics
from shared.process import App, Runtime, run
from shared.topics import Service


def build(runtime: Runtime) -> App:
    """The service's handlers and routes. Raises when the table of banks cannot be read."""
    banks = Banks.from_file(runtime.settings.banks_file)
    judge = Judge(runtime.vault, runtime.clock, register=Replica(runtime.vault), banks=banks)
    handlers = Handlers(runtime.vault, judge)
    return App(
        consumes={
            topics.REGISTRY_BENEFICIARY: handlers.on_beneficiary,
            topics.REGISTRY_LIST: handlers.on_list,
            topics.POPULATION_PERSON: handlers.on_population,
        },
        router=router(runtime),
        background=[Waiting(runtime.database, judge, runtime.log).run],
        republishes=store_republish.PAGES,
    )


if __name__ == "__main__":
    run(Service.VERIFICATION, build, Settings)
