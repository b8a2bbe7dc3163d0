"""What must never happen is refused by the database itself, whoever asks."""

import asyncpg
import pytest

from services.payout.batch import BATCH_MOVES, INSTRUCTION_MOVES
from shared.topics import Provider
from shared.words import LineStatus, Outcome
from tests.integration.payout.payout_bench import Bench, a_line, an_account

Broken = (asyncpg.CheckViolationError, asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError)
COPY_BATCH = """INSERT INTO batch (batch_id, period, payer, provider, round, count, vnd, sha256, execution_date)
                SELECT gen_random_uuid(), period, payer, provider, 9, count, vnd, repeat('0', 64), execution_date FROM batch LIMIT 1"""
COPY_PAYMENT = """INSERT INTO instruction (instruction_id, batch_id, beneficiary_id, part, attempt, provider, channel, area, vnd,
                                           end_to_end_id, account_digest)
                  SELECT gen_random_uuid(), b.batch_id, i.beneficiary_id, 1, 2, i.provider, i.channel, i.area, i.vnd, 'ABCDEFGH234567AB',
                         i.account_digest FROM instruction i, batch b WHERE b.round = 9 LIMIT 1"""


async def refused(bench: Bench, *statements: str, by: str) -> None:
    """The last statement is refused by that guarantee (a trigger's words or a constraint); the ones before set the scene."""
    async with bench.database.session() as session:
        for statement in statements[:-1]:
            await session.execute(statement)
        with pytest.raises(Broken, match=by):
            await session.execute(statements[-1])


@pytest.fixture
async def built(bench: Bench) -> Bench:
    """One person on a draft."""
    await bench.enrol(account=an_account())
    await bench.close()
    await bench.step("build")
    return bench


@pytest.fixture
async def sent(built: Bench) -> Bench:
    """One payment on its way."""
    for act in ("check", "approve", "release"):
        await built.step(act)
    return built


async def test_state_tables_of_code_and_database_are_one(bench: Bench) -> None:
    async with bench.database.session() as session:
        moves = {(row["from_state"], row["to_state"]) for row in await session.fetch("SELECT * FROM instruction_move")}
        steps = {(row["from_state"], row["to_state"], row["step"]) for row in await session.fetch("SELECT * FROM batch_move")}
    assert moves == {(str(before), str(after)) for before, afters in INSTRUCTION_MOVES.items() for after in afters}
    assert steps == {(str(before), str(after), step and str(step)) for before, (after, step) in BATCH_MOVES.items()}


async def test_line_is_never_in_two_live_payments(built: Bench) -> None:
    again = """INSERT INTO instruction_line (instruction_id, entitlement_id, piece, vnd)
               SELECT i.instruction_id, l.entitlement_id, {piece}, i.vnd FROM line l, instruction i JOIN batch b USING (batch_id)
                WHERE b.round = 9"""
    await refused(built, COPY_BATCH, COPY_PAYMENT, again.format(piece=1), by="instruction_line_one_live")
    await refused(built, again.format(piece=2), by="never both")  # nor as another piece of it


HOLD = "INSERT INTO held (entitlement_id, reason, vnd, since) SELECT entitlement_id, 'DEAD', {vnd}, now() FROM line"


async def test_line_is_never_paid_and_held(built: Bench) -> None:
    await refused(built, HOLD.format(vnd="declared_vnd"), by="never both")


async def test_line_is_held_for_one_reason(bench: Bench) -> None:
    await bench.enrol(outcome=Outcome.NOT_FOUND)
    await bench.close()
    await bench.step("build")
    await refused(bench, HOLD.format(vnd=0), by="held_one_reason")


async def test_payment_only_moves_along_the_table_one_step_at_a_time(built: Bench) -> None:
    for change in ("state = 'paid', state_seq = 2", "state = 'sealed'", "state = 'sealed', state_seq = 3"):
        await refused(built, f"UPDATE instruction SET {change}", by="does not move like this")
    await refused(built, "UPDATE instruction SET vnd = vnd + 1", by="a payment never changes")
    await refused(built, "UPDATE instruction SET state = 'withdrawn', state_seq = 2", by="two people must sign")
    await refused(built, "UPDATE instruction_line SET live = false", by="free exactly when")
    await refused(built, "DELETE FROM instruction_line", by="append-only")


async def test_batch_needs_its_signature_and_never_changes(built: Bench) -> None:
    await refused(built, "UPDATE batch SET state = 'checked'", by="does not move like this")
    await refused(built, "UPDATE batch SET state = 'approved'", by="does not move like this")
    await refused(built, "UPDATE batch SET vnd = vnd + 1", by="never changes")
    await refused(built, "UPDATE batch SET sha256 = repeat('1', 64)", by="never changes")
    await built.step("check")
    later = COPY_PAYMENT.replace("b.round = 9", "b.round = 1").replace("1, 2, i.provider", "7, 2, i.provider")
    await refused(built, later, by="added to a draft only")


async def test_nobody_signs_twice_nor_another_list(built: Bench) -> None:
    sign = """INSERT INTO approval (batch_id, step, actor, sha256, signed_sha256, token, at)
              SELECT batch_id, 'check', '{actor}', {sha256}, repeat('2', 64), 'token', now() FROM batch"""
    await refused(built, sign.format(actor="the-maker", sha256="sha256"), by="approval_batch_id_actor_key")
    await refused(built, sign.format(actor="somebody", sha256="repeat('3', 64)"), by="approval_batch_id_sha256_fkey")


async def test_withdrawal_is_never_confirmed_by_its_proposer_nor_twice(built: Bench) -> None:
    propose = """INSERT INTO withdrawal_list (list_sha256, period, payer, reason, proposed_by, proposed_at, proposed_token)
                 SELECT 'x', period, payer, 'RECALL', 'one', now(), 'token' FROM payroll"""
    confirm = "UPDATE withdrawal_list SET confirmed_by = '{actor}', confirmed_at = now(), confirmed_token = 'token'"
    await refused(built, propose, confirm.format(actor="one"), by="withdrawal_list_check")
    await refused(built, confirm.format(actor="two"), confirm.format(actor="three"), by="confirmed once")


async def test_what_happened_is_never_rewritten(sent: Bench) -> None:
    await sent.answer(*await sent.answers_to(Provider.BANK_A, LineStatus.PAID))
    for table, column in (
        ("posting", "vnd = 1"),
        ("line", "declared_vnd = 1"),
        ("closing", "vnd = 1"),
        ("result", "fate = 'repeat'"),
        ("approval", "actor = 'other'"),
        ("instruction_move", "to_state = 'paid'"),
        ("batch_move", "step = NULL"),
    ):
        await refused(sent, f"UPDATE {table} SET {column}", by="append-only")
        await refused(sent, f"DELETE FROM {table}", by="append-only")
    await refused(sent, "DELETE FROM instruction", by="append-only")
    await refused(sent, "UPDATE batch SET sent_vnd = 0", by="never changes")
    await refused(sent, "UPDATE batch SET state = 'draft'", by="does not move like this")


async def test_older_snapshot_or_result_never_comes_back(built: Bench) -> None:
    await refused(built, "UPDATE person SET n = n", by="never gives way")
    await refused(built, "UPDATE verdict SET result_seq = result_seq", by="never gives way")


async def test_one_id_is_never_two_payments(built: Bench) -> None:
    same = COPY_PAYMENT.replace("'ABCDEFGH234567AB'", "i.end_to_end_id")
    await refused(built, COPY_BATCH, same, by="instruction_end_to_end_id_key")


async def test_nobody_is_twice_in_one_batch(built: Bench) -> None:
    await refused(built, COPY_PAYMENT.replace("b.round = 9", "b.round = 1"), by="instruction_batch_id_beneficiary_id_part_key")


async def test_payment_is_worth_exactly_its_lines(built: Bench) -> None:
    await refused(
        built,
        COPY_BATCH,
        COPY_PAYMENT,
        """INSERT INTO instruction_line (instruction_id, entitlement_id, piece, vnd)
           SELECT i.instruction_id, l.entitlement_id, 5, 1 FROM line l, instruction i JOIN batch b USING (batch_id) WHERE b.round = 9""",
        by="worth its lines",
    )


async def test_account_holder_is_explained(bench: Bench) -> None:
    await bench.enrol(account=an_account(), outcome=Outcome.WEAK_MATCH)
    await bench.close()
    await bench.step("build")
    await refused(bench, "UPDATE channel_choice SET gap = NULL", by="channel_choice_check")


SHARE = """INSERT INTO instruction_line (instruction_id, entitlement_id, piece, vnd)
           SELECT {payment}, {line}, 1, i.vnd FROM instruction i JOIN batch b USING (batch_id) WHERE b.round = 9"""
NOWHERE = COPY_PAYMENT.replace("b.batch_id,", "gen_random_uuid(),").replace("b.round = 9", "true")
DANGLING = {
    "a payment of no list": ((NOWHERE,), "added to a draft only"),
    "a share of no payment": (
        (COPY_BATCH, COPY_PAYMENT, SHARE.format(payment="gen_random_uuid()", line="gen_random_uuid()")),
        "worth its lines",
    ),
    "a share of no line": ((SHARE.format(payment="i.instruction_id", line="gen_random_uuid()"),), "never both"),
    "no line held": (("INSERT INTO held VALUES (gen_random_uuid(), 'DEAD', 1, now(), NULL)",), "never both"),
    "a posting about no payment": (
        ("INSERT INTO posting VALUES (gen_random_uuid(), gen_random_uuid(), '2024-02', 'p', 'a', 'b', 1, now())",),
        "about a payment",
    ),
}


async def test_nothing_refers_to_what_is_not_there(built: Bench) -> None:
    for statements, by in DANGLING.values():
        await refused(built, *statements, by=by)


async def test_what_is_referred_to_is_never_emptied(sent: Bench) -> None:
    for table in ("line", "batch", "instruction"):
        await refused(sent, f"TRUNCATE {table} CASCADE", by="append-only")


async def test_two_moves_at_once_are_sealing_and_sending_only(sent: Bench) -> None:
    await refused(sent, "UPDATE instruction SET state = 'paid', state_seq = state_seq + 2", by="does not move like this")
    await refused(sent, "UPDATE instruction SET state = 'sending', state_seq = state_seq + 2", by="does not move like this")
    await refused(
        sent, "UPDATE instruction SET instruction_id = gen_random_uuid(), state_seq = state_seq", by="a payment never changes"
    )


async def test_many_payments_move_and_one_of_them_wrongly(bench: Bench) -> None:
    for number in range(3):
        await bench.enrol(account=an_account(number=f"370900000000{number}"))
    await bench.close()
    await bench.step("build")
    wrongly = """UPDATE instruction SET state_seq = 2, state = CASE WHEN end_to_end_id = (SELECT max(end_to_end_id) FROM instruction)
                                                               THEN 'paid' ELSE 'sealed' END"""
    await refused(bench, wrongly, by="does not move like this")
    swapped = "UPDATE instruction SET state = 'sealed', state_seq = 2, account_digest = repeat('a', 64) WHERE true"
    await refused(bench, swapped, by="a payment never changes")


async def test_same_line_with_other_content_keeps_the_first(built: Bench) -> None:
    line = built.lines[0]
    other = line.model_copy(update={"line": a_line(monthly_vnd=1), "declared_vnd": 1})
    async with built.database.transaction("test") as tx:
        await built.handlers.on_entitlement(tx, built.received([other]))
    async with built.database.session() as session:
        assert await session.fetchval("SELECT declared_vnd FROM line") == 360_000
