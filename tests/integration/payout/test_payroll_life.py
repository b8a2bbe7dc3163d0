"""A payroll's life around build and release: budget by two, the province above a tier, freezes, preview, finishing, go / no-go."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from services.payout.months import plus_months
from services.payout.preview import difference, summary
from shared.topics import Provider
from shared.words import LineStatus, Outcome, ResultKind, Role
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, a_line, a_merit_line, an_account

MONTH = f"/v1/periods/{PERIOD}"
LIFE = f"/v1/payrolls/{PERIOD}/{PAYER}/life"


async def ask(bench: Bench, path: str, actor: str, role: Role, **more: Any) -> httpx.Response:
    """One POST by one actor; `sha256` is what the token signs, `key` the idempotency key."""
    headers = {"Authorization": f"Bearer {bench.issuer.token(actor, (role,), sha256=more.pop('sha256', None))}"}
    if "key" in more:
        headers["Idempotency-Key"] = more.pop("key")
    return await bench.client.post(path, headers=headers, **more)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def a_budget(bench: Bench, **programmes: int) -> None:
    """A confirmed budget."""
    await ask(bench, f"{MONTH}/open", "chief", Role.APPROVER)
    proposed = await ask(bench, f"{MONTH}/{PAYER}/budget", "writer", Role.MAKER, json={"programmes": programmes})
    assert proposed.status_code == 200, proposed.text
    sha256 = proposed.json()["sha256"]
    done = await ask(bench, f"{MONTH}/{PAYER}/confirm-budget", "chief", Role.APPROVER, sha256=sha256, json={"sha256": sha256})
    assert done.status_code == 200, done.text


@pytest.fixture
async def approved(bench: Bench) -> Bench:
    """Two people, 360,000 each, on approved lists."""
    await bench.enrol(account=an_account())
    await bench.enrol(home_delivery=True)
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    return bench


async def release(bench: Bench, **body: Any) -> httpx.Response:
    role = Role.EMERGENCY if body else Role.RELEASER
    sha256 = (await bench.page())["sha256"]
    return await bench.post("release", "the-release", role, sha256=sha256, json=body or None)


# --- budget ------------------------------------------------------------------------------------------------------------------


async def test_budget_needs_an_open_period_two_people_and_the_hash(bench: Bench) -> None:
    rows = {"programmes": {"merit": 5}}
    path = f"{MONTH}/{PAYER}"
    assert code(await ask(bench, f"{path}/budget", "a", Role.MAKER, json=rows)) == (409, "PERIOD_NOT_OPEN")
    assert (await ask(bench, f"{MONTH}/open", "b", Role.APPROVER)).json()["opened_now"] is True
    assert (await ask(bench, f"{MONTH}/open", "b", Role.APPROVER)).json()["opened_now"] is False
    sha256 = (await ask(bench, f"{path}/budget", "a", Role.MAKER, json=rows)).json()["sha256"]
    confirm = lambda who, signed: ask(  # noqa: E731
        bench, f"{path}/confirm-budget", who, Role.APPROVER, sha256=signed, json={"sha256": sha256}
    )
    assert code(await confirm("a", sha256)) == (409, "SAME_ACTOR")
    assert code(await confirm("b", "0" * 64)) == (409, "SIGNATURE_DIFFERS")
    assert (await confirm("b", sha256)).json()["vnd"] == 5
    assert code(await confirm("b", sha256)) == (409, "BUDGET_UNKNOWN")


async def test_release_above_budget_is_refused_and_a_higher_budget_lets_it_leave(approved: Bench) -> None:
    await a_budget(approved, social_assistance=719_999)
    assert code(await release(approved)) == (409, "BUDGET_EXCEEDED")
    await a_budget(approved, social_assistance=720_000)
    assert (await release(approved)).status_code == 200
    [row] = (await approved.client.get(LIFE)).json()["budgets"]
    assert (row["budget_vnd"], row["used_vnd"], row["waiting_vnd"]) == (720_000, 720_000, 0)
    path = f"{MONTH}/{PAYER}"
    low = (await ask(approved, f"{path}/budget", "a", Role.MAKER, json={"programmes": {"merit": 9}})).json()["sha256"]
    below = await ask(approved, f"{path}/confirm-budget", "b", Role.APPROVER, sha256=low, json={"sha256": low})
    assert code(below) == (409, "BUDGET_BELOW_USE")


async def test_money_that_comes_back_is_free_again(approved: Bench) -> None:
    await a_budget(approved, social_assistance=720_000)
    await release(approved)
    await approved.answer(*await approved.answers_to(Provider.BANK_A, LineStatus.REJECTED, reason="AC04"))
    [row] = (await approved.client.get(LIFE)).json()["budgets"]
    assert row["used_vnd"] == 360_000


@pytest.mark.parametrize("bench", [{"budget_required": True}], indirect=True)
async def test_where_a_budget_is_required_nothing_leaves_without(approved: Bench) -> None:
    assert code(await release(approved)) == (409, "BUDGET_MISSING")


POST_MORE = """INSERT INTO posting (posting_id, instruction_id, period, payer, debit, credit, vnd, at)
               SELECT gen_random_uuid(), instruction_id, '{period}', 'huyen-444', 'in_flight:post', 'budget:{programme}', {vnd}, now()
                 FROM instruction LIMIT 1"""


@pytest.mark.parametrize(("programme", "vnd"), [("social_assistance", 1), ("merit", 1), ("social_assistance", 10**12)])
async def test_database_itself_lets_nothing_leave_above_budget(approved: Bench, programme: str, vnd: int) -> None:
    await a_budget(approved, social_assistance=720_000)
    await release(approved)
    await refused(approved, POST_MORE.format(period=PERIOD, programme=programme, vnd=vnd), by="within_budget")


@pytest.mark.parametrize(
    ("statement", "by"),
    [
        ("UPDATE budget_row SET vnd = vnd + 1", "append-only"),
        ("DELETE FROM budget_confirmation", "append-only"),
        ("UPDATE opened_period SET opened_by = 'x'", "append-only"),
        ("UPDATE budget_use SET budget_vnd = used_vnd - 1", "within_budget"),
        ("INSERT INTO budget_row SELECT sheet_sha256, 'merit', 1 FROM budget_sheet", "no further row"),
        (
            """WITH s AS (INSERT INTO budget_sheet SELECT repeat('a', 64), period, payer, 2, proposed_by, proposed_at, proposed_token
                            FROM budget_sheet RETURNING *)
               INSERT INTO budget_confirmation
               SELECT sheet_sha256, period, payer, version, proposed_by, proposed_by, proposed_at, 't' FROM s""",
            "budget_by_two",
        ),
    ],
)
async def test_database_keeps_budgets_as_two_people_signed_them(approved: Bench, statement: str, by: str) -> None:
    await a_budget(approved, social_assistance=720_000)
    await release(approved)
    await refused(approved, statement, by=by)


async def refused(bench: Bench, *statements: str, by: str) -> None:
    async with bench.database.session() as session:
        for statement in statements[:-1]:
            await session.execute(statement)
        with pytest.raises(asyncpg.PostgresError, match=by):
            await session.execute(statements[-1])


# --- the province, freezes ------------------------------------------------------------------------------------------------------


async def test_above_the_tier_the_province_signs_the_same_hash(approved: Bench) -> None:
    tier = {"payer": "*", "from_period": "2024-01", "above_vnd": 719_999}
    assert (await ask(approved, "/v1/tiers", "p", Role.APPROVER, json=tier)).status_code == 403
    assert (await ask(approved, "/v1/tiers", "p", Role.PROVINCE_APPROVER, json=tier)).status_code == 200
    assert code(await release(approved)) == (409, "ENDORSEMENT_MISSING")
    await refused(
        approved,
        """INSERT INTO approval SELECT batch_id, 'release', 'x', sha256, sha256, 't', now() FROM batch""",
        "UPDATE batch SET state = 'sealed'",
        by="the province must sign",
    )


async def test_the_province_is_a_fifth_person_and_signs_once(approved: Bench) -> None:
    await ask(approved, "/v1/tiers", "p", Role.PROVINCE_APPROVER, json={"payer": PAYER, "from_period": PERIOD, "above_vnd": 0})
    sha256 = (await approved.client.get(LIFE)).json()["to_endorse"]
    assert sha256 == (await approved.page())["to_sign"]["release"]
    sign = lambda who, signed: approved.post("endorse", who, Role.PROVINCE_APPROVER, sha256=signed)  # noqa: E731
    assert code(await sign("the-approver", sha256)) == (409, "SAME_ACTOR")
    assert code(await sign("the-province", "0" * 64)) == (409, "SIGNATURE_DIFFERS")
    assert (await sign("the-province", sha256)).status_code == 200
    assert code(await sign("the-province", sha256)) == (409, "ENDORSEMENT_NOT_NEEDED")
    assert (await release(approved)).status_code == 200


async def test_a_newer_tier_of_the_payer_counts_before_that_of_all(approved: Bench) -> None:
    for payer, period, above in (("*", "2024-01", 1), (PAYER, "2024-01", 5), (PAYER, "2024-02", None), ("*", "2024-03", 1)):
        body = {"payer": payer, "from_period": period, "above_vnd": above}
        await ask(approved, "/v1/tiers", "p", Role.PROVINCE_APPROVER, json=body)
        approved.clock.move(timedelta(seconds=1))
    assert (await release(approved)).status_code == 200


async def test_in_a_freeze_only_a_named_emergency_releases(approved: Bench) -> None:
    now = approved.clock.now()
    freeze = {"payer": "*", "starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=1)).isoformat(), "reason": "YEAR_END"}
    assert (await ask(approved, "/v1/freezes", "chief", Role.APPROVER, json=freeze)).status_code == 200
    assert code(await ask(approved, "/v1/freezes", "chief", Role.APPROVER, json={**freeze, "ends_at": freeze["starts_at"]})) == (
        409,
        "FREEZE_EMPTY",
    )
    assert code(await release(approved)) == (409, "FROZEN")
    body = {"emergency_reason": "FLOOD_RELIEF"}
    sha256 = (await approved.page())["sha256"]
    assert (await approved.post("release", "r", Role.RELEASER, sha256=sha256, json=body)).status_code == 403
    assert (await release(approved, **body)).status_code == 200
    async with approved.database.session() as session:
        rows = await session.fetch("SELECT actor, reason FROM emergency_release")
    assert {tuple(row) for row in rows} == {("the-release", "FLOOD_RELIEF")}


async def test_after_a_freeze_releasing_goes_on(approved: Bench) -> None:
    now = approved.clock.now()
    freeze = {
        "payer": PAYER,
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(minutes=5)).isoformat(),
        "reason": "AUDIT",
    }
    await ask(approved, "/v1/freezes", "chief", Role.APPROVER, json=freeze)
    assert code(await release(approved)) == (409, "FROZEN")
    approved.clock.move(timedelta(minutes=5))
    assert (await release(approved)).status_code == 200


async def test_database_itself_sends_nothing_in_a_freeze(approved: Bench) -> None:
    now = approved.clock.now()
    freeze = {
        "payer": PAYER,
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(minutes=5)).isoformat(),
        "reason": "AUDIT",
    }
    await ask(approved, "/v1/freezes", "chief", Role.APPROVER, json=freeze)
    await refused(
        approved,
        "INSERT INTO approval SELECT batch_id, 'release', 'x', sha256, sha256, 't', now() FROM batch",
        "UPDATE batch SET state = 'sealed'",
        f"UPDATE batch SET state = 'sent', sent_at = '{now}', sent_sha256 = sha256, sent_count = count, sent_vnd = vnd",
        by="in a freeze",
    )


# --- preview, sheet, finishing, keys ------------------------------------------------------------------------------------------------


async def test_preview_is_the_build_rolled_back_with_differences(bench: Bench) -> None:
    who = await bench.enrol(account=an_account())
    await bench.close()
    answer = await ask(bench, f"/v1/payrolls/{PERIOD}/{PAYER}/preview", "m", Role.MAKER)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["summary"] == {"new first_on_list": {"people": 1, "vnd": 360_000}}
    assert [row["beneficiary_id"] for row in shown["differences"]] == [str(who)]
    assert (await bench.page())["batches"] == []
    table = await ask(bench, f"/v1/payrolls/{PERIOD}/{PAYER}/preview?output=csv", "m", Role.MAKER)
    assert table.text.splitlines()[1] == f"{who},new,first_on_list,0,360000,,account,{PERIOD}"
    built = await bench.step("build")
    assert [(b["count"], b["vnd"]) for b in built["batches"]] == [(b["count"], b["vnd"]) for b in shown["lists"]]


ROW: dict[str, Any] = dict.fromkeys(
    (
        "before_vnd",
        "after_vnd",
        "before_channel",
        "after_channel",
        "before_contents",
        "after_contents",
        "life",
        "held",
        "was_held",
        "gap",
    )
) | {"from_elsewhere": False, "to_elsewhere": False, "beneficiary_id": uuid4()}
BOTH = {
    "before_vnd": 5,
    "after_vnd": 5,
    "before_channel": "account",
    "after_channel": "account",
}


@pytest.mark.parametrize(
    ("changes", "kind", "why"),
    [
        ({"after_vnd": 5}, "new", "first_on_list"),
        ({"after_vnd": 5, "was_held": "NOT_FOUND"}, "new", "was_held:NOT_FOUND"),
        ({"after_vnd": 5, "from_elsewhere": True}, "new", "moved_here"),
        ({"before_vnd": 5}, "ended", "not_on_list"),
        ({"before_vnd": 5, "life": "dead"}, "ended", "dead"),
        ({"before_vnd": 5, "held": "DEAD", "life": "dead"}, "ended", "held:DEAD"),
        ({"before_vnd": 5, "to_elsewhere": True}, "ended", "moved_away"),
        ({**BOTH, "after_vnd": 6}, "amount", "other_amount"),
        ({**BOTH, "after_vnd": 6, "after_channel": "counter"}, "amount_and_channel", "other_amount"),
        ({**BOTH, "after_channel": "counter", "gap": "name_mismatch"}, "channel", "name_mismatch"),
        ({**BOTH, "before_channel": "home"}, "channel", "account_usable"),
    ],
)
def test_a_difference_has_a_kind_and_a_reason(changes: dict[str, Any], kind: str, why: str) -> None:
    found = difference({**ROW, **changes}, "2024-02")
    assert (found.kind, found.why) == (kind, why)
    assert summary([found]) == {f"{kind} {why}": {"people": 1, "vnd": found.after_vnd - found.before_vnd}}


def test_the_month_before_crosses_years() -> None:
    assert [plus_months(period, -1) for period in ("2024-01", "2024-02", "2024-12")] == ["2023-12", "2024-01", "2024-11"]


async def test_the_sheet_turns_green_step_by_step_and_says_what_to_do(bench: Bench) -> None:
    async def reds() -> list[str]:
        shown = (await bench.client.get(f"{MONTH}/go-no-go")).json()
        [row] = shown["payers"]
        assert shown["go"] is row["go"] is not any(value is False for value in row.values())
        assert bool(row["todo"]) is not row["go"]
        return [name for name, value in row.items() if value is False and name != "go"]

    await ask(bench, f"{MONTH}/open", "chief", Role.APPROVER)
    await ask(bench, f"{MONTH}/{PAYER}/budget", "writer", Role.MAKER, json={"programmes": {"social_assistance": 1}})
    every = ["closed", "totals", "verified", "checked", "approved", "released", "acknowledged"]
    assert await reds() == every
    await bench.enrol(account=an_account())
    await bench.close()
    assert await reds() == every[3:]
    await bench.step("build")
    assert await reds() == every[3:]
    for act, left in (("check", every[4:]), ("approve", every[5:]), ("release", every[6:])):
        await bench.step(act)
        assert await reds() == left
    [batch] = (await bench.page())["batches"]
    await bench.answer(bench.about_batch(Provider.BANK_A, UUID(batch["batch_id"]), ResultKind.BATCH_RECEIVED))
    assert await reds() == []
    page = (await bench.client.get(f"{MONTH}/go-no-go.html")).text
    assert page.count('class="yes"') == 8


async def test_a_payroll_is_finished_only_when_every_line_has_an_end_and_then_nothing_moves(bench: Bench) -> None:
    await bench.enrol(a_line(), a_merit_line(), account=an_account())
    await bench.enrol(home_delivery=True)
    await bench.enrol(outcome=Outcome.NOT_FOUND)
    await bench.close()
    finish: Callable[[], Any] = lambda: bench.post("finish", "chief", Role.APPROVER)  # noqa: E731
    assert code(await finish()) == (409, "NOT_FINISHED")
    await bench.pay()
    assert code(await finish()) == (409, "NOT_FINISHED")
    await refused(
        bench, "INSERT INTO payroll_closed SELECT period, payer, 'x', now(), 't' FROM payroll", by="payroll closes when"
    )
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.PAID))
    await bench.answer(*await bench.answers_to(Provider.POST, LineStatus.RETURNED, reason="NOAS"))
    assert (await finish()).json() == {"carried": 1, "vnd": 360_000}
    assert code(await finish()) == (409, "PAYROLL_CLOSED")
    assert code(await bench.post("build", "the-build", Role.MAKER)) == (409, "PAYROLL_CLOSED")
    before = await bench.page()
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.RETURNED, reason="AC04"))
    assert await bench.page() == before, "a late return is kept as a conflict, for people to look at"
    for statement in (
        "UPDATE instruction SET state = 'returned', state_seq = state_seq + 1 WHERE state = 'paid'",
        "UPDATE held SET until = now()",
        POST_MORE.format(period=PERIOD, programme="merit", vnd=1),
        """INSERT INTO batch (batch_id, period, payer, provider, round, count, vnd, sha256, execution_date)
           SELECT gen_random_uuid(), period, payer, provider, 9, count, vnd, sha256, execution_date FROM batch LIMIT 1""",
    ):
        await refused(bench, statement, by="the payroll is closed")


async def test_the_same_key_gives_the_same_answer_and_no_other_request(bench: Bench) -> None:
    await bench.enrol(account=an_account())
    await bench.close()
    path = f"/v1/payrolls/{PERIOD}/{PAYER}/build"
    first = await ask(bench, path, "m", Role.MAKER, key="build-2024-02")
    again = await ask(bench, path, "m", Role.MAKER, key="build-2024-02")
    assert again.json() == first.json() != (await ask(bench, path, "m", Role.MAKER)).json()
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await ask(bench, f"{path}?x=1", "m", Role.MAKER, key="build-2024-02")
    assert code(other) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert (await ask(bench, path, "n", Role.MAKER, key="build-2024-02")).status_code == 200, (
        "another person's key is another key"
    )
    assert (await ask(bench, path, "m", Role.MAKER, key="short")).status_code == 422
    await ask(bench, f"{MONTH}/open", "chief", Role.APPROVER, key="open-2024-02")
    again = await ask(bench, f"{MONTH}/open", "chief", Role.APPROVER, key="open-2024-02")
    assert again.json()["opened_now"] is True


async def test_openapi_names_the_routes_and_the_key(bench: Bench) -> None:
    page = (await bench.client.get("/openapi.json")).json()
    for path in (
        f"{PERIOD_PATH}/open",
        f"{PERIOD_PATH}/go-no-go",
        f"{PAYROLL_PATH}/preview",
        f"{PAYROLL_PATH}/endorse",
        f"{PAYROLL_PATH}/finish",
    ):
        operation = next(iter(page["paths"][path].values()))
        assert "idempotency-key" in {parameter["name"] for parameter in operation["parameters"]}


PERIOD_PATH = "/v1/periods/{period}"
PAYROLL_PATH = "/v1/payrolls/{period}/{payer}"
