"""Quick checks of columns: numbers, limits, unambiguous spellings."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._arrays import evenly_spaced
from sensorium.table._notation.conventions import Conventions
from sensorium.table._notation.tally import DOUBTFUL, LOT, Tally
from sensorium.table._notation.units import parse_with_unit
from sensorium.table._notation.words import LIMIT, is_gap

LEAST = 0.6  # share of cells with a digit from which a column of text may be numbers
LONGEST = 64  # characters of a cell that may be a number
MANY = 20  # different odd cells from which a column is clearly one of numbers
LOOKED_AT = 1000
LIMITED = rf"[<>≤≥⩽⩾＜＞]|\+\s*(\pL+\.?\s*)?$|^\s*{LIMIT}"


def may_be_numbers(sample: list[str]) -> bool:
    """Return whether most cells that are not missing have a digit."""
    if not sample:
        return False
    counts = Counter(sample)
    short = [text for text in counts if len(text) <= LONGEST]
    digits = pc.match_substring_regex(pa.array(short, pa.string()), r"\p{Nd}").to_pylist()
    with_digits = sum(counts[text] for text, found in zip(short, digits, strict=True) if found)
    gaps = sum(counts[text] for text, found in zip(short, digits, strict=True) if not found and is_gap(text))
    return 0 < LEAST * (len(sample) - gaps) <= with_digits


def is_clearly_numbers(counts: Tally) -> bool:
    """Return whether cells have marks and signs that only numbers have, or whether there are many cells."""
    signed = counts.groups.total() + counts.doubtful.total() + counts.decimals.total() + counts.currencies.total()
    signed += counts.percents.total() + counts.brackets.total() + counts.suffixes.total() + counts.limits.total()
    signed += counts.numbers if counts.unit else 0
    return 2 * signed >= counts.numbers or (bool(counts.gaps or counts.words) and counts.distinct > MANY)


def has_limits(texts: pa.Array) -> bool:
    """Return whether some cell is a limit, such as "<5" or "50+"."""
    some = texts.filter(pc.fill_null(pc.match_substring_regex(texts, LIMITED), False))
    cells = map(parse_with_unit, some.unique().to_pylist())
    return any(cell is not None and cell.limit for cell in cells)


def spelt_plainly(texts: pa.Array, known: Conventions) -> bool:
    """Return whether cells of digits with a decimal point should be read as such, judging by a sample."""
    if known.decimal == "," or known.thousands == ".":
        return False
    sample = texts if len(texts) <= LOOKED_AT else texts.take(pa.array(evenly_spaced(len(texts), LOOKED_AT)))
    sample = sample.drop_null()
    pointed = pc.sum(pc.match_substring(sample, ".")).as_py() or 0
    doubtful = pc.sum(pc.match_substring_regex(sample, DOUBTFUL)).as_py() or 0
    lots = pc.any(pc.match_substring_regex(sample, LOT)).as_py()
    return doubtful < pointed and not lots


def same_but_for_zeros(texts: pa.Array) -> tuple[str, str] | None:
    """Return two spellings of a number that differ in trailing zeros, such as 1.1 and 1.10, if decimals vary.

    They may be version numbers. Returns None if there are none.
    """
    seen = dict[str, str]()
    for text in texts.unique().drop_null().to_pylist():
        text = text.strip()
        stem = text.rstrip("0") if "." in text and "e" not in text.lower() else ""
        if stem and not stem.endswith(".") and seen.setdefault(stem, text) != text:
            return seen[stem], text
    return None
