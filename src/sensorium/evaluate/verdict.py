"""Differences in words."""

from __future__ import annotations

import math

from sensorium.metrics import Difference

SHARE_METRICS = (
    "accuracy",
    "f1",
    "f1_macro",
    "f1_micro",
    "precision",
    "recall",
    "roc_auc",
    "average_precision",
    "mean_score",
)


def verdict(difference: Difference, fused: str, single: str, slower: float) -> str:
    """Does fusing help? One honest sentence.

    Args:
        difference: fused less single.
        fused, single: how the sentence calls them.
        slower: training time of the fused over that of the single one.
    """
    if difference.undefined:
        return f"{difference.metric} is not defined on these rows: {fused} and {single} can't be compared"
    if difference.helps:
        return f"{fused} {over(difference, single)}, {_speed(slower)}"
    if difference.interval[1] < 0:
        return f"fusion hurts here: {fused} {against(difference, single)}"
    return f"fusion does not help here: {fused} {over(difference, single)}"


def over(difference: Difference, other: str) -> str:
    """`+1.8 points accuracy over text alone, 95% interval 0.4 to 3.1`."""
    return _told(difference, f"over {other}")


def against(difference: Difference, other: str) -> str:
    """`-2.1 points accuracy against text alone, 95% interval -3.5 to -0.7`."""
    return _told(difference, f"against {other}")


def _told(difference: Difference, other: str) -> str:
    value, low, high = (_amount(bound, difference.metric) for bound in (difference.value, *difference.interval))
    unit = " points" if difference.metric in SHARE_METRICS else ""
    gain = f"{value:+.1f}" if unit else f"{value:+.3g}"
    interval = " to ".join(f"{bound:.1f}" if unit else f"{bound:.3g}" for bound in (low, high))
    return f"{gain}{unit} {difference.metric} {other}, 95% interval {interval}"


def _speed(slower: float) -> str:
    """By training time."""
    return f"{slower:.1f}× slower" if slower >= 1 else f"{1 / slower:.1f}× faster"


def _amount(value: float, metric: str) -> float:
    return 100 * value if metric in SHARE_METRICS and math.isfinite(value) else value
