"""What an office asks of a whole period after it was paid, by CPU time: the go / no-go sheet, the settlement report, three sides compared,
the ledger's chain recomputed. On the service, the database and the payrolls of `payroll_bench`; making the banks' files is not counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ansinh.audit_verify import verify
from sandbox.provider_files import Account, camt053, movements
from sandbox.truth import LineFact, Reply, Status
from services.payout.bank_file import BIN_OF_PROVIDER
from shared.topics import Provider
from shared.words import Role
from tests.bench.payroll_people import PERIOD

if TYPE_CHECKING:
    from tests.bench.payroll_bench import Bench

PAID_AT = datetime(2024, 2, 1, 2, 0, tzinfo=UTC)
RECONCILED_PEOPLE = 100_000
STAGES = ("go / no-go", "settlement", "settlement workbook", "statements", "reconciliation", "audit verify")
_SENT = """SELECT b.batch_id, b.provider, i.end_to_end_id, i.vnd FROM batch b JOIN instruction i USING (batch_id)
            WHERE b.period = $1 AND b.payer = $2 AND i.state = 'paid' ORDER BY b.batch_id, i.end_to_end_id"""


async def measure(bench: Bench, payers: Sequence[str], people: int) -> dict[str, Any]:
    """Seconds of each question over all payers; statements and reconciliation over as many payers as have 100,000 people at most. Raises
    AssertionError when an answer is not what was paid."""
    sheet = await _asked(bench, "go / no-go", f"/v1/periods/{PERIOD}/go-no-go")
    assert len(sheet.json()["payers"]) == len(payers)
    assert all(row["released"] for row in sheet.json()["payers"])
    report = (await _asked(bench, "settlement", f"/v1/settlements/{PERIOD}")).json()
    assert report["balanced"], report["faults"][:3]
    await _asked(bench, "settlement workbook", f"/v1/settlements/{PERIOD}.xlsx")
    some = payers[: max(1, len(payers) * RECONCILED_PEOPLE // max(people, 1))]
    for payer in some:
        await _reconciled(bench, payer)
    with bench.stage("audit verify"):
        verified = await verify(bench.dsn)
    assert verified.findings == []
    lines = report["total"]["declared"]["count"]
    reconciled = min(people, people * len(some) // len(payers))
    shown = {"people": people, "lines": lines, "links": verified.links, "reconciled_people": reconciled}
    return shown | {
        "stages": {name: {kind: round(value, 2) for kind, value in vars(bench.costs[name]).items()} for name in STAGES}
    }


async def _asked(bench: Bench, stage: str, path: str) -> Any:
    with bench.stage(stage):
        answer = await bench.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer


async def _reconciled(bench: Bench, payer: str) -> None:
    """The payer's banks say in files what they said over their topics, and all three sides agree."""
    token = bench.issuer.token("the-operator", (Role.OPERATOR,))
    headers = {"Authorization": f"Bearer {token}"}
    async for provider, content in _files(bench, payer):
        with bench.stage("statements"):
            taken = await bench.client.post(f"/v1/statements/{provider}", content=content, headers=headers)
        assert taken.status_code == 200, taken.text
    with bench.stage("reconciliation"):
        answer = await bench.client.post(f"/v1/reconciliations/{PERIOD}/{payer}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["agrees"], answer.json()


async def _files(bench: Bench, payer: str) -> AsyncIterator[tuple[Provider, bytes]]:
    """A statement per list, written by the sandbox's writers."""
    async with bench.database.reading() as tx:
        rows = await tx.fetch(_SENT, PERIOD, payer)
    for batch_id in sorted({row["batch_id"] for row in rows}):
        theirs = [row for row in rows if row["batch_id"] == batch_id]
        provider = Provider(theirs[0]["provider"])
        happened = [
            LineFact(provider, str(batch_id), number, row["end_to_end_id"], row["vnd"], Status.PAID, None, Reply.ONCE, PAID_AT)
            for number, row in enumerate(theirs)
        ]
        account = Account("9990000000001", BIN_OF_PROVIDER[provider], 10**15)
        yield provider, camt053(movements(happened), account, message_id=str(batch_id), made_at=PAID_AT)
