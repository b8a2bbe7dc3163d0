"""The closed table of faults: what each does, in which phases of the work it may strike, how soon everything must go on by itself.

Rows for crash points are made from the inventory of the code, so that none can be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import zip_longest

from shared import crashing
from shared.topics import Provider, Service
from tests.faults import events, nemesis, offices, operators, partners, recalls, restored
from tests.faults.nemesis import Scenario
from tests.faults.proxy import Proxy

PROCESS_LIMIT, BROKER_LIMIT, ALL_BACK_LIMIT = 15.0, 30.0, 60.0
EVERYWHERE = ("enrol", "close", "withdraw", "release", "answers", "fallback", "texts")
ROW = 8
"""Crash points in a row: a trial of more is lost whole when it is stopped."""
RESTORING = ("restoring.propose", "restoring.confirm")
PHASES_OF = {
    Service.REGISTRY: ("enrol", "close", "withdraw"),
    Service.VERIFICATION: ("register", "enrol", "withdraw"),
    Service.PAYOUT: ("close", "build", "approve", "withdraw", "release", "answers", "fallback"),
    Service.NOTIFY: ("enrol", "answers", "texts"),
}


@cache
def table() -> dict[str, Scenario]:
    """Every scenario by name, in the order of the report."""
    rows = [*_processes(), *_crash_points(), *_servers(), *_lines(), *_groups(), *_events(), *_partners(), *_operators()]
    named = {row.name: row for row in rows}
    assert len(named) == len(rows), "a name stands for one scenario"
    return named


def _processes() -> Iterator[Scenario]:
    for service, phases in PHASES_OF.items():
        yield Scenario(
            f"kill-{service}", "service killed", "kill -9 of one copy, at times of both", phases, nemesis.kill(service)
        )
        yield Scenario(
            f"pause-{service}", "service paused", "SIGSTOP past the session, then SIGCONT", phases, nemesis.pause(service)
        )
        yield Scenario(
            f"term-{service}", "service stopped", "SIGTERM under load, copy by copy", phases, nemesis.terminate(service)
        )
    yield Scenario(
        "kill-partner", "partner killed", "kill -9 of a bank or the post", ("release", "answers", "fallback"),
        nemesis.kill_one(*map(str, Provider)),
    )  # fmt: skip
    yield Scenario("kill-sms", "partner killed", "kill -9 of the SMS centre", ("texts",), nemesis.kill_one("sms"))


# --- crash points ----------------------------------------------------------------------------------------------------------------

# Whose a point is, and where it is passed, when not in every phase of its service.
_OWNERS = {
    **{f"{service}.": service for service in Service}, **{f"{service}_": service for service in Service}, "sms_": Service.NOTIFY,
}  # fmt: skip
# When a service has something to publish, often enough for a relay to die at its second passage.
_PUBLISHES_IN = {
    Service.REGISTRY: ("enrol",),
    Service.VERIFICATION: ("register", "enrol"),
    Service.PAYOUT: ("approve", "release"),
    Service.NOTIFY: ("texts",),
}
_PHASES_OF_POINT = {
    "registry.close_list": ("close",),
    "registry.begin_closing": ("close",),
    "verification.announce_extract": ("register",),
    "verification.publish_extract": ("register",),
    "verification.extract_audit": ("register",),
    "payout.command": ("build", "approve", "fallback"),
    "payout.release": ("release", "fallback"),
    "payout.files_written": ("release", "fallback"),
    "payout.list_printed": ("release", "fallback"),
    "payout_file.": ("release", "fallback"),
    "notify.": ("texts",),
    "sms_": ("texts",),
}


@cache
def _inventory() -> tuple[str, ...]:
    return tuple(crashing.inventory())


BY_HAND = {**operators.ARMED_BY_HAND, **offices.BY_HAND}
DELIVERS = ("payout.delivery_", "payout_delivery.", "payout_sftp.")
"""Passed only where a provider takes files: `tests/integration/payout/test_payout_delivery_dies.py` strikes each on a real server."""
ASKS = ("verification.ask.", "verification.answered.", "exchange_ask.")
"""Passed only where register or banks are asked over HTTP: `tests/integration/verification/test_register_asking_dies.py` strikes each."""
REVIEWS = ("verification.review_",)
"""Passed only when a person looks or decides: `tests/integration/verification/test_review_dies.py` strikes each."""
ERASES = (
    "registry.ask_erasure.", "registry.withdraw_erasure.", "registry.confirm_erasure.", "payout.files_emptied.", "payout.files_removed.",
    "payout_file.before_remove", "payout_file.after_remove",
)  # fmt: skip
"""Passed only when people are erased: `tests/integration/registry/test_erasure_dies.py` and
`tests/integration/payout/test_payout_erasing.py` strike each."""
DAYS = ("registry.days_passed.",)
"""Passed every few minutes, and of use only on a day: `tests/integration/registry/test_cashless_funnel.py` strikes each."""
STRUCK_ALONE = (*DELIVERS, *ASKS, *REVIEWS, *ERASES, *DAYS)


def _crash_points() -> Iterator[Scenario]:
    for point in _inventory():
        if point.startswith((*BY_HAND, *RESTORING, *STRUCK_ALONE)):
            continue
        for service in _services_of(point):
            yield _crash(service, point, _phases_of(service, point))


def _services_of(point: str) -> tuple[Service, ...]:
    """Every service passes what the shared runtime does."""
    owner = next((service for name, service in _OWNERS.items() if point.startswith(name)), None)
    return (owner,) if owner else tuple(Service)


def _phases_of(service: Service, point: str) -> tuple[str, ...]:
    if point.startswith("relay."):
        return _PUBLISHES_IN[service]
    named = next((phases for name, phases in _PHASES_OF_POINT.items() if point.startswith(name)), None)
    return named or (("register", "enrol") if service is Service.VERIFICATION else PHASES_OF[service][:1])


def _crash(service: Service, point: str, phases: tuple[str, ...]) -> Scenario:
    nth = 2 if point.startswith(("consuming", "relay")) else 1
    arm, strike = nemesis.crash_at(service, point, nth)
    name = f"crash-{point}" if point.startswith(tuple(_OWNERS)) else f"crash-{service}-{point}"
    what, in_a_row = f"{service} kills itself at {point}", _passed_under_load(service, point)
    return Scenario(name, "crash point", what, phases, strike, before=arm, in_a_row=in_a_row, service=service)


def _passed_under_load(service: Service, point: str) -> bool:
    """Statements alone make every consumer read and these two relays publish; a start is a start."""
    relays = (Service.REGISTRY, Service.VERIFICATION)
    return point.startswith(("consuming.", "restoring.look")) or (point.startswith("relay.") and service in relays)


# --- servers, lines, groups ------------------------------------------------------------------------------------------------------


def _servers() -> Iterator[Scenario]:
    yield Scenario("postgres-restart", "postgres restarted", "immediate stop, then start", EVERYWHERE, nemesis.postgres_restarted)
    yield Scenario("broker-kill", "broker killed", "kill -9 and start", EVERYWHERE, nemesis.broker_killed, BROKER_LIMIT)
    yield Scenario(
        "brokers-away", "all brokers away", "kill -9, 8 to 20 s away", EVERYWHERE, nemesis.brokers_away, ALL_BACK_LIMIT
    )
    yield Scenario(
        "one-of-three", "broker killed", "one of three brokers dies and stays away", EVERYWHERE, nemesis.broker_killed,
        BROKER_LIMIT, brokers=3,
    )  # fmt: skip
    yield Scenario(
        "below-min-isr", "below min ISR", "two of three brokers away: nothing may be acknowledged", EVERYWHERE,
        operators.two_of_three_away, ALL_BACK_LIMIT, brokers=3,
    )  # fmt: skip


def _held(*ways: str) -> Callable[[Proxy], None]:
    return lambda line: line.hold(*ways)


def _lines() -> Iterator[Scenario]:
    for service, phases in PHASES_OF.items():
        yield Scenario(
            f"commit-answer-{service}", "COMMIT answer lost", "line cut between COMMIT and its answer", phases,
            nemesis.commit_answer_lost(service),
        )  # fmt: skip
        yield Scenario(
            f"kafka-hole-{service}", "line to the broker silent", "black hole, no RST", phases,
            nemesis.on_lines(lambda world, s=service: world.links.to_kafka(s), _held(), (4.0, 9.0)), BROKER_LIMIT,
        )  # fmt: skip
        yield Scenario(
            f"postgres-hole-{service}", "line to the database silent", "black hole, no RST", phases,
            nemesis.on_lines(lambda world, s=service: world.links.to_postgres(s), _held(), (3.0, 7.0)),
        )  # fmt: skip
    yield Scenario(
        "kafka-one-way", "line to the broker silent", "requests arrive, answers do not", EVERYWHERE,
        nemesis.on_lines(lambda world: world.links.to_kafka(), _held("down"), (3.0, 7.0)), BROKER_LIMIT,
    )  # fmt: skip
    yield Scenario(
        "kafka-cut", "line to the broker cut", "RST, then refused for some seconds", EVERYWHERE,
        nemesis.on_lines(lambda world: world.links.to_kafka(), Proxy.cut, (1.0, 4.0)), BROKER_LIMIT,
    )  # fmt: skip
    yield Scenario(
        "postgres-cut", "line to the database cut", "RST, then refused for some seconds", EVERYWHERE,
        nemesis.on_lines(lambda world: world.links.to_postgres(), Proxy.cut, (1.0, 4.0)),
    )  # fmt: skip
    yield Scenario(
        "slow-lines", "slow lines", "every piece 0.15 s late", EVERYWHERE,
        nemesis.on_lines(
            lambda world: [*world.links.to_kafka(), *world.links.to_postgres()], lambda line: line.delay(0.15), (4.0, 6.0)
        ),
    )  # fmt: skip
    yield Scenario(
        "thin-lines", "slow lines", "64 kbit/s to brokers and databases", EVERYWHERE,
        nemesis.on_lines(
            lambda world: [*world.links.to_kafka(), *world.links.to_postgres()], lambda line: line.throttle(8_000), (4.0, 6.0)
        ),
    )  # fmt: skip
    yield Scenario("sms-answer", "SMS answer lost", "texts taken, answer cut off", ("texts",), nemesis.sms_answer_lost)


def _groups() -> Iterator[Scenario]:
    yield Scenario("rebalance-storm", "rebalance storm", "a stranger joins and leaves", EVERYWHERE, nemesis.rebalance_storm)
    yield Scenario(
        "relay-overtaken", "two relays", "the lock holder's session ended while it publishes", EVERYWHERE, nemesis.relay_overtaken
    )
    yield Scenario(
        "group-offsets", "group offsets lost", "Kafka's own offsets of a service set to nonsense", ("enrol", "close", "answers"),
        operators.group_offsets_spoiled,
    )  # fmt: skip


# --- events and partners ---------------------------------------------------------------------------------------------------------


def _events() -> Iterator[Scenario]:
    for name, what, arrange in events.ARRANGEMENTS:
        yield Scenario(f"events-{name}", f"events {name}", what, ("enrol",), events.hit, None, before=events.arranged(arrange))
    yield Scenario(
        "foreign-transaction", "foreign transaction", "a ministry's transactions, aborted and committed, beside plain records",
        ("enrol",), events.foreign_transactions, verify=events.ghosts_unknown,
    )  # fmt: skip
    yield Scenario(
        "poison", "poison", "bad JSON, wrong type, bad headers, empty, between good records", ("enrol",), events.poison,
        verify=events.poison_set_aside, own_world=True, tolerates=frozenset({"set-aside", "I11"}), alone=True,
    )  # fmt: skip
    yield Scenario(
        "month-end", "clock moved", "business time passes a month's end, then leaps a month on", ("close", "build", "approve"),
        events.clock_moved, None,
    )  # fmt: skip


def _partners() -> Iterator[Scenario]:
    for name, what, mix in partners.MIXES:
        yield Scenario(
            f"answers-{name}", f"answers {name}", what, ("release",), partners.wait, None, before=partners.mixed(mix),
            verify=partners.unknown_until_statement, alone=True,
        )  # fmt: skip
    for name, what, mix in recalls.MIXES:
        yield Scenario(
            f"cancel-{name}", "cancel raced", what, ("release",), recalls.race, None, before=partners.mixed(mix),
            verify=recalls.words_and_deeds, alone=True,
        )  # fmt: skip
    for moment in ("before", "after"):
        strike = operators.crash_while(str(Service.PAYOUT), f"payout.command.{moment}_commit", recalls.race)
        yield Scenario(
            f"cancel-killed-{moment}", "cancel raced", f"payout dies {moment} the commit of a signature under a cancel", ("release",),
            strike, None, before=partners.mixed(recalls.MIXES[0][2]), verify=recalls.words_and_deeds, alone=True,
        )  # fmt: skip
    yield Scenario(
        "answers-odd", "answers contradictory", "contradictory, doubled, foreign and wrong answers after the true ones",
        ("answers",), partners.odd_answers, None, verify=partners.nothing_fell_back,
    )  # fmt: skip


# --- operators -------------------------------------------------------------------------------------------------------------------


def _restored() -> Iterator[Scenario]:
    points = [None, *(point for point in _inventory() if point.startswith(RESTORING))]
    for point in points:
        name, fault = ("database-restored", "database restored") if point is None else (f"crash-{point}", "crash point")
        yield Scenario(
            name, fault, "payout's database put back to before the release, after the money left", ("release",), nemesis.nothing,
            None, before=restored.take_copy(Service.PAYOUT), verify=restored.put_back(point), own_world=True, alone=True,
        )  # fmt: skip
    for service, phases in ((Service.REGISTRY, ("close", "withdraw")), (Service.VERIFICATION, ("enrol",))):
        yield Scenario(
            f"{service}-restored", "database restored", f"{service}'s database put back to before the phase, after all is paid",
            phases, nemesis.nothing, None, before=restored.take_copy(service), verify=restored.told_again(service), own_world=True,
            alone=True,
        )  # fmt: skip


def _operators() -> Iterator[Scenario]:
    yield from _restored()
    yield Scenario(
        "replay-all", "everything replayed", "every record of every topic published again, byte for byte", ("texts",),
        operators.everything_again, None, alone=True, own_world=True,
    )  # fmt: skip
    yield Scenario(
        "offsets-zero", "everything replayed", "stored offsets of one service set to 0 by a superuser, then restarted", EVERYWHERE,
        operators.offsets_to_zero, alone=True, tolerates=frozenset({"read-twice"}),
    )  # fmt: skip
    yield Scenario(
        "topic-recreated", "topic recreated", "deleted and made again under running services: refused, not skipped", ("texts",),
        operators.topic_recreated, None, verify=operators.refused, last=True, own_world=True, alone=True,
    )  # fmt: skip
    yield Scenario(
        "topic-recreated-restart", "topic recreated", "the same, then services restarted", ("texts",),
        operators.topic_recreated_and_restarted, None, verify=operators.refused, last=True, own_world=True, alone=True,
    )  # fmt: skip
    yield Scenario(
        "list-twice", "list twice", "one workbook handed in at both doors at once, and again", ("enrol",), operators.list_twice, None,
        alone=True,
    )  # fmt: skip
    yield Scenario(
        "republish", "state told again", "every service tells its present state again under load", EVERYWHERE[1:],
        operators.republished, None,
    )  # fmt: skip
    for prefix, by_hand in BY_HAND.items():
        for point in (each for each in _inventory() if each.startswith(prefix)):
            strike = operators.crash_while(str(by_hand.service), point, by_hand.passing)
            what = f"{by_hand.service} kills itself at {point}"
            yield Scenario(
                f"crash-{point}", "crash point", what, by_hand.phases, strike, alone=True, in_a_row=not by_hand.more,
                service=by_hand.service, **by_hand.more,
            )  # fmt: skip


# --- several in one trial ----------------------------------------------------------------------------------------------------------


@cache
def packs() -> dict[str, list[Scenario]]:
    """Crash points that one trial strikes together, by its name: a whole table costs a fifth of the months then.

    Those that need nothing of their phase, one after the other; of the others one of every service.
    """
    crashes = [row for row in table().values() if row.service and not (row.own_world or row.last)]
    waiting: dict[str, list[Scenario]] = {}
    for row in (row for row in crashes if row.in_a_row):
        waiting.setdefault(f"crash-row-{row.service}-{row.phases[0]}", []).append(row)
    rows = {f"{name}-{n // ROW + 1}": many[n : n + ROW] for name, many in waiting.items() for n in range(0, len(many), ROW)}
    queues = [[row for row in crashes if row.service == service and not row.in_a_row] for service in Service]
    beside = {f"crash-beside-{number + 1}": list(few) for number, few in enumerate(zip_longest(*queues))}
    return {name: few for name, many in (rows | beside).items() if (few := [row for row in many if row])}
