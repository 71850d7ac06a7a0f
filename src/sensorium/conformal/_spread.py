"""Mean absolute error of a model by the value that it predicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sensorium.table import Floats

BINS = 10
LEAST = 50  # rows of a bin
SHRINKAGE = 10  # rows of the mean error of all rows that each bin counts as well
SMALLEST = 1e-3  # of the mean error of all rows: no spread is lower


@dataclass(frozen=True)
class Spread:
    """Mean absolute error by prediction, linear between places and constant beyond them.

    Attributes:
        places: predictions, ascending.
        errors: mean absolute errors there, above 0.
    """

    places: tuple[float, ...]
    errors: tuple[float, ...]

    def at(self, predictions: Floats) -> Floats:
        """Return the mean absolute error at predictions float64[n]."""
        return np.interp(predictions, self.places, self.errors)

    @classmethod
    def fit(cls, predictions: Floats, errors: Floats) -> Spread | None:
        """Fit means of bins of equal size; None if there are too few rows or all errors are 0.

        Args:
            predictions: float64[n].
            errors: absolute errors float64[n].
        """
        bins = min(BINS, len(predictions) // LEAST)
        mean = float(errors.mean()) if len(errors) else 0.0
        if bins < 2 or not mean > 0:
            return None
        found = dict[float, float]()
        for rows in np.array_split(np.argsort(predictions, kind="stable"), bins):
            share = (errors[rows].sum() + SHRINKAGE * mean) / (len(rows) + SHRINKAGE)
            found[float(predictions[rows].mean())] = max(float(share), SMALLEST * mean)
        places = sorted(found)
        return cls(tuple(places), tuple(found[place] for place in places))


ONE_SPREAD = Spread((0.0,), (1.0,))
