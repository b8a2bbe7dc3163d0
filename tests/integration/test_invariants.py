"""Every promise is asked of real databases: it holds where nothing is wrong, and a row planted against it is found."""

import re
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from ansinh.check import run_checks
from ansinh.promises import PROMISES
from shared.topics import Service
from tests.integration import invariant_world
from tests.integration.invariant_world import broken, plant, truth_file
from tests.integration.payout import conftest as payout
from tests.integration.payout.payout_bench import PAYER, PERIOD

ROOT = Path(__file__).parents[2]
TRUTH = ("I16", "I17", "I18")
keys = payout.keys
dsns, paid, world = invariant_world.dsns, invariant_world.paid, invariant_world.world


# --- nothing is wrong --------------------------------------------------------------------------------------------------------


async def test_fresh_databases_keep_every_promise(dsns, tmp_path):
    verdicts = await run_checks(dsns.__getitem__, [truth_file(tmp_path / "bank.jsonl")])
    assert [verdict for verdict in verdicts if not verdict.ok] == []
    assert [verdict.id for verdict in verdicts] == [
        f"I{number:02}" for number in (*range(1, 27), *range(28, 32), *range(40, 45), 50, 51, *range(60, 67), *range(70, 73))
    ]


async def test_without_truth_files_nothing_is_said_about_the_truth(dsns):
    assert {verdict.id for verdict in await run_checks(dsns.__getitem__)}.isdisjoint(TRUTH)


async def test_a_paid_payroll_keeps_every_promise(world):
    verdicts = {verdict.id: verdict for verdict in await run_checks(world.dsns.__getitem__, [world.truth])}
    assert {key: verdict for key, verdict in verdicts.items() if not verdict.ok} == {}
    where = f"{PERIOD} {PAYER}: "
    assert verdicts["I02"].detail == where + "5 lines 3495000 VND"
    places = ("cashless 1 payments 2415000 VND", "held 1 lines 360000 VND", "postal 2 payments 720000 VND")
    assert verdicts["I03"].detail == "; ".join(where + place for place in places)
    assert verdicts["I16"].detail == "3 payments of 3135000 VND really paid"
    assert verdicts["I18"].detail == "of 3 paid ones 2 are known, 1 not yet"


# --- planted rows ------------------------------------------------------------------------------------------------------------

PLANTED: Mapping[str, tuple[set[str], str]] = {
    "a line in two live payments": (
        {"I01", "I03", "I04"},
        "INSERT INTO instruction_line SELECT i.instruction_id, entitlement_id, 9, il.vnd, true"
        " FROM instruction i, instruction_line il JOIN instruction p USING (instruction_id)"
        " WHERE i.state = 'collected' AND p.state = 'paid' AND il.live",
    ),
    "a dead payment that keeps its line": (
        {"I03", "I04"},
        "UPDATE instruction_line il SET live = true, piece = 9 FROM instruction i"
        " WHERE i.instruction_id = il.instruction_id AND i.state = 'rejected'",
    ),
    "a line that was lost": ({"I02"}, "DELETE FROM line WHERE entitlement_id IN (SELECT entitlement_id FROM held)"),
    "a held line let go without a payment": ({"I03"}, "UPDATE held SET until = since"),
    "a line held and paid": (
        {"I03"},
        "INSERT INTO held SELECT entitlement_id, 'DEAD', vnd, '2024-02-01Z' FROM instruction_line WHERE live",
    ),
    "a list that grew": ({"I04"}, "UPDATE batch SET count = count + 1 WHERE provider = 'bank-a'"),
    "a payment worth more than its lines": ({"I04", "I05", "I16"}, "UPDATE instruction SET vnd = vnd + 1 WHERE state = 'paid'"),
    "a file with a payment too many": ({"I04"}, "UPDATE file SET count = count + 1 WHERE kind = 'pain.001'"),
    "money that came from nowhere": ({"I05"}, "DELETE FROM posting WHERE debit LIKE 'in_flight%'"),
    "paid money booked twice": (
        {"I05"},
        "INSERT INTO posting SELECT gen_random_uuid(), instruction_id, period, payer, debit, credit, vnd, at"
        " FROM posting WHERE debit = 'paid'",
    ),
    "a release without an approval": ({"I07"}, "DELETE FROM approval WHERE step = 'approve'"),
    "a signature on another hash": ({"I07"}, "UPDATE approval SET sha256 = 'other' WHERE step = 'check'"),
    "one person who signs twice": (
        {"I07"},
        "ALTER TABLE approval DROP CONSTRAINT approval_batch_id_actor_key; UPDATE approval SET actor = 'the-checker'",
    ),
    "a payment left behind": (
        {"I05", "I08", "I12", "I18"},
        "UPDATE instruction SET state = 'sealed' WHERE state = 'paid'",
    ),
    "a withdrawn payment that was sent": (
        {"I04", "I05", "I08", "I12", "I18"},
        "UPDATE instruction SET state = 'withdrawn' WHERE state = 'sending'",
    ),
    "a decision nobody was told": ({"I09"}, "UPDATE outbox_cursor SET id = id - 1"),
    "a partition that stands still": (
        {"I10"},
        "INSERT INTO consumed (topic, partition, next_offset, stopped_reason) VALUES ('registry.list.v1', 0, 7, 'gap')",
    ),
    "a record set aside": (
        {"I11"},
        "INSERT INTO dead_letter VALUES (gen_random_uuid(), 'registry.list.v1', 0, 7, NULL, 'dead', 'not JSON', 'sealed', '2024-02-01Z')",
    ),
    "a payment that went back": (
        {"I12"},
        "INSERT INTO outbox (day, event_id, topic, key, type, at, payload) SELECT day, gen_random_uuid(), topic, key, type, at,"
        " convert_to((convert_from(payload, 'UTF8')::jsonb || '{\"state_seq\": 5, \"state\": \"created\"}')::text, 'UTF8') FROM outbox"
        " WHERE topic = 'payout.payment.v1' AND convert_from(payload, 'UTF8')::jsonb ->> 'state' = 'paid'",
    ),
    "a state changed in silence": ({"I12"}, "UPDATE instruction SET state_seq = state_seq + 1 WHERE state = 'paid'"),
    "a person without a verdict": ({"I13"}, "DELETE FROM verdict WHERE outcome = 'not_found'"),
    "a verdict on somebody she was before": ({"I13"}, "UPDATE verdict SET identity_digest = 'old' WHERE outcome = 'not_found'"),
    "a payment in a state no move leads to": ({"I12", "I21"}, "UPDATE instruction SET state_seq = 2 WHERE state = 'paid'"),
    "a posting about no payment": (
        {"I05"},
        "INSERT INTO posting SELECT gen_random_uuid(), gen_random_uuid(), period, payer, debit, credit, vnd, at FROM posting LIMIT 1",
    ),
    "a list that is not the signed one": ({"I27"}, "UPDATE instruction SET area = '00000' WHERE state = 'paid'"),
    "a state no answer gave": ({"I25"}, "DELETE FROM result WHERE status = 'paid'"),
    "an answer nobody followed": ({"I25"}, "UPDATE result SET status = 'returned' WHERE status = 'paid'"),
    "a line paid again without proof": ({"I25", "I26"}, "DELETE FROM result WHERE status = 'rejected'"),
    "a line of a statement nobody followed": (
        {"I28"},
        "INSERT INTO statement_file SELECT gen_random_uuid(), 'bank-a', repeat('a', 64), 1, '2024-02-01Z', 'op', 'booked', NULL,"
        " 'camt.053', 'M', NULL, 1, '2024-02-01Z'; INSERT INTO statement_line (file_id, line, kind, end_to_end_id, vnd, fate)"
        " SELECT file_id, 1, 'rejected', end_to_end_id, vnd, 'applied' FROM statement_file, instruction i WHERE i.state = 'paid'",
    ),
    "a line of a statement that is gone": (
        {"I28"},
        "INSERT INTO statement_file SELECT gen_random_uuid(), 'bank-a', repeat('a', 64), 1, '2024-02-01Z', 'op', 'booked', NULL,"
        " 'camt.053', 'M', NULL, 1, '2024-02-01Z'",
    ),
    "a break nobody posted": (
        {"I29"},
        "INSERT INTO break_item (break_id, type, provider, vnd, opened_at)"
        " VALUES (gen_random_uuid(), 'extra', 'bank-a', 5, '2024-02-01Z')",
    ),
    "a payment nobody cancelled": ({"I05", "I30"}, "UPDATE instruction SET state = 'cancelled' WHERE state = 'sending'"),
    "a cancel that its payment does not follow": (
        {"I30"},
        "INSERT INTO cancel_list SELECT 'x', period, payer, 'RECALL', 'keep', 'a', '2024-02-01Z', 't', 'b', '2024-02-01Z', 't'"
        " FROM payroll; INSERT INTO cancel_item SELECT instruction_id, 'x', 'asked', gen_random_uuid(), '2024-02-01Z' FROM instruction"
        " WHERE state = 'paid'",
    ),
    "a claim nobody posted": (
        {"I31"},
        "INSERT INTO recovery_case (case_id, entitlement_id, instruction_id, beneficiary_id, period, payer, vnd, reason, fact_on,"
        " opened_at) SELECT gen_random_uuid(), il.entitlement_id, i.instruction_id, i.beneficiary_id, '2024-02', 'p', 5,"
        " 'DEAD', '2024-01-02', '2024-02-01Z' FROM instruction i JOIN instruction_line il USING (instruction_id)"
        " WHERE i.state = 'paid' LIMIT 1",
    ),
    "a claim put into its chain": (
        {"I31"},
        "INSERT INTO recovery_posting VALUES (gen_random_uuid(), gen_random_uuid(), 'p', 'recovery:open', 'recovery:claimed', 5,"
        " '2024-02-01Z', 1, sha256('x'))",
    ),
    "a posting taken out of its chain": ({"I40", "I41"}, "DELETE FROM posting WHERE credit LIKE 'budget:%'"),
    "a chain that lost its end": ({"I40"}, "DELETE FROM ledger_link WHERE seq = (SELECT max(seq) FROM ledger_link)"),
    "a budget below what left": (
        {"I41"},
        "ALTER TABLE budget_use DROP CONSTRAINT within_budget; UPDATE budget_use SET budget_vnd = 1",
    ),
    "a use nobody posted": ({"I41"}, "UPDATE budget_use SET used_vnd = used_vnd + 1"),
    "a large list without the province": (
        {"I42"},
        "INSERT INTO approval_tier VALUES ('*', '2024-01', '2024-01-01Z', 1, 'p', 't')",
    ),
    "a list that left in a freeze": (
        {"I42"},
        "INSERT INTO freeze_window VALUES (gen_random_uuid(), '*', '2024-01-01Z', '2024-12-31Z', 'AUDIT', 'a', '2024-01-01Z', 't')",
    ),
    "a payroll finished with open lines": (
        {"I43"},
        "INSERT INTO payroll_closed SELECT period, payer, 'a', '2024-01-01Z', 't' FROM payroll",
    ),
    "a benefit paid by two payers": (
        {"I60"},
        "INSERT INTO line SELECT gen_random_uuid(), beneficiary_id, period, 'xa-2', area, programme, declared_vnd, content, content_sha256"
        " FROM line; INSERT INTO instruction_line SELECT DISTINCT ON (l.entitlement_id) i.instruction_id, l.entitlement_id, 1,"
        " l.declared_vnd FROM line l"
        " JOIN instruction i USING (beneficiary_id) WHERE l.payer = 'xa-2'",
    ),
    "a list of a month that is paid with another": (
        {"I61"},
        "INSERT INTO payroll_join SELECT '2099-01', payer, period, 'a', '2024-01-01Z', 't' FROM payroll",
    ),
    "a payment of months that are not its lines'": (
        {"I61"},
        "UPDATE instruction SET periods = '{2099-01}' WHERE state = 'collected'",
    ),
    "funeral money beside a benefit and under its code": (
        {"I62"},
        "UPDATE person SET life = 'dead', died_on = '2024-02-03'; UPDATE line SET content = replace(content, '\"one_off_vnd\":0',"
        " '\"one_off_vnd\":7200000') WHERE programme = 'social_assistance'; UPDATE line SET content = replace(content, 'NCC-LS1',"
        " 'MT-NCC')",
    ),
    "a month finished without those it still owes": (
        {"I63"},
        "UPDATE held SET reason = 'NEXT_BUILD'; INSERT INTO payroll_closed SELECT period, payer, 'a', '2024-01-01Z', 't' FROM payroll",
    ),
    "somebody held by two payers, each for the other's sake": (
        {"I64"},
        "INSERT INTO line SELECT gen_random_uuid(), beneficiary_id, period, 'xa-2', area, programme, declared_vnd, content, content_sha256"
        " FROM line JOIN held USING (entitlement_id); UPDATE held SET reason = 'PAID_ELSEWHERE'; INSERT INTO held"
        " SELECT entitlement_id, 'PAID_ELSEWHERE', declared_vnd, '2024-02-01Z' FROM line WHERE payer = 'xa-2'; INSERT INTO payroll_closed"
        " SELECT DISTINCT period, payer, 'a', '2024-01-01Z'::timestamptz, 't' FROM line",
    ),
    "a month that two people kept back and that was paid": (
        {"I65"},
        "INSERT INTO cancel_list SELECT 'x', period, payer, 'RECALL', 'keep', 'p', '2024-02-01Z', 't', 'a', '2024-02-01Z', 't'"
        " FROM payroll; INSERT INTO cancel_item SELECT instruction_id, 'x', 'moot', gen_random_uuid(), '2024-02-01Z' FROM instruction"
        " WHERE state = 'rejected'",
    ),
    "a line free again whose payment died between the two signatures of a cancel": (
        {"I65"},
        "INSERT INTO cancel_list SELECT 'x', period, payer, 'RECALL', 'keep', 'p', '2024-02-01Z', 't', 'a', '2024-02-01Z', 't'"
        " FROM payroll; INSERT INTO cancel_item SELECT instruction_id, 'x', 'moot', NULL, '2024-02-01Z' FROM instruction"
        " WHERE state = 'rejected'; UPDATE instruction_line SET live = false WHERE live AND entitlement_id IN (SELECT entitlement_id"
        " FROM instruction_line JOIN instruction USING (instruction_id) WHERE state = 'rejected')",
    ),
    "a month that two lines bring as not collected": (
        {"I66"},
        'UPDATE line SET programme = \'merit\', content = left(content, -1) || \',"unpaid":{"periods":["2023-01"],"vnd":0}}\''
        " WHERE beneficiary_id IN (SELECT beneficiary_id FROM line GROUP BY 1 HAVING count(*) > 1)",
    ),
    "a failure that was paid": (
        {"I05", "I12", "I18"},
        "UPDATE instruction SET state = 'rejected', state_seq = 9 WHERE state = 'collected'",
    ),
}


@pytest.mark.parametrize("what", PLANTED)
async def test_planted_in_payout_is_found(world, what):
    expected, statement = PLANTED[what]
    for part in statement.split("; "):
        await world.plant(part)
    found = await world.broken()
    assert expected <= found.keys(), found
    for verdict in found.values():
        assert verdict.rows
        assert verdict.rows[0] in verdict.detail


async def test_one_id_for_two_payments_is_found(world):
    await world.plant("ALTER TABLE instruction DROP CONSTRAINT instruction_end_to_end_id_key")
    await world.plant("UPDATE instruction SET end_to_end_id = 'AAAAAAAAAAAAAAAA'")
    assert "I06" in await world.broken()


async def test_a_draft_is_told_to_nobody_and_is_no_finding(world):
    await world.plant("""
        INSERT INTO instruction SELECT (jsonb_populate_record(i, jsonb_build_object(
            'instruction_id', gen_random_uuid(), 'part', 9, 'state', 'created', 'state_seq', 1, 'end_to_end_id', 'AAAAAAAAAAAAAAAB'))).*
          FROM instruction i LIMIT 1""")
    assert "I21" not in await world.broken()


CASE = """
INSERT INTO area_case VALUES ('00000000-0000-0000-0000-000000000001', 'ministry', 'r1', '2025-07', 'BT-5c', 7, 'xa-18073', 360000, '18082',
  '2025-07-01', '2025-07-01', '{18073,18652}', '00000000-0000-0000-0000-000000000002', sha256('x'), 'v1.identity.x',
  NULL, NULL, '2025-06-20Z', FATE)
"""
DECISION = """
INSERT INTO area_decision OVERRIDING SYSTEM VALUE VALUES (1, '00000000-0000-0000-0000-000000000001', '18082', '2025-07-01', '2025-07-01',
  '{18073,18652}', '18652', 'HOME_VISIT', NULL, sha256('x'), 'a', 't', '2025-07-02Z')
"""
LISTED = """
INSERT INTO list_row (source, record, period, beneficiary_id, payer, area, benefit_code, declared_vnd, line, state)
VALUES ('ministry', 'r1', '2025-07', '00000000-0000-0000-0000-000000000002', 'xa-18073', '18073', 'BT-5c', 360000, '{}', 'active')
"""
HEARD = "INSERT INTO source_record VALUES ('ministry', 'r1', '00000000-0000-0000-0000-000000000002', SEQUENCE, 'd')"


@pytest.mark.parametrize(
    ("fate", "beside", "expected"),
    [
        ("NULL", [], set()),
        ("NULL", [LISTED, HEARD.replace("SEQUENCE", "6")], set()),  # an older word stands, the newer one waits
        ("NULL", [LISTED, HEARD.replace("SEQUENCE", "7")], {"I70"}),
        ("NULL", [DECISION], {"I71"}),
        ("'applied'", [DECISION, LISTED], set()),
        ("'applied'", [DECISION], {"I71"}),
        ("'replaced'", [LISTED], set()),
        ("'replaced'", [], {"I72"}),
    ],
)
async def test_planted_cases_of_split_units_are_found(dsns, fate, beside, expected):
    for statement in (CASE.replace("FATE", fate), *beside):
        await plant(dsns["registry"], statement)
    assert {one for one in await broken(dsns) if one in ("I70", "I71", "I72")} == expected


async def test_people_nobody_judged_are_found(dsns):
    await plant(
        dsns["verification"],
        "INSERT INTO person (beneficiary_id, epoch, n, payer, identity, payee, identity_digest) VALUES ($1, 1, 1, 'p', 's', 's', 'd')",
        uuid4(),
    )
    assert set(await broken(dsns)) == {"I14", "I19"}


@pytest.mark.parametrize("what", ["cannot", "shared phone"])
async def test_texts_that_should_not_have_gone_are_found(dsns, what):
    notify, who, text = dsns["notify"], uuid4(), uuid4()
    add = "INSERT INTO message VALUES ($1, 'tet', 1, sha256('x'), 'sealed', $2, true, 1, 'delivered', 0, '2024-02-01Z')"
    await plant(notify, add, text, who)
    if what == "cannot":
        await plant(notify, "INSERT INTO person VALUES ($1, 1, 1, 'p', 'alive', false, true)", who)
        await plant(notify, "INSERT INTO message_person VALUES ('tet', 1, $1, $2)", who, text)
    else:
        await plant(notify, "ALTER TABLE message DROP CONSTRAINT message_campaign_round_phone_ix_key")
        await plant(notify, add, uuid4(), who)
    assert set(await broken(dsns)) - {"I19", "I22"} == {"I15"}


@pytest.mark.parametrize("service", Service)
async def test_every_service_is_asked_whether_it_stands_still(dsns, service):
    await plant(dsns[service], "INSERT INTO consumed (topic, partition, next_offset, stopped_reason) VALUES ('t', 0, 7, 'gap')")
    found = await broken(dsns)
    assert set(found) == {"I10"}
    assert found["I10"].rows == (f"{service}: t 0 at 7: gap",)


# --- the partners' truth -----------------------------------------------------------------------------------------------------


async def test_paid_twice_under_one_id_is_found(world):
    key, vnd = await world.one("SELECT (end_to_end_id, vnd) FROM instruction WHERE state = 'paid'")
    await world.remember(("bank-a", key, vnd, "paid"))
    assert set(await world.broken()) == {"I16"}


@pytest.mark.parametrize("extra", [("bank-a", "BBBBBBBBBBBBBBBB", 1, "paid")])
async def test_a_payment_nobody_asked_for_is_found(world, extra):
    await world.remember(extra)
    assert set(await world.broken()) == {"I16"}


async def test_a_rejection_that_paid_all_the_same_is_found(world):
    """The bank said rejected, the post paid; then the bank paid too."""
    key, vnd = await world.one("SELECT (end_to_end_id, vnd) FROM instruction WHERE state = 'rejected'")
    await world.remember(("bank-b", key, vnd, "paid"))
    assert set(await world.broken()) == {"I17", "I18"}


async def test_money_that_came_back_may_be_paid_again(world):
    key, vnd = await world.one("SELECT (end_to_end_id, vnd) FROM instruction WHERE state = 'rejected'")
    await world.remember(("bank-b", key, vnd, "paid"), ("bank-b", key, vnd, "returned"))
    assert await world.broken() == {}


async def test_paid_in_our_books_only_is_found(world):
    truth_file(world.truth)
    assert set(await world.broken()) == {"I18"}


# --- the page ----------------------------------------------------------------------------------------------------------------


def test_the_page_shows_every_promise_with_its_sql():
    page = (ROOT / "docs/INVARIANTS.md").read_text("utf-8")
    queries = re.split(r"^-- name: ", (ROOT / "ansinh/checks.sql").read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert [query.split("\n")[0] for query in queries if f"-- name: {query.strip()}\n" not in page] == []
    assert [check.title for check in PROMISES if f"| {check.id} | {check.title} |" not in page] == []
    named = re.findall(r"`(tests/[a-z_/]+\.py)(?:::(\w+))?`", page)
    assert [name for name, test in named if f"def {test}" not in (ROOT / name).read_text("utf-8")] == []
