"""A model within a time: `fit --budget 10m`."""

from sensorium.strategies.search._budget import Budget, Clock, parse_budget
from sensorium.strategies.search._search import check_rows, search

__all__ = ["Budget", "Clock", "check_rows", "parse_budget", "search"]
