"""Tags: sets of names, in any spelling and any order; what was not learnt is counted; no tag is not a missing cell."""

import json
import random
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import sensorium
from sensorium.batch import Cells
from sensorium.encoders.tag_set import TagSet
from sensorium.errors import SchemaError
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
    assert "1.5 per cell, 5 distinct ones among 90" in found.reason


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
    assert "lists of texts, joined per cell" in found.reason


def test_words_between_commas_stay_text():
    words = ["happy", "face", "grin", "smile", "laugh", "eyes"]
    assert plan([", ".join(words[i % 4 : i % 4 + 1 + i % 3]) + f", w{i}" for i in range(60)]).modality == "text"
    assert plan([["1", "2"]] * 30 + [["3"]] * 30).modality == "tags"
    assert plan(["[1, 2]", "[3, 4]"] * 30).modality != "tags", "numbers in a list have an order"


GENRES = ["Action", "Crime", "Drama", "Comedy", "Sci-Fi", "Film Noir", "Romance"]


def sets(seed=3, rows=60):
    source = random.Random(seed)
    return [source.sample(GENRES, source.randint(1, 3)) for _ in range(rows)]


SIGNS = ["|", ";", ",", ", ", "; ", " | ", "/", "\n", "\t"]
WRITTEN = {
    **{repr(sign): sign.join for sign in SIGNS},
    "sorted": lambda names: ",".join(sorted(names)),
    "one more at the end": lambda names: "|".join([*names, ""]),
    "Python": str,
    "NumPy": lambda names: str(np.array(names)),
    "tuple": lambda names: str(tuple(names)),
    "set": lambda names: "{" + ", ".join(map(repr, names)) + "}",
    "PostgreSQL": lambda names: "{" + ",".join(f'"{n}"' if " " in n else n for n in names) + "}",
}


@pytest.mark.parametrize("case", WRITTEN)
def test_names_are_tags_however_they_are_written_and_the_reason_says_how(case):
    cells = [WRITTEN[case](names) for names in sets()]
    found = plan(cells)
    assert (found.modality, found.caution, found.undecodable) == ("tags", "", 0)
    assert "names separated by" in found.reason or "lists of names" in found.reason
    learnt, expected = Tags.learn(column(cells)), Tags.learn(column(sets()))
    assert learnt.tags == expected.tags
    assert ids(learnt.encode(column(cells))) == ids(expected.encode(column(sets())))
    again = Tags.restore(*learnt.state())
    alone = again.encode(column(cells[:1]))
    assert ids(alone) == ids(learnt.encode(column(cells)))[:1], "the separator is learnt, not read off each call"


def test_few_combinations_are_tags_too():
    assert plan(["Action|Crime|Drama", "Comedy", "Drama|Comedy"] * 20).modality == "tags"
    assert plan(["Action, Crime, Drama", "Comedy", "Drama, Comedy"] * 20).modality == "tags"


def test_codes_are_tags_where_none_comes_twice_in_a_cell():
    source = random.Random(0)
    for sign in "|;,":
        cells = [sign.join(map(str, source.sample(range(20), source.randint(1, 4)))) for _ in range(60)]
        assert plan(cells).modality == "tags"


def others():
    source = random.Random(1)
    last, first, towns = ["Smith", "Jones", "Brown", "Lee"], ["John", "Mary", "Ann", "Bob", "Eve"], ["Bonn", "Rome"]
    rows = range(60)
    return {
        "towns and countries": [source.choice(["Berlin, Germany", "Bonn, Germany", "Rome, Italy"]) for _ in rows],
        "last and first names": [f"{source.choice(last)}, {source.choice(first)}" for _ in rows],
        "addresses": [
            f"{source.randint(1, 99)} High Street, {source.choice(towns)}, {source.choice('AB')}" for _ in rows
        ],
        "answers": [source.choice(["Yes, often", "No, never", "Yes, sometimes"]) for _ in rows],
        "sentences": [f"{source.choice(['well, no', 'good, thanks; bye'])}, number {row}" for row in rows],
        "paths": [f"img/{source.choice('ab')}/{row}.xyz" for row in rows],
        "decimal commas": [f"{source.randint(1, 9)},{source.randint(1, 9)}" for _ in rows],
        "thousands": [source.choice(["10,000", "20,000", "30,000"]) for _ in rows],
        "alternatives": [source.choice(["yes/no", "and/or", "N/A", "male/female"]) for _ in rows],
        "days": [f"{source.randint(1, 12)}/{source.randint(1, 28)}/2020" for _ in rows],
        "kinds of kinds": [source.choice(["Home/Kitchen", "Home/Garden", "Office/Desks"]) for _ in rows],
        "pressures": [f"{source.randint(100, 140)}/{source.randint(60, 90)}" for _ in rows],
        "pairs that stand for one": [source.choice(["a;b", "c;d"]) for _ in rows],
        "JSON": ['{"a": 1, "b": 2}', '{"a": 2, "b": 1}'] * 30,
    }


@pytest.mark.parametrize(("name", "cells"), others().items(), ids=others())
def test_what_only_has_a_separator_in_it_is_no_set_of_tags(name, cells):
    with suppress(SchemaError):  # no column left
        assert plan(cells).modality != "tags"


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


def test_cells_of_blanks_and_tabs_are_no_tags():
    found = sensorium.inspect({"x": [" ", "\t", " "] * 4, "y": ["a", "b"] * 6}, "y")
    assert found.columns[0].modality != "tags"
