"""Score a model on subsets of its modalities, and compute the contribution of each modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from sensorium.evaluate._shapley import EXACT_UP_TO, shapley_values
from sensorium.evaluate._subset_results import Names, Subset, Subsets
from sensorium.evaluate.compare import difference_of
from sensorium.evaluate.intervals import MetricInterval
from sensorium.evaluate.scores import resamples_of
from sensorium.metrics import Outcome, direction, score
from sensorium.table import Floats

EVERY_UP_TO = 4  # modalities whose subsets are all listed: 15


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
    intervals, blocks = [MetricInterval(metric, [run]) for run in runs], list[Floats]()
    for weights in resamples_of(prior):
        blocks.append(np.stack([score(metric, run, weights) for run in runs]))
        for interval, own in zip(intervals, blocks[-1], strict=True):
            interval.add(weights, own)
    drawn = np.concatenate(blocks, 1)  # (subsets and the prior, draws)
    sign = direction(metric)
    results = []
    for place, names in enumerate(asked):
        if len(towers) <= EVERY_UP_TO or len(names) in (1, len(towers) - 1, len(towers)):
            whole = len(asked) - 1
            less = sign * float(values[place] - values[whole]), sign * (drawn[place] - drawn[whole])
            difference = None if place == whole else difference_of(metric, *less)
            bounds = intervals[place].ends(values[place])
            results.append(Subset(list(names), there[names], values[place], bounds, difference))
    shares = shapley_values(asked, sign * values, sign * drawn) if len(towers) <= EXACT_UP_TO else None
    listed = "every subset" if len(towers) <= EVERY_UP_TO else "each alone, all but one, all"
    return Subsets(metric, listed, results, shares)
