"""Generate tables of two modalities for which it is known whether fusion helps.

Both are vectors, `left` and `right`, so that models are small and fast. The information about the label is distributed
as in partial information decomposition (Williams and Beer 2010, arXiv:1004.2515): redundant (in both), unique (in one),
or synergistic (only in both together). The same arguments give the same table.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from sensorium.table import Floats

Random: TypeAlias = np.random.Generator
Truth: TypeAlias = Literal["nothing", "noise", "redundant", "unique", "synergistic"]

TRUTHS: tuple[Truth, ...] = get_args(Truth)
HELPS: tuple[Truth, ...] = ("unique", "synergistic")  # elsewhere the best answer from both is that from one
# Settings of networks that learn such a table of 600 rows in about a second; low_rank finds what is synergistic.
SMALL: dict[str, Any] = {
    "modalities": {"left": "vector", "right": "vector"},
    "encoders": {"vector": {"size": 16}},
    "width": 16,
    "split": {"validation": 0.2, "test": 0.3},
    "train": {"learning_rate": 1e-2, "batch_size": 32, "epochs": 15},
}
FUSIONS = ("concat", "gated", "low_rank")
SHARP = 0.4  # standard deviation of what blurs the signs of the synergistic table


def make_truth(
    truth: Truth, *, rows: int = 400, width: int = 6, strength: float = 1.5, seed: int = 0
) -> dict[str, Any]:
    """Make a table whose label is `yes` in about half of the rows.

    - `nothing`: neither modality depends on the label.
    - `noise`: the left one predicts it in part, the right one is independent of it.
    - `redundant`: the left one predicts it in part, the right one is a fixed rotation of the left one, noise included.
    - `unique`: the label depends on two independent causes, and each modality shows one of them.
    - `synergistic`: the label is whether the signs of the two agree (exclusive or); each alone predicts nothing.

    Args:
        truth: one of these names.
        rows: number of rows.
        width: width of each vector, at least 2.
        strength: effect of a cause on the label, in logits per standard deviation.
        seed: random seed.

    Returns:
        Columns `left`, `right` (lists of numbers) and `label` (`yes`, `no`).

    Example:
        >>> from sensorium.testing import make_truth
        >>> table = make_truth("synergistic", rows=100, width=4)
        >>> sorted(table), len(table["left"]), len(table["left"][0])
        (['label', 'left', 'right'], 100, 4)
    """
    random = np.random.default_rng(seed)
    left, right = random.normal(size=(rows, width)), random.normal(size=(rows, width))
    if truth == "redundant":
        right = left @ np.linalg.qr(random.normal(size=(width, width)))[0]
    logits = strength * _cause(truth, left, right, random)
    label = random.random(rows) < 1 / (1 + np.exp(-logits))
    return {"left": left.tolist(), "right": right.tolist(), "label": np.where(label, "yes", "no").tolist()}


def _cause(truth: Truth, left: Floats, right: Floats, random: Random) -> Floats:
    """Return the cause of the label, float64[n]; for the synergistic table, move rows away from zero."""
    if truth == "nothing":
        return np.zeros(len(left))
    if truth == "unique":
        return left[:, 0] + right[:, 0]
    if truth != "synergistic":
        return left[:, 0]
    signs = random.choice([-1.0, 1.0], (2, len(left)))
    left[:, 0], right[:, 0] = signs + random.normal(0, SHARP, signs.shape)
    return 2 * np.asarray(signs.prod(0))
