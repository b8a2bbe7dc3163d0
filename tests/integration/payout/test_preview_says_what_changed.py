"""The preview of a second month says what of somebody's money differs from the first."""

from shared.events import Arrears
from shared.words import Role
from tests.integration.payout.months_world import Entry, a_person, closed, pay
from tests.integration.payout.payout_bench import PAYER, Bench, a_line


async def test_preview_names_the_parts_that_differ(bench: Bench) -> None:
    who, same = await a_person(bench), await a_person(bench)
    await closed(bench, "2024-02", PAYER, Entry(who, a_line()), Entry(same, a_line()))
    await pay(bench, "2024-02", PAYER)
    more = a_line(arrears=Arrears(periods=("2024-01",), vnd=360_000))
    await closed(bench, "2024-03", PAYER, Entry(who, more), Entry(same, a_line()))
    token = bench.issuer.token("m", (Role.MAKER,))
    path = f"/v1/payrolls/2024-03/{PAYER}/preview"
    shown = (await bench.client.post(path, headers={"Authorization": f"Bearer {token}"})).json()
    assert shown["summary"] == {"amount arrears": {"people": 1, "vnd": 360_000}}
