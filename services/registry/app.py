"""Registry: who is who, what they are entitled to, how they wish to be paid. Wiring only."""

from __future__ import annotations

from functools import partial

from services.registry import http_erasures, http_funnel, http_people, http_placing, store_republish
from services.registry.account_ranks import AccountRanks
from services.registry.areas import Areas
from services.registry.banks import BankNames
from services.registry.door import Door
from services.registry.eraser import Eraser
from services.registry.gone import Gatekeeper
from services.registry.handlers import Handlers, Registrar
from services.registry.http import router
from services.registry.importing import Importer
from services.registry.inbox import Inbox
from services.registry.joining import Joiner
from services.registry.lists import ListCloser
from services.registry.looking import Looker
from services.registry.pairing import Pairing
from services.registry.passing import DayWatch
from services.registry.placer import Placer
from services.registry.reading import Tables
from services.registry.settings import Settings
from services.registry.undoing import Undoer
from services.registry.visits import Visits
from shared import topics
from shared.process import App, Runtime, run
from shared.topics import Service


def build(runtime: Runtime) -> App:
    """The service's handlers and routes. Raises when a table of names cannot be read."""
    settings = runtime.settings
    tables = Tables(settings.areas_file, settings.area_changes_file, settings.bank_names_file, settings.hamlets_file)
    areas = Areas.from_files(tables.areas, tables.changes, tables.hamlets)
    ranks, cannot_days = AccountRanks.from_file(settings.account_ranks_file), settings.cannot_review_days
    registrar = Registrar(runtime.vault, runtime.clock, ranks, areas=areas, cannot_days=cannot_days)
    BankNames.from_file(tables.banks)  # the process must not start with a table it cannot read
    door = Door(runtime.vault, runtime.clock, registrar, areas=areas)
    inbox = Inbox(settings.files_dir / "lists")
    importer = Importer(runtime.database, runtime.clock, registrar, tables=tables, inbox=inbox)
    handlers = Handlers(door.take)
    closer = ListCloser(runtime.database, runtime.clock, runtime.log, sealer=registrar.sealer)
    gatekeeper = Gatekeeper(runtime.database, runtime.clock, registrar)
    undoer = Undoer(runtime.database, runtime.clock, registrar)
    looker = Looker(runtime.database, runtime.clock, registrar.sealer, areas=areas)
    days = DayWatch(runtime.database, runtime.clock, registrar)
    routes = router(runtime, importer, closer, inbox=inbox, door=door, gatekeeper=gatekeeper, undoer=undoer)
    pairing, joiner = (
        Pairing(runtime.database, runtime.clock, registrar.sealer, areas=areas),
        Joiner(runtime.database, runtime.clock, registrar),
    )
    http_people.add_routes(routes, runtime, looker=looker, pairing=pairing, joiner=joiner)
    http_placing.add_routes(routes, runtime, Placer(runtime.database, runtime.clock, registrar, areas=areas))
    eraser = Eraser(
        runtime.database, runtime.vault, runtime.clock, registrar=registrar, after_months=settings.erasure_after_months
    )
    http_erasures.add_routes(routes, runtime, eraser)
    http_funnel.add_visits(routes, runtime, Visits(runtime.database, runtime.clock, registrar))
    return App(
        consumes={
            topics.MINISTRY_BENEFICIARY: handlers.on_ministry,
            topics.VERIFICATION_RESULT: handlers.on_verification,
            topics.PAYOUT_PAYMENT: handlers.on_payment,
            topics.NOTIFY_MESSAGE: handlers.on_text,
        },
        router=routes,
        background=[closer.finish, *(partial(one.keep_looking, log=runtime.log) for one in (looker, days))],
        republishes=store_republish.pages(registrar.sealer, runtime.clock),
    )


if __name__ == "__main__":
    run(Service.REGISTRY, build, Settings)
