"""What providers answer: once, twice, late, never, wrong."""

from datetime import timedelta

from shared.events import PaymentState
from shared.topics import Provider, result_topic
from shared.words import Basis, LineStatus, ResultKind, Role
from tests.integration.payout.payout_bench import Bench, an_account


async def sent(bench: Bench, people: int = 1) -> list[str]:
    """So many payments on their way through bank-a; returns their ids in the provider's order."""
    for number in range(people):
        await bench.enrol(account=an_account(number=f"370900000000{number}"))
    await bench.close()
    await bench.pay()
    return [line.end_to_end_id for _m, lines in (await bench.mail(Provider.BANK_A)).values() for line in lines]


async def fates(bench: Bench) -> list[str]:
    async with bench.database.session() as session:
        return [row["fate"] for row in await session.fetch("SELECT fate FROM result ORDER BY received_at, fate")]


async def states(bench: Bench) -> dict[str, int]:
    return {state: shown["count"] for state, shown in (await bench.page())["payments"].items()}


async def test_answer_lost_is_unknown_until_statement(bench: Bench) -> None:
    await sent(bench, 2)
    first, second = await bench.answers_to(Provider.BANK_A, LineStatus.PAID)
    await bench.answer(first)
    expire = await bench.post("expire-answers", "op", Role.OPERATOR)
    assert expire.json() == {"unknown": 0}, "the bank is not done and there is time"
    await bench.answer(bench.about_batch(Provider.BANK_A, first.batch_id, ResultKind.BATCH_COMPLETE, count=2))
    assert (await bench.post("expire-answers", "op", Role.OPERATOR)).json() == {"unknown": 1}
    assert await states(bench) == {"paid": 1, "unknown": 1}
    assert (await bench.page())["unknown"] == {"count": 1, "vnd": 360_000}
    assert (await bench.step("build"))["batches"] == [], "no answer is not a rejection: nothing is paid again"
    await bench.answer(second.model_copy(update={"basis": Basis.STATEMENT}))
    assert await states(bench) == {"paid": 2}
    assert [batch["state"] for batch in (await bench.page())["batches"]] == ["settled"]


async def test_silence_past_the_deadline_is_unknown_too(bench: Bench) -> None:
    await sent(bench)
    bench.clock.move(timedelta(hours=73))
    assert (await bench.post("expire-answers", "op", Role.OPERATOR)).json() == {"unknown": 1}
    assert await states(bench) == {"unknown": 1}
    assert (await bench.step("build"))["batches"] == [], "silence is not a rejection: nothing is paid again"


async def test_answer_twice_changes_nothing(bench: Bench) -> None:
    await sent(bench)
    (paid,) = await bench.answers_to(Provider.BANK_A, LineStatus.PAID)
    (again,) = await bench.answers_to(Provider.BANK_A, LineStatus.PAID)
    await bench.answer(paid, paid)
    before, told = await bench.page(), len(await bench.told(PaymentState))
    await bench.answer(paid)
    await bench.answer(again)
    assert await bench.page() == before
    assert len(await bench.told(PaymentState)) == told
    assert await fates(bench) == ["applied", "repeat"]


async def test_contradiction_is_kept_and_changes_nothing(bench: Bench) -> None:
    await sent(bench)
    (paid,) = await bench.answers_to(Provider.BANK_A, LineStatus.PAID)
    await bench.answer(paid)
    before = await bench.page()
    (rejected,) = await bench.answers_to(Provider.BANK_A, LineStatus.REJECTED, reason="AC04")
    (other_amount,) = await bench.answers_to(Provider.BANK_A, LineStatus.RETURNED, amount_vnd=1)
    same_id = rejected.model_copy(update={"result_id": paid.result_id})
    await bench.answer(rejected, other_amount, same_id)
    (returned,) = await bench.answers_to(Provider.BANK_A, LineStatus.RETURNED)
    await bench.answer(returned, topic=result_topic(Provider.BANK_B))  # bank-b speaks for bank-a
    assert await bench.page() == before
    assert sorted(await fates(bench)) == ["applied", *["conflict"] * 4]


async def test_foreign_id_is_kept(bench: Bench) -> None:
    await sent(bench)
    (paid,) = await bench.answers_to(Provider.BANK_A, LineStatus.PAID)
    await bench.answer(paid.model_copy(update={"end_to_end_id": "B" * 16}))
    assert await fates(bench) == ["foreign"]
    assert await states(bench) == {"sending": 1}


async def test_whole_life_in_one_batch_is_told_step_by_step(bench: Bench) -> None:
    await sent(bench)
    steps = (LineStatus.ACCEPTED, LineStatus.PAID, LineStatus.RETURNED)
    await bench.answer(*[answer for status in steps for answer in await bench.answers_to(Provider.BANK_A, status)])
    told = [(state.state_seq, str(state.state)) for state in await bench.told(PaymentState)]
    assert told == [(3, "sending"), (4, "accepted"), (5, "paid"), (6, "returned")]
    page = await bench.page()
    assert page["ledger"] == {"budget:social_assistance": -360_000, "in_flight:bank-a": 0, "paid": 0, "returned": 360_000}
    assert page["account_gap"] == {"returned": 1}


async def test_returned_money_is_paid_again_by_post_once(bench: Bench) -> None:
    await sent(bench)
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.PAID))
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.RETURNED, reason="AC04"))
    await bench.pay()
    await bench.answer(*await bench.answers_to(Provider.POST, LineStatus.PAID))
    page = await bench.page()
    assert page["ledger"] == {
        "budget:social_assistance": -360_000, "in_flight:bank-a": 0, "in_flight:post": 0, "paid": 360_000, "returned": 0,
    }  # fmt: skip
    assert page["account_gap"] == {"returned": 1}
    assert (await bench.step("build", "again"))["batches"] == []


async def test_refused_batch_goes_to_the_post(bench: Bench) -> None:
    await sent(bench, 2)
    (batch_id,) = await bench.mail(Provider.BANK_A)
    await bench.answer(bench.about_batch(Provider.BANK_A, batch_id, ResultKind.BATCH_REFUSED, reason="NARR"))
    assert await states(bench) == {"rejected": 2}
    (paid, *_rest) = await bench.answers_to(Provider.BANK_A, LineStatus.PAID)
    await bench.answer(paid)
    assert await states(bench) == {"rejected": 2}, "a bank that refused and pays anyway is a conflict for people"
    assert await fates(bench) == ["applied", "conflict"]
    (draft,) = (await bench.step("build"))["batches"]
    assert (draft["provider"], draft["count"]) == ("post", 2)


async def test_absent_lines_are_never_inferred(bench: Bench) -> None:
    await sent(bench, 2)
    (batch_id,) = await bench.mail(Provider.BANK_A)
    await bench.answer(
        bench.about_batch(Provider.BANK_A, batch_id, ResultKind.BATCH_RECEIVED, count=2, vnd=720_000),
        bench.about_batch(Provider.BANK_A, batch_id, ResultKind.BATCH_COMPLETE, count=2, vnd=720_000),
    )
    assert await states(bench) == {"sending": 2}


async def test_expired_at_the_counter_is_free_again(bench: Bench) -> None:
    who = await bench.enrol()
    await bench.close()
    await bench.pay()
    await bench.answer(*await bench.answers_to(Provider.POST, LineStatus.ACCEPTED))
    await bench.answer(*await bench.answers_to(Provider.POST, LineStatus.RETURNED, reason="NOAS"))
    assert [(p["state"], p["reason"]) for p in (await bench.trace(who))["payments"]] == [("expired", "NOAS")]
    (draft,) = (await bench.step("build"))["batches"]
    assert (draft["provider"], draft["count"]) == ("post", 1)
