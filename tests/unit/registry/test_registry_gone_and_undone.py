"""What is decided about who is gone and about a file undone, without a database."""

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st
from registry_workbooks import a_line

from services.registry.gone import GoneReason, judged
from services.registry.records import ListRow, Record
from services.registry.refusals import Undone
from services.registry.store_files import Applied, Decided, Gone, RecordNow, RowNow, ToUndo
from services.registry.undoing import NO_DIGEST, decide
from shared.words import EndReason

FILE = ToUndo(uuid4(), 7, "payroll", "s", "huyen-444", "2024-02", "done", None)
ROW = ListRow("s", "r", "2024-02", uuid4(), "huyen-444", "18502", a_line())
SAID = [Applied(2, "r", ROW.beneficiary_id)]


def undone(row=ROW, *, then=None, sequence=7, digest_then="old", import_id=FILE.import_id, file=FILE):
    records = {"r": RecordNow(Record(ROW.beneficiary_id, sequence, "new"), digest_then)}
    rows = {"r": RowNow(row, import_id, then)} if row else {}
    return decide(SAID, file, rows=rows, records=records, ordinal=9)


def test_a_row_goes_back_to_what_the_file_found_and_ends_where_there_was_nothing():
    then = ROW._replace(line=a_line(monthly_vnd=1))
    part = undone(then=then)
    assert (part.rows, part.records) == ((then,), {("s", "r"): Record(ROW.beneficiary_id, 9, "old")})
    part = undone(digest_then=None)
    assert part.rows == (ROW._replace(end_reason=Undone.IMPORT),)
    assert part.records[("s", "r")].digest == NO_DIGEST


def test_newer_words_and_ended_rows_stay():
    for part in (
        undone(sequence=8), undone(import_id=uuid4()), undone(row=None), undone(row=ROW._replace(end_reason=EndReason.DEATH)),
    ):  # fmt: skip
        assert (part.rows, part.records, part.undone, len(part.kept)) == ((), {}, (), 1)


def test_an_account_list_has_records_and_no_rows():
    part = undone(row=None, file=replace(FILE, kind="accounts", period=None))
    assert (part.rows, len(part.records), len(part.undone)) == ((), 1, 1)


@given(st.lists(st.tuples(st.integers(5, 9), st.booleans(), st.sampled_from([None, *EndReason, Undone.IMPORT])), max_size=8))
def test_every_statement_is_undone_or_kept_and_sequences_only_rise(drawn):
    said = [Applied(n, f"r{n}", UUID(int=n)) for n in range(len(drawn))]
    records = {f"r{n}": RecordNow(Record(UUID(int=n), sequence, "x"), None) for n, (sequence, _, _) in enumerate(drawn)}
    rows = {
        f"r{n}": RowNow(ROW._replace(record=f"r{n}", end_reason=end), FILE.import_id if ours else None, None)
        for n, (_, ours, end) in enumerate(drawn)
    }
    part = decide(said, FILE, rows=rows, records=records, ordinal=10)
    assert sorted([*part.undone, *part.kept], key=lambda one: one.row_no) == said
    assert all(record.sequence == 10 for record in part.records.values())
    assert len(part.rows) == len(part.records) == len(part.undone)
    assert all(row.end_reason is Undone.IMPORT for row in part.rows)


def gone(record, *, choice=None, reason=None, on=None):
    return Gone("s", record, "2024-02", uuid4(), "18502", "BT-5c", 1, choice, reason, on, "a" if choice else None)


END = Decided("a", "end", "death", date(2024, 1, 1))
KEEP = Decided("b", "keep", None, None)


def test_decisions_are_new_known_or_refused_as_a_whole():
    assert judged([END, KEEP], [gone("a"), gone("b")]) == [END, KEEP]
    assert judged([END, KEEP], [gone("a", choice="end", reason="death", on=date(2024, 1, 1)), gone("b")]) == [KEEP]
    assert judged([END], [gone("a", choice="keep")]) is GoneReason.DECIDED_OTHERWISE
    assert judged([END, KEEP], [gone("a")]) is GoneReason.NOT_GONE
    assert judged([END, END], [gone("a")]) is GoneReason.DECISION_INCOMPLETE
    for bad in (replace(END, reason=None), replace(END, ended_on=None), replace(KEEP, reason="death", ended_on=date(2024, 1, 1))):
        assert judged([bad], [gone("a"), gone("b")]) is GoneReason.DECISION_INCOMPLETE
