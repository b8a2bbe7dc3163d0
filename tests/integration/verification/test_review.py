"""The review queue: who sees, who decides, how long it holds, and what nobody can do."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from services.verification.app import build
from services.verification.settings import Settings
from shared import logs
from shared.actors import ActorGate
from shared.events import AuditRecord
from shared.issuing import Issuer
from shared.process import Runtime
from shared.topics import Service
from shared.web import make_app
from shared.words import Outcome, Role
from tests.integration.verification.verification_bench import Bench, a_register_line, an_identity

PAPER = {"reason": "SPELLING", "evidence": "BIRTH_CERTIFICATE"}


class Desk:
    """A reviewer at work."""

    def __init__(self, bench: Bench, client: httpx.AsyncClient, issuer: Issuer) -> None:
        self.bench = bench
        self.client = client
        self._issuer = issuer

    def as_(self, name: str = "reviewer-1", *roles: Role, payers: tuple[str, ...] = ("huyen-444",)) -> dict[str, str]:
        """The header of an actor."""
        return {"Authorization": f"Bearer {self._issuer.token(name, roles or (Role.REVIEWER,), payers=payers)}"}

    async def waiting(self) -> list[UUID]:
        """Ids in the queue."""
        return [UUID(case["beneficiary_id"]) for case in (await self.client.get("/v1/review")).json()["cases"]]

    async def see(self, who: UUID, **actor: Any) -> dict[str, Any]:
        """Both sides."""
        answer = await self.client.post(f"/v1/review/{who}/sights", headers=self.as_(**actor))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def decide(self, who: UUID, seen: dict[str, Any], verdict: str = "same", **changes: Any) -> httpx.Response:
        """Decide about the first entry that was seen."""
        entry = seen["register"][0]["entry"] if seen["register"] else "0" * 64
        body = {"sight_id": seen["sight_id"], "entry": entry, "verdict": verdict, **PAPER} | changes
        return await self.client.post(f"/v1/review/{who}/decisions", headers=self.as_(), json=body)


@pytest.fixture
async def desk(bench: Bench, keys: Path) -> AsyncIterator[Desk]:
    gate = ActorGate(json.loads((keys / "verification.json").read_text())["issuer"], bench.clock)
    settings = Settings(postgres_dsn="unused", kafka_bootstrap="unused", port=20_001, keys_file=keys / "verification.json")  # type: ignore[arg-type]
    log = logs.configure("verification")
    app = build(Runtime(Service.VERIFICATION, settings, bench.database, bench.vault, bench.clock, gate, log))
    web = make_app("test", list)
    assert app.router
    web.include_router(app.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://test") as client:
        yield Desk(bench, client, Issuer(keys / "actor-issuer.json", bench.clock))


async def a_case(bench: Bench, **ours: Any) -> UUID:
    """A person whose name on the list is not quite the register's."""
    await bench.load(a_register_line())
    snapshot = bench.snapshot(an_identity(**{"full_name": "Nguyễn Thị Hoá", **ours}))
    await bench.see(snapshot)
    await bench.told()
    return snapshot.beneficiary_id


async def test_unclear_waits_and_clear_does_not(desk: Desk) -> None:
    who = await a_case(desk.bench)
    clear = desk.bench.snapshot(an_identity(personal_number="042149990002"))
    await desk.bench.load(a_register_line(), a_register_line(personal_number="042149990002"))
    await desk.bench.see(clear)
    answer = await desk.client.get("/v1/review", params={"payer": "huyen-444"})
    (case,) = answer.json()["cases"]
    assert (UUID(case["beneficiary_id"]), case["outcome"]) == (who, "mismatch")
    assert "Hoá" not in answer.text
    elsewhere = (await desk.client.get("/v1/review", params={"payer": "huyen-445"})).json()
    assert elsewhere == {"cases": [], "waiting": 0, "next": None}


async def test_pages_show_every_case_once_oldest_first(desk: Desk) -> None:
    numbers = [f"0421499900{n:02d}" for n in range(1, 6)]
    await desk.bench.load(*(a_register_line(personal_number=number) for number in numbers))
    for number in numbers:
        await desk.bench.see(desk.bench.snapshot(an_identity(full_name="Nguyễn Thị Hoá", personal_number=number)))
    whole = (await desk.client.get("/v1/review")).json()
    found, page = [], {"next": {}}
    while page["next"] is not None:
        page = (await desk.client.get("/v1/review", params={"most": 2, **page["next"]})).json()
        assert page["waiting"] == 5
        found += [page["cases"]]
    assert [len(cases) for cases in found] == [2, 2, 1]
    assert [case for cases in found for case in cases] == whole["cases"]
    assert (await desk.client.get("/v1/review", params={"after_at": "yesterday"})).status_code == 422


async def test_both_sides_are_shown_field_by_field_and_the_sight_is_audited(desk: Desk) -> None:
    who = await a_case(desk.bench, birth_date="1949")
    seen = await desk.see(who)
    (entry,) = seen["register"]
    shown = {field["field"]: (field["list"], field["register"], field["finding"]) for field in entry["fields"]}
    assert shown["full_name"] == ("Nguyễn Thị Hoá", "Nguyễn Thị Hòa", "t6_different")
    assert shown["birth_date"] == ("1949", "1949-03-02", "year_only")
    assert shown["personal_number"] == ("042149990001", "042149990001", "equal")
    assert shown["old_number"][2] == "absent"
    desk.bench.read_up_to = 0
    (audit,) = await desk.bench._drain(AuditRecord)
    assert (audit.actor, audit.act, audit.subject) == ("reviewer-1", "review_sight", str(who))


@pytest.mark.parametrize(
    ("roles", "payers", "code"),
    [
        ((Role.OPERATOR,), ("*",), "ROLE_REVIEWER_NEEDED"),
        ((Role.APPROVER, Role.LIST_OFFICER), ("huyen-444",), "ROLE_REVIEWER_NEEDED"),
        ((Role.REVIEWER,), ("huyen-445",), "PAYER_NOT_YOURS"),
    ],
)
async def test_identity_is_shown_to_the_deciding_role_only(
    desk: Desk, roles: tuple[Role, ...], payers: tuple[str, ...], code: str
) -> None:
    who = await a_case(desk.bench)
    for path in ("sights", "decisions"):
        headers = desk.as_("somebody", *roles, payers=payers)
        body = {"sight_id": str(uuid4()), "entry": "0" * 64, "verdict": "same", **PAPER}
        answer = await desk.client.post(f"/v1/review/{who}/{path}", headers=headers, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
        assert "Hoá" not in answer.text
    assert (await desk.client.post(f"/v1/review/{who}/sights")).status_code == 401
    assert (await desk.client.post(f"/v1/review/{uuid4()}/sights", headers=desk.as_())).status_code == 404


async def test_confirmed_is_a_match_and_stays_one_over_re_runs(desk: Desk) -> None:
    who = await a_case(desk.bench)
    done = await desk.decide(who, await desk.see(who))
    assert done.json()["results_changed"] == 1
    assert [result.outcome for result in await desk.bench.told()] == [Outcome.MATCH]
    assert await desk.waiting() == []
    for _run in range(2):
        desk.bench.clock.move(timedelta(days=1))
        await desk.bench.load(a_register_line())
        await desk.bench.see(desk.bench.snapshot(an_identity(full_name="Nguyễn Thị Hoá"), who=who))
        async with desk.bench.database.transaction("test") as tx:
            assert await desk.bench.judge.judge(tx, [who]) == 0
    assert await desk.bench.told() == []
    (held,) = (await desk.client.get(f"/v1/review/{who}/decisions")).json()
    assert (held["verdict"], held["decider"], held["reason"], held["evidence"]) == ("same", "reviewer-1", *PAPER.values())


async def test_decision_ends_when_the_list_says_something_else(desk: Desk) -> None:
    who = await a_case(desk.bench)
    await desk.decide(who, await desk.see(who))
    await desk.bench.told()
    await desk.bench.see(desk.bench.snapshot(an_identity(full_name="Nguyễn Thị Hóe"), who=who))
    assert [result.outcome for result in await desk.bench.told()] == [Outcome.MISMATCH]
    assert await desk.waiting() == [who]


async def test_decision_ends_when_the_register_says_something_else(desk: Desk) -> None:
    who = await a_case(desk.bench)
    await desk.decide(who, await desk.see(who))
    await desk.bench.told()
    desk.bench.clock.move(timedelta(days=1))
    await desk.bench.load(a_register_line(birth_date="1949-03-03"))
    assert [result.outcome for result in await desk.bench.told()] == [Outcome.MISMATCH]
    assert await desk.waiting() == [who]


async def test_confirmed_person_who_dies_is_never_paid_as_alive(desk: Desk) -> None:
    who = await a_case(desk.bench)
    await desk.decide(who, await desk.see(who))
    await desk.bench.told()
    desk.bench.clock.move(timedelta(days=1))
    await desk.bench.load(a_register_line(status="dead", status_date="2024-01-20"))
    (result,) = await desk.bench.told()
    assert result.outcome not in (Outcome.MATCH, Outcome.WEAK_MATCH)
    await desk.decide(who, await desk.see(who))
    assert [result.outcome for result in await desk.bench.told()] == [Outcome.DEAD]


async def test_weak_match_that_is_another_person_is_held(desk: Desk) -> None:
    who = await a_case(desk.bench, full_name="NGUYEN THI HOA")
    await desk.decide(who, await desk.see(who), "different", reason="OTHER_PERSON")
    assert [result.outcome for result in await desk.bench.told()] == [Outcome.MISMATCH]
    assert await desk.waiting() == []


async def test_confirmed_twice_is_a_duplicate(desk: Desk) -> None:
    who = await a_case(desk.bench)
    await desk.decide(who, await desk.see(who))
    await desk.bench.see(desk.bench.snapshot(an_identity()))
    last = {result.beneficiary_id: result.outcome for result in await desk.bench.told()}
    assert set(last.values()) == {Outcome.DUPLICATE}
    assert len(last) == 2


async def test_confirmed_person_who_became_a_duplicate_waits_again_and_the_other_one_is_named(desk: Desk) -> None:
    who = await a_case(desk.bench)
    await desk.decide(who, await desk.see(who))
    assert (await desk.see(who))["shared_with"] == []
    other = desk.bench.snapshot(an_identity())
    await desk.bench.see(other)
    assert set(await desk.waiting()) == {who, other.beneficiary_id}
    assert (await desk.see(who))["shared_with"] == [str(other.beneficiary_id)]
    assert (await desk.see(other.beneficiary_id))["shared_with"] == [str(who)]
    traced = (await desk.client.get(f"/v1/trace/{who}")).json()
    assert traced["shared_with"] == [str(other.beneficiary_id)]
    # Registry's two reviewers merge: who stays is paid, who went is nobody.
    gone = other.model_copy(update={"merged_into": who, "version": other.version.model_copy(update={"n": 2})})
    await desk.bench.told()
    await desk.bench.see(gone)
    last = {told.beneficiary_id: told.outcome for told in await desk.bench.told()}
    assert last == {who: Outcome.MATCH, other.beneficiary_id: Outcome.DUPLICATE}
    assert await desk.waiting() == []
    assert (await desk.client.get(f"/v1/trace/{who}")).json()["shared_with"] == []


async def test_two_under_one_old_number_are_named_to_each_other(desk: Desk) -> None:
    await desk.bench.load(
        a_register_line(personal_number="042149990001", old_number="183000001"),
        a_register_line(personal_number="042149990002", old_number="183000001"),
    )
    one, other = (desk.bench.snapshot(an_identity(personal_number=f"04214999000{n}")) for n in (1, 2))
    await desk.bench.see(one, other)
    assert (await desk.see(one.beneficiary_id))["shared_with"] == [str(other.beneficiary_id)]


async def two_namesakes(bench: Bench) -> UUID:
    """Somebody without a number, whose name and day of birth two people of the register have."""
    await bench.load(a_register_line(), a_register_line(personal_number="042149990002"))
    snapshot = bench.snapshot(an_identity(personal_number=None))
    await bench.see(snapshot)
    assert [result.outcome for result in await bench.told()] == [Outcome.NOT_FOUND]
    return snapshot.beneficiary_id


async def about(desk: Desk, who: UUID, entry: int, verdict: str, **changes: Any) -> dict[str, Any]:
    """What came of a decision about one of several entries."""
    seen = await desk.see(who)
    done = await desk.decide(who, seen, verdict, entry=seen["register"][entry]["entry"], **changes)
    assert done.status_code == 200, done.text
    return dict(done.json())


async def test_case_waits_until_everybody_it_may_be_is_decided(desk: Desk) -> None:
    who = await two_namesakes(desk.bench)
    await about(desk, who, 0, "different", reason="OTHER_PERSON")
    assert await desk.waiting() == [who]
    await about(desk, who, 1, "different", reason="OTHER_PERSON")
    assert await desk.waiting() == []
    desk.bench.clock.move(timedelta(days=1))
    await desk.bench.load(*(a_register_line(personal_number=f"04214999000{n}") for n in (1, 2, 3)))
    assert await desk.waiting() == [who]  # a third namesake


async def test_case_confirmed_as_two_people_waits(desk: Desk) -> None:
    who = await two_namesakes(desk.bench)
    first = await about(desk, who, 0, "different", reason="OTHER_PERSON")
    await about(desk, who, 1, "same")
    assert [result.outcome for result in await desk.bench.told()] == [Outcome.MATCH]
    await about(desk, who, 0, "same", replaces=first["decision_id"])
    assert [result.outcome for result in await desk.bench.told()] == [Outcome.NOT_FOUND]
    assert await desk.waiting() == [who]


async def test_replaced_decision_decides_nothing(desk: Desk) -> None:
    who = await two_namesakes(desk.bench)
    first = await about(desk, who, 0, "different", reason="OTHER_PERSON")
    await about(desk, who, 0, "same", replaces=first["decision_id"])
    assert await desk.waiting() == []
    (last,) = [one for one in (await desk.client.get(f"/v1/review/{who}/decisions")).json() if one["verdict"] == "same"]
    await about(desk, who, 0, "different", reason="OTHER_PERSON", replaces=last["decision_id"])
    assert await desk.waiting() == [who]


async def test_decision_is_taken_back_only_by_naming_it(desk: Desk) -> None:
    who = await a_case(desk.bench)
    first = (await desk.decide(who, await desk.see(who))).json()["decision_id"]
    await desk.bench.told()
    again = await desk.decide(who, await desk.see(who), "different", reason="OTHER_PERSON")
    assert (again.status_code, again.json()["code"]) == (409, "ALREADY_DECIDED")
    assert (await desk.decide(who, await desk.see(who), "different", reason="OTHER_PERSON", replaces=first)).status_code == 200
    assert [result.outcome for result in await desk.bench.told()] == [Outcome.MISMATCH]
    assert (await desk.decide(who, await desk.see(who), replaces=first)).json()["code"] == "ALREADY_DECIDED"


async def test_refusals(desk: Desk) -> None:
    who = await a_case(desk.bench)
    seen = await desk.see(who)
    assert (await desk.decide(who, {**seen, "sight_id": str(uuid4())})).json()["code"] == "NOT_SEEN"
    others = await desk.see(who, name="reviewer-2")
    assert (await desk.decide(who, others)).json()["code"] == "NOT_SEEN"
    assert (await desk.decide(who, seen, entry="0" * 64)).json()["code"] == "NOT_A_CANDIDATE"
    assert (await desk.decide(who, seen, reason="BECAUSE")).status_code == 422
    assert (await desk.decide(who, seen, reason="OTHER_PERSON")).json()["code"] == "REASON_CONTRADICTS"
    assert (await desk.decide(who, seen, "different", reason="NAME_CHANGED")).json()["code"] == "REASON_CONTRADICTS"
    desk.bench.clock.move(timedelta(minutes=1))
    await desk.bench.load(a_register_line(area_code="18502"))
    assert (await desk.decide(who, seen)).json()["code"] == "CHANGED_MEANWHILE"
    clear = desk.bench.snapshot(an_identity(personal_number="042149990002"))
    await desk.bench.load(a_register_line(area_code="18502"), a_register_line(personal_number="042149990002"))
    await desk.bench.see(clear)
    done = await desk.decide(clear.beneficiary_id, await desk.see(clear.beneficiary_id))
    assert done.json()["code"] == "NOT_UNDER_REVIEW"
    assert done.headers["content-type"] == "application/problem+json"


# --- what must never happen ----------------------------------------------------------------------------------------------------


async def test_no_decision_without_sight_reason_paper_or_twice(desk: Desk) -> None:
    who = await a_case(desk.bench)
    await desk.decide(who, await desk.see(who))
    async with desk.bench.database.session() as session:
        row = dict(await session.fetchrow("SELECT * FROM review_decision"))
        for error, changes in (
            (asyncpg.UniqueViolationError, {}),
            (asyncpg.ForeignKeyViolationError, {"decider": "somebody-else", "identity_digest": "x"}),
            (asyncpg.ForeignKeyViolationError, {"sight_id": uuid4(), "identity_digest": "x"}),
            (asyncpg.CheckViolationError, {"reason": "", "identity_digest": "x"}),
            (asyncpg.CheckViolationError, {"evidence": "HEARSAY", "identity_digest": "x"}),
            (asyncpg.CheckViolationError, {"verdict": "perhaps", "identity_digest": "x"}),
            (asyncpg.CheckViolationError, {"reason": "OTHER_PERSON", "identity_digest": "x"}),
            (asyncpg.CheckViolationError, {"verdict": "different", "identity_digest": "x"}),
            (asyncpg.ForeignKeyViolationError, {"replaces": uuid4()}),
        ):
            values = row | {"decision_id": uuid4()} | changes
            places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
            with pytest.raises(error):
                await session.execute(f"INSERT INTO review_decision ({', '.join(values)}) VALUES ({places})", *values.values())
        for table in ("review_decision", "review_sight"):
            with pytest.raises(asyncpg.CheckViolationError):
                await session.execute(f"DELETE FROM {table}")
        with pytest.raises(asyncpg.CheckViolationError):
            await session.execute("UPDATE review_decision SET verdict = 'different'")
