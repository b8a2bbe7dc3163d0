"""`ansinh demo`: Hương Khê district is paid for February 2024, end to end, on synthetic people. SYNTHETIC DATA throughout."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ansinh import life, pipeline, report, settlement
from ansinh.client import Client
from ansinh.installation import Addresses, Installation
from sandbox import district, door, ministry, population
from shared.clock import LOCAL
from shared.topics import Provider

PERIOD, PAYER, SEED = "2024-02", "huyen-444", 2024
SOURCE, CAMPAIGN = "sandbox/payroll-list", "tet-2024"
IMPORTED = datetime(2024, 1, 20, 9, 0, tzinfo=LOCAL)
CLOSED = datetime(2024, 1, 24, 20, 0, tzinfo=LOCAL)
RELEASED = datetime(2024, 1, 24, 23, 0, tzinfo=LOCAL)
# Over the whole run exactly one answer is lost and one comes twice; the other shares are the partners' own.
MIXES = {Provider.BANK_B: {"lost": 0, "twice": 0}, Provider.POST: {"lost": 0, "twice": 0}}
PAID = datetime(2024, 2, 6, 9, 0, tzinfo=LOCAL)


class Demo:
    """One run: stages in order, each timed, each with a bar."""

    def __init__(self, name: str, people: int, console: Console) -> None:
        """`people`: how many recipients the synthetic district has."""
        self.installation = Installation(name, business_time=IMPORTED, fresh=True, mixes=MIXES)
        self.console = console
        self.seconds: dict[str, float] = {}
        self.notes: dict[str, Any] = {}
        self._people = people
        self._progress = Progress(
            TextColumn("{task.description:<34}"),
            BarColumn(30),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
        )

    async def run(self) -> dict[str, Any]:
        """The report. The installation is still running afterwards: call `end`."""
        with self._progress:
            addresses = await self._start()
            client = Client(addresses)
            watching = asyncio.create_task(self.installation.supervisor.watch())
            try:
                await self._stages(addresses, client)
                async with self._stage("Kiểm tra bất biến / invariants") as note:
                    made = await report.make(
                        addresses, client, period=PERIOD, payer=PAYER, notes=self.notes, seconds=self.seconds
                    )
                    note(f"{sum(v['ok'] for v in made['invariants'].values())}/{len(made['invariants'])} hold")
            finally:
                watching.cancel()
                await client.close()
        path = Path(addresses.folder) / "report.json"
        path.write_text(json.dumps(made, ensure_ascii=False, indent=1, default=str))
        return made

    def end(self) -> None:
        """Stop everything it started."""
        self.installation.end()

    async def _stages(self, addresses: Addresses, client: Client) -> None:
        world = await asyncio.to_thread(district.make_district, SEED, self._people)
        folder = Path(addresses.folder) / "lists"
        await self._lists(world, folder)
        await self._register(client, world, folder)
        await self._imports(addresses, client, folder)
        await self._door(addresses, world)
        await self._close_and_build(addresses, client)
        await self._approve(addresses, client, world)
        await self._pay(addresses, client)
        await self._fall_back(addresses, client)
        await self._remind(addresses, client)
        await self._settlement(addresses, client)

    async def _start(self) -> Addresses:
        async with self._stage("Khởi động / start the stack") as note:
            addresses = await self.installation.start(note)
            note(f"Kafka {addresses.kafka}")
        return addresses

    async def _lists(self, world: Any, folder: Path) -> None:
        async with self._stage("Danh sách của ngành / lists") as note:
            rows = await asyncio.to_thread(ministry.write_payroll_list, world, folder / "payroll.xlsx")
            accounts = await asyncio.to_thread(ministry.write_account_list, world, folder / "accounts.xlsx")
            await asyncio.to_thread(population.write_population_extract, world, folder / "population.csv")
            self.notes["people"] = len(world.people)
            note(f"{rows} payroll rows, {accounts} account rows (synthetic)")

    async def _register(self, client: Client, world: Any, folder: Path) -> None:
        async with self._stage("Dữ liệu dân cư / population") as note:
            answer = await client.send("verification", "/v1/population/extract", folder / "population.csv", actor="operator")

            async def applied() -> bool:
                extracts = await client.get("verification", "/v1/population/extracts")
                return bool(extracts) and all(one["applied"] == one["entries"] for one in extracts)

            await pipeline.until(applied)
            note(f"{answer['entries']} register entries")

    async def _imports(self, addresses: Addresses, client: Client, folder: Path) -> None:
        for kind, name in (("payroll", "Nhập danh sách chi trả / payroll"), ("accounts", "Nhập danh sách tài khoản / accounts")):
            async with self._stage(name) as note:
                query = {"source": SOURCE if kind == "payroll" else "sandbox/commune-police", "payer": PAYER}
                query |= {"period": PERIOD} if kind == "payroll" else {}
                path = folder / f"{kind}.xlsx"
                tried = await pipeline.import_list(client, kind, path, dry_run=True, **query)
                note(f"dry run: {tried['accepted']} would be taken, {tried['refused']} refused")
                taken = await pipeline.import_list(client, kind, path, dry_run=False, **query)
                self.notes[kind] = taken
                note(f"{taken['accepted']} taken, {taken['refused']} refused -> {Path(taken['workbook']).name}")
        await pipeline.settled(addresses)

    async def _door(self, addresses: Addresses, world: Any) -> None:
        async with self._stage("Cửa Kafka / the Kafka door") as note:
            events = [event for event in door.door_events(world) if not event.after_closing]
            key = json.loads((Path(addresses.folder) / "keys" / "registry.public.json").read_text())
            count = await door.publish_door(addresses.kafka, key, events)
            await pipeline.settled(addresses)
            note(f"{count} events by the sandbox ministry")

    async def _close_and_build(self, addresses: Addresses, client: Client) -> None:
        self.installation.set_clock(CLOSED)
        async with self._stage("Chốt danh sách / close the list") as note:
            closing = await pipeline.close_list(client, PERIOD, PAYER)
            await pipeline.settled(addresses)
            note(f"{closing['count']} lines, {_vnd(closing['vnd'])}")
        await self._budget(client, closing)
        async with self._stage("Xác minh và lập chi trả / build") as note:
            built = await pipeline.build(client, PERIOD, PAYER)
            note(f"{sum(batch['count'] for batch in built['batches'])} payments in {len(built['batches'])} batches")

    async def _budget(self, client: Client, closing: dict[str, Any]) -> None:
        """The month is opened, what the list needs is budgeted by two, and the build is tried before it is made."""
        async with self._stage("Mở kỳ, dự toán / open, budget") as note:
            await life.open_period(client, PERIOD)
            rows = {row["programme"]: row["vnd"] for row in closing["programmes"]}
            sheet = await life.budget(client, PERIOD, PAYER, rows=rows)
            await life.confirm_budget(client, PERIOD, PAYER)
            note(f"{len(rows)} programmes, {_vnd(sheet['vnd'])}, signed by two")
        async with self._stage("Xem trước / preview") as note:
            tried = await life.preview(client, PERIOD, PAYER)
            note(f"{sum(one['count'] for one in tried['lists'])} payments, {tried['people_who_differ']} people unlike last month")

    async def _approve(self, addresses: Addresses, client: Client, world: Any) -> None:
        async with self._stage("Kiểm tra, phê duyệt / check, approve") as note:
            await pipeline.sign(client, PERIOD, PAYER, step="check")
            await pipeline.sign(client, PERIOD, PAYER, step="approve")
            note("three lists signed by checker and approver")
        async with self._stage("Báo tử muộn, rút khỏi lệnh / withdraw") as note:
            events = [event for event in door.door_events(world) if event.after_closing]
            key = json.loads((Path(addresses.folder) / "keys" / "registry.public.json").read_text())
            await door.publish_door(addresses.kafka, key, events)
            await pipeline.settled(addresses)
            dead = await report.person_of(addresses, door.SOURCE, events[0].record)
            proposed = await pipeline.withdraw(client, PERIOD, PAYER, beneficiary_ids=[dead], reason="LATE_DEATH")
            note(f"{proposed['count']} payment, {_vnd(proposed['vnd'])}, signed by two")

    async def _pay(self, addresses: Addresses, client: Client) -> None:
        self.installation.set_clock(RELEASED)
        async with self._stage("Sẵn sàng chi trả / go, no-go") as note:
            sheet = await life.go_no_go(client, PERIOD)
            path = Path(addresses.folder) / "go-no-go.html"
            await client.fetch("payout", f"/v1/periods/{PERIOD}/go-no-go.html", path, actor="operator")
            [row] = sheet["payers"]
            answers = [yes for question, yes in row.items() if question not in ("payer", "go", "todo")]
            note(f"{sum(answers)} of {len(answers)} green before release -> {path.name}")
        async with self._stage("Phát hành / release") as note:
            sent = await pipeline.sign(client, PERIOD, PAYER, step="release")
            note(f"{sum(batch['count'] for batch in sent['batches'])} payments sealed and sent")
        self.installation.set_clock(PAID)
        async with self._stage("Ngân hàng, bưu điện trả lời / answers") as note:
            await self._answers(addresses)
            self.notes["unknown_expired"] = await client.post(
                "payout", f"/v1/payrolls/{PERIOD}/{PAYER}/expire-answers", actor="operator"
            )
            note(await _paid(client))

    async def _fall_back(self, addresses: Addresses, client: Client) -> None:
        async with self._stage("Bị từ chối, sang bưu điện / fall back") as note:
            built = await pipeline.build(client, PERIOD, PAYER)
            count = sum(batch["count"] for batch in built["batches"])
            if count:
                for step, _actor in pipeline.STEPS:
                    await pipeline.sign(client, PERIOD, PAYER, step=step)
                await self._answers(addresses)
                await client.post("payout", f"/v1/payrolls/{PERIOD}/{PAYER}/expire-answers", actor="operator")
            note(f"{count} sent to the post; now {await _paid(client)}")

    async def _answers(self, addresses: Addresses) -> None:
        """Wait until the partners have closed every batch they took and their late answers have been read."""
        folder = Path(addresses.folder) / "truth"

        async def closed() -> bool:
            states = await asyncio.to_thread(report.partner_batches, folder)
            return len(states) >= await report.batches_sent(addresses) and set(states.values()) <= {"closed", "refused"}

        await pipeline.until(closed)
        await asyncio.sleep(1.5)  # late answers come a second after the batch is complete
        await pipeline.settled(addresses)

    async def _remind(self, addresses: Addresses, client: Client) -> None:
        async with self._stage("Nhắn tin nhắc mở tài khoản / texts") as note:
            path = f"/v1/campaigns/{CAMPAIGN}"
            drawn = await client.post("notify", f"{path}/rounds/1", actor="operator", payer=PAYER)

            async def at_rest() -> bool:
                states = await report.texts(client, CAMPAIGN)
                return not set(states) & {"created", "sending", "unknown"}

            await pipeline.until(at_rest)
            await asyncio.sleep(2.5)  # late receipts
            await pipeline.settled(addresses)
            self.notes["sms"] = await report.texts(client, CAMPAIGN)
            note(f"{drawn['texts']} texts for {drawn['people']} people")

    async def _settlement(self, addresses: Addresses, client: Client) -> None:
        async with self._stage("Quyết toán / settlement") as note:
            found = await settlement.ask(client, PERIOD, PAYER)
            files = [Path(addresses.folder) / f"settlement{ending}" for ending in (".html", ".xlsx")]
            for path in files:
                await settlement.save(client, PERIOD, PAYER, to=path)
            self.notes["settlement"] = {key: found[key] for key in ("balanced", "faults", "total", "providers")} | {
                "carry_over": len(found["carry_over"]), "files": [str(path) for path in files],
            }  # fmt: skip
            verdict = "balances" if found["balanced"] else f"{len(found['faults'])} FINDINGS"
            note(f"{found['total']['declared']['count']} lines: {verdict}; {len(found['carry_over'])} to carry over")

    @asynccontextmanager
    async def _stage(self, name: str) -> AsyncIterator[Any]:
        task: TaskID = self._progress.add_task(name, total=None, note="")
        started = monotonic()
        yield lambda text: self._progress.update(task, note=text)
        self.seconds[name.rsplit(" / ", 1)[-1]] = round(monotonic() - started, 2)
        self._progress.update(task, total=1, completed=1)


async def _paid(client: Client) -> str:
    shown = await pipeline.status(client, PERIOD, PAYER)
    return ", ".join(f"{shown[kind]['count']} {kind}" for kind in ("paid", "returned", "unknown"))


def _vnd(amount: int) -> str:
    return f"{amount:,} VND".replace(",", ".")
