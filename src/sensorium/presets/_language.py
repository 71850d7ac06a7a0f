"""Recognise English texts by their function words, without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Frequent words of English that other languages do not have.
FUNCTION_WORDS = frozenset(
    ["the", "and", "with", "this", "that", "from", "have", "are", "not", "you", "they", "his", "her", "which", "but"]
)
WORDS = 6  # of a text, from which it is expected to have such a word
SHARE = 0.3  # of these texts that have one, in English; other languages have next to none
FOREIGN = 0.1  # share of letters outside A to Z, above which texts are not English
LETTERS = re.compile(r"[^\W\d_]+")


def is_english(texts: Sequence[str]) -> bool:
    """Return whether texts look English. Short texts only count as not English if they have other letters.

    >>> from sensorium.presets._language import is_english
    >>> is_english(["The dog that lives with us sleeps."]), is_english(["Der Hund, der bei uns lebt, schläft."])
    (True, False)
    """
    words = [LETTERS.findall(text) for text in texts]
    letters = "".join(word for each in words for word in each)
    if sum(not letter.isascii() for letter in letters) > FOREIGN * len(letters):
        return False
    long = [{word.lower() for word in each} for each in words if len(each) >= WORDS]
    return not long or sum(bool(each & FUNCTION_WORDS) for each in long) >= SHARE * len(long)
