"""Count words and pairs of words in tokenized texts."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.modalities import Ragged

Keys: TypeAlias = npt.NDArray[np.int64]
Counts: TypeAlias = Any  # SciPy's csr_matrix float32[n, terms]

UNKNOWN = 1  # the largest id of a token that is no word: 0 pads, 1 is unknown
PAIR = 32  # bits of the second word of a pair; a word alone has no first one


def count_terms(cells: Ragged) -> tuple[Counts, Keys]:
    """Count words and pairs of adjacent words: ragged int[total] → sparse [n, terms], and the key of each term.

    The key of a word is its id, that of a pair is `(first + 1) · 2³² + second`; keys are sorted. Unknown words are no
    terms. Tokens that networks do not read (`Encoded.steps`) count as well.
    """
    from scipy.sparse import csr_matrix

    row = np.repeat(np.arange(len(cells)), np.diff(cells.offsets))
    token = cells.values.astype(np.int64)
    known = (token > UNKNOWN) & (token < 2**30)
    both = (row[1:] == row[:-1]) & known[1:] & known[:-1]
    pairs = ((token[:-1] + 1 << PAIR) + token[1:])[both]
    keys, places = np.unique(np.concatenate([token[known], pairs]), return_inverse=True)
    rows = np.concatenate([row[known], row[1:][both]])
    counts = csr_matrix((np.ones(len(rows), np.float32), (rows, places)), (len(cells), len(keys)))
    counts.sum_duplicates()
    return counts, keys


def are_sets(keys: Keys) -> bool:
    """Return whether the ids of every cell are in increasing order, as those of tags are, by the pairs among its terms.

    The pairs of sets tell nothing.
    """
    pairs = keys[keys >> PAIR > 0]
    return bool(((pairs >> PAIR) - 1 < pairs & ((1 << PAIR) - 1)).all())


def select_terms(counts: Counts, found: Keys, wanted: Keys) -> Counts:
    """Return the columns of the wanted terms, in their order; zeros for those that do not occur."""
    from scipy.sparse import csr_matrix

    new = np.full(len(found) + 1, -1, np.int64)
    if len(wanted):
        places = np.minimum(np.searchsorted(wanted, found), len(wanted) - 1)
        new[:-1] = np.where(wanted[places] == found, places, -1)
    columns = new[counts.indices]
    kept = columns >= 0
    starts = np.concatenate([[0], np.cumsum(kept)])[counts.indptr]
    return csr_matrix((counts.data[kept], columns[kept], starts), (counts.shape[0], len(wanted)))


def rows_with(counts: Counts) -> Keys:
    """Return int64[terms]: the number of rows with each term."""
    return np.bincount(counts.indices, minlength=counts.shape[1])


def words_per_row(counts: Counts, keys: Keys) -> npt.NDArray[np.float64]:
    """Return float64[n]: the number of known words of each row."""
    weights = np.where(keys[counts.indices] >> PAIR, 0.0, counts.data) if len(keys) else np.zeros(0)
    sums = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])
    return np.diff(sums[counts.indptr])
