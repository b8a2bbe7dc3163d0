"""What the stories do: people enter by the Kafka door as a foreign ministry sends them, an office pays them, partners answer."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from joserfc import jwe
from joserfc.jwk import ECKey

from ansinh import pipeline, report
from ansinh.client import Client, Refusal
from ansinh.installation import Addresses, Installation, Routes
from ansinh.look import connection
from ansinh.processes import ROOT
from deploy.local.stack import LocalStack
from shared import events, topics, words
from shared.ids import random_id
from shared.topics import Provider

COLUMNS = (
    "personal_number,old_number,family_name,middle_name,given_name,birth_date,sex,area_code,status,status_date,replaced_by_number"
)
SOURCE = "story/ministry"
STACKS = "story-"  # what the folders of these installations begin with
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """A synthetic person of a story, written as the register has them."""

    record: str = field(default_factory=lambda: f"r-{uuid4().hex[:12]}")
    number: str = field(default_factory=lambda: f"042050{next(_numbers):06d}")
    birth: str = "1950-03-04"
    area: str = "18496"
    account: str | None = None
    bank_bin: str = "970405"
    monthly_vnd: int = 540_000
    benefit_code: str = "BT-5a1"
    coefficient_hundredths: int | None = 150
    status: str = "alive"
    status_date: str = ""

    @property
    def given(self) -> str:
        """A given name that tells people of a story apart without digits."""
        return "Thử " + "".join(chr(ord("A") + int(digit)) for digit in self.number[-6:]).capitalize()

    @property
    def full_name(self) -> str:
        """Family, middle and given name."""
        return f"Nguyễn Văn {self.given}"

    def personal(self) -> dict[str, Any]:
        """What the ministry seals for registry."""
        identity = {"full_name": self.full_name, "birth_date": self.birth, "sex": "male", "personal_number": self.number}
        account = {"bank_bin": self.bank_bin, "number": self.account, "holder": _plain(self.full_name)}
        return {"identity": identity, "delivery": {"hamlet": "Thôn 1"}} | ({"account": account} if self.account else {})

    def register_row(self) -> str:
        """The person's line of the population extract."""
        parts = (self.number, "", "Nguyễn", "Văn", self.given, self.birth, "male", self.area, self.status, self.status_date, "")
        return ",".join(parts)


def _plain(name: str) -> str:
    return name.upper().replace("Ễ", "E").replace("Ă", "A").replace("Ử", "U")


class InMemory(Routes):
    """Straight, to servers whose data are thrown away with the story's world: they need no disk."""

    def start_stack(self, name: str, *, fresh: bool) -> LocalStack:
        """Kafka and PostgreSQL of an installation, running. Raises StackUnavailable."""
        return LocalStack.start(ROOT, name, fresh=fresh, in_memory=True)


class Office:
    """Drives one installation; `period` and `payer` belong to one story each."""

    def __init__(self, installation: Installation, addresses: Addresses, client: Client) -> None:
        self.installation = installation
        self.addresses = addresses
        self.client = client
        self._known: list[str] = []
        self._key = ECKey.import_key(json.loads((Path(addresses.folder) / "keys" / "registry.public.json").read_text()))

    async def open_register(self) -> None:
        """Upload everybody known so far as the whole population; other stories of the same world had other people."""
        body = "\n".join([COLUMNS, *(self._known or [Person().register_row()])]) + "\n"
        await self.client.post("verification", "/v1/population/extract", actor="operator", body=body.encode(), part=False)
        await self.at_rest()

    async def people_are_registered(self, *people: Person) -> None:
        """The population register knows them."""
        self._known += [person.register_row() for person in people]
        await self.open_register()

    async def enrol(self, period: str, payer: str, *people: Person, sequence: int = 1) -> None:
        """The ministry puts people on a payer's list; accounts are registered as the commune police do."""
        out: list[tuple[str, events.MinistryMessage]] = []
        for person in people:
            out.append((person.record, self._enrolled(period, payer, person, sequence)))
            if person.account:
                record = f"a-{person.record}"
                registered = events.AccountRegistered(
                    source=SOURCE, record=record, source_sequence=sequence,
                    account_source=words.AccountSource.COMMUNE_POLICE, personal=self._seal(person),
                )  # fmt: skip
                out.append((record, registered))
        await self.publish(out)

    async def end(self, person: Person, reason: str, on: date, sequence: int = 9) -> None:
        """The ministry says that a record ended."""
        ended = events.Ended(source=SOURCE, record=person.record, source_sequence=sequence, reason=words.EndReason(reason), on=on)
        await self.publish([(person.record, ended)])

    async def publish(self, messages: list[tuple[str, events.MinistryMessage]]) -> None:
        """Send as any foreign producer would, and wait until all services have come to rest."""
        producer = AIOKafkaProducer(bootstrap_servers=self.addresses.kafka, acks="all")
        await producer.start()
        try:
            for record, message in messages:
                headers = [("ce_id", str(random_id()).encode()), ("ce_type", message.TYPE.encode()), ("ce_specversion", b"1.0")]
                value = message.model_dump_json(exclude_none=True).encode()
                await producer.send_and_wait(
                    topics.MINISTRY_BENEFICIARY, value, key=f"{SOURCE}:{record}".encode(), headers=headers
                )
        finally:
            await producer.stop()
        await self.at_rest()

    async def at_rest(self) -> None:
        """Every record read, every outbox row published."""
        await pipeline.settled(self.addresses)

    async def close_and_build(self, period: str, payer: str) -> dict[str, Any]:
        """Close the list, build drafts; returns the payroll as it stands."""
        await pipeline.close_list(self.client, period, payer)
        await self.at_rest()
        await pipeline.build(self.client, period, payer)
        return await self.payroll(period, payer)

    async def sign(self, period: str, payer: str, *steps: str) -> None:
        """Check, approve, release: each by its own actor."""
        for step in steps or ("check", "approve", "release"):
            await pipeline.sign(self.client, period, payer, step=step)

    async def answered(self) -> None:
        """The partners have closed every batch and their late answers were read."""
        folder = Path(self.addresses.folder) / "truth"

        async def closed() -> bool:
            states = report.partner_batches(folder)
            return len(states) >= await report.batches_sent(self.addresses) and set(states.values()) <= {"closed", "refused"}

        await pipeline.until(closed)
        await asyncio.sleep(1.5)
        await self.at_rest()

    async def payroll(self, period: str, payer: str) -> dict[str, Any]:
        """The payroll as it stands."""
        return await pipeline.status(self.client, period, payer)

    async def beneficiary(self, person: Person) -> str:
        """The person's random id."""
        return await report.person_of(self.addresses, SOURCE, person.record)

    async def payments(self, person: Person) -> list[dict[str, Any]]:
        """The person's payments as payout's trace shows them."""
        shown = await self.client.get("payout", f"/v1/trace/{await self.beneficiary(person)}")
        found: list[dict[str, Any]] = shown["payments"]
        return found

    async def answer(self, provider: Provider, **fields: Any) -> None:
        """Publish one answer in a provider's name (a story's own bank behaviour)."""
        result = events.PaymentResult(result_id=UUID(str(uuid4())), provider=provider, **fields)
        producer = AIOKafkaProducer(bootstrap_servers=self.addresses.kafka, acks="all")
        await producer.start()
        try:
            headers = [("ce_id", str(random_id()).encode()), ("ce_type", result.TYPE.encode())]
            value = result.model_dump_json(exclude_none=True).encode()
            await producer.send_and_wait(topics.result_topic(provider), value, key=str(result.batch_id).encode(), headers=headers)
        finally:
            await producer.stop()
        await self.at_rest()

    async def rows(self, service: str, sql: str, *args: Any) -> list[Any]:
        """Look into a service's database."""
        async with connection(self.addresses.databases[service]) as tx:
            return list(await tx.fetch(sql, *args))

    async def ends(self) -> dict[str, int]:
        """Records per topic: what a silent system does not change."""
        from ansinh.look import flow

        return {row["topic"]: row["records"] for row in await flow(self.addresses)}

    def _enrolled(self, period: str, payer: str, person: Person, sequence: int) -> events.Enrolled:
        merit = person.benefit_code.startswith("NCC")
        programme = words.Programme.MERIT if merit else words.Programme.SOCIAL_ASSISTANCE
        line = events.DeclaredLine(
            programme=programme, benefit_code=person.benefit_code,
            coefficient_hundredths=person.coefficient_hundredths, monthly_vnd=person.monthly_vnd,
        )  # fmt: skip
        return events.Enrolled(
            source=SOURCE, record=person.record, source_sequence=sequence, period=period, payer=payer, area=person.area,
            line=line, personal=self._seal(person),
        )  # fmt: skip

    def _seal(self, person: Person) -> str:
        plain = json.dumps(person.personal()).encode()
        return jwe.encrypt_compact({"alg": "ECDH-ES", "enc": "A256GCM"}, plain, self._key)


__all__ = ["InMemory", "Office", "Person", "Refusal", "replace"]
