"""Tags: sets of names, in any spelling and any order; what was not learnt is counted; no tag is not a missing cell."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import sensorium
from sensorium.batch import Cells
from sensorium.encoders.tag_set import TagSet
from sensorium.modalities.tags import Tags
from sensorium.table import open_table

SETS = [["red", "round"], ["round", "big"], [], None, ["red", "big"]] * 4


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


def ids(encoded):
    return [encoded.values[row].tolist() for row in range(len(encoded.values))]


SPELLINGS = {
    "lists": (lambda names: names, {}),
    "JSON": (json.dumps, {}),
    "separator": (lambda names: " ; ".join(names) or " ", {"separator": ";"}),
    "twice and blank": (lambda names: [*names, None, " ", *(f" {name} " for name in names)], {}),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_set_is_the_same_however_it_is_spelt(spelling):
    spell, options = SPELLINGS[spelling]
    cells = column([names if names is None else spell(names) for names in SETS])
    learnt = Tags.learn(cells, **options)
    assert learnt.tags == ["big", "red", "round"]
    found = learnt.encode(cells)
    assert ids(found)[:5] == [[4, 5], [3, 5], [1], [], [3, 4]]
    assert found.present.tolist()[:5] == [True, True, True, False, True]
    assert found.problems == []


def test_tags_not_seen_in_training_are_unknown_and_counted():
    found = Tags.learn(column(SETS)).encode(column([["red", "new", "newer", "new"], ["odd"]]))
    assert ids(found) == [[2, 4], [2]]
    assert [(problem.row, problem.value) for problem in found.problems] == [(0, "new"), (0, "newer"), (1, "odd")]


def test_rare_tags_are_unknown_but_no_problem():
    cells = column([*SETS, ["once", "red"]])
    learnt = Tags.learn(cells)
    assert (learnt.rare, ids(learnt.encode(cells))[-1]) == (["once"], [2, 3])
    assert learnt.encode(cells).problems == []
    assert "once" in Tags.learn(cells, min_count=1).tags
    assert Tags.learn(cells, max_tags=1).tags == ["red"]
    assert Tags.learn(column([["a"], ["b"]])).tags == ["a", "b"], "where all are rare, all are learnt"


@pytest.mark.parametrize("cell", ["red;round", '{"a": 1}', '["red"', "[" * 100_000, b"red"])
def test_what_is_no_list_is_missing_and_says_how_to_read_it(cell):
    found = Tags.learn(column(SETS)).encode(column([cell]))
    assert not found.present.any()
    assert "modalities.c.separator" in found.problems[0].cure


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), min_size=1, max_size=12), st.randoms())
def test_neither_order_nor_repetition_changes_a_set(sets, random):
    learnt = Tags.learn(column([list("abcd")] * 3))
    shuffled = [random.sample(names * 2, 2 * len(names)) for names in sets]
    assert ids(learnt.encode(column(sets))) == ids(learnt.encode(column(shuffled)))


def plan(cells):
    table = {"c": cells, "other": [i * 0.37 for i in range(len(cells))]}
    return sensorium.inspect(table).columns[0]


@pytest.mark.parametrize("spell", [list, json.dumps])
def test_short_names_that_come_again_are_tags(spell):
    found = plan([spell(names) for names in [["red", "round"], ["big"], [], ["blue", "big", "very old"]] * 15])
    assert (found.modality, found.caution) == ("tags", "")
    assert "1.5 a cell, 5 different ones among 90" in found.reason


TEXTS = {
    "messages": [[f"the price of gold went up by {i} today", f"we sell all of it at {i}"] for i in range(60)],
    "headlines": [[f"gold rises {i}", f"oil falls {i}"] for i in range(60)],
    "words of a text": [["to", "be", "or", "not", "to", "be", str(i % 3)] for i in range(60)],
    "repeated sentences": [["one of the words that are said again", "and one more of them"]] * 40 + [["no", "more"]],
}


@pytest.mark.parametrize("case", TEXTS)
def test_lists_of_texts_stay_text_and_say_so(case):
    found = plan(TEXTS[case])
    assert found.modality == "text"
    assert "lists of texts, read as one each" in found.reason


def test_words_between_commas_stay_text():
    words = ["happy", "face", "grin", "smile", "laugh", "eyes"]
    assert plan([", ".join(words[i % 4 : i % 4 + 1 + i % 3]) + f", w{i}" for i in range(60)]).modality == "text"
    assert plan([["1", "2"]] * 30 + [["3"]] * 30).modality == "tags"
    assert plan(["[1, 2]", "[3, 4]"] * 30).modality != "tags", "numbers in a list have an order"


def test_the_encoder_is_the_mean_or_the_sum_of_embeddings():
    mask = torch.tensor([[True, True, False], [True, False, False]])
    cells = Cells(torch.tensor([[3, 4, 0], [1, 0, 0]]), torch.ones(2, dtype=torch.bool), mask)
    for reduce in ("mean", "sum"):
        torch.manual_seed(0)
        encoder = TagSet(5, size=4, reduce=reduce).eval()
        table = encoder.embed.weight.detach()
        both = table[3] + table[4]
        expected = torch.stack([both / 2 if reduce == "mean" else both, table[1]])
        assert torch.allclose(encoder(cells).pooled(), expected)
        assert table[1].abs().sum() > 0, "the empty set has a vector that is learnt"


def test_a_label_that_hangs_on_two_tags_is_learnt_and_kept(tmp_path):
    random = np.random.default_rng(0)
    sets = [[name for name in ("sea", "sun", "snow", "city") if random.random() < 0.5] for _ in range(160)]
    table = {"about": sets, "label": ["warm" if "sun" in names and "snow" not in names else "cold" for names in sets]}
    model = sensorium.fit(table, "label", epochs=15, out=tmp_path / "run", progress=False)
    assert model.columns == {"about": "tags"}
    assert (model.predict(table) == np.array(table["label"])).mean() > 0.9
    again = sensorium.load(tmp_path / "run")
    turned = {"about": [names[::-1] for names in sets]}
    assert np.array_equal(again.predict(turned), model.predict(table))
