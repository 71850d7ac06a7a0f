"""Find the words that stand for a missing label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

from sensorium.config import Config, TableConfig, set_missing, set_value
from sensorium.findings import be
from sensorium.table import is_gap

# Words that programs write for a missing value, and that are rarely meant as a label.
MARKS = frozenset((
    "nan", "-nan", "<na>", "#n/a", "#na", "#n/a!", "n/a", "n.a.", "null", "(null)", "\\n", "nat",
    "#value!", "#div/0!", "#ref!", "#name?", "#num!", "#null!", "1.#ind",
))  # fmt: skip
SIGNS = frozenset(("-", "--", "---", "–", "—", "?", "??", ".", "..", "*"))
INFINITE = frozenset(("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"))  # missing among numbers only
DOUBTFUL = frozenset(("na", "none", "nil", "missing"))  # as labels, these are worth a look
SPELLS_NUMBER = re.compile(r"[^\w]*\d(?:[\d\W_]*\d)?(?:[eE][+-]?\d+)?[^\w]{0,3}[kKmMbB]?[^\w]{0,3}")
CODE = re.compile(r"[A-Z]{2,3}")  # such as a country's
MOSTLY = 0.9  # share of the other labels that are numbers, or codes
SHOWN = 5  # examples that a message names


def missing_words(cells: Counter[str], config: Config) -> tuple[set[str], bool, list[list[str]]]:
    """Return the words for a missing label, whether the other labels are numbers, and the findings."""
    known = MARKS | SIGNS | INFINITE
    words = {text: n for text, n in cells.items() if is_gap(text) or text.strip().casefold() in known}
    others = [text.strip() for text in cells if text not in words]
    numeric = bool(words) and bool(others) and _mostly(others, SPELLS_NUMBER.fullmatch)
    said = config.table.missing != TableConfig.model_fields["missing"].default
    blank = {text for text in words if not text.strip()}
    read = {} if said else {t: n for t, n in words.items() if numeric or _says_missing(t.strip(), others)}
    kept = {t: n for t, n in words.items() if t not in read and (said or _is_doubtful(t.strip(), others))}
    told = [_about_missing(read, cells)] if (read := _without(read, blank)) else []
    told += [_about_kept(kept, cells)] if (kept := _without(kept, blank)) else []
    return {text.strip().casefold() for text in (*read, *blank)}, numeric, told


def _without(words: dict[str, int], others: set[str]) -> dict[str, int]:
    return {text: n for text, n in words.items() if text not in others}


def _says_missing(text: str, others: list[str]) -> bool:
    """Return whether a label that is not a number stands for a missing one: a program's marker, a sign, or "NA"."""
    word = text.casefold()
    if word in MARKS:
        return True
    if not others:
        return False
    if word == "na":
        return not _mostly(others, CODE.fullmatch)
    return word in SIGNS and all(len(other) > 1 or other.isdigit() for other in others)


def _is_doubtful(text: str, others: list[str]) -> bool:
    """Return whether a word may stand for a missing label, although it looks like the other labels."""
    word = text.casefold()
    return word in DOUBTFUL or (word in SIGNS and "+" not in others)


def _mostly(texts: list[str], is_so: Callable[[str], object]) -> bool:
    return sum(bool(is_so(text)) for text in texts) >= MOSTLY * len(texts)


def _about_missing(words: Mapping[str, int], cells: Counter[str]) -> list[str]:
    reason = f"{_cells(words, cells)} {_be(words)} read as missing"
    kept = "it as a label" if len(words) == 1 else "them as labels"
    return [reason, f"{set_value('table.missing', '[]')} keeps {kept}"]


def _about_kept(words: Mapping[str, int], cells: Counter[str]) -> list[str]:
    reason = f"{_cells(words, cells)} may stand for a missing label and {_be(words)} kept as a class"
    setting = set_missing([text.strip() for text in words])
    return [reason, f"{setting} reads {'it' if len(words) == 1 else 'them'} as missing"]


def _cells(words: Mapping[str, int], cells: Counter[str]) -> str:
    shown = ", ".join(repr(text) for text in sorted(words, key=lambda text: -words[text])[:SHOWN])
    return f"{sum(words.values()):,} of {cells.total():,} labels ({shown})"


def _be(words: Mapping[str, int]) -> str:
    return be(sum(words.values()))
