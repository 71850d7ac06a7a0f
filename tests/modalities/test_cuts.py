"""What is cut or read as unknown by default is counted in training, and said with the setting that changes it."""

import numpy as np
import pyarrow as pa
import pytest

import sensorium
from sensorium.modalities.category import Category
from sensorium.modalities.series import Series
from sensorium.modalities.tags import Tags
from sensorium.modalities.text import Text
from sensorium.table import open_table


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


def told(learnt):
    again = type(learnt).restore(*learnt.state())
    assert again.findings("c") == learnt.findings("c")
    assert all(problem.row is None and "modalities.c." in problem.cure for problem in learnt.findings("c"))
    return [problem.reason for problem in learnt.findings("c")]


def test_texts_are_read_whole_as_far_as_it_goes():
    assert told(Text.learn(column(["good day " * 250, "bad day " * 300] * 4))) == []
    assert Text.learn(column(["good day " * 250, "bad day " * 300] * 4)).length == 600
    long = Text.learn(column(["good day " * 600, "bad"] * 4))
    assert told(long) == ["4 of 8 texts are longer than 1,024 tokens: their end is cut"]
    assert told(Text.learn(column(["one two three"] * 4), length=2)) == [
        "4 of 4 texts are longer than 2 tokens: their end is cut"
    ]
    endless = Text.learn(column(["x" * 100_000] * 4))
    assert told(endless) == ["4 of 4 texts are longer than 1 token: their end is cut"]


def test_a_long_word_is_the_one_that_was_learnt():
    cells = column(["ACGT" * 20, "TTGA" * 20] * 4)
    learnt = Text.learn(cells)
    assert learnt.length == 1
    assert learnt.encode(cells).values.values.min() > 1, "no unknown words"


def test_a_vocabulary_that_is_full_says_how_many_words_it_lacks():
    texts = [" ".join(f"w{(k * 5 + i) % 40}" for i in range(5)) for k in range(80)]
    assert told(Text.learn(column(texts))) == []
    assert "are rare and read as unknown" in told(Text.learn(column(texts), vocabulary=20))[0]
    assert "100% of the words" in told(Text.learn(column([f"a{k} b{k}" for k in range(50)])))[0]


def test_series_keep_their_last_steps_and_say_so():
    cells = [np.arange(5000.0).tolist(), np.arange(100.0).tolist()] * 4
    learnt = Series.learn(column(cells))
    assert told(learnt) == ["4 of 8 series are longer than 2,048 steps: only their last steps are read"]
    assert learnt.encode(column(cells)).values[0][-1, 0] == pytest.approx((4999 - learnt.mean[0]) / learnt.deviation[0])
    assert told(Series.learn(column(cells), steps=5000)) == []


def test_rare_names_are_told_where_they_are_many():
    few = Category.learn(column(["a", "b"] * 20 + ["c"]))
    many = Category.learn(column(["a", "b"] * 5 + [f"n{k}" for k in range(10)]))
    assert told(few) == []
    assert told(many) == ["10 of 20 cells hold a rare category, which is read as unknown"]
    assert told(Category.learn(column(["a", "b", "c"] * 9), max_categories=2))
    assert told(Tags.learn(column([["a", "b"]] * 9 + [["c"]]))) == []
    assert told(Tags.learn(column([["a", f"n{k}"] for k in range(9)]))) == [
        "50% of the tags in the cells are rare and read as unknown"
    ]


def test_cuts_are_said_in_inspect_and_in_fit_once():
    table = pa.table({"x": [f"w{k % 2} " * 1100 for k in range(40)], "y": ["a", "b"] * 20})
    assert "40 of 40 texts are longer than 1,024 tokens: their end is cut (a larger modalities.x.length" in (
        sensorium.inspect(table, "y").columns[0].caution
    )
    few = pa.table({"x": [f"{k} word more than two" for k in range(40)], "y": ["a", "b"] * 20})
    model = sensorium.fit(few, "y", epochs=1, progress=False, encoders={"x": "bilstm"}, modalities={"x": {"length": 2}})
    assert [problem.reason for problem in model.fit_problems if problem.row is None and problem.column == "x"] == [
        "32 of 32 texts are longer than 2 tokens: their end is cut"
    ]
