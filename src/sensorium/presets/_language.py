"""Recognise texts that are not English, or not sentences, without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Frequent words that only English has.
ENGLISH_WORDS = frozenset(
    ["the", "and", "with", "this", "that", "from", "have", "are", "not", "you", "they", "his", "her", "which", "but"]
)
# Frequent words of other languages in Latin letters that are neither words nor common short forms of English.
FOREIGN_WORDS = frozenset(
    word
    for words in (
        "und der das nicht ist ein eine mit für auf dem von wir ich zu auch bei sich einen",  # German
        "le la les en dans une du que qui avec sur pas nous vous et il elle ce",  # French
        "el los las una por para del es más muy lo como pero está de",  # Spanish
        "di che della sono gli nel alla anche più questo è dei delle",  # Italian
        "não os das dos em você à ao foi uma",  # Portuguese
        "het een niet voor zijn op ik maar ook wij deze bij naar",  # Dutch
        "och att inte på som för av jag är med ett",  # Swedish
        "og ikke jeg til ved også er",  # Danish, Norwegian
        "ei että mutta kun oli hän minä ovat tai",  # Finnish
        "nie się jest że jak przez czy oraz dla",  # Polish
        "který jsou také nebo jako byl jeho",  # Czech, Slovak
        "és hogy nem egy csak",  # Hungarian
        "și este din sau mai sunt pentru",  # Romanian
        "bir bu için çok ile gibi daha değil",  # Turkish
        "yang ini itu untuk dengan tidak dari adalah",  # Indonesian, Malay
        "ang mga ay ito",  # Tagalog
        "kwa katika hii ya wa",  # Swahili
        "els amb més aquest",  # Catalan
        "koji kao nije ali ili što kako bili",  # Croatian, Serbian
        "ning kui oma mis kuid",  # Estonian
        "ir kad yra iš arba",  # Lithuanian, Latvian
        "ki kot tudi ali",  # Slovenian
        "và của là không những được",  # Vietnamese
    )
    for word in words.split()
)
NAMED = 0.1  # share of texts with foreign words, up to which they may be names, as in "Los Angeles"
WORDS = 6  # of a text, from which a sentence is expected to have a function word
LONG = 20  # … from which any English text is
SHARE = 0.3  # of these texts that have one
OTHER_LETTERS = 0.1  # share of letters outside A to Z, above which texts are not English
LETTERS = re.compile(r"[^\W\d_]+")


def is_english(texts: Sequence[str]) -> bool:
    """Return whether nothing shows that texts are not English.

    They are not English if many letters are not A to Z, if they have more function words of other languages than of
    English, or if long texts have none. Notes, titles and tags without function words count as English.

    >>> from sensorium.presets._language import is_english
    >>> is_english(["The dog that lives with us sleeps."]), is_english(["Der Hund, der bei uns lebt, schläft."])
    (True, False)
    """
    words = [LETTERS.findall(text.lower()) for text in texts]
    return not (_has_other_letters(words) or _is_foreign(words) or _lacks_function_words(words, LONG))


def are_sentences(texts: Sequence[str]) -> bool:
    """Return whether nothing shows that English texts are titles, notes or keywords instead of sentences.

    >>> from sensorium.presets._language import are_sentences
    >>> are_sentences(["The cat sleeps all day with her toys."]), are_sentences(["cat, pet, toy, box, face, fur"])
    (True, False)
    """
    words = [LETTERS.findall(text.lower()) for text in texts]
    return not _lacks_function_words(words, WORDS)


def _has_other_letters(words: Sequence[Sequence[str]]) -> bool:
    letters = "".join(word for each in words for word in each)
    return sum(not letter.isascii() for letter in letters) > OTHER_LETTERS * len(letters)


def _is_foreign(words: Sequence[Sequence[str]]) -> bool:
    """Return whether words of other languages are more frequent, and more than a single name."""
    foreign = [FOREIGN_WORDS.intersection(each) for each in words]
    english = sum(len(ENGLISH_WORDS.intersection(each)) for each in words)
    is_name = len(set().union(*foreign)) < 2 or sum(map(bool, foreign)) <= NAMED * len(words)
    return not is_name and sum(map(len, foreign)) > english


def _lacks_function_words(words: Sequence[Sequence[str]], least: int) -> bool:
    """Return whether few of the texts of at least so many words have a function word of English."""
    long = [ENGLISH_WORDS.intersection(each) for each in words if len(each) >= least]
    return bool(long) and sum(map(bool, long)) < SHARE * len(long)
