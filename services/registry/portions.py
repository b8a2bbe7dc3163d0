"""What a batch changed, cut so that some of it is written while the rest is made. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from operator import attrgetter
from uuid import UUID

from services.registry.desk import Desk
from services.registry.records import ListRow, RecordKey

PORTION_PEOPLE = 500


@dataclass(frozen=True, slots=True)
class Portion:
    """People in the order of their ids, with their records and rows."""

    people: list[UUID] = field(default_factory=list)
    records: list[RecordKey] = field(default_factory=list)
    rows: list[ListRow] = field(default_factory=list)


def portions(desk: Desk, found: Collection[UUID], most: int = PORTION_PEOPLE) -> list[Portion]:
    """`found`: whoever stood in the table. What is one person's is together; records and rows of people who stay as they are come last.

    Where anything that stood changes, everything is one portion: a number, a record or a benefit may go from one person to another, and
    then whoever loses it is written first (`store.save_rows`).
    """
    people = sorted(desk.changed_people, key=attrgetter("int"))
    stands = (desk.changed_people, found), (desk.changed_records, desk.found_records), (desk.changed_rows.keys(), desk.found_rows)
    if not all(changed.isdisjoint(there) for changed, there in stands):
        most = max(len(people), 1)
    cut = [Portion(people[start : start + most]) for start in range(0, len(people), most)] or [Portion()]
    place = {who: portion for portion in cut for who in portion.people}
    for key in desk.changed_records:
        place.get(desk.records[key].beneficiary_id, cut[-1]).records.append(key)
    for row in desk.changed_rows.values():
        place.get(row.beneficiary_id, cut[-1]).rows.append(row)
    return cut
