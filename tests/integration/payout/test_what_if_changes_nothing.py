"""What-if on a real database: the report, its lines, refusals, and the proof that nothing is changed."""

import csv
from io import StringIO

import pytest

from shared.database import Database
from shared.words import Outcome
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, a_line, a_merit_line, an_account

PATH = f"/v1/what-if/{PERIOD}"
RAISED = "standard,from,until,vnd,instrument,source,mark\nassistance,2024-02,,400000,made up,made up,c\n"


async def everything(database: Database) -> dict[str, tuple[int, str]]:
    """Rows and a hash of the whole content of every table."""
    found = {}
    async with database.session() as tx:
        tables = await tx.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        for (table,) in tables:
            row = await tx.fetchrow(
                f"SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{table}\" t"
            )
            found[table] = (row[0], row[1])
    return found


async def a_payroll(bench: Bench) -> None:
    await bench.enrol(a_line(), account=an_account())
    await bench.enrol(a_line(carer_vnd=360_000), area="18502")
    await bench.enrol(a_line(), a_merit_line())
    await bench.enrol(outcome=Outcome.NOT_FOUND)
    await bench.close()
    await bench.step("build")


async def test_report_and_lines(bench: Bench) -> None:
    await a_payroll(bench)
    answer = await bench.client.get(PATH, params={"rates": [RAISED]})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["total"] == {
        "count": 4, "now_vnd": 4 * 360_000 + 2_055_000, "then_vnd": 4 * 400_000 + 2_055_000, "difference_vnd": 160_000, "without_rule": 0,
        "held": {"count": 1, "now_vnd": 360_000, "then_vnd": 400_000, "difference_vnd": 40_000, "without_rule": 0},
    }  # fmt: skip
    assert [(row["name"], row["difference_vnd"]) for row in found["communes"]] == [("18496", 80_000), ("18502", 80_000)]
    lines = await bench.client.get(PATH + "/lines", params={"rates": [RAISED]})
    rows = list(csv.DictReader(StringIO(lines.text)))
    assert {row["entitlement_id"] for row in rows} == {str(line.entitlement_id) for line in bench.lines}
    assert sum(int(row["difference_vnd"]) for row in rows) == 200_000
    assert [row["held"] for row in rows if row["held"]] == ["NOT_FOUND"]
    assert not {str(line.beneficiary_id) for line in bench.lines} & {cell for row in rows for cell in row.values()}


async def test_nothing_is_changed(bench: Bench) -> None:
    await a_payroll(bench)
    before = await everything(bench.database)
    for path in (PATH, PATH + "/lines"):
        assert (await bench.client.get(path, params={"rates": [RAISED], "at": "2024-03"})).status_code == 200
    assert (await bench.client.get(PATH, params={"rates": ["hello"]})).status_code == 422
    assert await everything(bench.database) == before
    assert sum(count for count, _hash in before.values()) > 10


async def test_its_transaction_could_not_write(bench: Bench) -> None:
    await a_payroll(bench)
    async with bench.database.reading() as tx:
        with pytest.raises(Exception, match="read-only transaction"):
            await tx.execute("UPDATE payroll SET rounds = rounds + 1")


async def test_what_is_built_afterwards_is_what_would_have_been_built(bench: Bench) -> None:
    """The rates of the service stay its own: the line that agrees with them is not held after other rates were tried."""
    await bench.enrol(a_line())
    await bench.close()
    await bench.client.get(PATH, params={"rates": [RAISED]})
    built = await bench.step("build")
    assert (built["lines"], built["newly_held"]) == (1, 0)


@pytest.mark.parametrize(
    ("path", "query", "status", "code", "said"),
    [
        ("/v1/what-if/2030-01", {}, 404, "NOT_CLOSED", ""),
        (PATH, {"payer": "xa-9"}, 404, "NOT_CLOSED", ""),
        (PATH, {"rates": [RAISED.replace("400000", "4OOOOO")]}, 422, "RATES_INVALID", "proposal 1 row 2 column vnd"),
        (PATH, {"rates": [RAISED, RAISED.replace("2024-02,,", "2024-02,2024-01,")]}, 422, "RATES_INVALID", "proposal 2 row 2 column until"),
        (PATH, {"at": "2024-13"}, 422, "REQUEST_INVALID", "query"),
        ("/v1/what-if/soon", {}, 422, "REQUEST_INVALID", "path"),
    ],
)  # fmt: skip
async def test_refusals(bench: Bench, path: str, query: dict[str, object], status: int, code: str, said: str) -> None:
    await a_payroll(bench)
    answer = await bench.client.get(path, params=query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert said in answer.json()["detail"]


@pytest.mark.parametrize("bench", [{"older_benefits": "kept", "martyr_relatives": "list"}], indirect=True)
async def test_answers_to_open_questions_reach_the_build(bench: Bench) -> None:
    """A martyr's relative with a sum of the list's own is held by the table, and paid where the list counts."""
    await bench.enrol(a_merit_line(monthly_vnd=2_000_000))
    await bench.close()
    assert (await bench.step("build"))["newly_held"] == 0


async def test_a_sum_the_table_contradicts_is_held(bench: Bench) -> None:
    await bench.enrol(a_merit_line(monthly_vnd=2_000_000))
    await bench.close()
    assert (await bench.step("build"))["newly_held"] == 1


async def test_lower_benefit_of_a_person_is_held_shown_and_stays_held(bench: Bench) -> None:
    """Art. 6.2: only the highest. Building again after the higher one was paid does not let the lower one through."""
    who = await bench.enrol(a_line(), a_line(benefit_code="BT-6a", coefficient_hundredths=200, monthly_vnd=720_000))
    await bench.enrol(a_line(monthly_vnd=400_000))
    await bench.enrol(a_merit_line(benefit_code="NCC-TB-21", monthly_vnd=1_384_000))
    await bench.close()
    done = await bench.pay()
    assert sum(batch["vnd"] for batch in done["batches"]) == 720_000 + 1_384_000
    again = await bench.step("build")
    assert (again["batches"], again["newly_held"]) == ([], 0)
    answer = await bench.client.get(f"/v1/payrolls/{PERIOD}/{PAYER}/differences")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["without_rule"] == {"NCC-TB-21": 1}
    shown = {line["beneficiary_id"] == str(who): line["differences"] for line in found["lines"]}
    assert shown[True] == [
        {"reason": "HIGHER_PAID", "declared_vnd": 360_000, "owed_vnd": 0, "difference_vnd": 360_000, "rule": None}
    ]
    rule = "list*assistance@2021-07"
    assert shown[False] == [
        {"reason": "MONTHLY_DIFFERS", "declared_vnd": 400_000, "owed_vnd": 360_000, "difference_vnd": 40_000, "rule": rule}
    ]


async def test_differences_of_a_payroll_that_is_not_there(bench: Bench) -> None:
    assert (await bench.client.get(f"/v1/payrolls/{PERIOD}/xa-9/differences")).status_code == 404
