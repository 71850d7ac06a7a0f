"""Weights of classes in the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sensorium.tasks._base import EncodedTarget, Label
from sensorium.tasks._classes import UNBALANCED


def weight_power(rule: str, *, unbalanced: bool) -> float:
    """Return the exponent of a rule, 0 for equal weights; `auto` is `sqrt` if the classes are unbalanced."""
    if rule == "auto":
        rule = "sqrt" if unbalanced else "none"
    return {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[rule]


def known_class_weights(encoded: EncodedTarget, classes: Sequence[Label], rule: str) -> list[float]:
    """Return class weights for classes that have rows; 1 for the others."""
    counts = np.bincount(encoded.values[encoded.known], minlength=len(classes))
    weights = np.ones(len(classes))
    if counts.any():
        weights[counts > 0] = class_weights(counts[counts > 0], rule)
    return [float(weight) for weight in weights]


def class_weights(counts: npt.NDArray[np.int64], rule: str) -> list[float]:
    """Return one weight per class, with mean 1 over the rows.

    With n rows of a class, `balanced` weights are proportional to 1 / n and `sqrt` weights to 1 / √n; `auto` is `sqrt`
    if classes are unbalanced.
    """
    power = weight_power(rule, unbalanced=bool(counts.max() >= UNBALANCED * counts.min()))
    weights = np.maximum(counts, 1) ** -power
    return [float(w) for w in weights * counts.sum() / (weights * counts).sum()]
