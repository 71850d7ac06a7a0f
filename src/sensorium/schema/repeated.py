"""Decide whether equal rows are an accident of few possible values, or rows that were repeated."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sensorium.schema.copies import Ids

MOSTLY = 0.5  # share of different rows from which equal rows are of interest
FEWEST = 20  # different rows that are not all repeated by chance
MANY = 100  # different values of a column that is no small category
EVEN = 0.25  # variance of the sizes of groups per mean; rows drawn at random are above 0.5
MORE, FAR_MORE = 1.5, 10.0  # equal pairs of rows per pair that independent columns would have


def are_of_interest(sizes: Ids, columns: Iterable[Ids]) -> bool:
    """Return whether equal rows of a table are of interest.

    They are not in a table of a few categories, where most rows have an equal by chance. They are if most rows are
    different, if each row occurs about equally often (the table was repeated), or if columns of many values agree far
    more often than independent columns would.

    Args:
        sizes: how often each different row occurs.
        columns: the numbers of the cells of each column, from -1; not asked for if the sizes decide.
    """
    if len(sizes) > MOSTLY * sizes.sum():
        return True
    if len(sizes) < FEWEST:
        return False
    counts = [found[found > 0] for found in (np.bincount(ids + 1) for ids in columns)]
    counts = [found for found in counts if len(found) > 1]
    excess = _pairs(sizes) / _expected_pairs(counts, int(sizes.sum()))
    fine = sum(len(found) >= MANY for found in counts)
    return (_are_even(sizes) and (len(counts) == 1 or excess > MORE)) or (fine > 1 and excess > FAR_MORE)


def _are_even(sizes: Ids) -> bool:
    return int(np.gcd.reduce(sizes)) > 1 or float(sizes.var()) < EVEN * float(sizes.mean())


def _expected_pairs(counts: Iterable[Ids], rows: int) -> float:
    """Return how many pairs of rows would be equal if the columns were independent of each other."""
    pairs = rows * (rows - 1) / 2
    return float(pairs * np.prod([_pairs(found) / pairs for found in counts])) or np.finfo(float).tiny


def _pairs(counts: Ids) -> float:
    """Return how many pairs have equal values."""
    sizes = counts.astype(float)
    return float((sizes * (sizes - 1)).sum() / 2)
