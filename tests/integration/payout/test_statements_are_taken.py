"""Files of providers: kept before they have an effect, booked once, proven lines only; the rest are breaks that two people end."""

import asyncio
import re

import pytest

from sandbox.provider_files import camt053, camt054, mt940, pain002, post_list, refused
from sandbox.truth import Status
from services.payout.statements import StatementDesk
from shared.actors import Actor
from shared.events import Entry, EntryBook
from shared.topics import Provider
from shared.words import LineStatus, Role
from tests.integration.payout.payout_bench import Bench
from tests.integration.payout.statement_world import (
    BACK_AT,
    DAY_BEFORE,
    MADE_AT,
    OURS,
    booked,
    breaks,
    facts,
    hand_in,
    lines_of,
    moved,
    reconciled,
    resolved,
    sent,
    states,
    step,
)

OPERATOR = Actor("op", frozenset({Role.OPERATOR}), ("*",), None, "token")


def a_statement(*happened, name="S1", **changes):
    return camt053(booked(*happened), OURS, message_id=name, made_at=MADE_AT, **changes)


async def postings(bench: Bench) -> list[tuple[str, str, int]]:
    async with bench.database.session() as session:
        rows = await session.fetch("SELECT debit, credit, vnd FROM break_posting ORDER BY at, debit")
    return [tuple(row) for row in rows]


# --- what is proven moves ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", ["camt.053 08", "camt.053 02", "camt.054 08", "mt940", "pain.002"])
async def test_bank_that_answers_by_file_only_is_believed(bench: Bench, write: str) -> None:
    lines = await sent(bench)
    happened = facts(lines)
    made = {
        "camt.053 08": lambda: a_statement(*happened),
        "camt.053 02": lambda: a_statement(*happened, version="02"),
        "camt.054 08": lambda: camt054(booked(*happened), OURS, message_id="N1", made_at=MADE_AT),
        "mt940": lambda: mt940(booked(*happened), OURS, reference="M1", number=1, made_at=MADE_AT),
        "pain.002": lambda: pain002(happened, message_id="P1", made_at=MADE_AT),
    }[write]()
    taken = await hand_in(bench, made)
    assert [(row["fate"], row["kind"], row["count"]) for row in taken["fates"]] == [("applied", "paid", 3)]
    assert await states(bench) == {"paid": 3}
    page = await bench.page()
    assert page["ledger"] == {"budget:social_assistance": -1_080_000, "in_flight:bank-a": 0, "paid": 1_080_000}
    assert [batch["state"] for batch in page["batches"]] == ["settled"]
    assert await breaks(bench) == []


async def test_auditors_are_told_what_a_file_proved(bench: Bench) -> None:
    lines = await sent(bench, 2)
    taken = await hand_in(bench, a_statement(*facts(lines)))
    told = [fact for book in await bench.told(EntryBook) for fact in book.facts if fact.fact == "statement"]
    assert {(fact.end_to_end_id, fact.reason, fact.vnd) for fact in told} == {
        (line.end_to_end_id, "paid", line.vnd) for line in lines
    }
    assert {fact.sha256 for fact in told} == {taken["sha256"]}


async def test_same_file_again_and_other_files_of_the_same_truth_change_nothing(bench: Bench) -> None:
    lines = await sent(bench)
    made = a_statement(*facts(lines))
    first = await hand_in(bench, made)
    before = await bench.page()
    assert await hand_in(bench, made) == first
    notified = await hand_in(bench, camt054(booked(*facts(lines)), OURS, message_id="N1", made_at=MADE_AT))
    assert [row["fate"] for row in notified["fates"]] == ["repeat"]
    swift = await hand_in(bench, mt940(booked(*facts(lines)), OURS, reference="M1", number=1, made_at=MADE_AT))
    assert [row["fate"] for row in swift["fates"]] == ["repeat"]
    assert await bench.page() == before
    assert await breaks(bench) == []


async def test_answers_of_the_topic_and_of_files_agree(bench: Bench) -> None:
    lines = await sent(bench)
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.PAID))
    taken = await hand_in(bench, a_statement(*facts(lines)))
    assert [row["fate"] for row in taken["fates"]] == ["repeat"]


async def test_absent_is_unknown_and_never_paid(bench: Bench) -> None:
    lines = await sent(bench)
    await hand_in(bench, a_statement(*facts(lines[:2])))
    assert await states(bench) == {"paid": 2, "sending": 1}
    assert (await bench.step("build"))["batches"] == [], "silence is not a rejection: nothing is paid again"


async def test_rejected_by_file_goes_to_the_post_in_the_same_period(bench: Bench) -> None:
    lines = await sent(bench)
    happened = [*facts(lines[:2]), *facts(lines[2:], Status.REJECTED, reason="AC04")]
    await hand_in(bench, pain002(happened, message_id="P1", made_at=MADE_AT))
    assert await states(bench) == {"paid": 2, "rejected": 1}
    (draft,) = (await bench.step("build"))["batches"]
    assert (draft["provider"], draft["count"]) == ("post", 1)


async def test_report_without_amounts_is_believed_by_its_ids(bench: Bench) -> None:
    lines = await sent(bench)
    made = pain002(facts(lines), message_id="P1", made_at=MADE_AT)
    bare = re.sub(rb"<OrgnlTxRef>.*?</OrgnlTxRef>", b"", made)
    assert bare != made
    await hand_in(bench, bare)
    assert await states(bench) == {"paid": 3}


async def test_refused_batch_frees_its_lines_only_on_that_proof(bench: Bench) -> None:
    lines = await sent(bench)
    assert (await bench.step("build"))["batches"] == []
    await hand_in(bench, refused(lines[0].batch_id, "AM10", message_id="R1", made_at=MADE_AT))
    assert await states(bench) == {"rejected": 3}
    (draft,) = (await bench.step("build", "again"))["batches"]
    assert (draft["provider"], draft["count"]) == ("post", 3)


async def test_returned_after_paid_is_a_new_posting_and_is_paid_again_once(bench: Bench) -> None:
    lines = await sent(bench, 1)
    await hand_in(bench, a_statement(*facts(lines), name="S1"))
    await hand_in(bench, a_statement(*facts(lines, Status.RETURNED, reason="AC04", at=BACK_AT), name="S2"))
    assert (await bench.page())["ledger"] == {
        "budget:social_assistance": -360_000, "in_flight:bank-a": 0, "paid": 0, "returned": 360_000,
    }  # fmt: skip
    await bench.pay()
    again = facts(await lines_of(bench, Provider.POST))
    await hand_in(bench, post_list(again, period="2024-02"), Provider.POST)
    assert (await bench.page())["ledger"] == {
        "budget:social_assistance": -360_000, "in_flight:bank-a": 0, "in_flight:post": 0, "paid": 360_000, "returned": 0,
    }  # fmt: skip
    assert (await bench.step("build", "again"))["batches"] == []
    assert await breaks(bench) == []


async def test_list_of_the_post_says_who_came(bench: Bench) -> None:
    lines = await sent(bench, 4, Provider.POST)
    happened = [*facts(lines[:3]), *facts(lines[3:], Status.RETURNED, reason="NOAS")]
    await hand_in(bench, post_list(happened, period="2024-02"), Provider.POST)
    assert await states(bench) == {"collected": 3, "expired": 1}


# --- what is refused whole ---------------------------------------------------------------------------------------------------


async def test_refused_files_have_no_effect_and_are_kept(bench: Bench) -> None:
    lines = await sent(bench)
    good = a_statement(*facts(lines))
    wrong = {
        "FILE_EMPTY": b" \n",
        "FILE_DAMAGED": good[: len(good) // 2],
        "TOTALS_WRONG": good.replace(b"<NbOfNtries>3<", b"<NbOfNtries>4<"),
        "ACCOUNT_FOREIGN": good.replace(b"9990000000001", b"9990000000002"),
        "FORMAT_UNKNOWN": b"hello",
        "NOT_VND": good.replace(b'Ccy="VND">360000<', b'Ccy="USD">360000<'),
        "BATCH_FOREIGN": refused("0" * 32, "AM10", message_id="R1", made_at=MADE_AT),
    }
    before = await bench.page()
    for reason, content in wrong.items():
        assert (await hand_in(bench, content, status=422))["code"] == reason
    assert (await hand_in(bench, good.replace(b"970405", b"970449"), status=422))["code"] == "ACCOUNT_FOREIGN"
    assert await bench.page() == before
    listed = (await bench.client.get("/v1/statements")).json()
    assert sorted(file["refusal"] for file in listed) == sorted([*wrong, "ACCOUNT_FOREIGN"])
    await hand_in(bench, good)
    again = a_statement(*facts(lines[:2]))
    assert (await hand_in(bench, again, status=422))["code"] == "MESSAGE_KNOWN", "one message id is one file"
    assert await states(bench) == {"paid": 3}


async def test_status_report_with_other_totals_than_we_sent_is_refused(bench: Bench) -> None:
    lines = await sent(bench)
    made = pain002(facts(lines), message_id="P1", made_at=MADE_AT)
    told = made.replace(b"<GrpSts>", b"<OrgnlNbOfTxs>4</OrgnlNbOfTxs><GrpSts>")
    assert (await hand_in(bench, told, status=422))["code"] == "TOTALS_WRONG"
    assert (await hand_in(bench, made.replace(b"<DtldNbOfTxs>3<", b"<DtldNbOfTxs>2<"), status=422))["code"] == "TOTALS_WRONG"


async def test_only_an_operator_hands_files_in(bench: Bench) -> None:
    token = bench.issuer.token("clerk", (Role.MAKER,))
    answer = await bench.client.post("/v1/statements/bank-a", content=b"x", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


# --- interrupted ---------------------------------------------------------------------------------------------------------------


async def test_file_that_was_kept_and_not_booked_goes_on(bench: Bench) -> None:
    lines = await sent(bench)
    desk = StatementDesk(bench.runtime, bench.handlers)
    made = a_statement(*facts(lines))
    kept = desk.kept(Provider.BANK_A, made, OPERATOR)
    async with bench.database.transaction("test") as tx:
        assert await desk.keep(tx, kept, desk.read(made, kept), sealed=desk.sealed(made, kept)) is None
    assert await states(bench) == {"sending": 3}, "kept before it has any effect"
    assert await desk.book_waiting() == 1
    assert await states(bench) == {"paid": 3}
    assert await desk.book_waiting() == 0


async def test_two_who_hand_in_the_same_file_at_once_book_it_once(bench: Bench) -> None:
    lines = await sent(bench)
    made = a_statement(*facts(lines))
    taken = await asyncio.gather(*(hand_in(bench, made) for _ in range(3)))
    assert {row["count"] for one in taken for row in one["fates"]} == {3}
    async with bench.database.session() as session:
        assert await session.fetchval("SELECT count(*) FROM posting WHERE debit = 'paid'") == 3


# --- breaks --------------------------------------------------------------------------------------------------------------------


async def test_break_is_owned_aged_and_ended_by_two_people_and_one_posting(bench: Bench) -> None:
    lines = await sent(bench)
    stray = moved(booked(*facts(lines))[0], end_to_end_id="NOTPROVIDED", vnd=11_000, bank_ref="FEE1")
    made = camt053([*booked(*facts(lines)), stray], OURS, message_id="S1", made_at=MADE_AT)
    await hand_in(bench, made)
    (one,) = await breaks(bench)
    assert (one["type"], one["vnd"], one["age_days"]) == ("extra", 11_000, 0)
    assert await postings(bench) == [("breaks:bank-a", "statement:bank-a", 11_000)]
    key = one["break_id"]
    refused_early = await step(bench, key, "resolve", actor="an-owner", remedy="accepted")
    assert refused_early.json()["code"] == "NOT_THE_OWNER"
    assert (await step(bench, key, "approve", actor="a-second", role=Role.APPROVER)).json()["code"] == "NOTHING_PROPOSED"
    await step(bench, key, "take", actor="an-owner")
    proposed = (await step(bench, key, "resolve", actor="an-owner", remedy="accepted")).json()
    same = await step(bench, key, "approve", actor="an-owner", role=Role.APPROVER, sha256=proposed["sha256"])
    assert same.json()["code"] == "PROPOSER_APPROVES"
    other = await step(bench, key, "approve", actor="a-second", role=Role.APPROVER, sha256="0" * 64)
    assert other.json()["code"] == "PROPOSAL_DIFFERS"
    done = await step(bench, key, "approve", actor="a-second", role=Role.APPROVER, sha256=proposed["sha256"])
    assert done.status_code == 200, done.text
    assert sorted(await postings(bench)) == [
        ("accepted:bank-a", "breaks:bank-a", 11_000),
        ("breaks:bank-a", "statement:bank-a", 11_000),
    ]
    told = [entry for entry in await bench.told(Entry) if entry.fact == "break"]
    assert [(str(e.subject), e.vnd, e.debit, e.credit, e.actor, e.reason, e.period, e.payer) for e in told] == [
        (key, 11_000, "accepted:bank-a", "breaks:bank-a", "a-second", "extra", "2024-01", "bank-a")
    ]
    assert await breaks(bench) == []
    assert (await step(bench, key, "take", actor="late")).json()["code"] == "BREAK_ENDED"


async def test_last_signature_said_again_under_its_key_gets_the_same_answer(bench: Bench) -> None:
    lines = await sent(bench, 1)
    stray = moved(booked(*facts(lines))[0], end_to_end_id="NOTPROVIDED", vnd=11_000, bank_ref="FEE1")
    await hand_in(bench, camt053([*booked(*facts(lines)), stray], OURS, message_id="S1", made_at=MADE_AT))
    key = (await breaks(bench))[0]["break_id"]
    await step(bench, key, "take", actor="an-owner")
    sha256 = (await step(bench, key, "resolve", actor="an-owner", remedy="accepted")).json()["sha256"]
    first, again = [
        await step(bench, key, "approve", actor="a-second", role=Role.APPROVER, sha256=sha256, key="approve-1") for _ in range(2)
    ]
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_believed_reversal_is_money_back(bench: Bench) -> None:
    lines = await sent(bench, 1)
    await hand_in(bench, a_statement(*facts(lines), name="S1"))
    back = moved(booked(*facts(lines))[0], out=False, bank_ref="RV1")
    reversal = camt054([back], OURS, message_id="N2", made_at=MADE_AT)
    reversal = reversal.replace(b"<CdtDbtInd>CRDT</CdtDbtInd><Sts>", b"<CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd><Sts>")
    await hand_in(bench, reversal)
    assert await states(bench) == {"paid": 1}, "a reversal is a break until people believe it"
    (one,) = await breaks(bench)
    assert one["type"] == "reversal"
    assert (await resolved(bench, one["break_id"], "believed")).status_code == 200
    assert await states(bench) == {"returned": 1}
    assert (await bench.page())["ledger"]["returned"] == 360_000


async def test_wrong_amount_cannot_be_believed(bench: Bench) -> None:
    lines = await sent(bench, 1)
    short = moved(booked(*facts(lines))[0], vnd=350_000)
    await hand_in(bench, camt053([short], OURS, message_id="S1", made_at=MADE_AT))
    (one,) = await breaks(bench)
    assert (one["type"], one["vnd"]) == ("amount", 10_000)
    await step(bench, one["break_id"], "take", actor="an-owner")
    assert (await step(bench, one["break_id"], "resolve", actor="an-owner", remedy="believed")).json()["code"] == "NOT_BELIEVABLE"
    assert await states(bench) == {"sending": 1}


async def test_date_before_the_payment_left_moves_it_only_when_two_people_believe(bench: Bench) -> None:
    lines = await sent(bench, 1)
    early = moved(booked(*facts(lines))[0], booked_on=DAY_BEFORE)
    await hand_in(bench, camt053([early], OURS, message_id="S1", made_at=MADE_AT))
    (one,) = await breaks(bench, type="date")
    assert await states(bench) == {"sending": 1}
    await resolved(bench, one["break_id"], "believed")
    assert await states(bench) == {"paid": 1}


async def test_contradicting_and_foreign_answers_of_the_topic_are_breaks_too(bench: Bench) -> None:
    await sent(bench, 1)
    (paid,) = await bench.answers_to(Provider.BANK_A, LineStatus.PAID)
    (rejected,) = await bench.answers_to(Provider.BANK_A, LineStatus.REJECTED, reason="AC04")
    (other,) = await bench.answers_to(Provider.BANK_A, LineStatus.PAID, amount_vnd=1)
    foreign = paid.model_copy(update={"end_to_end_id": "B" * 16, "result_id": rejected.result_id})
    await bench.answer(paid, rejected, other)
    await bench.answer(rejected, other)
    assert sorted(one["type"] for one in await breaks(bench)) == ["amount", "reversal"]
    await bench.answer(foreign.model_copy(update={"result_id": other.batch_id}))
    assert sorted(one["type"] for one in await breaks(bench)) == ["amount", "reversal", "unknown_id"]


# --- three sides ---------------------------------------------------------------------------------------------------------------


async def test_three_sides_agree_or_say_what_is_missing(bench: Bench) -> None:
    lines = await sent(bench)
    before = await reconciled(bench)
    assert before["batches"][0]["sides"] == {"ledger": True, "file": True, "statement": False}
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.PAID))
    late = [moved(one, booked_on=BACK_AT.date()) for one in booked(*facts(lines[2:]))]
    stray = moved(late[0], end_to_end_id="NOTPROVIDED", bank_ref="X", booked_on=MADE_AT.date(), vnd=1)
    first_two = booked(*facts(lines[:2]))
    await hand_in(bench, camt053([*first_two, stray], OURS, message_id="S1", made_at=MADE_AT))
    report = await reconciled(bench)
    assert report["new_breaks"] == 1
    assert [(one["type"], one["end_to_end_id"]) for one in await breaks(bench, type="missing")] == [
        ("missing", lines[2].end_to_end_id)
    ]
    assert (await reconciled(bench))["new_breaks"] == 0
    for one in await breaks(bench):
        await resolved(bench, one["break_id"], "explained")
    await hand_in(bench, camt053(late, OURS, message_id="S2", made_at=MADE_AT))
    assert (await reconciled(bench))["agrees"]


async def test_postal_lists_are_compared_with_what_the_post_was_told(bench: Bench) -> None:
    lines = await sent(bench, 3, Provider.POST)
    await hand_in(bench, post_list(facts(lines), period="2024-02"), Provider.POST)
    report = await reconciled(bench)
    assert report["agrees"], report
