"""Đại Nài ward came to two wards in July 2025: whom the list still has there waits off every list, until a person says where they live."""

import json
from pathlib import Path
from typing import Any

from office import Office, Person
from test_people_asked_about_and_reviewed import typed

from ansinh import pipeline

JULY, AUGUST = "2025-07", "2025-08"
DAI_NAI, THANH_SEN, HA_HUY_TAP = "18082", "xa-18073", "xa-18652"
MONTH_VND, LATE_VND = 750_000, 500_000


async def test_who_lived_in_a_split_ward_is_placed_by_command(office: Office, tmp_path: Path) -> None:
    here, there, late = (Person(area=DAI_NAI, monthly_vnd=vnd) for vnd in (MONTH_VND, MONTH_VND, LATE_VND))
    sure = Person(area="18073", monthly_vnd=MONTH_VND)
    await office.people_are_registered(here, there, late, sure)
    await office.enrol(JULY, THANH_SEN, here, there, late, sure)
    name = office.installation.name

    waiting = json.loads(await typed(name, "registry", "split", "cases", "--payer", THANH_SEN, "--json"))
    assert [case["codes"] for case in waiting] == [["18073", "18652"]] * 3
    assert "3 waiting" in await typed(name, "registry", "split", "cases", "--payer", THANH_SEN)
    one, two, three = (case["case_id"] for case in sorted(waiting, key=lambda case: -case["declared_vnd"]))
    assert json.loads(await typed(name, "registry", "split", "see", one))["hamlet"] == "Thôn 1"
    placed = await typed(name, "registry", "split", "place", one, "18073", "--evidence", "RESIDENCE_PAPER")
    assert json.loads(placed)["fates"] == {"applied": 1}
    refused = await typed(name, "registry", "split", "place", two, "18502", "--evidence", "RESIDENCE_PAPER", code=1)
    assert "NOT_A_CANDIDATE" in refused
    file = tmp_path / "decisions.csv"
    file.write_text(f"case_id,area,evidence\n{one},18073,RESIDENCE_PAPER\n{two},18652,HAMLET_HEAD\n")
    assert json.loads(await typed(name, "registry", "split", "place-file", str(file))) == {
        "decided": 1, "unchanged": 1, "fates": {"applied": 1},
    }  # fmt: skip

    closings = {payer: await pipeline.close_list(office.client, JULY, payer) for payer in (THANH_SEN, HA_HUY_TAP)}
    assert [closing["count"] for closing in closings.values()] == [2, 1]
    assert closings[THANH_SEN]["held"] == {"AREA_SPLIT": {"count": 1, "vnd": LATE_VND}}
    assert closings[HA_HUY_TAP]["held"] == {}
    await office.at_rest()
    held = await _built(office, THANH_SEN), await _built(office, HA_HUY_TAP)
    assert held == ({}, {})

    told = await typed(name, "registry", "split", "place", three, "18652", "--evidence", "HOME_VISIT")
    assert json.loads(told)["fates"] == {"LIST_CLOSED": 1}
    assert "1 placed too late" in await typed(name, "registry", "split", "cases", "--late")
    # In August the list still names the old ward: nobody has to be asked again.
    await office.enrol(AUGUST, HA_HUY_TAP, late, sequence=2)
    assert "0 waiting" in await typed(name, "registry", "split", "cases")
    closing = await pipeline.close_list(office.client, AUGUST, HA_HUY_TAP)
    assert closing["count"] == 1


async def _built(office: Office, payer: str) -> dict[str, Any]:
    await pipeline.build(office.client, JULY, payer)
    held: dict[str, Any] = (await office.payroll(JULY, payer))["held"]
    return held
