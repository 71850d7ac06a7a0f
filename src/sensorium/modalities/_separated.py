"""Names that a text lists with a separator between them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from sensorium.table import are_codes

STRONG = ("|", ";", "\t", "\n")  # rarely anything but a separator
SEPARATORS = (*STRONG, ",", "/")
OFTEN = 0.2  # share of the cells with a strong separator above which it is used
SHORT_NAME, WORDS = 40, 3  # characters and, on average, words of a tag
SINGLE = 0.2  # share of the names that may occur in one cell only
SHARED = 1 / 3  # share of the distinct names that occur in more than one combination
MIXED = 0.25  # share of these at more than one position: parts of an address or a person's name have a fixed one
FEWEST = 3  # combinations below which they may be whole names
OTHERS = re.compile(r"[./\\]\w{2,5}$|://|@")  # paths and addresses
NUMERIC = re.compile(r"[+-]?[\d.,%]+(?:[eE][+-]?\d+)?|nan|none|null|na|n/a", re.IGNORECASE)


def likely_separator(texts: Sequence[str]) -> str | None:
    """Return the likely separator of names: the first strong one that many cells contain, else the most frequent."""
    joined = "".join(texts)
    counts = {sign: sum(sign in text for text in texts) if sign in joined else 0 for sign in SEPARATORS}
    often = [sign for sign in STRONG if counts[sign] >= OFTEN * len(texts)]
    best = often[0] if often else max(SEPARATORS, key=lambda sign: counts[sign])
    return best if counts[best] else None


def names_of(text: str, separator: str) -> list[str]:
    """Split a cell into names, without empty ones."""
    return [name for name in (part.strip() for part in text.split(separator)) if name]


def find_separator(texts: Sequence[str]) -> str | None:
    """Return the separator of short names that recur in other cells, in other combinations; None if the text may be
    something else: sentences, addresses, `Last, First`, paths, numbers, names that contain a comma.
    """
    separator = likely_separator(texts)
    if not separator or sum(separator in text for text in texts) < OFTEN * len(texts):
        return None
    cells = [names for text in texts if (names := names_of(text, separator))]
    if any(OTHERS.search(name) for cell in cells for name in cell) or not _are_tags(cells):
        return None
    numeric = np.mean([NUMERIC.fullmatch(name) is not None for cell in cells for name in cell]) > 1 - OFTEN
    if numeric and separator == "/":  # months of years, fractions, scores
        return None
    if numeric and not (are_codes(cells) and all(name.isdigit() for cell in cells for name in cell)):
        return None
    return separator if separator in STRONG or _stand_anywhere(cells) else None


def _are_tags(cells: Sequence[Sequence[str]]) -> bool:
    names = [name for cell in cells for name in cell]
    if not names:  # cells of tabs only
        return False
    counts, total = Counter(names), len(names)
    short = np.quantile([len(name) for name in names], 0.95) <= SHORT_NAME
    few_words = np.mean([len(name.split()) for name in names]) <= WORDS
    single = sum(count == 1 for count in counts.values())
    once = np.mean([len(set(cell)) == len(cell) for cell in cells]) >= 1 - SINGLE / 4
    company = Counter(name for cell in {tuple(sorted(set(cell))) for cell in cells} for name in cell)
    shared = np.mean([count > 1 for count in company.values()])
    return bool(short and few_words and once and single <= SINGLE * total and shared >= SHARED)


def _stand_anywhere(cells: Sequence[Sequence[str]]) -> bool:
    """Return whether names occur at several positions of their cells, as tags do."""
    places, combinations = defaultdict[str, set[int]](set), {tuple(cell) for cell in cells}
    for cell in combinations:
        for place, name in enumerate(cell):
            places[name].add(place)
    company = Counter(name for cell in combinations for name in set(cell))
    shared = [name for name, count in company.items() if count > 1]
    mixed = sum(len(places[name]) > 1 for name in shared)
    return len(combinations) >= FEWEST and bool(shared) and mixed >= MIXED * len(shared)
