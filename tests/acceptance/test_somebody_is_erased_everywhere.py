"""Somebody was paid, the benefit ended, all is settled: they are erased everywhere, the books still hold, and come back as somebody new."""

import json
from datetime import date
from typing import Any

import pytest
from office import Office, Person, Refusal, replace
from test_answer_lost_is_unknown_until_statement import emit_statement

from ansinh import audit_verify
from ansinh.check import run_checks
from shared.topics import Provider

PERIOD, PAYER = "2024-02", "xoa-a"
PROMISES = {"I05", "I13", "I14", "I19", "I20", "I22", "I23", "I24", "I27", "I40", "I51"}
BODY = {"reason": "PERSON_ASKED", "requester": "PERSON", "paper": "12/2024"}


class Reachable(Person):
    """Somebody with a phone."""

    def personal(self) -> dict[str, Any]:
        """With the number."""
        return super().personal() | {"phone": "0912000911"}


async def code_of(office: Office, path: str, actor: str, body: dict[str, Any] | None = None) -> str:
    with pytest.raises(Refusal) as refused:
        await office.client.post("registry", path, actor=actor, body=body)
    return refused.value.code


async def everything(office: Office, service: str) -> str:
    """All rows of all tables of a service as text, and what its outbox holds."""
    tables = await office.rows(
        service, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'outbox%'"
    )
    found = [
        row["text"]
        for table in tables
        for row in await office.rows(service, f"SELECT to_jsonb(t)::text AS text FROM {table['tablename']} t")
    ]
    topics = "('registry.beneficiary.v1', 'registry.entitlement.v1', 'verification.result.v1')"
    payloads = await office.rows(service, f"SELECT payload FROM outbox WHERE topic IN {topics}")
    return "\n".join([*found, *(bytes(row["payload"]).decode() for row in payloads)])


async def traces_of(office: Office, service: str, who: str) -> set[str]:
    """Every block, digest and index that stands with somebody in a service."""
    (row,) = await office.rows(service, "SELECT to_jsonb(p)::text AS said FROM person p WHERE beneficiary_id = $1", who)
    said = json.loads(row["said"])
    hashed = ("_digest", "_ix", "person_token")
    return {
        str(value).removeprefix("\\x")
        for name, value in said.items()
        if value and (name.endswith(hashed) or str(value).startswith("v1."))
    }


async def test_somebody_is_erased_everywhere(office: Office) -> None:
    # He lives elsewhere: two of one hamlet have one delivery digest, and his stays.
    her, him = Reachable(area="18503", account="3709000009911"), Person(area="18502")
    await office.people_are_registered(her, him)
    await office.enrol(PERIOD, PAYER, her, him)
    who = await office.beneficiary(her)
    ask = f"/v1/people/{who}/erasures"

    assert await code_of(office, ask, "officer", BODY) == "ROLE_REVIEWER_NEEDED"
    assert await code_of(office, ask, "reviewer", BODY) == "ON_OPEN_LIST"
    await office.close_and_build(PERIOD, PAYER)
    await office.end(her, "no_longer_entitled", date(2024, 2, 29))
    assert await code_of(office, ask, "reviewer", BODY) == "MONEY_OWED"
    await office.sign(PERIOD, PAYER)
    await office.answered()
    assert await code_of(office, ask, "reviewer", BODY) == "PAYMENT_NOT_SETTLED"
    await emit_statement(office, Provider.BANK_A)  # it pays in the stories and never says so
    await office.at_rest()
    paid_before = await office.payments(her)
    assert [payment["state"] for payment in paid_before] == ["paid"]

    traces = {service: await traces_of(office, service, who) for service in ("registry", "verification", "payout", "notify")}
    assert all(traces.values())
    asked = (await office.client.post("registry", ask, actor="reviewer", body=BODY))["erasure_id"]
    confirm = f"/v1/people/erasures/{asked}/confirm"
    assert await code_of(office, ask, "second-reviewer", BODY) == "ALREADY_ASKED"
    assert await code_of(office, confirm, "reviewer") == "SECOND_PERSON_NEEDED"
    done = await office.client.post("registry", confirm, actor="second-reviewer")
    assert done["erased"] == [who]
    await office.at_rest()
    await nothing_is_left(office, who, traces)
    assert await office.payments(her) == paid_before

    for service in ("registry", "verification", "payout", "notify"):
        assert who in [row["beneficiary_id"] for row in await office.client.get(service, "/v1/erased")]
    dsn = office.addresses.databases
    assert [
        verdict for verdict in await run_checks(dsn.__getitem__, full=True) if not verdict.ok and verdict.id in PROMISES
    ] == []
    assert (await audit_verify.verify(dsn["payout"])).findings == []

    again = replace(her, record=f"{her.record}-neu")
    await office.enrol("2024-03", PAYER, again)
    fresh = await office.beneficiary(again)
    assert fresh != who
    (row,) = await office.rows("registry", "SELECT outcome FROM verified WHERE beneficiary_id = $1", fresh)
    assert row["outcome"] == "match"  # nobody else claims to be her


async def nothing_is_left(office: Office, who: str, traces: dict[str, set[str]]) -> None:
    """In no database, whatever is looked for. What four people signed of a payment keeps the account's digest (decision 0024)."""
    (person,) = await office.rows("registry", "SELECT erased_at FROM person WHERE beneficiary_id = $1", who)
    assert person["erased_at"]
    looked_for = set().union(*traces.values())
    signed = {
        row["account_digest"]
        for row in await office.rows("payout", "SELECT account_digest FROM instruction WHERE account_digest IS NOT NULL")
    }
    register = {row["person_token"] for row in await office.rows("verification", "SELECT person_token FROM register")}
    indexes = await office.rows("verification", "SELECT number_ix, old_number_ix, name_birth_ix FROM register")
    register |= {value.hex() for row in indexes for value in row.values() if value}
    for service in traces:
        ours = looked_for - (signed if service == "payout" else set()) - (register if service == "verification" else set())
        text = await everything(office, service)
        assert [trace for trace in ours if trace in text] == [], service
