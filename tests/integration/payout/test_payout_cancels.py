"""Payments that were sent and must not be paid: two people ask, and only the provider's word ends anything."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

from sandbox.provider_files import pain002
from sandbox.truth import Status
from services.payout.recalling import CANCEL_MOVES
from shared.events import Entry, PaymentResult, PaymentState
from shared.topics import Provider, result_topic
from shared.words import CancelOutcome, LineStatus, ResultKind, Role
from tests.integration.payout.payout_bench import Bench
from tests.integration.payout.recall_bench import ask, asked_of, cancels, ledger, sent, state_of, word
from tests.integration.payout.statement_world import MADE_AT, facts, hand_in, lines_of
from tests.integration.payout.test_payout_guarantees import refused

VND = 360_000


async def test_provider_cancels_and_the_line_stays_held(bench: Bench) -> None:
    gone, other = await sent(bench, 2)
    sha256 = await ask(bench, gone)
    (request,) = await asked_of(bench)
    ((_batch, (_manifest, lines)),) = (await bench.mail(Provider.BANK_A)).items()
    assert request.list_sha256 == sha256
    assert set(request.end_to_end_ids) < {line.end_to_end_id for line in lines}
    assert await state_of(bench, gone) == ["sending"], "asking stops nothing"
    assert (await bench.step("build"))["batches"] == [], "an open cancel frees nothing"
    before = await ledger(bench)

    await word(bench, CancelOutcome.CANCELLED)
    assert (await state_of(bench, gone), await state_of(bench, other)) == (["cancelled"], ["sending"])
    assert await cancels(bench) == {"cancelled": 1}
    assert (await bench.page())["held"] == {"WITHDRAWN": {"count": 1, "vnd": VND}}
    after = await ledger(bench)
    assert after["in_flight:bank-a"] == before["in_flight:bank-a"] - VND
    assert after["budget:social_assistance"] == before["budget:social_assistance"] + VND
    told = [state for state in await bench.told(PaymentState) if state.beneficiary_id == gone]
    assert [state.state for state in told] == ["sending", "cancelled"]
    (fact,) = [entry for entry in await bench.told(Entry) if entry.fact == "cancel"]
    assert (fact.reason, fact.vnd, fact.actor, fact.sha256) == ("asked", VND, "approver-1", sha256)
    assert (await bench.step("build"))["batches"] == [], "what two people kept back is not paid by itself"


async def test_freed_line_is_paid_again_once_and_the_same_way(bench: Bench) -> None:
    (who,) = await sent(bench)
    await ask(bench, who, after="free", reason="WRONG_BATCH")
    await word(bench, CancelOutcome.CANCELLED)
    await bench.pay()
    shown = (await bench.trace(who))["payments"]
    assert [(payment["state"], payment["provider"], payment["attempt"]) for payment in shown] == [
        ("cancelled", "bank-a", 1), ("sending", "bank-a", 2),
    ]  # fmt: skip
    assert len({payment["end_to_end_id"] for payment in shown}) == 2


async def test_too_late_changes_nothing_and_the_payment_ends_as_it_does(bench: Bench) -> None:
    (who,) = await sent(bench)
    await ask(bench, who)
    await word(bench, CancelOutcome.TOO_LATE)
    assert (await state_of(bench, who), await cancels(bench)) == (["sending"], {"too_late": 1})
    (paid,) = await answers(bench, LineStatus.PAID)
    await bench.answer(paid)
    assert (await state_of(bench, who), await cancels(bench)) == (["paid"], {"too_late": 1})
    assert await breaks(bench) == []


async def test_paid_while_asked_is_too_late_and_what_comes_back_stays_back(bench: Bench) -> None:
    (who,) = await sent(bench)
    await ask(bench, who)
    (paid,) = await answers(bench, LineStatus.PAID)
    await bench.answer(paid)
    assert (await state_of(bench, who), await cancels(bench)) == (["paid"], {"too_late": 1})
    (returned,) = await answers(bench, LineStatus.RETURNED, reason="MD07")
    await bench.answer(returned)
    assert await cancels(bench) == {"moot": 1}
    assert (await bench.page())["held"] == {"WITHDRAWN": {"count": 1, "vnd": VND}}
    assert (await bench.step("build"))["batches"] == []


async def test_rejected_while_asked_is_not_paid_another_way(bench: Bench) -> None:
    (who,) = await sent(bench)
    await ask(bench, who)
    (rejected,) = await answers(bench, LineStatus.REJECTED, reason="AC04")
    await bench.answer(rejected)
    await word(bench, CancelOutcome.CANCELLED)  # as little paid: no contradiction
    assert (await state_of(bench, who), await cancels(bench)) == (["rejected"], {"moot": 1})
    assert await breaks(bench) == []
    assert (await bench.step("build"))["batches"] == [], "the post does not pay what two people asked back"


async def test_no_word_is_unknown_and_frees_nothing(bench: Bench) -> None:
    (who,) = await sent(bench)
    await ask(bench, who)
    assert (await bench.post("expire-cancels", "op", Role.OPERATOR)).json() == {"unknown": 0}
    bench.clock.move(timedelta(hours=73))
    assert (await bench.post("expire-cancels", "op", Role.OPERATOR)).json() == {"unknown": 1}
    assert (await state_of(bench, who), await cancels(bench)) == (["sending"], {"unknown": 1})
    assert (await bench.step("build"))["batches"] == []
    await word(bench, CancelOutcome.UNKNOWN_ID)
    assert (await state_of(bench, who), await cancels(bench)) == (["sending"], {"not_known": 1}), "not known is no proof either"
    await word(bench, CancelOutcome.CANCELLED)
    assert (await state_of(bench, who), await cancels(bench)) == (["cancelled"], {"cancelled": 1})


async def test_paid_after_cancelled_is_a_break_and_is_never_paid_on_doubt(bench: Bench) -> None:
    (who,) = await sent(bench)
    await ask(bench, who, after="free", reason="WRONG_BATCH")
    await word(bench, CancelOutcome.CANCELLED)
    for act in ("build", "check", "approve"):
        await bench.step(act)
    (paid,) = await answers(bench, LineStatus.PAID)
    await bench.answer(paid)
    assert await breaks(bench) == [("extra", VND)]
    page = await bench.page()
    refusal = await bench.post("release", "the-releaser", Role.RELEASER, sha256=page["sha256"])
    assert refusal.status_code == 409, refusal.text
    assert refusal.json()["code"] == "CANCEL_DISPUTED"
    assert await state_of(bench, who) == ["cancelled", "created"]
    await refused(bench, "UPDATE instruction SET state = 'sending', state_seq = 3 WHERE state = 'created'", by="in doubt")


async def test_free_line_said_to_be_paid_is_kept_back_before_anybody_builds(bench: Bench) -> None:
    (who,) = await sent(bench)
    await ask(bench, who, after="free", reason="WRONG_BATCH")
    await word(bench, CancelOutcome.CANCELLED)
    await word(bench, CancelOutcome.TOO_LATE)  # both: somebody must look
    assert await breaks(bench) == [("extra", VND)]
    assert (await bench.page())["held"] == {"WITHDRAWN": {"count": 1, "vnd": VND}}
    assert (await bench.step("build"))["batches"] == []
    assert await state_of(bench, who) == ["cancelled"]


async def test_nobody_asked_is_a_contradiction(bench: Bench) -> None:
    (who,) = await sent(bench)
    ((batch_id, (_manifest, (line,))),) = (await bench.mail(Provider.BANK_A)).items()
    said = bench.an_answer(Provider.BANK_A, batch_id, line, LineStatus.PAID)
    said = said.model_copy(update={"kind": ResultKind.CANCEL, "status": None, "outcome": CancelOutcome.CANCELLED})
    await bench.answer(said)
    assert await state_of(bench, who) == ["sending"]
    await ask(bench, who)
    await bench.answer(
        said.model_copy(update={"result_id": UUID(int=1)}), topic=result_topic(Provider.BANK_B)
    )  # bank-b for bank-a
    assert await state_of(bench, who) == ["sending"]
    assert await breaks(bench) == [("extra", VND), ("extra", VND)]


async def test_word_that_did_not_fit_is_heard_again_when_it_is_said_again(bench: Bench) -> None:
    """A database that was restored to before the cancel hears the word first, is asked again, and hears the same word again."""
    (who,) = await sent(bench)
    ((batch_id, (_manifest, (line,))),) = (await bench.mail(Provider.BANK_A)).items()
    said = bench.an_answer(Provider.BANK_A, batch_id, line, LineStatus.PAID)
    said = said.model_copy(update={"kind": ResultKind.CANCEL, "status": None, "outcome": CancelOutcome.CANCELLED})
    await bench.answer(said)
    assert await state_of(bench, who) == ["sending"]
    await ask(bench, who)
    await bench.answer(said)
    assert await state_of(bench, who) == ["cancelled"]
    assert await breaks(bench) == [("extra", VND)], "what did not fit at first is looked at all the same"


async def test_words_lost_late_and_twice(bench: Bench) -> None:
    (who,) = await sent(bench)
    await ask(bench, who)
    (request,) = await asked_of(bench)
    result_id = UUID(int=7)
    for _time in range(2):
        await word(bench, CancelOutcome.CANCELLED, request, result_id=result_id)
    await word(bench, CancelOutcome.CANCELLED, request)
    (late,) = await answers(bench, LineStatus.ACCEPTED)
    await bench.answer(late)
    assert await state_of(bench, who) == ["cancelled"]
    assert len([entry for entry in await bench.told(Entry) if entry.fact == "held"]) == 1
    assert await breaks(bench) == []


async def test_answer_kept_before_cancels_existed_is_known_when_it_is_said_again(bench: Bench) -> None:
    await sent(bench)
    (paid,) = await answers(bench, LineStatus.PAID)
    await bench.answer(paid)
    async with bench.database.session() as session:
        kept = await session.fetchval("SELECT content_sha256 FROM result")
    assert kept == hashlib.sha256(paid.model_dump_json(exclude={"outcome"}).encode()).hexdigest()


async def test_refusals_of_the_command(bench: Bench) -> None:
    one, two, three = await sent(bench, 3)
    body = {"beneficiary_ids": [str(one)], "reason": "LATE_DEATH"}
    unknown = await bench.post("confirm-cancel", "approver-1", Role.APPROVER, sha256="0" * 64, json={"sha256": "0" * 64})
    assert unknown.json()["code"] == "CANCEL_UNKNOWN"
    sha256 = (await bench.post("cancel", "both", Role.CHECKER, json=body)).json()["sha256"]
    again = await bench.post("cancel", "both", Role.CHECKER, json=body)
    assert again.json()["sha256"] == sha256, "the same proposal again is the same"
    same = await bench.post("confirm-cancel", "both", Role.APPROVER, sha256=sha256, json={"sha256": sha256})
    assert same.json()["code"] == "SAME_ACTOR"
    other = await bench.post("confirm-cancel", "approver-1", Role.APPROVER, sha256="1" * 64, json={"sha256": sha256})
    assert other.json()["code"] == "SIGNATURE_DIFFERS"
    assert await asked_of(bench) == [], "one signature asks nobody"
    wider = {"beneficiary_ids": [str(one), str(two)], "reason": "LATE_DEATH"}
    assert (await bench.post("cancel", "checker-1", Role.CHECKER, json=wider)).json()["code"] == "CANCEL_OPEN"
    await bench.answer(await answer_for(bench, three, LineStatus.PAID))
    late = await bench.post("cancel", "checker-1", Role.CHECKER, json={**body, "beneficiary_ids": [str(three)]})
    assert late.json()["code"] == "ALREADY_PAID"
    nobody = await bench.post("cancel", "checker-1", Role.CHECKER, json={**body, "beneficiary_ids": [str(UUID(int=9))]})
    assert nobody.json()["code"] == "NOTHING_TO_CANCEL"


async def test_what_is_still_on_a_list_is_withdrawn_not_cancelled(bench: Bench) -> None:
    who = await bench.enrol()
    await bench.close()
    await bench.step("build")
    body = {"beneficiary_ids": [str(who)], "reason": "LATE_DEATH"}
    assert (await bench.post("cancel", "checker-1", Role.CHECKER, json=body)).json()["code"] == "NOT_SENT"


async def test_what_ended_before_the_second_signature_is_not_asked(bench: Bench) -> None:
    (who,) = await sent(bench)
    body = {"beneficiary_ids": [str(who)], "reason": "LATE_DEATH"}
    sha256 = (await bench.post("cancel", "checker-1", Role.CHECKER, json=body)).json()["sha256"]
    (paid,) = await answers(bench, LineStatus.PAID)
    await bench.answer(paid)
    done = await bench.post("confirm-cancel", "approver-1", Role.APPROVER, sha256=sha256, json={"sha256": sha256})
    assert done.json() == {"sha256": sha256, "asked": 0, "ended": 1, "kept_back": {}, "owed": {}}
    assert await asked_of(bench) == []


async def test_what_died_before_the_second_signature_stays_back_as_both_signed(bench: Bench) -> None:
    (who,) = await sent(bench)
    body = {"beneficiary_ids": [str(who)], "reason": "LATE_DEATH"}
    proposed = (await bench.post("cancel", "checker-1", Role.CHECKER, json=body)).json()
    (rejected,) = await answers(bench, LineStatus.REJECTED, reason="AC04")
    await bench.answer(rejected)
    signed = {"sha256": proposed["sha256"]}
    done = (await bench.post("confirm-cancel", "approver-1", Role.APPROVER, sha256=signed["sha256"], json=signed)).json()
    assert (done["asked"], done["ended"], done["kept_back"]) == (0, 1, proposed["kept_back"])
    assert sum(done["kept_back"].values()) > 0
    assert (await bench.step("build"))["batches"] == [], "the post does not pay what two people keep back"


async def test_cancelled_in_a_status_report_is_a_rejection_and_stays_back(bench: Bench) -> None:
    (who,) = await sent(bench)
    await ask(bench, who)
    said = pain002(facts(await lines_of(bench, Provider.BANK_A), Status.REJECTED), message_id="P1", made_at=MADE_AT)
    assert said.count(b">RJCT<") == 2
    await hand_in(bench, said.replace(b">RJCT<", b">CANC<"))
    assert (await state_of(bench, who), await cancels(bench)) == (["rejected"], {"moot": 1})
    assert (await bench.step("build"))["batches"] == [], "the post does not pay what two people keep back"


# --- what the database refuses -----------------------------------------------------------------------------------------------


async def test_tables_of_code_and_database_are_one(bench: Bench) -> None:
    async with bench.database.session() as session:
        moves = {(row["from_state"], row["to_state"]) for row in await session.fetch("SELECT * FROM cancel_move")}
    assert moves == {(str(before), str(after)) for before, afters in CANCEL_MOVES.items() for after in afters}


async def test_nothing_is_cancelled_without_the_providers_word(bench: Bench) -> None:
    (who,) = await sent(bench)
    kill = "UPDATE instruction SET state = 'cancelled', state_seq = state_seq + 1"
    await refused(bench, kill, by="only the provider cancels")
    await ask(bench, who)
    await refused(bench, kill, by="only the provider cancels")
    await refused(bench, "UPDATE cancel_item SET state = 'cancelled'", kill, by="only the provider cancels")


async def test_a_wish_moves_only_along_its_table_and_by_two(bench: Bench) -> None:
    one, two = await sent(bench, 2)
    body = {"beneficiary_ids": [str(one)], "reason": "LATE_DEATH"}
    await bench.post("cancel", "checker-1", Role.CHECKER, json=body)
    message = "INSERT INTO cancel_message SELECT gen_random_uuid(), list_sha256, batch_id, 1, now() FROM cancel_list, batch"
    asked = "UPDATE cancel_item SET state = 'asked', cancel_id = (SELECT cancel_id FROM cancel_message LIMIT 1)"
    await refused(bench, message, asked, by="two people must sign")
    await refused(bench, "UPDATE cancel_item SET state = 'cancelled'", by="does not move like this")
    await refused(
        bench,
        "UPDATE cancel_list SET confirmed_by = proposed_by, confirmed_at = now(), confirmed_token = 't'",
        by="cancel_by_two",
    )
    await refused(bench, "UPDATE cancel_list SET reason = 'OTHER'", by="confirmed once")
    again = "INSERT INTO cancel_item (instruction_id, list_sha256, changed_at) SELECT instruction_id, list_sha256, now() FROM cancel_item"
    await refused(bench, again, by="cancel_item_pkey")
    await refused(bench, "DELETE FROM cancel_item", by="append-only")
    await refused(bench, "DELETE FROM cancel_list", by="append-only")
    await refused(bench, "DELETE FROM cancel_message", by="append-only")
    await bench.answer(await answer_for(bench, two, LineStatus.PAID))
    late = """INSERT INTO cancel_item (instruction_id, list_sha256, changed_at)
              SELECT i.instruction_id, c.list_sha256, now() FROM instruction i, cancel_item c WHERE i.state = 'paid'"""
    await refused(bench, late, by="only a payment on its way")


async def answer_for(bench: Bench, who: UUID, status: LineStatus) -> PaymentResult:
    """An answer to this person's payment."""
    (payment,) = (await bench.trace(who))["payments"]
    (found,) = [one for one in await answers(bench, status) if one.end_to_end_id == payment["end_to_end_id"]]
    return found


async def answers(bench: Bench, status: LineStatus, **changes: Any) -> list[PaymentResult]:
    """An answer to every line the bank was ever told, whatever was cancelled since."""
    return await bench.answers_to(Provider.BANK_A, status, **changes)


async def breaks(bench: Bench) -> list[tuple[str, int]]:
    """Open breaks."""
    shown = (await bench.client.get("/v1/breaks")).json()["breaks"]
    return [(row["type"], row["vnd"]) for row in shown]
