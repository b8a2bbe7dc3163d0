"""The kit a bank runs against itself: our own sandbox provider passes it, and each kind of wrong bank does not."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from typer.testing import CliRunner

from ansinh import conformance
from ansinh.cli import app
from ansinh.conformance_judge import judge
from sandbox.provider import ProviderOffice
from sandbox.provider_answers import Answer
from sandbox.provider_desk import Desk
from sandbox.provider_mix import Mix
from sandbox.truth import TruthFile, payments
from shared.topics import Provider

PLAIN = Mix(rejected_per_10000=0, late_per_10000=0, returned_per_10000=0, expired_per_10000=0, lost=0, twice=0)
PATIENCE = 60.0
Said = list[dict[str, Any]]


def key(path: Path) -> ECKey:
    return ECKey.import_key(json.loads(path.read_text()))


class Runner:
    """A sandbox provider that hears one case."""

    def __init__(self, kit: Path, case: Path, provider: str) -> None:
        self.kit, self.truth_path, self.provider = kit, case / "truth.jsonl", provider
        self.now, self.said, self.heard = 0.0, list[Answer](), list[dict[str, Any]]()
        self.open()

    def open(self) -> None:
        keys = self.kit / "keys"
        self.truth = TruthFile(self.truth_path)
        own, customer = key(keys / "provider.json"), key(keys / "payout.public.json")
        desk = Desk(provider=self.provider, own=own, customer=customer, patience_seconds=PATIENCE)
        self.office = ProviderOffice(provider=self.provider, desk=desk, truth=self.truth, mix=PLAIN)

    def step(self, step: dict[str, Any]) -> None:
        if step["do"] == "record":
            self.heard.append(step)
            self.hear(step)
        elif step["do"] == "replay":
            self.truth.close()
            self.open()
            for earlier in self.heard:
                self.hear(earlier)
        else:
            self.wait(2 * PATIENCE)

    def hear(self, step: dict[str, Any]) -> None:
        headers = [(name, text.encode()) for name, text in step["headers"].items()]
        self.office.take(step["topic"], json.dumps(step["value"]).encode(), headers=headers, now=self.now)
        self.wait(0.0)

    def wait(self, seconds: float) -> None:
        for _stage in range(4):
            self.now += seconds
            self.said += self.office.due(self.now)
            self.office.said()


def run_sandbox(kit: Path) -> None:
    for case in sorted(path.parent for path in kit.glob("*/records.jsonl")):
        provider = json.loads((case / "expected.json").read_text())["provider"]
        runner = Runner(kit, case, provider)
        for line in (case / "records.jsonl").read_text("utf-8").splitlines():
            runner.step(json.loads(line))
        runner.wait(2 * PATIENCE)
        runner.truth.close()
        leave(case, [json.loads(answer.value) for answer in runner.said], payments(runner.truth_path))


def leave(case: Path, said: Said, booked: Sequence[tuple[str, int]]) -> None:
    (case / "answers.jsonl").write_text("".join(json.dumps(body) + "\n" for body in said), "utf-8")
    with (case / "booked.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("end_to_end_id", "amount_vnd"), *booked])


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit that the sandbox provider has run."""
    kit = tmp_path_factory.mktemp("conformance") / "kit"
    conformance.make(kit, Provider.BANK_A)
    run_sandbox(kit)
    return kit


def test_sandbox_provider_passes(passed: Path) -> None:
    count, findings = judge(passed)
    assert list(map(str, findings)) == []
    assert count == len(conformance.CASES) == 29


@pytest.mark.parametrize("provider", [Provider.BANK_B, Provider.POST])
def test_other_providers_pass(provider: Provider, tmp_path: Path) -> None:
    conformance.make(tmp_path / "kit", provider)
    run_sandbox(tmp_path / "kit")
    assert list(map(str, judge(tmp_path / "kit")[1])) == []


def test_command_makes_and_judges(tmp_path: Path) -> None:
    kit = tmp_path / "kit"
    run = CliRunner()
    assert run.invoke(app, ["conformance", "make", str(kit)]).exit_code == 0
    assert run.invoke(app, ["conformance", "make", str(kit)]).exit_code == 2
    unanswered = run.invoke(app, ["conformance", "judge", str(kit)])
    assert unanswered.exit_code == 1
    assert "0 of 29 cases pass" in unanswered.output
    run_sandbox(kit)
    assert run.invoke(app, ["conformance", "judge", str(kit)]).exit_code == 0
    assert run.invoke(app, ["conformance", "judge", str(tmp_path)]).exit_code == 2


def test_kit_holds_no_key_of_payout(passed: Path) -> None:
    assert sorted(path.name for path in (passed / "keys").iterdir()) == ["payout.public.json", "provider.json"]
    assert "d" not in json.loads((passed / "keys" / "payout.public.json").read_text())


# --- banks that are wrong ----------------------------------------------------------------------------------------------------


def pays_twice(said: Said, booked: list[tuple[str, int]]) -> None:
    booked += booked[:1]


def pays_less(said: Said, booked: list[tuple[str, int]]) -> None:
    booked[0] = (booked[0][0], booked[0][1] - 1)


def pays_and_says_nothing(said: Said, booked: list[tuple[str, int]]) -> None:
    said[:] = [body for body in said if body["kind"] != "line"]


def says_and_does_not_pay(said: Said, booked: list[tuple[str, int]]) -> None:
    booked.pop()


def never_completes(said: Said, booked: list[tuple[str, int]]) -> None:
    said.pop()


def one_id_for_two_answers(said: Said, booked: list[tuple[str, int]]) -> None:
    said[1]["result_id"] = said[0]["result_id"]


def rejects_without_a_reason(said: Said, booked: list[tuple[str, int]]) -> None:
    said[-2]["status"] = "rejected"
    booked.pop()


def answers_for_another(said: Said, booked: list[tuple[str, int]]) -> None:
    said[0]["provider"] = "post"


def speaks_another_language(said: Said, booked: list[tuple[str, int]]) -> None:
    said[0]["kind"] = "thanks"


def counts_wrong(said: Said, booked: list[tuple[str, int]]) -> None:
    said[0]["count"] += 1


WRONG: dict[Callable[[Said, list[tuple[str, int]]], None], str] = {
    pays_twice: "paid once per end-to-end id",
    pays_less: "paid as instructed",
    pays_and_says_nothing: "a final answer per line",
    says_and_does_not_pay: "what is said is what was done",
    never_completes: "batch level answers",
    one_id_for_two_answers: "one answer per result id",
    rejects_without_a_reason: "a reason code with a refusal",
    answers_for_another: "provider",
    speaks_another_language: "contract",
    counts_wrong: "totals of what was received",
}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_wrong_bank_is_found(wrong: Callable[[Said, list[tuple[str, int]]], None], passed: Path, tmp_path: Path) -> None:
    case = tmp_path / "01-good"
    case.mkdir()
    (case / "expected.json").write_text((passed / "01-good" / "expected.json").read_text())
    said = [json.loads(line) for line in (passed / "01-good" / "answers.jsonl").read_text().splitlines()]
    with (passed / "01-good" / "booked.csv").open() as file:
        booked = [(row["end_to_end_id"], int(row["amount_vnd"])) for row in csv.DictReader(file)]
    wrong(said, booked)
    leave(case, said, booked)
    assert WRONG[wrong] in {finding.rule for finding in judge(tmp_path)[1]}


@pytest.mark.parametrize("number", ["03", "08", "10", "13", "18"])
def test_bank_that_believes_everything_is_found(number: str, passed: Path, tmp_path: Path) -> None:
    """It pays what it can read and never looks at the manifest."""
    (source,) = passed.glob(f"{number}-*")
    case = tmp_path / source.name
    case.mkdir()
    expected = json.loads((source / "expected.json").read_text())
    (case / "expected.json").write_text(json.dumps(expected))
    (batch_id,) = expected["batches"]
    about = {"provider": "bank-a", "batch_id": batch_id, "occurred_at": "2024-02-01T08:00:00+07:00"}
    said = {"result_id": batch_id, **about, "kind": "line", "end_to_end_id": "A" * 16, "status": "paid", "amount_vnd": 720_001}
    leave(case, [said], [("A" * 16, 720_001)])
    assert {finding.rule for finding in judge(tmp_path)[1]} >= {"only instructed lines are paid"}


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ("silent", "a word about each cancelled line"),
        ("contradicts", "a word about each cancelled line"),
        ("pays", "only instructed lines are paid"),
        ("unasked", "a word about each cancelled line"),
    ],
)
def test_bank_that_is_wrong_about_a_cancel_is_found(wrong: str, rule: str, passed: Path, tmp_path: Path) -> None:
    case = tmp_path / "24-line-cancelled"
    case.mkdir()
    source = passed / case.name
    (case / "expected.json").write_text((source / "expected.json").read_text())
    said = [json.loads(line) for line in (source / "answers.jsonl").read_text().splitlines()]
    with (source / "booked.csv").open() as file:
        booked = [(row["end_to_end_id"], int(row["amount_vnd"])) for row in csv.DictReader(file)]
    (word,) = [body for body in said if body["kind"] == "cancel"]
    other = {**word, "result_id": "00000000-0000-4000-8000-000000000001"}
    if wrong == "silent":
        said.remove(word)
    elif wrong == "contradicts":
        said.append({**other, "outcome": "too_late"})
    elif wrong == "pays":
        booked.append((word["end_to_end_id"], 720_001))
    else:
        said.append({**other, "end_to_end_id": booked[0][0]})
    leave(case, said, booked)
    assert rule in {finding.rule for finding in judge(tmp_path)[1]}
