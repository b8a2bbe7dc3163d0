"""A provider's files tell the truth of its truth file, again and again the same."""

from datetime import datetime
from pathlib import Path

from sandbox.provider_files import Account
from sandbox.provider_written import write_files
from sandbox.truth import BatchState, LineFact, Reply, Status, TruthFile
from services.payout.reading_statement import read_statement
from services.payout.statement_line import LineKind
from shared.topics import Provider
from tests.unit.payout.statement_files import an_id

AT = datetime.fromisoformat("2024-02-01T09:00:00+07:00")
BATCH, OTHER = "0f9c5a4e-7d0e-4f5e-9d36-5b6a3f1f6c11", "0f9c5a4e-7d0e-4f5e-9d36-5b6a3f1f6c12"
OURS = Account("9990000000001", "970405", 10**9)


def a_truth(path: Path, provider: str) -> Path:
    truth = TruthFile(path)
    some = ((1, Status.PAID, None), (2, Status.REJECTED, "AC04"), (3, Status.PAID, None), (3, Status.RETURNED, "MD07"))
    truth.add_lines([LineFact(provider, BATCH, n, an_id(n), 360_000, status, why, Reply.LOST, AT) for n, status, why in some])
    truth.mark_batch(OTHER, BatchState.REFUSED, AT, reason="AM10")
    truth.close()
    return path


def test_every_file_of_a_bank_says_what_happened(tmp_path: Path) -> None:
    truth = a_truth(tmp_path / "bank-a.jsonl", "bank-a")
    paths = write_files("bank-a", truth, tmp_path / "files", account=OURS)
    assert [path.read_bytes() for path in paths] == [
        path.read_bytes() for path in write_files("bank-a", truth, tmp_path / "again", account=OURS)
    ]
    for path in paths:
        found = read_statement(path.read_bytes(), Provider.BANK_A, sha256="")
        said = [(line.kind, line.end_to_end_id) for line in found.lines]
        if OTHER in path.name:
            assert said == [(LineKind.REJECTED, None)]
        elif path.name.startswith("pain.002"):
            assert said == [(LineKind.PAID, an_id(1)), (LineKind.REJECTED, an_id(2)), (LineKind.PAID, an_id(3))]
        else:
            assert said == [(LineKind.PAID, an_id(1)), (LineKind.PAID, an_id(3)), (LineKind.RETURNED, an_id(3))]


def test_list_of_the_post_says_what_happened(tmp_path: Path) -> None:
    truth = a_truth(tmp_path / "post.jsonl", "post")
    (path,) = write_files("post", truth, tmp_path / "files", account=OURS)
    found = read_statement(path.read_bytes(), Provider.POST, sha256="")
    assert [(line.kind, line.end_to_end_id) for line in found.lines] == [
        (LineKind.PAID, an_id(1)), (LineKind.RETURNED, an_id(2)), (LineKind.RETURNED, an_id(3)),
    ]  # fmt: skip


def test_nothing_happened_is_no_file(tmp_path: Path) -> None:
    assert write_files("bank-a", tmp_path / "none.jsonl", tmp_path / "files", account=OURS) == []
