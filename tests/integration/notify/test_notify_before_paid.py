"""Nobody is taken for paid before they are: money on its way, or come back, excuses nobody from being reminded."""

import pytest

from shared.events import PaymentState
from shared.ids import random_id
from shared.topics import Provider
from shared.words import Channel, InstructionState
from tests.integration.notify.notify_bench import Bench

NOT_PAID = [state for state in InstructionState if state is not InstructionState.PAID]


async def told_of_payment(bench: Bench, state: PaymentState) -> None:
    async with bench.database.transaction("test") as tx:
        await bench.handlers.on_payment(tx, bench._received([state]))


@pytest.mark.parametrize("state", NOT_PAID)
async def test_whose_money_is_not_there_is_reminded(bench: Bench, state: InstructionState) -> None:
    person = bench.snapshot()
    await bench.see(person)
    payment = PaymentState(
        beneficiary_id=person.beneficiary_id, instruction_id=random_id(), state_seq=1, state=InstructionState.PAID,
        provider=Provider.BANK_A, channel=Channel.ACCOUNT, periods=("2024-02",), payer="huyen-444", attempt=1, vnd=360_000,
    )  # fmt: skip
    await told_of_payment(bench, payment)
    await told_of_payment(bench, payment.model_copy(update={"state_seq": 2, "state": state}))
    await bench.draw()
    await bench.send_all()
    assert (await bench.rounds())[0]["states"] == {"accepted": 1}
