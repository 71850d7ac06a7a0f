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
    assert told(long) == ["4 of 8 texts are longer than 1,024 tokens: networks do not read their end"]
    assert told(Text.learn(column(["one two three"] * 4), length=2)) == [
        "4 of 4 texts are longer than 2 tokens: networks do not read their end"
    ]
    endless = Text.learn(column(["x" * 100_000] * 4))
    assert told(endless) == ["4 of 4 texts are longer than 1 token: networks do not read their end"]


@pytest.mark.slow
def test_linear_models_read_words_that_networks_do_not():
    """A word that tells the class stands behind the tokens that networks read."""
    fillers = [" ".join(f"w{(7 * row + place) % 50}" for place in range(40)) for row in range(60)]
    texts = [f"{filler} {'good' if row % 2 else 'bad'}" for row, filler in enumerate(fillers)]
    learnt = Text.learn(column(texts), length=8)
    encoded = learnt.encode(column(texts))
    assert encoded.steps == 8 and {len(cell) for cell in map(encoded.values.__getitem__, range(60))} == {41}
    table = {"x": texts, "n": np.random.default_rng(0).normal(size=60), "y": ["a", "b"] * 30}
    settings = {"modalities": {"x": {"length": 8}}, "progress": False}
    found = sensorium.compare(table, "y", fusions=["concat"], baselines=["linear"], epochs=1, **settings)
    (accuracy,) = [each.evaluation.metrics["accuracy"] for each in found.results if each.name == "linear"]
    assert accuracy == 1


def test_models_of_older_versions_read_what_they_learned():
    old, arrays = Text.learn(column(["a b c d"] * 4), length=2).state()
    old.pop("whole")
    encoded = Text.restore(old, arrays).encode(column(["a b c d"]))
    assert len(encoded.values[0]) == 2 and encoded.steps is None
    assert told(Text.restore(old, arrays)) == ["4 of 4 texts are longer than 2 tokens: their end is cut"]


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
    told = "40 of 40 texts are longer than 1,024 tokens: networks do not read their end (a larger modalities.x.length"
    assert told in sensorium.inspect(table, "y").columns[0].caution
    few = pa.table({"x": [f"{k} word more than two" for k in range(40)], "y": ["a", "b"] * 20})
    model = sensorium.fit(few, "y", epochs=1, progress=False, encoders={"x": "bilstm"}, modalities={"x": {"length": 2}})
    assert [problem.reason for problem in model.fit_problems if problem.row is None and problem.column == "x"] == [
        "32 of 32 texts are longer than 2 tokens: networks do not read their end"
    ]
