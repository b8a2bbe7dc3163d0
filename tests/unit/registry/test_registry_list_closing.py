"""Totals are over exactly the frozen lines, in any order; the same rows freeze to the same lines."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_workbooks import a_line

from services.registry.list_closing import OpenRow, Totals, freeze
from shared.words import Programme

AT = datetime(2024, 1, 24, 2, 0, tzinfo=UTC)
rows = st.lists(
    st.builds(
        lambda n, vnd, programme: OpenRow("s", f"r{n}", uuid4(), "18502", a_line(monthly_vnd=vnd, programme=programme), (1, 1)),
        st.integers(0, 10**6), st.integers(0, 10**9), st.sampled_from(Programme),
    ),
    min_size=1, max_size=20, unique_by=lambda row: row.record,
)  # fmt: skip


def closing_of(lines):
    return Totals().plus(lines).closing("2024-02", "p", closed_at=AT)


@given(rows, st.randoms())
def test_totals_add_up_and_do_not_depend_on_order(given_rows, random):
    closing = closing_of(freeze(given_rows, "2024-02", "p"))
    assert closing.count == len(given_rows)
    assert closing.vnd == sum(row.line.declared_vnd for row in given_rows) == sum(part.vnd for part in closing.programmes)
    assert closing.count == sum(part.count for part in closing.programmes)
    shuffled = list(given_rows)
    random.shuffle(shuffled)
    assert closing_of(freeze(shuffled, "2024-02", "p")) == closing
    lines, part = freeze(shuffled, "2024-02", "p"), random.randrange(len(shuffled) + 1)
    assert Totals().plus(lines[:part]).plus(lines[part:]).closing("2024-02", "p", closed_at=AT) == closing


@given(rows)
def test_a_changed_amount_changes_the_digest(given_rows):
    lines = freeze(given_rows, "2024-02", "p")
    more = [lines[0].model_copy(update={"declared_vnd": lines[0].declared_vnd + 1}), *lines[1:]]
    first, second = (closing_of(some) for some in (lines, more))
    assert first.digest != second.digest
    assert second.vnd == first.vnd + 1


@given(rows)
def test_the_same_rows_freeze_to_the_same_lines(given_rows):
    assert freeze(given_rows, "2024-02", "p") == freeze(given_rows, "2024-02", "p")
    ids = {line.entitlement_id for line in freeze(given_rows, "2024-02", "p") + freeze(given_rows, "2024-03", "p")}
    assert len(ids) == 2 * len(given_rows)


def test_an_empty_list_does_not_close():
    with pytest.raises(AssertionError):
        closing_of([])
