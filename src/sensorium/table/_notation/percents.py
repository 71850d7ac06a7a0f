"""Infer how numbers with % relate to those without."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sensorium.table._notation.notation import Notation, Percent
from sensorium.table._notation.read import read_texts
from sensorium.table._notation.tally import Tally

FRACTIONS = 0.5  # share of the cells without % that lie in 0–1, above which 5% is read as 0.05
ROOM = 2.0


def percent_meaning(texts: pa.Array, counts: Tally, notation: Notation) -> Percent:
    signed = counts.percents.total()
    rest = counts.numbers - signed
    if not signed or not rest:
        return "all" if signed else "none"
    values = read_texts(texts, notation).values  # those with a % are missing here
    values = values[np.isfinite(values)]
    if len(values) and (np.abs(values) <= 1).mean() > FRACTIONS:
        return "fraction"
    return "all" if signed >= rest else "none"


def largest_fraction(counts: Tally, notation: Notation) -> float:
    """Return the limit of fractions among cells without %: 1, or twice the largest cell with % if that is above 100%.
    than 100%.
    """
    if notation.percent != "fraction":
        return 1.0
    largest = float(np.nanmax(np.abs([notation.read(text).value for text in counts.percents]), initial=0))
    return ROOM * largest if largest > 1 else 1.0
