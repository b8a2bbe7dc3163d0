"""The conformance kit: batches as payout sends them, right and wrong, with the answers a bank owes to each. SYNTHETIC, nobody is paid.

A case is a folder of its own: `records.jsonl` is what a bank reads, in order, `expected.json` what it owes. With the keys in `keys/` a bank
hears the records and leaves two files in the folder: `answers.jsonl` (the bodies it published, in order) and `booked.csv`
(`end_to_end_id,amount_vnd`, one row for every time money left). No id is in two cases, so they may be heard one after the other.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from joserfc import jws
from joserfc.jwk import ECKey

from shared.cancels import CancelRequest
from shared.events import BatchMessage, Manifest
from shared.ids import derived_id, end_to_end_id
from shared.keyfiles import make_key_files
from shared.personal import Account, ProviderLine
from shared.topics import Provider, batch_topic, instruction_topic
from shared.vault import Vault
from shared.words import Channel

MADE_AT = datetime(2024, 1, 25, 2, tzinfo=UTC)
LINE_VND = 720_000
AREA = "18496"
REMARKS = ("AN SINH 202402 202403", "AN SINH 202403")
"""Of a payment for two months, and for one of them."""
Step = dict[str, Any]
"""`{"do": "record", ...}`; `{"do": "wait"}`: longer than the bank waits for lines; `{"do": "replay"}`: the process is killed, starts
again with the books it has, and hears everything before this step once more."""


@dataclass(frozen=True)
class Case:
    """One situation: what happens, in words, the steps, and what is owed for each batch."""

    name: str
    why: str
    steps: Sequence[Step]
    owed: Mapping[str, Mapping[str, Any]]


@dataclass
class Sender:
    """Payout's side of the wire for one case; every case has batches and lines of its own."""

    vault: Vault
    stranger: Vault
    provider: Provider
    case: str
    _serial: int = field(default=0)

    def lines(self, count: int) -> list[ProviderLine]:
        """New payments to accounts of the provider itself."""
        made = []
        for _number in range(count):
            self._serial += 1
            made.append(
                ProviderLine(
                    end_to_end_id=end_to_end_id(b"conformance", derived_id("conformance", self.case, self._serial), 1),
                    amount_vnd=LINE_VND + self._serial,
                    name="Nguyễn Thị Thử Nghiệm",
                    channel=Channel.ACCOUNT,
                    account=Account(bank_bin="970436", number=f"0099{self._serial:09d}", holder="NGUYEN THI THU NGHIEM"),
                    area=AREA,
                    remark="AN SINH 202402",
                )
            )
        return made

    def batch(self, number: int, lines: Sequence[ProviderLine], *, key_of: str | None = None, **changes: object) -> Batch:
        """A right batch, or one whose signed manifest says something else (`changes`)."""
        keys = self.stranger if key_of == "stranger" else self.vault
        key = keys.new_batch_key(str(self.provider))
        jwes = [key.seal_line(line.model_dump_json(exclude_none=True).encode()) for line in lines]
        manifest = Manifest(
            batch_id=derived_id("conformance-batch", self.case, number),
            provider=self.provider,
            payer="huyen-444",
            periods=("2024-02",),
            count=len(lines),
            vnd=sum(line.amount_vnd for line in lines),
            execution_date=date(2024, 2, 1),
            approved_sha256=sha256(self.case.encode()).hexdigest(),
            sent_sha256=sha256(self.case.encode()).hexdigest(),
            withdrawn=0,
            lines_sha256=sha256(b"".join(sha256(jwe.encode()).digest() for jwe in jwes)).hexdigest(),
            batch_key=key.wrapped,
            made_at=MADE_AT,
        )
        return Batch(self, manifest.batch_id, {**manifest.model_dump(mode="json"), **changes}, jwes, lines)


@dataclass
class Batch:
    """One batch on the wire."""

    sender: Sender
    batch_id: UUID
    manifest: Mapping[str, Any]
    jwes: Sequence[str]
    plain: Sequence[ProviderLine]

    def line(self, index: int, *, at: int | None = None) -> Step:
        """The record of one line; `at`: under another index."""
        body = {"batch_id": str(self.batch_id), "index": index if at is None else at, "jwe": self.jwes[index]}
        return self._record(instruction_topic(self.sender.provider), body)

    def lines(self) -> list[Step]:
        """Every line, by index."""
        return [self.line(index) for index in range(len(self.jwes))]

    def head(self, *, by: str = "payout", kind: str = "manifest") -> Step:
        """The manifest, or a cancel of the batch."""
        vault = self.sender.vault if by == "payout" else self.sender.stranger
        body = {"batch_id": str(self.batch_id), "kind": kind, "jws": vault.sign(json.dumps(dict(self.manifest)).encode())}
        return self._record(batch_topic(self.sender.provider), body)

    def recall(self, *ids: str, by: str = "payout", number: int = 1) -> Step:
        """A cancel that names lines; the same number is the same cancel."""
        request = CancelRequest(
            cancel_id=derived_id("conformance-cancel", self.batch_id, number),
            batch_id=self.batch_id,
            provider=self.sender.provider,
            end_to_end_ids=ids,
            list_sha256=sha256(self.sender.case.encode()).hexdigest(),
            made_at=MADE_AT,
        )
        vault = self.sender.vault if by == "payout" else self.sender.stranger
        body = {"batch_id": str(self.batch_id), "kind": "cancel", "jws": vault.sign(request.model_dump_json().encode())}
        return self._record(batch_topic(self.sender.provider), body)

    def with_unknown_key_id(self) -> Step:
        """The manifest, signed by a key whose id nobody knows."""
        header = {"alg": "ES256", "kid": "nobody-knows-this-key"}
        body = {"batch_id": str(self.batch_id), "kind": "manifest"}
        signed = jws.serialize_compact(header, json.dumps(dict(self.manifest)).encode(), ECKey.generate_key("P-256"))
        return self._record(batch_topic(self.sender.provider), {**body, "jws": signed})

    def paid(self, *cancelled: int, words: Mapping[str, str] | None = None) -> tuple[str, Mapping[str, Any]]:
        """Every line is owed one final answer, except those cancelled. `words`: what is owed to a cancel, per end-to-end id."""
        lines = {line.end_to_end_id: line.amount_vnd for line in self.plain}
        gone = {self.plain[index].end_to_end_id: self.plain[index].amount_vnd for index in cancelled}
        owed: dict[str, Any] = {"outcome": "paid", "lines": {key: vnd for key, vnd in lines.items() if key not in gone}}
        said = {**dict.fromkeys(gone, "cancelled"), **(words or {})}
        return str(self.batch_id), owed | ({"cancelled": gone, "words": said} if said else {})

    def refused(self, *reasons: str) -> tuple[str, Mapping[str, Any]]:
        """The batch as a whole is refused for one of these reasons."""
        return str(self.batch_id), {"outcome": "refused", "reasons": list(reasons)}

    def silent(self, *may_refuse: str) -> tuple[str, Mapping[str, Any]]:
        """Nothing may be paid or said, but that waiting ended, where a reason is given."""
        return str(self.batch_id), {"outcome": "nothing", "may_refuse": list(may_refuse)}

    def _record(self, topic: str, body: Mapping[str, Any]) -> Step:
        headers = {"ce_specversion": "1.0", "ce_type": BatchMessage.TYPE, "ce_time": MADE_AT.isoformat()}
        if topic == instruction_topic(self.sender.provider):
            headers["ce_type"] = "vn.ansinh.payout.instruction.v1"
        return {"do": "record", "topic": topic, "key": str(self.batch_id), "headers": headers, "value": dict(body)}


WAIT: Step = {"do": "wait"}
REPLAY: Step = {"do": "replay"}
Told = tuple[str, list[Step], list[tuple[str, Mapping[str, Any]]]]


def _good(s: Sender) -> Told:
    b = s.batch(1, s.lines(5))
    return "A right batch, lines first.", [*b.lines(), b.head()], [b.paid()]


def _manifest_first(s: Sender) -> Told:
    b = s.batch(1, s.lines(5))
    return "No order holds between the two topics: the manifest may come first.", [b.head(), *b.lines()], [b.paid()]


def _wrong_hash(s: Sender) -> Told:
    b = s.batch(1, s.lines(3), lines_sha256="0" * 64)
    return "The manifest's hash is not that of the lines.", [*b.lines(), b.head()], [b.refused("FRAD")]


def _changed_line(s: Sender) -> Told:
    b, other = s.batch(1, s.lines(3)), s.batch(1, s.lines(3))
    steps = [b.line(0), other.line(1), b.line(2), b.head()]
    return "One line was replaced by another that decrypts under no key of this batch.", steps, [b.refused("FRAD")]


def _wrong_signature(s: Sender) -> Told:
    b = s.batch(1, s.lines(3))
    return "Signed by somebody else: noise, or refused.", [*b.lines(), b.head(by="stranger"), WAIT], [b.silent("FRAD", "DS24")]


def _unknown_key_id(s: Sender) -> Told:
    b = s.batch(1, s.lines(3))
    why = "Signed under a key id that payout never announced."
    return why, [*b.lines(), b.with_unknown_key_id(), WAIT], [b.silent("FRAD", "DS24")]


def _key_for_another(s: Sender) -> Told:
    b = s.batch(1, s.lines(3), key_of="stranger")
    return "The batch key is wrapped for a public key that is not the bank's.", [*b.lines(), b.head()], [b.refused("FF01")]


def _missing_line(s: Sender) -> Told:
    b = s.batch(1, s.lines(4))
    return "A line never comes.", [*b.lines()[:3], b.head(), WAIT], [b.silent("DS24")]


def _repeated_line(s: Sender) -> Told:
    b = s.batch(1, s.lines(4))
    return "Every line comes twice, one three times.", [*b.lines(), b.line(2), *b.lines(), b.head()], [b.paid()]


def _no_manifest(s: Sender) -> Told:
    b = s.batch(1, s.lines(3))
    return "Lines without a manifest stay parked.", [*b.lines(), WAIT], [b.silent()]


def _replay(s: Sender) -> Told:
    b = s.batch(1, s.lines(5))
    why = "The bank is killed, starts again and reads from the first offset: nobody is paid twice."
    return why, [*b.lines(), b.head(), WAIT, REPLAY, WAIT], [b.paid()]


def _manifest_again(s: Sender) -> Told:
    b = s.batch(1, s.lines(3))
    return "The manifest comes again after the batch was paid.", [*b.lines(), b.head(), WAIT, b.head(), WAIT], [b.paid()]


def _cancelled(s: Sender) -> Told:
    b = s.batch(1, s.lines(3))
    steps = [*b.lines()[:2], b.head(kind="cancel"), WAIT]
    return "The batch is cancelled before it is whole: nothing is paid.", steps, [b.refused("DS02")]


def _cancel_by_stranger(s: Sender) -> Told:
    b = s.batch(1, s.lines(3))
    steps = [b.line(0), b.head(kind="cancel", by="stranger"), b.line(1), b.line(2), b.head()]
    return "A cancel that payout did not sign has no effect.", steps, [b.paid()]


def _cancelled_too_late(s: Sender) -> Told:
    b = s.batch(1, s.lines(3))
    steps = [*b.lines(), b.head(), WAIT, b.head(kind="cancel"), WAIT]
    return "A cancel after the money left changes nothing.", steps, [b.paid()]


def _interleaved(s: Sender) -> Told:
    one, two = s.batch(1, s.lines(3)), s.batch(2, s.lines(3))
    steps = [one.line(0), two.line(2), two.head(), one.line(1), two.line(0), one.line(2), one.head(), two.line(1)]
    return "Two batches in one stream.", steps, [one.paid(), two.paid()]


def _paid_before(s: Sender) -> Told:
    lines = s.lines(3)
    one, two = s.batch(1, lines), s.batch(2, [*lines[:1], *s.lines(1)])
    steps = [*one.lines(), one.head(), WAIT, *two.lines(), two.head()]
    return "A second batch names an end-to-end id that was paid: it is paid once.", steps, [one.paid(), two.paid()]


def _wrong_sum(s: Sender) -> Told:
    b = s.batch(1, s.lines(3), vnd=LINE_VND)
    return "Amounts do not add up to the manifest's sum.", [*b.lines(), b.head()], [b.refused("AM10")]


def _wrong_count(s: Sender) -> Told:
    b = s.batch(1, s.lines(3))
    return "A line stands under an index that the manifest does not count.", [*b.lines(), b.line(0, at=7), b.head()], [
        b.refused("AM18")
    ]  # fmt: skip


def _same_id_twice(s: Sender) -> Told:
    (line,) = s.lines(1)
    b = s.batch(1, [line, line])
    return "One batch names an end-to-end id twice.", [*b.lines(), b.head()], [b.refused("AM05")]


def _not_for_us(s: Sender) -> Told:
    b = s.batch(1, s.lines(2), provider="post" if s.provider is not Provider.POST else "bank-a")
    return "The manifest names another provider.", [*b.lines(), b.head()], [b.refused("AGNT")]


def _other_currency(s: Sender) -> Told:
    b = s.batch(1, s.lines(2), currency="USD")
    return "The manifest names another currency.", [*b.lines(), b.head()], [b.refused("AM03")]


def _noise(s: Sender) -> Told:
    b = s.batch(1, s.lines(2))
    broken: Step = {**b.line(0), "value": {"batch_id": str(b.batch_id), "index": "zero"}}
    newer: Step = {**b.line(1), "value": {**b.line(1)["value"], "field_of_a_later_version": True}}
    return "A record that cannot be read is passed over; an unknown field is ignored.", [broken, b.line(0), newer, b.head()], [
        b.paid()
    ]  # fmt: skip


def _line_cancelled(s: Sender) -> Told:
    b = s.batch(1, s.lines(4))
    steps = [*b.lines()[:3], b.head(), b.recall(b.plain[1].end_to_end_id), b.line(3), WAIT]
    return "One line is cancelled before the batch is whole: the others are paid.", steps, [b.paid(1)]


def _line_cancelled_too_late(s: Sender) -> Told:
    b = s.batch(1, s.lines(3))
    (first, *_) = b.plain
    steps = [*b.lines(), b.head(), WAIT, b.recall(first.end_to_end_id), WAIT]
    return "A line is cancelled after its money left.", steps, [b.paid(words={first.end_to_end_id: "too_late"})]


def _unknown_line_cancelled(s: Sender) -> Told:
    b, (stranger,) = s.batch(1, s.lines(3)), s.lines(1)
    steps = [*b.lines(), b.head(), WAIT, b.recall(stranger.end_to_end_id), WAIT]
    return "A cancel names an id that is not of the batch.", steps, [b.paid(words={stranger.end_to_end_id: "unknown_id"})]


def _line_cancelled_again(s: Sender) -> Told:
    b = s.batch(1, s.lines(3))
    recall = b.recall(b.plain[0].end_to_end_id, b.plain[2].end_to_end_id)
    steps = [b.line(0), b.head(), recall, recall, b.line(1), b.line(2), WAIT, REPLAY, recall, WAIT]
    return (
        "A cancel comes again, also after a restart: nobody is paid after all, and the word stays the same.",
        steps,
        [b.paid(0, 2)],
    )


def _line_cancelled_by_stranger(s: Sender) -> Told:
    b = s.batch(1, s.lines(3))
    steps = [*b.lines()[:2], b.head(), b.recall(b.plain[0].end_to_end_id, by="stranger"), b.line(2), WAIT]
    return "A cancel of a line that payout did not sign has no effect and no answer.", steps, [b.paid()]


def _several_months(s: Sender) -> Told:
    both, one = (line.model_copy(update={"remark": text}) for line, text in zip(s.lines(2), REMARKS, strict=True))
    b = s.batch(1, [both, one], periods=["2024-02", "2024-03"])
    why = "A batch over two months: who is owed both gets one payment of the whole sum, which is paid as one."
    return why, [*b.lines(), b.head()], [b.paid()]


CASES: tuple[Callable[[Sender], Told], ...] = (
    _good, _manifest_first, _wrong_hash, _changed_line, _wrong_signature, _unknown_key_id, _key_for_another, _missing_line, _repeated_line,
    _no_manifest, _replay, _manifest_again, _cancelled, _cancel_by_stranger, _cancelled_too_late, _interleaved, _paid_before, _wrong_sum,
    _wrong_count, _same_id_twice, _not_for_us, _other_currency, _noise, _line_cancelled, _line_cancelled_too_late, _unknown_line_cancelled,
    _line_cancelled_again, _line_cancelled_by_stranger, _several_months,
)  # fmt: skip


def cases(folder: Path, provider: Provider) -> list[Case]:
    """All cases under the sandbox keys of `folder`; another sender's keys are made and thrown away."""
    with tempfile.TemporaryDirectory(prefix="stranger-") as scratch:
        make_key_files(Path(scratch) / "keys")
        stranger = Vault.load(Path(scratch) / "keys" / "payout.json")
    vault = Vault.load(folder / "payout.json")
    made = []
    for number, tell in enumerate(CASES, 1):
        name = f"{number:02d}-{tell.__name__.strip('_').replace('_', '-')}"
        why, steps, owed = tell(Sender(vault, stranger, provider, name))
        made.append(Case(name, why, steps, dict(owed)))
    return made


def make(folder: Path, provider: Provider) -> int:
    """Write the kit into a new folder; returns how many cases. Raises FileExistsError: answers of an earlier run are not overwritten."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="kit-") as scratch:
        keys = Path(scratch) / "keys"
        make_key_files(keys)
        (folder / "keys").mkdir()
        shutil.copy(keys / f"{provider}.json", folder / "keys" / "provider.json")
        shutil.copy(keys / "payout.public.json", folder / "keys" / "payout.public.json")
        made = cases(keys, provider)
    for case in made:
        place = folder / case.name
        place.mkdir()
        (place / "records.jsonl").write_text("".join(json.dumps(step, ensure_ascii=False) + "\n" for step in case.steps), "utf-8")
        expected = {"provider": provider, "why": case.why, "batches": case.owed}
        (place / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return len(made)
