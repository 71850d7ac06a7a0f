"""Made tables of two modalities of which it is known whether fusing them helps.

Both are vectors, `left` and `right`, so that models of them are small and quick. What a table says of its label is
parted as in partial information decomposition (Williams and Beer 2010, arXiv:1004.2515): the same in both, unique to
each, in neither but in both together. Same arguments, same table.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
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
    """A table whose label is `yes` in about half of the rows.

    - `nothing`: neither modality has to do with the label.
    - `noise`: the left one tells it in part, the right one has nothing to do with it.
    - `redundant`: the left one tells it in part, the right one is the left one turned by a rotation, the same for all
      rows: who knows one knows the other, noise included.
    - `unique`: two independent causes make the label likelier, each modality tells one of them.
    - `synergistic`: the label says whether the signs of the two agree (exclusive or); alone, each tells nothing.

    Args:
        truth: which of them.
        rows: how many.
        width: of each vector, 2 or more.
        strength: how much a cause moves the label: logits for each standard deviation.
        seed: of everything.

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
    """float64[n]: what moves the label; changes the rows of the synergistic table so that their signs are clear."""
    if truth == "nothing":
        return np.zeros(len(left))
    if truth == "unique":
        return left[:, 0] + right[:, 0]
    if truth != "synergistic":
        return left[:, 0]
    signs = random.choice([-1.0, 1.0], (2, len(left)))
    left[:, 0], right[:, 0] = signs + random.normal(0, SHARP, signs.shape)
    return 2 * np.asarray(signs.prod(0))
