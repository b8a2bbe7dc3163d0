"""The hand-over of July 2025 on the whole province: June listed and paid by districts, everybody moved by the tables, July by 69 communes.

A real installation with its partners. The tables are the real ones (`shared/areas.csv`, `shared/area_changes.csv`), people and hamlets are
made up. What must hold of the two months together is proved from the databases and from what the partners say they did.
"""

from __future__ import annotations

import asyncio
import csv
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from joserfc import jwe
from joserfc.jwk import ECKey, OctKey

from ansinh import life, pipeline, report
from ansinh.check import run_checks
from services.verification.population_feed import COLUMNS
from shared import events, topics, words
from shared.clock import LOCAL
from shared.ids import random_id
from shared.topics import Provider
from tests.bench.end_to_end import Clockwork, offices
from tests.bench.hand_over_people import BENEFIT, FIRST_DAY, HUNDREDTHS, JULY, JUNE, LAST_DAY, MONTHLY_VND, Resident, residents
from tests.bench.stage import REGISTER_CHUNK, Stage, fill_register, producer, queries, stage
from tests.bench.world import SOURCE, Payer

STRAY, STRAYS = "bench/stray", 5
DECIDED_AT_ONCE = 1_000
ANSWERED_SECONDS = 3_600.0
MAY, IN_JUNE, IN_JULY = (datetime(2025, *day, 9, tzinfo=LOCAL) for day in ((5, 26), (6, 20), (7, 1)))
QUIET = {"rejected_per_10000": 0, "late_per_10000": 0, "returned_per_10000": 0, "expired_per_10000": 0, "lost": 0, "twice": 0}
Say = Callable[[str], None]
Messages = list[tuple[str, events.MinistryMessage]]


@dataclass(frozen=True, slots=True)
class Line:
    """Of whom, of which month, by whom, for whom living where, how much."""

    who: UUID
    period: str
    payer: str
    area: str
    vnd: int


@dataclass(frozen=True, slots=True)
class Found:
    """What the databases hold in the end. `paid`: VND that arrived by person, month and payer; `cases`: who waits for a decision."""

    ids: Mapping[str, UUID]
    lines: Sequence[Line]
    paid: Mapping[tuple[UUID, str, str], int]
    cases: frozenset[UUID]
    held: Mapping[str, int]
    refused: Mapping[str, int]


async def run(people: int, say: Say, *, name: str = "bench-hand-over") -> dict[str, Any]:
    """Replay it once. The result says whether everything holds."""
    everybody = list(residents(people))
    mixes = dict.fromkeys(Provider, QUIET)
    async with stage(name, business_time=MAY, mixes=mixes) as place:
        clockwork = Clockwork(place, idle={})
        ministry = Ministry(place)
        await _register(place, everybody)
        async with clockwork.phase("june listed"):
            await ministry.lists(JUNE, everybody, {one.number: (one.district, one.old) for one in everybody}, sequence=1)
        june = await _month(clockwork, say, JUNE, {one.district for one in everybody})
        for payer in june:
            await life.finish(place.client, JUNE, payer)
        place.installation.set_clock(IN_JUNE)
        await ministry.deaths([one for one in everybody if one.dies])
        place.installation.set_clock(IN_JULY)
        alive = [one for one in everybody if not one.dies]
        async with clockwork.phase("july listed"):
            await ministry.lists(JULY, alive, await _moved(place, alive), sequence=2)
            await ministry.strays(alive)
        async with clockwork.phase("placed"):
            placed = await _placed(place, alive)
        july = await _month(clockwork, say, JULY, {f"xa-{code}" for code in {one.home for one in alive}})
        proofs = proved(everybody, await _found(place))
        verdicts = await run_checks(place.addresses.databases.__getitem__, _truth(place))
        proofs["every invariant holds"] = all(verdict.ok for verdict in verdicts)
        proofs["closings say what stayed out"] = _held(july) == sum(one.is_open for one in alive)
        broken = [verdict.id for verdict in verdicts if not verdict.ok]
        return _result(everybody, clockwork, proofs) | {"placed": placed, "payers": (len(june), len(july)), "broken": broken}


def _result(everybody: Sequence[Resident], clockwork: Clockwork, proofs: Mapping[str, bool]) -> dict[str, Any]:
    spent: Counter[str] = Counter()
    for used in clockwork.cpu.values():
        spent.update(used)
    return {
        "synthetic": True,
        "people": len(everybody),
        "old units": len({one.old for one in everybody}),
        "seconds": {name: round(seconds, 1) for name, seconds in clockwork.seconds.items()},
        "cpu_seconds": {group: round(seconds, 1) for group, seconds in sorted(spent.items())},
        "proofs": dict(proofs),
        "valid": all(proofs.values()),
    }


def proved(everybody: Sequence[Resident], found: Found) -> dict[str, bool]:
    """What must hold of June and July together. Pure."""
    who = {one.number: found.ids.get(one.record) for one in everybody}
    listed = Counter((line.who, line.period) for line in found.lines)
    july = {line.who: line for line in found.lines if line.period == JULY}
    stays = [one for one in everybody if not one.dies]
    wanted = {(line.who, line.period, line.payer): line.vnd for line in found.lines}
    return {
        "everybody of June is on one list of June": all(listed[who[one.number], JUNE] == 1 for one in everybody),
        "everybody who stays entitled is on one list of July or waits for a decision": all(
            listed[who[one.number], JULY] + (who[one.number] in found.cases) == 1 for one in stays
        ),
        "who waits is who nobody decided about": found.cases == {who[one.number] for one in stays if one.is_open},
        "nobody who died in June is on a list of July": all(listed[who[one.number], JULY] == 0 for one in everybody if one.dies),
        "everybody is listed where they live now": all(
            (july[person].payer, july[person].area) == (one.commune, one.home)
            for one in stays
            if (person := who[one.number]) in july
        ),
        "districts pay June and communes July": all(
            line.payer.startswith("huyen-" if line.period == JUNE else "xa-") for line in found.lines
        ),
        "every line was paid once and whole, and nothing else was": dict(found.paid) == wanted and not found.held,
        "nobody was paid by two payers in one month": max(Counter((p, month) for p, month, _ in found.paid).values(), default=0) <= 1,
        "not a dong came up or was lost": _sums(found.lines) == {
            JUNE: MONTHLY_VND * len(everybody), JULY: MONTHLY_VND * sum(not one.is_open for one in stays),
        },
        "the strays were refused": found.refused == {"PAYER_OTHER_TIME": STRAYS, "DUPLICATE_ROW": STRAYS},
    }  # fmt: skip


def _sums(lines: Iterable[Line]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line.period] += line.vnd
    return dict(sums)


# --- what upstream says ----------------------------------------------------------------------------------------------------------


class Ministry:
    """Sends lists as a foreign producer does, everything personal under one content key a month."""

    def __init__(self, place: Stage) -> None:
        """Nothing is sent before the first list."""
        self._place = place
        folder = Path(place.addresses.folder) / "keys"
        self._public = ECKey.import_key(json.loads((folder / "registry.public.json").read_text()))

    async def lists(
        self, period: str, people: Sequence[Resident], where: Mapping[int, tuple[str, str]], *, sequence: int
    ) -> None:
        """One list for each payer: opened, everybody, its totals. `where`: payer and area code by person."""
        key = OctKey.generate_key(256, {"kid": f"bench-{period}"}, private=True)
        content_key = jwe.encrypt_compact(
            {"alg": "ECDH-ES", "enc": "A256GCM"}, json.dumps(key.as_dict(private=True)).encode(), self._public
        )
        counts = Counter(where[one.number][0] for one in people)
        said: Messages = [
            (f"list-{period}-{payer}", events.ListOpened(
                source=SOURCE, record=f"list-{period}-{payer}", source_sequence=1, period=period, payer=payer, content_key=content_key
            )) for payer in sorted(counts)
        ]  # fmt: skip
        for one in people:
            payer, area = where[one.number]
            message = _enrolled(one, period, payer, area=area, personal=_sealed(one, key), sequence=sequence)
            said.append((message.record, message))
            if one.has_account and period == JUNE:
                said.append((f"a-{one.number}", events.AccountRegistered(
                    source=SOURCE, record=f"a-{one.number}", source_sequence=1, account_source=words.AccountSource.COMMUNE_POLICE,
                    personal=_sealed(one, key),
                )))  # fmt: skip
        said += [
            (f"total-{period}-{payer}", events.ListClosed(
                source=SOURCE, record=f"total-{period}-{payer}", source_sequence=9, period=period, payer=payer, count=count,
                vnd=count * MONTHLY_VND,
            )) for payer, count in counts.items()
        ]  # fmt: skip
        self._key = key
        await self._send(said)

    async def deaths(self, people: Sequence[Resident]) -> None:
        """Died after June's list had closed: June is owed, July is not."""
        await self._send([
            (one.record, events.Ended(
                source=SOURCE, record=one.record, source_sequence=5, reason=words.EndReason.DEATH, on=date(2025, 6, 20)
            )) for one in people
        ])  # fmt: skip

    async def strays(self, people: Sequence[Resident]) -> None:
        """Lists too many: a district's old software goes on in July, and a commune lists neighbours."""
        whole = [one for one in people if not one.hamlet.startswith(("Xóm", "Thôn Mẫu", "Tổ")) and one.hamlet]
        some = [one for one in whole if one.has_number][:STRAYS]
        neighbours = {one.number: next(other.home for other in people if other.home != one.home) for one in some}
        said: Messages = []
        for one in some:
            personal, code = _sealed(one, self._key), neighbours[one.number]
            for record, payer, area in (
                (f"old-{one.number}", one.district, one.old),
                (f"stray-{one.number}", f"xa-{code}", code),
            ):
                message = _enrolled(one, JULY, payer, area=area, personal=personal, sequence=1)
                said.append((record, message.model_copy(update={"source": STRAY, "record": record})))
        await self._send(said)

    async def _send(self, messages: Messages) -> None:
        async with producer(self._place) as out:
            futures = []
            for record, message in messages:
                head = [("ce_id", str(random_id()).encode()), ("ce_type", message.TYPE.encode()), ("ce_specversion", b"1.0")]
                value = message.model_dump_json(exclude_none=True).encode()
                key = f"{message.source}:{record}".encode()
                futures.append(await out.send(topics.MINISTRY_BENEFICIARY, value, key=key, headers=head))
            await asyncio.gather(*futures)
        await self._place.at_rest()


def _enrolled(one: Resident, period: str, payer: str, *, area: str, personal: str, sequence: int) -> events.Enrolled:
    line = events.DeclaredLine(
        programme=words.Programme.SOCIAL_ASSISTANCE,
        benefit_code=BENEFIT,
        coefficient_hundredths=HUNDREDTHS,
        monthly_vnd=MONTHLY_VND,
    )
    return events.Enrolled(
        source=SOURCE,
        record=one.record if period == JUNE else one.record_of_july,
        source_sequence=sequence,
        period=period,
        payer=payer,
        area=area,
        line=line,
        personal=personal,
    )


def _sealed(one: Resident, key: OctKey) -> str:
    name = f"Nguyễn Văn {one.given}"
    identity = {"full_name": name, "birth_date": one.birth_date, "sex": "male"}
    identity |= {"personal_number": one.personal_number} if one.has_number else {}
    said: dict[str, Any] = {"identity": identity} | ({"delivery": {"hamlet": one.hamlet}} if one.hamlet else {})
    if one.has_account:
        holder = f"NGUYEN VAN {one.given.upper().replace('Ử', 'U')}"
        said["account"] = {"bank_bin": "970405", "number": f"3709{one.number:09d}", "holder": holder}
    header = {"alg": "dir", "enc": "A256GCM", "kid": key.kid}
    return jwe.encrypt_compact(header, json.dumps(said, ensure_ascii=False).encode(), key)


async def _register(place: Stage, everybody: Sequence[Resident]) -> None:
    """The population register knows everybody, as it stood in May."""
    folder = Path(place.addresses.folder) / "register"
    folder.mkdir()
    parts = [Payer(start, folder) for start in range(0, len(everybody), REGISTER_CHUNK)]
    for part in parts:
        with part.extract().open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(one.register_row() for one in everybody[part.number : part.number + REGISTER_CHUNK])
    await fill_register(place, parts)


# --- what offices do -------------------------------------------------------------------------------------------------------------


async def _moved(place: Stage, people: Iterable[Resident]) -> dict[int, tuple[str, str]]:
    """Payer and code of everybody since July, as registry's table of changes tells it. Where it tells several, upstream writes the old
    code on the list of the first."""
    asked: dict[tuple[str, str], tuple[str, str]] = {}
    days = {"then": LAST_DAY.isoformat(), "now": FIRST_DAY.isoformat()}
    where: dict[int, tuple[str, str]] = {}
    for one in people:
        key = (one.old, one.hamlet)
        if key not in asked:
            became = await place.client.get("registry", f"/v1/areas/{one.old}/became", **days, hamlet=one.hamlet)
            code = became["code"]
            asked[key] = (f"xa-{code}", code) if code else (f"xa-{became['candidates'][0]}", one.old)
        where[one.number] = asked[key]
    return where


async def _placed(place: Stage, people: Iterable[Resident]) -> dict[str, Any]:
    """Reviewers decide about everybody who waits but those whom nobody knows."""
    home = {one.record: one.home for one in people if not one.is_open}
    records = {
        row["beneficiary_id"]: row["record"] async for row in queries.people_by_record(place.sessions["registry"], source=SOURCE)
    }
    cases = await place.client.every("registry", "/v1/areas/cases", "cases")
    placed = ((case["case_id"], home.get(records[UUID(case["beneficiary_id"])])) for case in cases)
    decisions = [{"case_id": case, "area": area, "evidence": "POLICE_REGISTER"} for case, area in placed if area]
    fates: Counter[str] = Counter()
    for first in range(0, len(decisions), DECIDED_AT_ONCE):
        body = {"decisions": decisions[first : first + DECIDED_AT_ONCE]}
        fates.update((await place.client.post("registry", "/v1/areas/decisions", actor="reviewer", body=body))["fates"])
    await place.at_rest()
    return {"waiting": len(cases), "decided": len(decisions), "fates": dict(fates)}


async def _month(clockwork: Clockwork, say: Say, period: str, payers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Every list closed, built, signed, released and answered; returns the closings by payer."""
    place, client, named = clockwork.place, clockwork.place.client, sorted(payers)
    closings: dict[str, dict[str, Any]] = {}

    async def close(payer: str) -> None:
        closings[payer] = await pipeline.close_list(client, period, payer)

    async def pay(payer: str) -> None:
        await pipeline.build(client, period, payer)
        for step in ("check", "approve", "release"):
            await pipeline.sign(client, period, payer, step=step)

    await _phase(clockwork, say, f"{period} closed", offices(named, close, say))
    await _phase(clockwork, say, f"{period} paid", offices(named, pay, say))
    await _phase(clockwork, say, f"{period} answered", _answered(place))
    return closings


async def _phase(clockwork: Clockwork, say: Say, name: str, work: Awaitable[object]) -> None:
    async with clockwork.phase(name):
        await work
        await clockwork.place.at_rest()
    say(f"{name}: {clockwork.seconds[name]:.1f} s")


async def _answered(place: Stage) -> None:
    folder = Path(place.addresses.folder) / "truth"

    async def closed() -> bool:
        states = report.partner_batches(folder)
        return len(states) >= await report.batches_sent(place.addresses) and set(states.values()) <= {"closed", "refused"}

    await pipeline.until(closed, within_seconds=ANSWERED_SECONDS)
    await asyncio.sleep(1.5)


def _held(closings: Mapping[str, Mapping[str, Any]]) -> int:
    return sum(part["count"] for closing in closings.values() for part in closing["held"].values())


def _truth(place: Stage) -> list[Path]:
    return [path for path in sorted((Path(place.addresses.folder) / "truth").glob("*.jsonl")) if path.stem != "sms"]


async def _found(place: Stage) -> Found:
    registry, payout = place.sessions["registry"], place.sessions["payout"]
    return Found(
        ids={row["record"]: row["beneficiary_id"] async for row in queries.people_by_record(registry, source=SOURCE)},
        lines=[Line(*row) async for row in queries.frozen_lines(registry)],
        paid={tuple(row)[:3]: row["vnd"] async for row in queries.money_that_arrived(payout)},
        cases=frozenset([row["beneficiary_id"] async for row in queries.cases_of(registry)]),
        held={row[0]: row[1] async for row in queries.payout_held(payout)},
        refused={row[0]: row[1] async for row in queries.refusals_of(registry, source=STRAY)},
    )
