"""Text: a vocabulary of its own, from the training rows only, in any language, of any length."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from sensorium.modalities._text_cells import character_limit
from sensorium.modalities.text import HUGE, Text
from sensorium.table import open_table

PAD, UNKNOWN = 0, 1


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


def ids(learnt, text):
    return learnt.encode(column([text, "x"])).values[0].tolist()


def test_words_that_training_rows_lack_are_unknown():
    learnt = Text.learn(column(["red apple", "red pear"]), min_count=1)
    assert UNKNOWN not in ids(learnt, "Red PEAR!")
    assert ids(learnt, "red plum")[1] == UNKNOWN


def test_rare_words_are_unknown_and_the_vocabulary_has_a_limit():
    texts = ["one two", "one two", "one three"]
    assert ids(Text.learn(column(texts)), "three") == [UNKNOWN]
    assert Text.learn(column(texts), vocabulary=3, min_count=1).encoder_spec()["vocabulary"] == 3


def test_unknown_tokens_of_a_pretrained_tokenizer_are_counted_whatever_their_number(tmp_path):
    own = Tokenizer(WordLevel({"[UNK]": 0, "a": 1, "b": 2}, unk_token="[UNK]"))
    own.pre_tokenizer = Whitespace()
    own.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "config.json").write_text("{}")
    learnt = Text.learn(column(["a b c c", "b c"]), tokenizer=str(tmp_path))
    assert learnt.unknown_share == 0.5


def test_case_is_folded_unless_told_otherwise():
    texts = ["Apple apple", "Apple apple"]
    assert len(set(ids(Text.learn(column(texts)), "Apple apple"))) == 1
    assert len(set(ids(Text.learn(column(texts), lowercase=False), "Apple apple"))) == 2


def test_chinese_is_split_into_characters_and_full_width_is_folded():
    learnt = Text.learn(column(["今天天气很好", "今天下雨 ＡＢＣ"]), min_count=1)
    assert len(ids(learnt, "今天很好")) == 4
    assert UNKNOWN not in ids(learnt, "今天 abc")


def test_subwords_spell_words_never_seen():
    texts = ["lower lowest", "newer newest", "wider widest"] * 3
    word, subword = (Text.learn(column(texts), unit=unit) for unit in ("word", "subword"))
    assert ids(word, "lowering")[0] == UNKNOWN
    assert UNKNOWN not in ids(subword, "newlow")


@pytest.mark.parametrize("unit", ["word", "subword"])
def test_the_same_texts_give_the_same_vocabulary(unit):
    texts = [f"word{i % 37} thing{i % 11} of some kind{i % 5}" for i in range(400)]
    assert Text.learn(column(texts), unit=unit) == Text.learn(column(texts), unit=unit)


def test_a_text_of_a_million_characters_is_cut_in_time_and_told():
    learnt = Text.learn(column(["some words", "other words"]), length=16)
    start = time.process_time()
    encoded = learnt.encode(column(["word " * 200_000, "x" * 1_000_000, "short"]))
    assert time.process_time() - start < 5
    assert encoded.steps == 16
    assert len(encoded.values[0]) == character_limit(16) // len("word ") + 1  # the last word is cut
    assert [p.row for p in encoded.problems] == [0, 1]
    assert f"{HUGE:,} characters" in encoded.problems[0].reason
    assert len(encoded.problems[0].value) < 200


def test_blank_texts_are_missing_and_punctuation_is_a_text():
    encoded = Text.learn(column(["a b", "a b"])).encode(column([" \t ", None, "!?", "\0", "😀 a"]))
    assert encoded.present.tolist() == [False, False, True, True, True]
    assert encoded.values[2].tolist() == [UNKNOWN]


def test_a_list_of_texts_is_one_text_and_an_empty_one_is_missing():
    learnt = Text.learn(column(["a b", "a b", "c", "c"]))
    encoded = learnt.encode(column([["a b", None, "c"], [], [None], None]))
    assert encoded.present.tolist() == [True, False, False, False]
    assert encoded.values[0].tolist() == learnt.encode(column(["a b c"])).values[0].tolist()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.text(), min_size=1, max_size=4))
def test_any_text_becomes_known_ids(texts):
    learnt = Text.learn(column(["a few words", "to learn from"]), min_count=1)
    encoded = learnt.encode(column([*texts, "x"]))
    for row, text in enumerate(texts):
        cell = encoded.values[row]
        assert encoded.present[row] == bool(text.strip())
        assert (len(cell) > 0) == encoded.present[row]
        assert ((cell >= 1) & (cell < learnt.encoder_spec()["vocabulary"])).all()
