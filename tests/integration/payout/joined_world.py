"""April and May on one payout service: two closed lists of a payer that are paid in one go."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from ansinh.audit_files import Partition, Said, write_manifest
from shared import topics
from shared.events import EntitlementLine, ListClosing, Message, PaymentResult
from shared.ids import add_to_digest, digest_hex
from shared.topics import Provider, result_topic
from shared.words import LineStatus, Role
from tests.integration.payout.payout_bench import PAYER, Bench

APRIL, MAY, JUNE = "2024-04", "2024-05", "2024-06"
BOTH = [APRIL, MAY]
ONE, MERIT = 360_000, 2_055_000
AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


async def join(bench: Bench, period: str = APRIL, month: str = MAY, *, payer: str = PAYER) -> httpx.Response:
    """An approver has a further month paid with a payroll."""
    headers = {"Authorization": f"Bearer {bench.issuer.token('the-approver', (Role.APPROVER,))}"}
    return await bench.client.post(f"/v1/payrolls/{period}/{payer}/join", headers=headers, json={"period": month})


async def joined(bench: Bench) -> None:
    """May is paid with April."""
    answer = await join(bench)
    assert answer.status_code == 200, answer.text


async def page(bench: Bench, period: str = APRIL) -> dict[str, Any]:
    """The payroll as people see it."""
    answer = await bench.client.get(f"/v1/payrolls/{period}/{PAYER}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def command(bench: Bench, act: str, role: Role, period: str = APRIL, **more: Any) -> httpx.Response:
    """One command on a payroll; `sha256` is what the token signs, `json` the body."""
    token = bench.issuer.token(f"the-{act}-{role}", (role,), sha256=more.pop("sha256", None))
    path = f"/v1/payrolls/{period}/{PAYER}/{act}"
    return await bench.client.post(path, headers={"Authorization": f"Bearer {token}"}, **more)


async def settlement(bench: Bench, period: str) -> dict[str, Any]:
    """The settlement of a month, which must balance."""
    answer = await bench.client.get(f"/v1/settlements/{period}/{PAYER}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["faults"] == []
    return dict(answer.json()["total"])


async def answers(bench: Bench, provider: Provider, status: LineStatus, **more: Any) -> list[PaymentResult]:
    """An answer about every line that this provider has, heard."""
    found = await bench.answers_to(provider, status, **more)
    await bench.answer(*found)
    return found


async def rows(bench: Bench, sql: str, *values: Any) -> list[Any]:
    """Look into the service's database."""
    async with bench.database.session() as session:
        return list(await session.fetch(sql, *values))


async def whose(bench: Bench, who: UUID) -> list[tuple[str, list[str], int]]:
    """State, months and VND of a person's payments, attempt by attempt."""
    shown = (await bench.trace(who))["payments"]
    return [(one["state"], one["periods"], one["vnd"]) for one in sorted(shown, key=lambda one: (one["period"], one["attempt"]))]


def closing_of(bench: Bench, lines: Sequence[EntitlementLine]) -> ListClosing:
    """What registry said when it closed this list."""
    digest = 0
    for line in lines:
        digest = add_to_digest(digest, line.canonical())
    return ListClosing(
        period=lines[0].period, payer=lines[0].payer, count=len(lines), vnd=sum(line.declared_vnd for line in lines),
        digest=digest_hex(digest), programmes=(), closed_at=bench.clock.now(),
    )  # fmt: skip


async def export(
    bench: Bench, folder: Path, lists: Sequence[Sequence[EntitlementLine]], answers: Sequence[PaymentResult]
) -> Path:
    """What auditors would have of it: everything said about these lists, as the exporter writes it. `partitions` as Kafka keeps them: the
    entries of a key in their order, one key after the other."""
    entries = await rows(
        bench, "SELECT key, event_id, type, payload FROM outbox WHERE topic = $1 ORDER BY key, id", topics.PAYOUT_ENTRY
    )
    said: dict[str, list[tuple[str, str, bytes]]] = {
        topics.REGISTRY_LIST: [_said(closing_of(bench, lines)) for lines in lists],
        topics.REGISTRY_ENTITLEMENT: [_said(line) for lines in lists for line in lines],
        topics.PAYOUT_ENTRY: [(row["type"], str(row["event_id"]), bytes(row["payload"])) for row in entries],
    }
    for answer in answers:
        said.setdefault(result_topic(answer.provider), []).append(_said(answer))
    marks = {}
    for topic, records in said.items():
        files = Partition(folder, topic, 0)
        for number, (kind, identity, value) in enumerate(records):
            files.add([Said(topic, 0, number, AT + timedelta(seconds=number), "key", kind, identity, value)])
            assert files.mark
            marks[files.mark.path] = files.mark
        files.close()
    write_manifest(folder, marks)
    return folder


def _said(message: Message) -> tuple[str, str, bytes]:
    return message.TYPE, str(uuid4()), message.model_dump_json(exclude_none=True).encode()


def sums(total: Mapping[str, Any]) -> dict[str, int]:
    """Measure -> VND, what is not zero."""
    return {name: value["vnd"] for name, value in total.items() if isinstance(value, dict) and value.get("vnd")}
