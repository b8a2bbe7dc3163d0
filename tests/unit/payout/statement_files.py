"""SYNTHETIC files of providers for the tests of their readers: written by hand or by the sandbox's writers, no person in them."""

from datetime import UTC, datetime

from sandbox.provider_files import Account, Movement, camt053, camt054, movements, mt940, pain002, post_list
from sandbox.truth import LineFact, Reply, Status
from shared.ids import check_character

BATCH = "0f9c5a4e-7d0e-4f5e-9d36-5b6a3f1f6c11"
OURS = Account("9990000000001", "970405", 50_000_000)
MADE_AT = datetime(2024, 2, 9, 2, tzinfo=UTC)
PAID_AT = datetime(2024, 2, 1, 2, tzinfo=UTC)


def an_id(number: int) -> str:
    """An end-to-end id with its check character."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    body = "ANSINH".ljust(12, "Q") + "".join(letters[number >> shift & 31] for shift in (10, 5, 0))
    return body + check_character(body)


def a_fact(number: int, status: Status = Status.PAID, *, vnd: int = 360_000, reason: str | None = None) -> LineFact:
    """Something that happened to payment `number`."""
    return LineFact("bank-a", BATCH, number, an_id(number), vnd, status, reason, Reply.ONCE, PAID_AT)


FACTS = [
    a_fact(1),
    a_fact(2, vnd=1_500_000),
    a_fact(3, Status.REJECTED, reason="AC04"),
    a_fact(4),
    a_fact(4, Status.RETURNED, reason="MD07"),
]


def every_format(facts: list[LineFact] | None = None) -> dict[str, bytes]:
    """The same facts in every format a bank writes."""
    told = FACTS if facts is None else facts
    booked: list[Movement] = movements(told)
    made = {
        f"{name} {version}": write(booked, OURS, message_id="M1", made_at=MADE_AT, version=version)
        for name, write in (("camt.053", camt053), ("camt.054", camt054))
        for version in ("02", "08")
    }
    made |= {
        f"pain.002 {version}": pain002(told, message_id="P1", made_at=MADE_AT, version=version)
        for version in ("03", "10", "12")
        if told
    }
    return made | {"mt940": mt940(booked, OURS, reference="STMT1", number=7, made_at=MADE_AT)}


def a_post_list(facts: list[LineFact] | None = None) -> bytes:
    """The same facts as the post hands them back."""
    return post_list(FACTS if facts is None else facts, period="2024-02")
