"""Notify: who is reminded to register an account, and what became of each text. Wiring only."""

from __future__ import annotations

import httpx

from services.notify import store_republish
from services.notify.campaigns import Unfinished
from services.notify.handlers import Handlers
from services.notify.http import router
from services.notify.sender import Sender
from services.notify.settings import Settings
from services.notify.sms_gateway import HttpGateway
from shared import topics
from shared.process import App, Runtime, run
from shared.topics import Service

PATIENCE_TIMEOUTS = 6  # a sender that has not booked an answer after so many time-outs is gone


def build(runtime: Runtime) -> App:
    """The service's handlers, routes and, where a gateway is set, its sender."""
    handlers = Handlers(runtime.vault)
    unfinished = Unfinished(runtime.database, parts_max=runtime.settings.sms_parts_max, log=runtime.log)
    sender = _sender(runtime) if runtime.settings.sms_gateway_url else None
    return App(
        consumes={
            topics.REGISTRY_BENEFICIARY: handlers.on_beneficiary,
            topics.VERIFICATION_RESULT: handlers.on_verification,
            topics.PAYOUT_PAYMENT: handlers.on_payment,
        },
        router=router(runtime, sender.wake if sender else _nobody_sends),
        background=[unfinished.run, *([sender.run] if sender else [])],
        republishes=store_republish.PAGES,
    )


def _sender(runtime: Runtime) -> Sender:
    settings: Settings = runtime.settings
    client = httpx.AsyncClient(base_url=str(settings.sms_gateway_url), timeout=settings.sms_timeout_seconds, trust_env=False)
    return Sender(
        runtime.database,
        runtime.vault,
        clock=runtime.clock,
        gateway=HttpGateway(client, settings.sms_sender_name),
        ask_again_seconds=settings.sms_ask_again_seconds,
        patience_seconds=settings.sms_timeout_seconds * PATIENCE_TIMEOUTS,
        log=runtime.log,
    )


def _nobody_sends() -> None:
    """Without a gateway texts wait as `created`."""


if __name__ == "__main__":
    run(Service.NOTIFY, build, Settings)
