"""Score a model on subsets of its modalities, and compute the contribution of each modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.evaluate.bootstrap import Floats, interval, resamples
from sensorium.evaluate.compare import two_sided
from sensorium.files.figures import finite
from sensorium.metrics import Difference, Outcome, lower_is_better, score

Names: TypeAlias = tuple[str, ...]

EVERY_UP_TO = 4  # modalities whose subsets are all listed: 15
EXACT_UP_TO = 6  # modalities whose Shapley values are computed: 64 subsets


@dataclass(frozen=True)
class Subset:
    """Score of a model on a subset of its modalities.

    Attributes:
        modalities: the modalities that the model gets.
        rows: number of rows that have one of them; for other rows, the prediction is the average of the training rows.
        value: metric on all rows.
        interval: bootstrap 95% interval.
        difference: difference to the score with all modalities, on the same rows; None for all modalities.
    """

    modalities: list[str]
    rows: int
    value: float
    interval: tuple[float, float]
    difference: Difference | None

    def to_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {
            "modalities": self.modalities,
            "rows": self.rows,
            "value": finite(self.value),
            "interval": [finite(low), finite(high)],
            "difference": self.difference and self.difference.to_json(),
        }


@dataclass(frozen=True)
class Share:
    """Shapley value of a modality: its gain, averaged over all orders in which modalities can be added.

    Attributes:
        value: in units of the metric, positive if the modality helps. The values of all modalities add up to the gain
            of the full model over predicting the average of the training rows.
        interval: bootstrap 95% interval.
    """

    value: float
    interval: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {"value": finite(self.value), "interval": [finite(low), finite(high)]}


@dataclass(frozen=True)
class Subsets:
    """Scores of a model on subsets of its modalities.

    Attributes:
        metric: registered name.
        listed: description of the scored subsets.
        results: the fewest modalities first, all of them last.
        shares: modality → Shapley value; None if there are too many modalities for exact values.
    """

    metric: str
    listed: str
    results: list[Subset]
    shares: dict[str, Share] | None

    def to_json(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "listed": self.listed,
            "results": [result.to_json() for result in self.results],
            "shares": self.shares and {name: share.to_json() for name, share in self.shares.items()},
        }


def plan_subsets(towers: Sequence[str]) -> list[Names]:
    """List the subsets to score: all of them if Shapley values are computed; all modalities come last."""
    most = len(towers)
    sizes = range(1, most + 1) if most <= EXACT_UP_TO else sorted({1, most - 1, most})
    return [subset for size in sizes for subset in combinations(towers, size)]


def score_subsets(
    outcomes: Mapping[Names, Outcome], there: Mapping[Names, int], prior: Outcome, metric: str
) -> Subsets:
    """Compute values, intervals, paired differences and Shapley values (Shapley 1953, "A value for n-person games").

    Args:
        outcomes: subset (from `plan_subsets`) → outcome on the same rows.
        there: subset → number of rows that have one of its modalities.
        prior: outcome of predicting the average of the training rows.
        metric: registered name.
    """
    asked = list(outcomes)
    towers = asked[-1]
    runs = [*outcomes.values(), prior]
    values = np.array([score(metric, run)[0] for run in runs])
    blocks = [np.stack([score(metric, run, weights) for run in runs]) for weights in resamples(len(prior))]
    drawn = np.concatenate(blocks, 1)  # (subsets and the prior, draws)
    sign = -1.0 if lower_is_better(metric) else 1.0
    results = []
    for place, names in enumerate(asked):
        if len(towers) <= EVERY_UP_TO or len(names) in (1, len(towers) - 1, len(towers)):
            whole = len(asked) - 1
            less = sign * (values[place] - values[whole]), sign * (drawn[place] - drawn[whole])
            difference = None if place == whole else _difference(metric, *less)
            results.append(Subset(list(names), there[names], values[place], interval(drawn[place]), difference))
    shares = _shares(asked, sign * values, sign * drawn) if len(towers) <= EXACT_UP_TO else None
    listed = "every subset" if len(towers) <= EVERY_UP_TO else "each alone, all but one, all"
    return Subsets(metric, listed, results, shares)


def _difference(metric: str, value: float, drawn: Floats) -> Difference:
    return Difference(metric, float(value), interval(drawn), two_sided(drawn[np.isfinite(drawn)]))


def _shares(asked: Sequence[Names], values: Floats, drawn: Floats) -> dict[str, Share]:
    """Compute Shapley values; the last input value is the one without any modality."""
    weights = {name: shapley_weights(name, [*asked, ()]) for name in asked[-1]}
    return {name: Share(float(own @ values), interval(own @ drawn)) for name, own in weights.items()}


def shapley_weights(name: str, subsets: Sequence[Names]) -> npt.NDArray[np.float64]:
    """Compute the weights of φ = Σ_S w(S)·v(S) over all subsets S of M modalities, with the empty one.

    The gain v(S ∪ m) − v(S) has the weight |S|!(M − |S| − 1)!/M!.
    """
    most = max(map(len, subsets))

    def weight(subset: Names) -> float:
        others = len(subset) - (name in subset)
        return (1 if name in subset else -1) / (most * comb(most - 1, others))

    return np.array([weight(subset) for subset in subsets])
