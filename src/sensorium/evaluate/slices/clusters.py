"""Cluster rows by features of a modality, and describe the clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.evaluate._slice_results import ROUGH_ROWS
from sensorium.table import Floats, Rows, Truths

MAX_CLUSTERS = 12
ROWS_PER_CLUSTER = 2 * ROUGH_ROWS  # there are as many clusters as this allows
COMPONENTS = 16  # principal components that are clustered
STARTS = 4  # of KMeans, of which the best is kept
WORDS, EXAMPLES = 5, 3  # that describe a cluster
SMOOTH = 1.0  # rows with and without a word that are added to each side


def cluster_rows(features: Any, present: Truths, seed: int = 0) -> tuple[Rows, Floats]:
    """Cluster the rows that are present by KMeans.

    Args:
        features: float32[n, f], or sparse counts of words, which are weighted as TF-IDF.
        present: bool[n].
        seed: random seed of the starts.

    Returns: Cluster of each row, int64[n], −1 for other rows and if they are too few; and its distance to the centre.
    """
    codes, distances, rows = np.full(len(present), -1), np.full(len(present), np.inf), np.flatnonzero(present)
    number = min(MAX_CLUSTERS, len(rows) // ROWS_PER_CLUSTER)
    if number < 2:
        return codes, distances
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # the same clusters on any number of cores
        points = _components(features[rows], seed)
        number = min(number, len(np.unique(points, axis=0)))
        if number > 1:
            found = KMeans(number, n_init=STARTS, random_state=seed).fit(points)
            codes[rows], distances[rows] = found.labels_, found.transform(points).min(1)
    return codes, distances


def _components(features: Any, seed: int) -> Floats:
    """Return up to 16 principal components, rounded so that equal rows are equal."""
    from scipy.sparse import issparse
    from sklearn.decomposition import PCA, TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer

    if issparse(features):
        weighted = TfidfTransformer(sublinear_tf=True).fit_transform(features)
        return np.round(TruncatedSVD(COMPONENTS, random_state=seed).fit_transform(weighted), 6)
    values = np.nan_to_num(features.astype(np.float64))
    spread = values.std()
    size = min(COMPONENTS, *values.shape)
    found = PCA(size, svd_solver="full").fit_transform(values / (spread or 1.0))
    return np.asarray(np.round(found, 6), np.float64)


def describe_clusters(
    codes: Rows, distances: Floats, rows: Rows, texts: Sequence[str | None] | None = None
) -> list[str]:
    """Describe each cluster: by the words that its texts have more often than others, else by its most central rows.

    Args:
        codes, distances: from `cluster_rows`.
        rows: int64[n], number of each row in the table.
        texts: text of each row, if the modality is one of texts.
    """
    names = list[str]()
    for code in range(int(codes.max(initial=-1)) + 1):
        inside = np.flatnonzero(codes == code)
        central = rows[inside[np.argsort(distances[inside], kind="stable")[:EXAMPLES]]]
        words = _words(texts, codes == code, codes >= 0) if texts is not None else []
        told = f"words {', '.join(words)}" if words else f"rows {', '.join(map(str, central))}, …"
        names.append(f"cluster {code + 1}: {told}")
    return names


def _words(texts: Sequence[str | None], inside: Truths, known: Truths) -> list[str]:
    """Return words by the log odds ratio of the rows that contain them, times the root of their number."""
    from sklearn.feature_extraction.text import CountVectorizer

    places = np.flatnonzero(known)
    try:
        reader = CountVectorizer(binary=True, token_pattern=r"(?u)\b\w\w+\b", min_df=2)
        counts = reader.fit_transform([texts[place] or "" for place in places.tolist()])
    except ValueError:  # no word occurs in two rows
        return []
    own = inside[places]
    there, elsewhere = (np.asarray(counts[side].sum(0)).ravel() for side in (own, ~own))
    odds = [_log_odds(hits, int(side.sum())) for hits, side in ((there, own), (elsewhere, ~own))]
    ratio = (odds[0] - odds[1]) * np.sqrt(there)
    order = np.argsort(-ratio, kind="stable")[:WORDS]
    return [str(reader.get_feature_names_out()[place]) for place in order if ratio[place] > 0]


def _log_odds(hits: npt.NDArray[Any], rows: int) -> Floats:
    return np.log((hits + SMOOTH) / (rows - hits + SMOOTH))
