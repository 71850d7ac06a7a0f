"""Mean of the classes' F1, unweighted (over classes that occur or are predicted)."""

from sensorium.metrics._base import Counts, Floats, Outcome, mean_of_defined

TASKS = ("binary", "multiclass", "multilabel")
IN_POINTS = True


def f1_macro(outcome: Outcome, weights: Floats) -> Floats:
    """Compute the mean over classes k of 2·TP_k / (2·TP_k + FP_k + FN_k)."""
    return mean_of_defined(list(Counts.of(outcome, weights).f1().T))
