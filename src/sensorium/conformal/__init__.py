"""Conformal prediction: sets and intervals that contain the truth with a given probability."""

from sensorium.conformal._conformal import EVERY, PER, Category, Conformal, Per
from sensorium.conformal._distribution import Distribution, units_needed
from sensorium.conformal._fit import LEVEL, fit_conformal, methods_of
from sensorium.conformal._nonconformity import INTERVAL_METHODS, Nonconformity
from sensorium.conformal._presence import Names, Presence
from sensorium.conformal._regions import Regions, find_regions

__all__ = [
    "EVERY",
    "INTERVAL_METHODS",
    "LEVEL",
    "PER",
    "Category",
    "Conformal",
    "Distribution",
    "Names",
    "Nonconformity",
    "Per",
    "Presence",
    "Regions",
    "find_regions",
    "fit_conformal",
    "methods_of",
    "units_needed",
]
