"""Payout: who is owed what, through whom it is paid, who signed for it, and what became of it. Wiring only."""

from __future__ import annotations

from functools import partial

from services.payout import delivery, printing, store_republish
from services.payout.building import Builder
from services.payout.contracts import read_contracts
from services.payout.delivery import Courier
from services.payout.erasing import LOOK_SECONDS as EMPTY_SECONDS
from services.payout.erasing import Emptier
from services.payout.files import LOOK_SECONDS, FileWriter
from services.payout.handlers import Handlers
from services.payout.http import router
from services.payout.http_statements import statement_router
from services.payout.papers import papers
from services.payout.printing import Printer
from services.payout.rate_files import load_rules
from services.payout.recovering import LOOK_SECONDS as RECOVERY_SECONDS
from services.payout.recovering import RecoveryDesk
from services.payout.settings import Settings
from services.payout.sftp import OpenSsh, read_targets
from services.payout.statements import LOOK_SECONDS as STATEMENTS_SECONDS
from services.payout.statements import StatementDesk
from shared import topics
from shared.loops import repeat
from shared.process import App, Runtime, run
from shared.topics import Provider, Service


def build(runtime: Runtime) -> App:
    """The service's handlers, routes and the loops that write files, deliver them, book statements and open recovery cases."""
    handlers = Handlers(runtime.vault, runtime.clock)
    builder = Builder(runtime.settings, runtime.vault, load_rules(runtime.settings, runtime.settings.rates_dir))
    read_contracts(runtime.settings.contracts_file)  # a build is too late to find a bad row
    writer = FileWriter(runtime.database, runtime.vault, runtime.clock, folder=runtime.settings.files_dir)
    emptier = Emptier(runtime.database, runtime.clock, folder=runtime.settings.files_dir)
    desk = StatementDesk(runtime, handlers)
    recoveries = RecoveryDesk(runtime.database, runtime.clock, runtime.settings.month_of_move)
    routes = router(runtime, writer, builder)
    routes.include_router(statement_router(runtime, desk, handlers))
    background = [
        partial(repeat, writer.write_missing, seconds=LOOK_SECONDS, log=runtime.log),
        partial(repeat, emptier.empty, seconds=EMPTY_SECONDS, log=runtime.log),
        partial(repeat, desk.book_waiting, seconds=STATEMENTS_SECONDS, log=runtime.log),
        partial(repeat, recoveries.look, seconds=RECOVERY_SECONDS, log=runtime.log),
    ]
    if runtime.settings.print_lists:
        printer = Printer(runtime, papers(runtime.settings))
        background.append(partial(repeat, printer.print_missing, seconds=printing.LOOK_SECONDS, log=runtime.log))
    if runtime.settings.sftp_targets_file:
        targets = {provider: OpenSsh(target) for provider, target in read_targets(runtime.settings.sftp_targets_file).items()}
        folder, printed = runtime.settings.files_dir, runtime.settings.print_lists
        courier = Courier(runtime.database, runtime.clock, targets, folder=folder, log=runtime.log, printed=printed)
        background.append(partial(repeat, courier.deliver, seconds=delivery.LOOK_SECONDS, log=runtime.log))
    return App(
        consumes={
            topics.REGISTRY_BENEFICIARY: handlers.on_beneficiary,
            topics.REGISTRY_ENTITLEMENT: handlers.on_entitlement,
            topics.REGISTRY_LIST: handlers.on_list,
            topics.VERIFICATION_RESULT: handlers.on_verification,
            **{topics.result_topic(provider): handlers.on_payment_result for provider in Provider},
        },
        router=routes,
        background=background,
        republishes=store_republish.PAGES,
    )


if __name__ == "__main__":
    run(Service.PAYOUT, build, Settings)
