"""Under which name a list comes back: beside it, and over no file that is there."""

from ansinh.pipeline import name_beside


def test_lists_of_one_name_come_back_under_names_of_their_own(tmp_path):
    lists = [tmp_path / f"list.{suffix}" for suffix in ("xls", "ods", "xlsx", "csv", "XLS")]
    made = [name_beside(path, word) for path in lists for word in ("dry-run", "result")]
    assert len(set(made)) == len(made)
    assert [path.name for path in made[1:8:2]] == [
        "list.xls.result.xlsx",
        "list.ods.result.xlsx",
        "list.result.xlsx",
        "list.result.csv",
    ]
    assert made[0].name == "list.xls.dry-run.xlsx"


def test_a_name_that_is_taken_is_passed_over(tmp_path):
    (tmp_path / "list.result.xlsx").write_text("what an officer noted")
    made = [name_beside(tmp_path / "list.xlsx", "result").name for _time in range(2)]
    assert made == ["list.result-2.xlsx", "list.result-3.xlsx"]
    assert (tmp_path / "list.result.xlsx").read_text() == "what an officer noted"
