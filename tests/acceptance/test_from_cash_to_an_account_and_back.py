"""One person goes through every stage of the cashless funnel, on the running system, and back to cash with a reason."""

import csv
import json
from pathlib import Path
from typing import Any

from office import SOURCE, Office, Person, replace
from test_answer_lost_is_unknown_until_statement import emit_statement
from test_people_asked_about_and_reviewed import typed

from shared import events, words
from shared.topics import Provider

PERIOD, PAYER = "2024-02", "so-18541"


async def stage(office: Office, period: str) -> tuple[str, str, str | None]:
    """Stage, next action and its reason of the only person on the payer's list."""
    (row,) = await office.client.get("registry", "/v1/funnel/people", period=period, payer=PAYER)
    return row["stage"], row["action"], row["reason"]


async def funnel(office: Office, *words_: str) -> dict[str, Any]:
    """What the command says."""
    said = await typed(office.installation.name, "funnel", PERIOD, "--payer", PAYER, "--json", *words_)
    found: dict[str, Any] = json.loads(said)
    return found


async def wishes(office: Office, person: Person, wish: words.Wish, sequence: int, reason: str | None = None) -> None:
    """The ministry records a wish."""
    said = events.WishRecorded(source=SOURCE, record=person.record, source_sequence=sequence, wish=wish, reason=reason)
    await office.publish([(person.record, said)])


async def test_from_cash_to_an_account_and_back(office: Office, tmp_path: Path) -> None:
    person = Person(area="18541", bank_bin="970405")
    await office.enrol(PERIOD, PAYER, person)
    assert await stage(office, PERIOD) == ("no_account", "review_identity", "not_found")
    await office.people_are_registered(person)
    assert await stage(office, PERIOD) == ("no_account", "visit", None)
    await wishes(office, person, words.Wish.POST, 2, "R_NOTTOLD")
    assert await stage(office, PERIOD) == ("no_account", "answer_reason", "R_NOTTOLD")
    await wishes(office, person, words.Wish.ACCOUNT, 3)
    assert await stage(office, PERIOD) == ("no_account", "open_account", None)
    holder = replace(person, account="0012345678957")  # at bank-a, which pays in the stories and never says so
    await office.enrol(PERIOD, PAYER, holder, sequence=4)
    assert await stage(office, PERIOD) == ("verified", "await_payment", None)

    await office.close_and_build(PERIOD, PAYER)
    await office.sign(PERIOD, PAYER)
    await office.answered()
    assert await stage(office, PERIOD) == ("verified", "await_payment", None)
    await emit_statement(office, Provider.BANK_A)
    assert await stage(office, PERIOD) == ("paid", "none", None)
    found = await funnel(office)
    assert [found["total"][name] for name in ("base", "exists", "wished", "verified", "paid")] == [1] * 5

    visit = ("visit", await office.beneficiary(person), "--wish", "post")
    assert "REASON_MISSING" in await typed(office.installation.name, *visit, code=1)
    await typed(office.installation.name, *visit, "--reason", "R_FEE")
    await office.at_rest()
    assert await stage(office, PERIOD) == ("paid", "win_back", "R_FEE")
    rows = tmp_path / "funnel.csv"
    found = await funnel(office, "--by", "commune,programme,age", "--csv", str(rows))
    assert found["total"]["back_to_cash"] == 1
    told = (await office.client.get("registry", f"/v1/trace/{await office.beneficiary(person)}"))["wish_changes"]
    assert [(one["wish_before"], one["wish"], one["reason"]) for one in told] == [
        ("none", "post", "R_NOTTOLD"),
        ("post", "account", None),
        ("account", "post", "R_FEE"),
    ]
    (row,) = csv.DictReader(rows.open())
    assert (row["area"], row["programme"], row["age_band"], row["people"]) == ("18541", "social_assistance", "70_79", "1")
    assert person.given not in rows.read_text()
