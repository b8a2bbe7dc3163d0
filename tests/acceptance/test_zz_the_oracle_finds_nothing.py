"""After all stories: topics, databases and partners' truth compared in full. Last by name, so that it sees what every story did."""

from pathlib import Path

from tests.faults import oracle
from tests.faults.oracle import Kind


async def test_nothing_was_lost_doubled_or_paid_wrongly(office):
    await office.at_rest()
    found = await oracle.examine(
        kafka=office.addresses.kafka, databases=office.addresses.databases, truth=Path(office.addresses.folder) / "truth"
    )
    # One story sends poison: to the ministries' topic, where it is set aside, and to registry's own, where nobody decided it.
    poison = [finding for finding in found.findings if finding.kind is Kind.PHANTOM and finding.what.endswith("event garbage")]
    assert [finding for finding in found.without(Kind.SET_ASIDE) if finding not in poison] == []
    assert found.deliveries > 0
    assert found.decisions > 0
