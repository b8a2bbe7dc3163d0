"""A foreign ministry's side of the Kafka door: its events as bytes, with ids of its own drawn from the trial's seed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from random import Random
from uuid import UUID

from joserfc import jwe
from joserfc.jwk import ECKey

from shared import events, words
from tests.faults.people import AREA, Person
from tests.faults.world import Record

SOURCE = "faults/ministry"
WRONG_VND = 123_000
OTHER_WRONG_VND = WRONG_VND + 1_000


class Ministry:
    """Makes records for the ministry topic. The same seed makes the same ids in the same order."""

    def __init__(self, folder: Path, rng: Random) -> None:
        """`folder`: the installation, whose registry key seals personal data."""
        self._rng = rng
        self._key = ECKey.import_key(json.loads((folder / "keys" / "registry.public.json").read_text()))

    def record(self, message: events.MinistryMessage, partition: int | None = None) -> Record:
        """A statement as it goes over the wire, under a new event id."""
        event_id = UUID(int=self._rng.getrandbits(128), version=4)
        headers = [("ce_specversion", b"1.0"), ("ce_id", str(event_id).encode()), ("ce_type", message.TYPE.encode())]
        value = message.model_dump_json(exclude_none=True).encode()
        return f"{message.source}:{message.record}".encode(), value, headers, partition

    def enrolment(self, period: str, payer: str, person: Person) -> list[list[Record]]:
        """Everything said about one person, one list per upstream record, each in order."""
        said = [
            [self.record(self._enrolled(period, payer, person, benefit=n))] for n in range(len(person.benefits))
        ]  # fmt: skip
        if person.kind == "corrected":
            said[0].append(self.record(self._corrected(person, 2, OTHER_WRONG_VND)))
            said[0].append(self.record(self._corrected(person, 3, None)))
        if person.account:
            wish = words.Wish.POST if person.kind == "wishes-post" else words.Wish.ACCOUNT
            said.append([self.record(self._account(person, wish))])
        return said

    def death(self, person: Person, on: date) -> Record:
        """The person's first record ends."""
        return self.record(
            events.Ended(source=SOURCE, record=f"{person.record}.0", source_sequence=9, reason=words.EndReason.DEATH, on=on)
        )

    def seal(self, person: Person) -> str:
        """Personal data for registry only."""
        plain = json.dumps(person.personal()).encode()
        return jwe.encrypt_compact({"alg": "ECDH-ES", "enc": "A256GCM"}, plain, self._key)

    def _enrolled(self, period: str, payer: str, person: Person, *, benefit: int) -> events.Enrolled:
        wrong = person.kind in ("bad-amount", "corrected")
        line = _line(person, benefit, vnd=WRONG_VND if wrong else None)
        return events.Enrolled(
            source=SOURCE, record=f"{person.record}.{benefit}", source_sequence=1, period=period, payer=payer, area=AREA,
            line=line, personal=self.seal(person),
        )  # fmt: skip

    def _corrected(self, person: Person, sequence: int, vnd: int | None) -> events.Changed:
        """Twice, the second time rightly: out of order, the first must not come back."""
        return events.Changed(
            source=SOURCE, record=f"{person.record}.0", source_sequence=sequence, line=_line(person, 0, vnd=vnd)
        )

    def _account(self, person: Person, wish: words.Wish) -> events.AccountRegistered:
        return events.AccountRegistered(
            source=SOURCE, record=f"{person.record}.a", source_sequence=1,
            account_source=words.AccountSource.COMMUNE_POLICE, wish=wish, personal=self.seal(person),
        )  # fmt: skip


def _line(person: Person, benefit: int, *, vnd: int | None) -> events.DeclaredLine:
    code, programme, coefficient, monthly = person.benefits[benefit]
    return events.DeclaredLine(
        programme=words.Programme(programme), benefit_code="XX-99" if person.kind == "bad-code" else code,
        coefficient_hundredths=coefficient, monthly_vnd=monthly if vnd is None else vnd,
    )  # fmt: skip
