"""Mean number of most probable labels needed to include all true labels of a row."""

import numpy as np

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._label_ranks import label_ranks
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("multilabel",)
ON_REQUEST = True
LOWER_IS_BETTER = True


def terms(outcome: Outcome) -> Terms:
    """Return the rank of the last true label of each row."""
    ranks, _ = label_ranks(outcome)
    return np.where(outcome.truth, ranks, 0).max(1), None


def coverage_error(outcome: Outcome, weights: Floats) -> Floats:
    """Compute the rank of the least probable true label of each row (0 without label), and its mean over rows.

    The best possible value is the mean number of true labels.
    """
    return mean_of_rows(terms(outcome)[0], weights)
