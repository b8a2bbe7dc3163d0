"""Who may do what to a payroll, in which order, and what each refusal says."""

import asyncio
import hashlib
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import ValidationError

from services.payout import store_building
from shared.events import Arrears, Entry, PaymentState
from shared.ids import digest_hex, sum_of_digests
from shared.topics import Provider
from shared.words import HeldReason, InstructionState, Life, Outcome, Role
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, a_line, a_merit_line, an_account


async def code(bench: Bench, act: str, actor: str, role: Role, **body: object) -> tuple[int, str]:
    """Status and code of a command signed with what the payroll shows."""
    sha256 = (await bench.page())["sha256"]
    answer = await bench.post(act, actor, role, sha256=sha256, json=body or None)
    return answer.status_code, answer.json().get("code", "")


async def test_nothing_is_built_before_list_and_verification_are_whole(bench: Bench) -> None:
    answer = await bench.post("build", "a", Role.MAKER)
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_CLOSED")
    await bench.enrol()
    await bench.enrol(outcome=None)
    await bench.close(count=3)
    assert await code(bench, "build", "a", Role.MAKER) == (409, "LINES_MISSING")


async def test_totals_that_differ_stop_the_build(bench: Bench) -> None:
    await bench.enrol()
    await bench.close(vnd=360_001)
    assert await code(bench, "build", "a", Role.MAKER) == (409, "TOTALS_DIFFER")


async def test_digest_that_differs_stops_the_build(bench: Bench) -> None:
    await bench.enrol()
    await bench.close(digest="0" * 64)
    assert await code(bench, "build", "a", Role.MAKER) == (409, "TOTALS_DIFFER")


async def test_error_amid_the_lines_is_told_as_what_it_is(bench: Bench) -> None:
    """The next page is on its way while one is decided: a roll-back that met it would hide the error behind the driver's own."""
    lines = [(uuid4(), uuid4()) for _ in range(3 * store_building.ROWS)]
    async with bench.database.transaction("test") as tx:
        await tx.executemany(
            "INSERT INTO line (entitlement_id, beneficiary_id, period, payer, area, programme, declared_vnd, content, content_sha256)"
            f" VALUES ($1, $2, '{PERIOD}', '{PAYER}', '18496', 'merit', 1, 'no line', '')",
            lines,
        )
    digest = sum_of_digests(0, (f"{line}|{person}|{PERIOD}|{PAYER}|1".encode() for line, person in lines))
    await bench.close(count=len(lines), vnd=len(lines), digest=digest_hex(digest))
    bench.clock.move(timedelta(days=3))
    with pytest.raises(ValidationError):
        await bench.post("build", "a", Role.MAKER)
    assert (await bench.page())["batches"] == []


async def test_verification_is_waited_for_until_the_deadline(bench: Bench) -> None:
    await bench.enrol(outcome=None)
    await bench.enrol(outcome=Outcome.UNAVAILABLE)
    await bench.close()
    assert await code(bench, "build", "a", Role.MAKER) == (409, "VERIFICATION_MISSING")
    bench.clock.move(timedelta(days=3))
    await bench.step("build")
    assert set((await bench.page())["held"]) == {HeldReason.VERIFICATION_PENDING, HeldReason.UNAVAILABLE}


async def test_building_twice_changes_nothing(bench: Bench) -> None:
    await bench.enrol()
    await bench.enrol(outcome=Outcome.NOT_FOUND)
    await bench.close()
    await bench.step("build")
    before = await bench.page()
    assert (await bench.step("build", "somebody"))["batches"] == []
    assert await bench.page() == before
    assert len([e for e in await bench.told(Entry) if e.fact == "held"]) == 1


async def test_four_people_sign_exactly_the_list_they_saw(bench: Bench) -> None:
    await bench.enrol()
    await bench.close()
    await bench.step("build", "mai")
    assert await code(bench, "check", "mai", Role.CHECKER) == (409, "SAME_ACTOR")
    assert await code(bench, "check", "cam", Role.APPROVER) == (403, "ROLE_CHECKER_NEEDED")
    assert await code(bench, "approve", "ba", Role.APPROVER) == (409, "NO_BATCH")
    other = await bench.post("check", "cam", Role.CHECKER, sha256="0" * 64)
    assert other.json()["code"] == "SIGNATURE_DIFFERS"
    await bench.step("check", "cam")
    assert await code(bench, "approve", "cam", Role.APPROVER) == (409, "SAME_ACTOR")
    await bench.step("approve", "ba")
    assert await code(bench, "release", "ba", Role.RELEASER) == (409, "SAME_ACTOR")
    await bench.step("release", "tu")
    (batch,) = (await bench.page())["batches"]
    assert [(a["step"], a["actor"]) for a in batch["approvals"]] == [
        ("approve", "ba"), ("check", "cam"), ("make", "mai"), ("release", "tu"),
    ]  # fmt: skip
    assert await code(bench, "release", "vy", Role.RELEASER) == (409, "NO_BATCH")


async def test_another_payers_actor_is_refused(bench: Bench) -> None:
    await bench.enrol()
    await bench.close()
    token = bench.issuer.token("a", (Role.MAKER,), payers=("huyen-000",))
    answer = await bench.client.post("/v1/payrolls/2024-02/huyen-444/build", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "PAYER_NOT_YOURS")
    assert (await bench.client.post("/v1/payrolls/2024-02/huyen-444/build")).status_code == 401


async def test_late_death_is_withdrawn_by_two_and_the_rest_leaves(bench: Bench) -> None:
    dead, alive = await bench.enrol(account=an_account()), await bench.enrol(account=an_account(number="3709000000002"))
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    approved = (await bench.page())["batches"][0]
    body = {"beneficiary_ids": [str(dead)], "reason": "LATE_DEATH"}
    proposed = (await bench.post("withdraw", "cam", Role.CHECKER, json=body)).json()
    assert (proposed["count"], proposed["vnd"]) == (1, 360_000)
    assert await code(bench, "release", "tu", Role.RELEASER) == (409, "WITHDRAWAL_OPEN")
    confirm = {"sha256": proposed["sha256"]}
    own = await bench.post("confirm-withdrawal", "cam", Role.APPROVER, sha256=proposed["sha256"], json=confirm)
    assert own.json()["code"] == "SAME_ACTOR"
    blind = await bench.post("confirm-withdrawal", "ba", Role.APPROVER, json=confirm)
    assert blind.json()["code"] == "SIGNATURE_DIFFERS"
    done = await bench.post("confirm-withdrawal", "ba", Role.APPROVER, sha256=proposed["sha256"], json=confirm)
    assert done.json() == {"sha256": proposed["sha256"], "count": 1}
    await bench.step("release")
    ((_batch, (manifest, lines)),) = (await bench.mail(Provider.BANK_A)).items()
    assert (manifest.count, manifest.withdrawn, len(lines)) == (1, 1, 1)
    assert manifest.approved_sha256 == approved["sha256"] != manifest.sent_sha256
    assert (await bench.trace(dead))["payments"][0]["state"] == "withdrawn"
    assert (await bench.trace(alive))["payments"][0]["state"] == "sending"
    assert (await bench.page())["held"] == {"WITHDRAWN": {"count": 1, "vnd": 360_000}}
    assert (await bench.step("build"))["batches"] == [], "what two people took off does not come back by itself"
    late = await bench.post("withdraw", "cam", Role.CHECKER, json={"beneficiary_ids": [str(alive)], "reason": "RECALL"})
    assert late.json()["code"] == "ALREADY_SENT"
    stranger = await bench.post("withdraw", "cam", Role.CHECKER, json={"beneficiary_ids": [str(uuid4())], "reason": "RECALL"})
    assert stranger.json()["code"] == "NOT_ON_A_LIST"


async def test_changed_account_falls_out_at_release_and_is_judged_again(bench: Bench) -> None:
    changed = await bench.enrol(account=an_account())
    await bench.enrol(account=an_account(number="3709000000002"))
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    newer = bench.snapshot(changed, an_account(number="3709000000009"))
    await bench.see(newer)
    assert (await bench.step("release"))["dropped"] == 1
    page = await bench.page()
    assert page["held"] == {"VERIFICATION_PENDING": {"count": 1, "vnd": 360_000}}
    assert [(w["proposed_by"], w["confirmed_by"]) for w in page["withdrawals"]] == [("payout", "the-releaser")]
    await bench.verify(bench.result(newer))
    await bench.pay()
    states = [payment["state"] for payment in (await bench.trace(changed))["payments"]]
    assert states == ["withdrawn", "sending"]
    accounts = [
        line.account.number for _m, lines in (await bench.mail(Provider.BANK_A)).values() for line in lines if line.account
    ]
    assert sorted(accounts) == ["3709000000002", "3709000000009"]


@pytest.mark.parametrize("life", [Life.DEAD, Life.MOVED_OUT])
async def test_who_died_or_moved_after_approval_is_not_paid(bench: Bench, life: Life) -> None:
    who = await bench.enrol()
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    await bench.see(bench.snapshot(who, life=life))
    await bench.step("release")
    page = await bench.page()
    assert list(page["held"]) == ["DEAD" if life is Life.DEAD else "MOVED"]
    assert [(batch["state"], batch["sent_count"]) for batch in page["batches"]] == [("settled", 0)]


@pytest.mark.parametrize(
    ("bench", "sent"), [({"unpaid_after_death": "family"}, 1), ({"unpaid_after_death": "lapses"}, 0)], indirect=["bench"]
)
async def test_what_was_owed_before_a_death_told_after_approval_leaves_or_lapses_as_settled(bench: Bench, sent: int) -> None:
    no_rule = {"benefit_code": "NCC-TB-75", "monthly_vnd": 0}
    who = await bench.enrol(a_merit_line(**no_rule, arrears=Arrears(periods=("2024-01",), vnd=360_000)))
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    gone = bench.snapshot(who, life=Life.DEAD, died_on=date(2024, 1, 20))
    await bench.see(gone)
    await bench.verify(bench.result(gone, Outcome.DEAD, died_on=date(2024, 1, 20)))
    await bench.step("release")
    page = await bench.page()
    assert [batch["sent_count"] for batch in page["batches"]] == [sent]
    assert page["held"] == ({} if sent else {"NOT_OWED": {"count": 1, "vnd": 360_000}})
    assert (await bench.step("build", "again"))["batches"] == []


async def test_a_draft_is_told_to_nobody_and_the_world_hears_of_a_payment_when_it_leaves(bench: Bench) -> None:
    await bench.enrol()
    await bench.close()
    await bench.step("build")
    assert await bench.told(PaymentState) == []
    for act in ("check", "approve", "release"):
        await bench.step(act)
    told = [(state.state_seq, state.state) for state in await bench.told(PaymentState)]
    assert told == [(3, InstructionState.SENDING)]


async def test_files_are_written_as_they_were_hashed(bench: Bench, tmp_path: Path) -> None:
    await bench.enrol(account=an_account())
    await bench.enrol()
    await bench.enrol(a_line(), outcome=Outcome.NOT_FOUND)
    await bench.close()
    await bench.pay()
    await bench.print_lists()
    files = (await bench.page())["files"]
    assert [file["kind"] for file in files] == ["pain.001", "held_list", "postal_print", "postal_list"]
    for file in files:
        path = tmp_path / "files" / file["path"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]
        assert path.stat().st_mode & 0o777 == 0o600
        assert (file["count"], file["vnd"], file["written"]) == (1, 360_000, True)


async def test_two_releases_at_once_send_one_list_once(bench: Bench) -> None:
    for number in range(20):
        await bench.enrol(account=an_account(number=f"37090000000{number:02d}"))
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    sha256 = (await bench.page())["sha256"]
    both = await asyncio.gather(*(bench.post("release", actor, Role.RELEASER, sha256=sha256) for actor in ("tu", "vy")))
    assert sorted(answer.status_code for answer in both) == [200, 409]
    assert [len(lines) for _manifest, lines in (await bench.mail(Provider.BANK_A)).values()] == [20]


async def test_two_builds_at_once_make_one_draft(bench: Bench) -> None:
    await bench.enrol()
    await bench.close()
    both = await asyncio.gather(*(bench.post("build", actor, Role.MAKER) for actor in ("mai", "mo")))
    assert sorted(len(answer.json()["batches"]) for answer in both) == [0, 1]


async def test_person_changes_between_reading_and_sending_is_noticed(bench: Bench) -> None:
    """Snapshots keep coming while releases run: whatever is sent goes to the account that was judged."""
    people = [await bench.enrol(account=an_account(number=f"37090000000{number:02d}")) for number in range(10)]
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)

    async def change() -> None:
        for number, who in enumerate(people):
            await bench.see(bench.snapshot(who, an_account(number=f"99990000000{number:02d}")))

    sha256 = (await bench.page())["sha256"]
    answer, _none = await asyncio.gather(bench.post("release", "tu", Role.RELEASER, sha256=sha256), change())
    assert answer.status_code == 200 or answer.json()["code"] == "TRY_AGAIN"
    sent = [line.account.number for _m, lines in (await bench.mail(Provider.BANK_A)).values() for line in lines if line.account]
    assert all(number.startswith("3709") for number in sent)
    if answer.status_code == 200:
        assert len(sent) + answer.json()["dropped"] == 10


async def test_account_holder_who_is_on_no_list_is_counted(bench: Bench) -> None:
    await bench.see(bench.snapshot(account=an_account()))
    await bench.enrol()
    await bench.close()
    assert (await bench.page())["account_gap"] == {"not_on_a_list": 1}
