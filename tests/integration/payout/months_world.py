"""Lists of several months and payers on one payout service, with what registry froze of each person."""

from typing import Any, NamedTuple
from uuid import UUID, uuid4

from shared.events import BeneficiarySnapshot, DeclaredLine, EntitlementLine, ListClosing
from shared.ids import add_to_digest, digest_hex
from shared.personal import Circumstances
from shared.topics import Provider
from shared.vault import Kind
from shared.words import LineStatus, Role
from tests.integration.payout.payout_bench import PERIOD, ROLES, Bench


class Entry(NamedTuple):
    """One line of a list and what was known of its person at the closing."""

    snapshot: BeneficiarySnapshot
    line: DeclaredLine
    ages: tuple[int, ...] = ()
    told: Circumstances | None = None


async def a_person(bench: Bench, **known: Any) -> BeneficiarySnapshot:
    """Somebody whom verification knows."""
    snapshot = bench.snapshot(**known)
    await bench.see(snapshot)
    await bench.verify(bench.result(snapshot))
    return snapshot


async def closed(bench: Bench, period: str, payer: str, *entries: Entry) -> list[EntitlementLine]:
    """A list of a month arrives whole."""
    lines = [_frozen(bench, period, payer, entry) for entry in entries]
    digest = 0
    for line in lines:
        digest = add_to_digest(digest, line.canonical())
    closing = ListClosing(
        period=period, payer=payer, count=len(lines), vnd=sum(line.declared_vnd for line in lines), digest=digest_hex(digest),
        programmes=(), closed_at=bench.clock.now(),
    )  # fmt: skip
    async with bench.database.transaction("test") as tx:
        await bench.handlers.on_entitlement(tx, bench.received(lines))
        await bench.handlers.on_list(tx, bench.received([closing]))
    return lines


def _frozen(bench: Bench, period: str, payer: str, entry: Entry) -> EntitlementLine:
    snapshot, line = entry.snapshot, entry.line
    owner = str(snapshot.beneficiary_id)
    return EntitlementLine(
        entitlement_id=uuid4(), beneficiary_id=snapshot.beneficiary_id, period=period, payer=payer, area=snapshot.area,
        snapshot_version=snapshot.version, declared_vnd=line.declared_vnd, line=line, ages=entry.ages,
        circumstances=bench.registry.seal(Kind.PAYEE, owner, PERIOD, entry.told) if entry.told else None,
    )  # fmt: skip


async def step(bench: Bench, period: str, payer: str, act: str) -> dict[str, Any]:
    """One step of a payroll that must succeed, signed with the hash it shows."""
    path = f"/v1/payrolls/{period}/{payer}"
    signs = act not in ("build", "preview")
    sha256 = (await bench.client.get(path)).json()["sha256"] if signs else None
    role = ROLES[act] if signs else Role.MAKER
    token = bench.issuer.token(f"the-{role}", (role,), sha256=sha256)
    answer = await bench.client.post(f"{path}/{act}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def pay(bench: Bench, period: str, payer: str) -> None:
    """From building to release, if anything is to be paid."""
    if (await step(bench, period, payer, "build"))["batches"]:
        for act in ("check", "approve", "release"):
            await step(bench, period, payer, act)


async def the_post_says(bench: Bench, status: LineStatus, period: str, **more: Any) -> None:
    """One answer about every line of a month that the post has."""
    answers = [
        bench.an_answer(Provider.POST, batch_id, line, status, **more)
        for batch_id, (manifest, lines) in (await bench.mail(Provider.POST)).items()
        if manifest.periods == (period,)
        for line in lines
    ]
    await bench.answer(*answers)


async def held(bench: Bench, who: UUID) -> dict[str, str | None]:
    """Period and payer of each line of a person -> why it is held now."""
    return {f"{line['period']} {line['payer']}": line["held"] for line in (await bench.trace(who))["lines"]}
