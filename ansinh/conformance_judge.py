"""Judges what a bank answered to the conformance kit. Every finding names the case, the rule and the batch; no findings: it passes."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.events import PaymentResult
from shared.words import LineStatus, ResultKind


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken duty."""

    case: str
    rule: str
    what: str

    def __str__(self) -> str:
        """One line for a report."""
        return f"{self.case}: {self.rule}: {self.what}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a bank left behind for one case: answers in the order published, and every time money left."""

    answers: Sequence[PaymentResult]
    booked: Sequence[tuple[str, int]]


def judge(folder: Path) -> tuple[int, list[Finding]]:
    """How many cases there are and what is wrong. Raises FileNotFoundError where the folder is no kit."""
    places = sorted(path.parent for path in folder.glob("*/expected.json"))
    if not places:
        raise FileNotFoundError(folder)
    return len(places), [finding for place in places for finding in _case(place)]


def _case(place: Path) -> list[Finding]:
    expected = json.loads((place / "expected.json").read_text("utf-8"))
    if not (place / "answers.jsonl").exists() or not (place / "booked.csv").exists():
        return [Finding(place.name, "answered", "answers.jsonl and booked.csv are not both there")]
    answers, findings = [], []
    for number, text in enumerate((place / "answers.jsonl").read_text("utf-8").splitlines(), 1):
        try:
            answers.append(PaymentResult.model_validate_json(text))
        except ValidationError as error:
            findings.append(
                Finding(place.name, "contract", f"answer {number} does not fit the schema: {error.error_count()} errors")
            )
    with (place / "booked.csv").open(encoding="utf-8", newline="") as file:
        booked = [(row["end_to_end_id"], int(row["amount_vnd"])) for row in csv.DictReader(file)]
    return findings + [Finding(place.name, rule, what) for rule, what in judged(expected, Heard(answers, booked))]


def judged(expected: Mapping[str, Any], heard: Heard) -> Iterator[tuple[str, str]]:
    """(rule, what is wrong) for one case. Pure."""
    yield from _one_answer_per_id(heard.answers)
    of_batch = defaultdict(list)
    for answer in heard.answers:
        of_batch[str(answer.batch_id)].append(answer)
        if answer.provider != expected["provider"]:
            yield "provider", f"an answer speaks for {answer.provider}"
    for stray in sorted(of_batch.keys() - expected["batches"].keys()):
        yield "known batches only", stray
    for batch_id, owed in expected["batches"].items():
        check = {"paid": _paid, "refused": _refused, "nothing": _nothing}[owed["outcome"]]
        yield from ((rule, f"{batch_id}: {what}") for rule, what in check(owed, of_batch[batch_id]))
    yield from _books(expected, heard)


def _one_answer_per_id(answers: Sequence[PaymentResult]) -> Iterator[tuple[str, str]]:
    """A repeat is the same answer under the same id; another answer has another id."""
    known: dict[object, PaymentResult] = {}
    for answer in answers:
        if known.setdefault(answer.result_id, answer) != answer:
            yield "one answer per result id", str(answer.result_id)


def _paid(owed: Mapping[str, Any], answers: Sequence[PaymentResult]) -> Iterator[tuple[str, str]]:
    lines, gone = owed["lines"], owed.get("cancelled", {})
    taken = {**lines, **gone}
    kinds = {answer.kind for answer in answers}
    if ResultKind.BATCH_REFUSED in kinds:
        yield "a right batch is taken", "it was refused"
    for kind in (ResultKind.BATCH_RECEIVED, ResultKind.BATCH_COMPLETE):
        if kind not in kinds:
            yield "batch level answers", f"{kind} is missing"
    for answer in answers:
        if answer.kind is ResultKind.BATCH_RECEIVED and (answer.count, answer.vnd) != (len(taken), sum(taken.values())):
            yield "totals of what was received", f"{answer.count} lines, {answer.vnd} VND"
    last = {answer.end_to_end_id: answer for answer in answers if answer.end_to_end_id and answer.kind is ResultKind.LINE}
    for stray in sorted(last.keys() - taken.keys()):
        yield "lines of the batch only", stray
    for end_to_end_id, vnd in lines.items():
        final = last.get(end_to_end_id)
        if final is None or final.status is LineStatus.ACCEPTED:
            yield "a final answer per line", end_to_end_id
        elif final.amount_vnd != vnd:
            yield "the amount as instructed", f"{end_to_end_id}: {final.amount_vnd} VND"
        elif final.status is not LineStatus.PAID and final.reason is None:
            yield "a reason code with a refusal", end_to_end_id
    yield from _words(owed, answers)


def _words(owed: Mapping[str, Any], answers: Sequence[PaymentResult]) -> Iterator[tuple[str, str]]:
    """Every line a signed cancel named is owed one word about it, and no other line."""
    due: Mapping[str | None, str] = owed.get("words", {})
    said: dict[str | None, set[str]] = defaultdict(set)
    for answer in answers:
        if answer.kind is ResultKind.CANCEL:
            said[answer.end_to_end_id].add(str(answer.outcome))
    for identity in sorted(due.keys() | said.keys(), key=str):
        wanted = {due[identity]} if identity in due else set()
        if said[identity] != wanted:
            yield "a word about each cancelled line", f"{identity}: {sorted(said[identity])}, due are {sorted(wanted)}"


def _refused(owed: Mapping[str, Any], answers: Sequence[PaymentResult]) -> Iterator[tuple[str, str]]:
    reasons = [answer.reason for answer in answers if answer.kind is ResultKind.BATCH_REFUSED]
    if not reasons:
        yield "refused as a whole", "no batch_refused came"
    for reason in reasons:
        if reason not in owed["reasons"]:
            yield "the reason code", f"{reason} where {' or '.join(owed['reasons'])} is due"
    if any(answer.kind is not ResultKind.BATCH_REFUSED for answer in answers):
        yield "refused as a whole", "other answers came too"


def _nothing(owed: Mapping[str, Any], answers: Sequence[PaymentResult]) -> Iterator[tuple[str, str]]:
    for answer in answers:
        if answer.kind is not ResultKind.BATCH_REFUSED or answer.reason not in owed["may_refuse"]:
            yield "nothing is said of what is not whole", f"{answer.kind} came"


def _books(expected: Mapping[str, Any], heard: Heard) -> Iterator[tuple[str, str]]:
    """Money left once per id, with the amount instructed, exactly where the last word of the id is that it did."""
    amounts: dict[str, int] = {}
    for owed in expected["batches"].values():
        amounts |= owed.get("lines", {})
    times = Counter(end_to_end_id for end_to_end_id, _vnd in heard.booked)
    for end_to_end_id, vnd in heard.booked:
        if end_to_end_id not in amounts:
            yield "only instructed lines are paid", end_to_end_id
        elif vnd != amounts[end_to_end_id]:
            yield "paid as instructed", f"{end_to_end_id}: {vnd} VND"
    last = {one.end_to_end_id: one.status for one in heard.answers if one.end_to_end_id and one.kind is ResultKind.LINE}
    for end_to_end_id in amounts:
        said = last.get(end_to_end_id) in (LineStatus.PAID, LineStatus.RETURNED)
        if times[end_to_end_id] > 1:
            yield "paid once per end-to-end id", f"{end_to_end_id}: {times[end_to_end_id]} times"
        elif said != bool(times[end_to_end_id]):
            yield "what is said is what was done", end_to_end_id
