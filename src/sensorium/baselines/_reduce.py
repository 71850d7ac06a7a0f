"""Reduce wide columns to few: principal components, and topics of texts."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.baselines._cells import Matrix
from sensorium.table import Rows

Features: TypeAlias = npt.NDArray[np.float32]
WIDEST, COMPONENTS = 128, 64  # a column of more numbers than the first becomes as many principal components
TOPICS, TWICE = (
    100,
    2,
)  # components of a text's weighted words; minimum number of training texts with a word or pair


def reduced(block: Matrix, rows: Rows, seed: int) -> Features:
    """Reduce [n, f] to [n, c] components, learned from some rows and scaled by the largest; narrow ones are kept."""
    if isinstance(block, np.ndarray) and block.shape[1] <= WIDEST:
        return block
    found = _principal(block, rows, seed) if isinstance(block, np.ndarray) else _topics(block, rows, seed)
    largest = float(found[rows].std(0).max(initial=0)) if len(rows) else 0.0
    return np.asarray(found / (largest or 1.0), np.float32)


def _principal(block: Features, rows: Rows, seed: int) -> Features:
    from sklearn.decomposition import PCA

    if len(rows) < 2:
        return block[:, :1]
    model = PCA(min(COMPONENTS, len(rows)), svd_solver="randomized", random_state=seed).fit(block[rows])
    return np.asarray(model.transform(block), np.float32)


def _topics(counts: Any, rows: Rows, seed: int) -> Features:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer

    often = np.asarray((counts[rows] > 0).sum(0)).ravel()
    known = np.flatnonzero(often >= min(TWICE, often.max(initial=0)))
    if len(known) < 2:
        return np.asarray(counts[:, known].toarray(), np.float32)
    weigh = TfidfTransformer(sublinear_tf=True).fit(counts[rows][:, known])
    weighed = weigh.transform(counts[:, known])
    model = TruncatedSVD(min(TOPICS, len(known) - 1), random_state=seed)
    with np.errstate(divide="ignore", invalid="ignore"):  # shares of no variance at all, where texts are alike
        model.fit(weighed[rows])
    return np.asarray(model.transform(weighed), np.float32)
