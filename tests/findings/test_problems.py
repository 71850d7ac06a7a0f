"""What is told of cells that could not be taken as they were."""

import json

import pytest

from sensorium.findings import Problem, Problems, shorten

pytestmark = pytest.mark.unit


def test_alike_problems_are_told_once_the_most_frequent_first():
    found = Problems([Problem(5, "b", "empty file")])
    found.extend([Problem(row, "a", "the file does not exist", "mend the path", f"{row}.png") for row in (2, 4, 8)])
    found.add(Problem(9, "", "nothing in the row"))
    assert [str(group) for group in found.groups()] == [
        "column 'a': 3 × the file does not exist (first: row 2, '2.png') – mend the path",
        "column 'b': 1 × empty file (first: row 5)",
        "1 × nothing in the row (first: row 9)",
    ]
    assert sum(map(len, found.groups())) == len(found) == 5


def test_problems_of_whole_rows_are_sentences_about_rows():
    reason = "the row has no value in any column and cannot be used for training"
    one, two = (str(Problems([Problem(row, "", reason) for row in rows]).groups()[0]) for rows in ([7], [2, 5]))
    assert one == "1 row has no value in any column and cannot be used for training (first: row 7)"
    assert two == "2 rows have no value in any column and cannot be used for training (first: row 2)"


def test_each_is_one_line_of_json_whatever_the_cell_holds():
    found = Problems([Problem(1, "név\n", "bad", value='a "b"\n\u2028 é'), Problem(2, "x", "worse")])
    lines = found.to_jsonl().decode().split("\n")
    assert lines.pop() == ""
    assert [Problem(**json.loads(line)) for line in lines] == list(found)


def test_long_and_binary_cells_are_shortened():
    assert shorten("x" * 80) == "x" * 80
    assert shorten("x" * 5000) == "x" * 80 + "… (5,000 characters)"
    assert shorten(b"\x00" * 12) == "12 bytes"
    assert shorten(1.5) == "1.5"


def test_whole_columns_come_before_any_number_of_cells():
    found = Problems([Problem(row, "a", "empty file") for row in range(5)])
    found.add(Problem(None, "b", "dates by the American order"))
    assert [group.column for group in found.groups()] == ["b", "a"]
    assert [problem.column for problem in found.whole()] == ["b"]
    assert len(found.of_cells()) == 5
    assert sorted(found, key=Problem.place)[0].column == "b"


def test_problems_are_a_sequence():
    items = [Problem(row, "a", "empty file") for row in range(5)]
    found = Problems(list(items))
    assert found[1] is items[1] and found[-1] is items[-1]
    assert isinstance(found[:2], Problems) and list(found[:2]) == items[:2]
    assert items[3] in found and found.index(items[3]) == 3


def test_a_group_in_json_names_its_first_rows():
    (group,) = Problems([Problem(row, "a", "empty file", value=f"{row}.png") for row in (4, 7, 9, 11)]).groups()
    assert group.to_json() == {
        "column": "a", "reason": "empty file", "cure": "", "count": 4, "rows": [4, 7, 9], "value": "4.png",
    }  # fmt: skip


def test_rows_of_a_part_become_rows_of_its_table():
    assert Problem(2, "a", "empty file").at([5, 6, 70]).row == 70
    assert Problem(None, "a", "empty file").at([5, 6, 70]).row is None
