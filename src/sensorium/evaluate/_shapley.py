"""Shapley values of modalities."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np
import numpy.typing as npt

from sensorium.evaluate._subset_results import Names, Share
from sensorium.evaluate.bootstrap import interval_around
from sensorium.table import Floats

EXACT_UP_TO = 6  # modalities whose Shapley values are computed: 64 subsets


def shapley_values(asked: Sequence[Names], values: Floats, drawn: Floats) -> dict[str, Share]:
    """Compute Shapley values; the last input value is the one without any modality."""
    weights = {name: shapley_weights(name, [*asked, ()]) for name in asked[-1]}
    shares = {name: (float(own @ values), own @ drawn) for name, own in weights.items()}
    return {name: Share(value, interval_around(own, value)) for name, (value, own) in shares.items()}


def shapley_weights(name: str, subsets: Sequence[Names]) -> npt.NDArray[np.float64]:
    """Compute the weights of φ = Σ_S w(S)·v(S) over all subsets S of M modalities, with the empty one.

    The gain v(S ∪ m) − v(S) has the weight |S|!(M − |S| − 1)!/M!.
    """
    most = max(map(len, subsets))

    def weight(subset: Names) -> float:
        others = len(subset) - (name in subset)
        return (1 if name in subset else -1) / (most * comb(most - 1, others))

    return np.array([weight(subset) for subset in subsets])
