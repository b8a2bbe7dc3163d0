"""What the database refuses of months that are paid together, whoever asks; and that joining conserves every line and dong."""

import asyncio
from collections import Counter
from itertools import count
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.payout.rate_files import load_rules
from shared.events import BeneficiarySnapshot
from shared.topics import Provider
from shared.words import LineStatus, Outcome
from tests.integration.payout.joined_world import APRIL, JUNE, MAY, join, joined, rows
from tests.integration.payout.months_world import Entry, a_person, closed, pay, step
from tests.integration.payout.payout_bench import PAYER, Bench, a_line, an_account
from tests.integration.payout.test_build_properties import CODES, ages, circumstances, conserved, line_of
from tests.integration.payout.test_payout_guarantees import COPY_BATCH, COPY_PAYMENT, refused
from tests.integration.payout.test_two_payers_at_once import MEETING, until

JOIN = """INSERT INTO payroll_join (period, payer, joined, joined_by, joined_at, token)
          VALUES ('{0}', 'huyen-444', '{1}', 'somebody', now(), 'token')"""
FINISH = """INSERT INTO payroll_closed (period, payer, closed_by, closed_at, token)
            SELECT unnest('{{{0}}}'::text[]), 'huyen-444', 'somebody', now(), 'token'"""


@pytest.fixture
async def lists(bench: Bench) -> Bench:
    """One person on the closed lists of three months, nothing built."""
    who = await a_person(bench)
    for month in (APRIL, MAY, JUNE):
        await closed(bench, month, PAYER, Entry(who, a_line()))
    return bench


async def test_a_month_is_in_one_payroll_only(lists: Bench) -> None:
    await refused(lists, JOIN.format(APRIL, APRIL), by="payroll_joins_another")
    await refused(lists, JOIN.format(APRIL, "2024-07"), by="payroll_join_of_closed")
    await refused(lists, JOIN.format("2024-07", APRIL), by="payroll_join_to_closed")
    await refused(lists, JOIN.format(APRIL, MAY), JOIN.format(MAY, JUNE), by="names a payroll or joins one")
    await refused(lists, JOIN.format(JUNE, APRIL), by="names a payroll or joins one")
    await refused(lists, JOIN.format(JUNE, MAY), by="payroll_join_pkey")
    await refused(lists, "UPDATE payroll_join SET period = '2024-06'", by="append-only")
    await refused(lists, "TRUNCATE payroll_join", by="append-only")


ENDED = """INSERT INTO payroll_join_ended
           SELECT period, payer, joined, joined_by, joined_at, 'somebody', now(), 'token' FROM payroll_join"""
PART = "DELETE FROM payroll_join"


async def test_a_join_ends_by_name_and_before_anything_is_built(lists: Bench) -> None:
    await joined(lists)
    await refused(lists, PART, by="who parts months is kept")
    await refused(lists, ENDED, "UPDATE payroll_join_ended SET ended_by = 'another'", by="append-only")
    await refused(lists, "DELETE FROM payroll_join_ended", by="append-only")
    await refused(lists, "TRUNCATE payroll_join_ended", by="append-only")
    await step(lists, APRIL, PAYER, "build")
    await refused(lists, PART, by="months part before anything of them is built")


@pytest.mark.parametrize("month", [APRIL, MAY])
async def test_a_build_that_only_held_lines_was_one(lists: Bench, month: str) -> None:
    await joined(lists)
    hold = f"""INSERT INTO held SELECT entitlement_id, 'DEAD', declared_vnd, (SELECT joined_at FROM payroll_join) FROM line
                WHERE period = '{month}'"""
    await refused(lists, hold, ENDED, PART, by="months part before anything of them is built")


async def test_months_that_part_wait_for_a_build_and_then_see_it(lists: Bench) -> None:
    await joined(lists)
    await rows(lists, ENDED)
    async with lists.database.session() as build, lists.database.session() as part:
        transaction = build.transaction()
        await transaction.start()
        await build.execute(
            f"""INSERT INTO batch (batch_id, period, payer, provider, round, count, vnd, sha256, execution_date)
                VALUES (gen_random_uuid(), '{APRIL}', 'huyen-444', 'post', 1, 1, 1, repeat('0', 64), '2024-04-01')"""
        )
        waiting = asyncio.create_task(part.execute(PART))
        await until(lists, MEETING, 1)
        await transaction.commit()
        with pytest.raises(asyncpg.CheckViolationError, match="months part before anything of them is built"):
            await waiting


async def test_a_month_joins_before_it_is_built_and_is_not_built_by_itself_afterwards(lists: Bench) -> None:
    await step(lists, JUNE, PAYER, "build")
    await refused(lists, JOIN.format(APRIL, JUNE), by="before anything of them is built")
    await refused(lists, JOIN.format(JUNE, APRIL), by="before anything of them is built")
    by_itself = COPY_BATCH.replace("SELECT gen_random_uuid(), period", f"SELECT gen_random_uuid(), '{MAY}'")
    await refused(lists, JOIN.format(APRIL, MAY), by_itself, by="is not built by itself")


async def test_a_payment_is_of_the_months_of_its_lines_and_those_of_its_payroll(lists: Bench) -> None:
    await joined(lists)
    await step(lists, APRIL, PAYER, "build")
    await step(lists, JUNE, PAYER, "build")
    await refused(lists, "UPDATE instruction SET periods = NULL WHERE periods IS NOT NULL", by="a payment never changes")
    another = COPY_BATCH.replace("FROM batch", f"FROM batch WHERE period = '{JUNE}'")
    payment = COPY_PAYMENT.replace("b.round = 9", "b.round = 9 AND i.periods IS NULL")
    of_two = payment.replace("account_digest)", "account_digest, periods)").replace(
        "i.account_digest FROM", f"i.account_digest, '{{{MAY},{JUNE}}}' FROM"
    )
    line = """INSERT INTO line (entitlement_id, beneficiary_id, period, payer, area, programme, declared_vnd, content, content_sha256)
              SELECT gen_random_uuid(), gen_random_uuid(), '{0}', payer, area, programme, declared_vnd, content, '{0}' FROM line LIMIT 1"""
    share = """INSERT INTO instruction_line (instruction_id, entitlement_id, piece, vnd)
               SELECT i.instruction_id, l.entitlement_id, 1, i.vnd FROM line l, instruction i JOIN batch b USING (batch_id)
                WHERE b.round = 9 AND i.periods IS {1} NULL AND l.content_sha256 = '{0}'"""
    await refused(lists, another, payment, line.format(MAY), share.format(MAY, ""), by="pays months of its payroll")
    of_two = of_two.replace("ABCDEFGH234567AB", "ABCDEFGH234567AC").replace("i.beneficiary_id", "gen_random_uuid()")
    await refused(lists, of_two, line.format(JUNE), share.format(JUNE, "NOT"), by="pays months of its payroll")
    await rows(lists, share.format(JUNE, ""))


async def test_the_months_of_a_payroll_are_finished_together_and_after_every_list(lists: Bench) -> None:
    await joined(lists)
    await pay(lists, APRIL, PAYER)
    await refused(lists, FINISH.format(MAY), by="closes when every line")
    await refused(lists, FINISH.format(f"{APRIL},{MAY}"), by="closes when every line")
    await lists.answer(*await lists.answers_to(Provider.POST, LineStatus.PAID))
    await refused(lists, FINISH.format(MAY), by="are finished together")
    await refused(lists, FINISH.format(APRIL), by="are finished together")
    await rows(lists, FINISH.format(f"{APRIL},{MAY}"))


async def test_a_join_waits_for_a_build_and_then_sees_it(lists: Bench) -> None:
    """And a list that is made while a join is not committed waits for the join."""
    async with lists.database.session() as build, lists.database.session() as join_it:
        transaction = build.transaction()
        await transaction.start()
        await build.execute(
            f"""INSERT INTO batch (batch_id, period, payer, provider, round, count, vnd, sha256, execution_date)
                VALUES (gen_random_uuid(), '{MAY}', 'huyen-444', 'post', 1, 1, 1, repeat('0', 64), '2024-05-01')"""
        )
        waiting = asyncio.create_task(join_it.execute(JOIN.format(APRIL, MAY)))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await transaction.commit()
        with pytest.raises(asyncpg.CheckViolationError, match="before anything of them is built"):
            await waiting


# --- joining conserves ------------------------------------------------------------------------------------------------------------

_worlds = count(1)
line_codes = st.sets(st.sampled_from(CODES), max_size=2)
person = st.fixed_dictionaries(
    {
        "ages": ages, "told": circumstances, "first": line_codes, "second": line_codes, "account": st.booleans(),
        "outcome": st.sampled_from([Outcome.MATCH, Outcome.MATCH, Outcome.WEAK_MATCH, Outcome.NOT_FOUND, Outcome.DEAD]),
        "wrong": st.sampled_from([0, 0, 0, 10_000]),
    }
)  # fmt: skip
FIRST, SECOND = "2025-05", "2025-06"
ENDS = """SELECT l.period, l.content, l.declared_vnd, coalesce(h.reason, i.channel, '-') AS place, i.state
            FROM line l LEFT JOIN held h ON h.entitlement_id = l.entitlement_id AND h.until IS NULL
            LEFT JOIN instruction_line il ON il.entitlement_id = l.entitlement_id AND il.live LEFT JOIN instruction i USING (instruction_id)
           WHERE l.payer = $1"""
SPENT = "SELECT period, programme, used_vnd FROM budget_use WHERE payer = $1"


@settings(
    max_examples=10, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(people=st.lists(person, min_size=1, max_size=5), said=st.lists(st.sampled_from(list(LineStatus)), min_size=1, max_size=4))
async def test_joining_months_conserves_against_building_them_one_after_the_other(
    bench: Bench, people: list[dict[str, Any]], said: list[LineStatus]
) -> None:
    """The same people on the same two lists, once joined and once month by month: each line has one end, each budget paid the same."""
    world, rules = next(_worlds), load_rules(bench.runtime.settings, None)
    payers = {"joined": f"xa-{world}-j", "apart": f"xa-{world}-a"}
    for payer in payers.values():
        known = [await _known(bench, payer, drawn) for drawn in people]
        for period, months_list in ((FIRST, "first"), (SECOND, "second")):
            entries = [
                Entry(snapshot, line_of(code, drawn["wrong"], period, rules), drawn["ages"], drawn["told"])
                for snapshot, drawn in zip(known, people, strict=True)
                for code in sorted(drawn[months_list])
            ]
            await closed(bench, period, payer, *entries)
    assert (await join(bench, FIRST, SECOND, payer=payers["joined"])).status_code == 200
    await pay(bench, FIRST, payers["joined"])
    await pay(bench, FIRST, payers["apart"])
    await pay(bench, SECOND, payers["apart"])
    assert await _ends(bench, payers["joined"]) == await _ends(bench, payers["apart"])
    assert await _spent(bench, payers["joined"]) == await _spent(bench, payers["apart"])
    await conserved(bench, FIRST, payers["joined"])
    await _answered(bench, payers["joined"], said)
    await pay(bench, FIRST, payers["joined"])
    await conserved(bench, FIRST, payers["joined"])
    for period in (FIRST, SECOND):
        answer = (await bench.client.get(f"/v1/settlements/{period}/{payers['joined']}")).json()
        assert answer["faults"] == []


async def _known(bench: Bench, payer: str, drawn: dict[str, Any]) -> BeneficiarySnapshot:
    snapshot = bench.snapshot(account=an_account() if drawn["account"] else None, payer=payer)
    await bench.see(snapshot)
    await bench.verify(bench.result(snapshot, drawn["outcome"]))
    return snapshot


async def _ends(bench: Bench, payer: str) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row) for row in await rows(bench, ENDS, payer))


async def _spent(bench: Bench, payer: str) -> set[tuple[Any, ...]]:
    return {tuple(row) for row in await rows(bench, SPENT, payer)}


async def _answered(bench: Bench, payer: str, said: list[LineStatus]) -> None:
    """Providers answer the payments of a payer, one way after another."""
    mine = (
        """SELECT i.end_to_end_id FROM instruction i JOIN batch b USING (batch_id) WHERE b.payer = $1 AND i.state = 'sending'"""
    )
    ids = {row["end_to_end_id"] for row in await rows(bench, mine, payer)}
    for provider in (Provider.POST, Provider.BANK_A):
        found = [one for one in await bench.answers_to(provider, LineStatus.PAID) if one.end_to_end_id in ids]
        results = [
            one.model_copy(update={"status": said[number % len(said)]})
            for number, one in enumerate(sorted(found, key=lambda one: str(one.end_to_end_id)))
        ]
        if results:
            await bench.answer(*results)
