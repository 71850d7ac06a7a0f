"""Text in any language: what stands for a word is one token, however it is spelt in bytes."""

import unicodedata

import numpy as np
import pytest

import sensorium
from sensorium.modalities._new_tokenizer import UNKNOWN
from sensorium.modalities.text import Text
from sensorium.table import open_table
from tiers import spread


def column(texts):
    return open_table({"c": texts, "row": list(range(len(texts)))}).column("c")


def ids(learnt, text):
    return learnt.encode(column([text])).values[0].tolist()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("这部电影非常好看", 8),
        ("中国GDP增长5%", 6),  # four characters, a word of letters, a number
        ("この映画は、とても良い。", 10),
        ("カメラが好き", 6),
        ("หนังสนุก", 6),  # six letters, vowel signs with theirs
        ("الفيلم رائع جدا", 3),
        ("סרט טוב מאוד", 3),
        ("Ein schönes Märchen", 3),
        ("好👍🏽 ❤️ 👨‍👩‍👧", 7),
    ],
)
def test_words_are_told_apart_in_every_script(text, count):
    found = ids(Text.learn(column([text] * 3)), text)
    assert len(found) == count
    assert UNKNOWN not in found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("café déjà", unicodedata.normalize("NFD", "café déjà")),
        ("ＡＢＣ１２３", "abc123"),
        ("ｶﾒﾗ", "カメラ"),
        ("❤ ok", "❤️ ok"),
        ("한국어 영화", unicodedata.normalize("NFD", "한국어 영화")),
    ],
)
def test_one_word_in_two_spellings_is_one_token(one, other):
    learnt = Text.learn(column([one] * 3))
    assert ids(learnt, one) == ids(learnt, other)
    assert UNKNOWN not in ids(learnt, other)


SENTENCES = {
    "Chinese": ("这部电影{}我看了两遍", ("非常好看", "太无聊了")),
    "Japanese": ("この映画は{}と思いました", ("とても良い", "つまらない")),
    "Thai": ("ฉันคิดว่าหนังเรื่องนี้{}จริงๆ", ("สนุกมาก", "น่าเบื่อ")),
    "Arabic": ("شاهدت هذا الفيلم مرتين وهو {} حقا", ("رائع", "ممل")),
}


@pytest.mark.parametrize("language", spread(SENTENCES, ["Chinese", "Thai"]))
def test_sentences_are_read_as_text_and_learnt(language):
    """Each row has a number of its own in it, so that no sentence comes twice."""
    frame, opinions = SENTENCES[language]
    label = np.random.default_rng(0).integers(0, 2, 160)
    table = {"review": [f"{frame.format(opinions[k])} {row}" for row, k in enumerate(label)], "label": label.tolist()}
    (review,) = (c for c in sensorium.inspect(table, "label").columns if c.name == "review")
    assert review.modality == "text"
    assert "if it is not text" not in review.caution
    model = sensorium.fit(table, "label", epochs=6, progress=False)
    assert model.evaluate(table, "test").metrics["accuracy"] > 0.8
