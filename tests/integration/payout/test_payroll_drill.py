"""A drill replays an old payroll by the settings of the service and shows the sheet of the evening of the 24th; nothing leaves."""

from pathlib import Path

import pytest

from ansinh.drill import Drilled, drill
from ansinh.installation import Addresses
from shared.words import Outcome
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, a_line, a_merit_line, an_account
from tests.integration.payout.test_payroll_life import a_budget

BUILT_UP_TO = ("closed", "totals", "verified", "budget", "checked", "approved", "released")


async def drilled(bench: Bench, keys: Path, stack, tmp_path: Path) -> Drilled:
    """As the command does it: the settings are those that the service shows."""
    (tmp_path / "keys").symlink_to(keys)
    settings = (await bench.client.get("/v1/settings")).json()
    async with bench.database.session() as session:
        before = await session.fetchval("SELECT count(*) FROM outbox"), await session.fetchval("SELECT count(*) FROM posting")
        dsn = stack.postgres_dsn(await session.fetchval("SELECT current_database()"))
        done = await drill(Addresses(str(tmp_path), "nowhere:1", {"payout": dsn}, {}), PERIOD, PAYER, settings=settings)
        assert (
            await session.fetchval("SELECT count(*) FROM outbox"),
            await session.fetchval("SELECT count(*) FROM posting"),
        ) == before
        assert await session.fetchval("SELECT count(*) FROM pg_database WHERE datname LIKE 'drill%'") == 0
    return done


async def test_a_drill_replays_the_whole_life_and_nothing_leaves(bench: Bench, keys: Path, stack, tmp_path: Path) -> None:
    await bench.enrol(a_line(), a_merit_line(), account=an_account())
    await bench.enrol(home_delivery=True)
    await bench.enrol(outcome=Outcome.NOT_FOUND)
    await bench.close()
    await bench.pay()
    done = await drilled(bench, keys, stack, tmp_path)
    assert done.lists == done.then == {"bank-a": (1, 2_415_000), "post": (1, 360_000)}
    assert done.unsent["payout.instruction.bank-a.v1"] == 1
    assert done.as_json()["mode"] == "DRILL"
    assert [done.lines[place]["count"] for place in ("cashless", "postal", "held")] == [2, 1, 1]
    assert done.refused is None
    assert [question for question in BUILT_UP_TO if not done.sheet[question]] == []
    assert not done.sheet["acknowledged"], "nobody was told"


@pytest.mark.parametrize(
    ("bench", "held"),
    [
        ({"tolerance_vnd": 0}, 1),
        ({"tolerance_vnd": 50_000}, 0),
        ({"tolerance_vnd": 50_000, "contracts_file": Path(__file__).with_name("one_bank_contracts.csv")}, 0),
    ],
    indirect=["bench"],
)
async def test_a_drill_decides_by_the_settings_of_the_service(bench: Bench, keys: Path, stack, tmp_path: Path, held: int) -> None:
    await bench.enrol(a_line(monthly_vnd=400_000), account=an_account())
    await bench.enrol()
    await bench.close()
    await bench.pay()
    done = await drilled(bench, keys, stack, tmp_path)
    assert done.lines["held"]["count"] == held
    assert done.lists == done.then


@pytest.mark.parametrize("bench", [{"budget_required": True}], indirect=True)
@pytest.mark.parametrize(("vnd", "refused"), [(None, "BUDGET_MISSING"), (359_999, "BUDGET_EXCEEDED"), (360_000, None)])
async def test_a_drill_that_is_refused_shows_what_is_red(
    bench: Bench, keys: Path, stack, tmp_path: Path, *, vnd: int | None, refused: str | None
) -> None:
    await bench.enrol()
    await bench.close()
    if vnd:
        await a_budget(bench, social_assistance=2 * vnd)
        await a_budget(bench, social_assistance=vnd)  # what was confirmed last is in force
    done = await drilled(bench, keys, stack, tmp_path)
    assert done.refused == (("release", refused) if refused else None)
    assert (done.sheet["budget"], done.sheet["released"]) == (refused is None, refused is None)
    assert done.then == {}


async def test_a_drill_prints_nothing_where_its_answer_goes(
    bench: Bench, keys: Path, stack, tmp_path: Path, *, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json` is read by programs: what the service logs goes elsewhere."""
    await bench.enrol()
    await bench.close()
    capsys.readouterr()
    await drilled(bench, keys, stack, tmp_path)
    printed = capsys.readouterr()
    assert (printed.out, "payroll_command" in printed.err) == ("", True)


async def test_settings_that_are_shown_name_no_account_and_no_address(bench: Bench) -> None:
    shown = (await bench.client.get("/v1/settings")).json()
    assert shown["misses_max"] == 3
    assert not {name for name in shown if "account" in name or "dsn" in name or "key" in name or name in ("debtors", "port")}
