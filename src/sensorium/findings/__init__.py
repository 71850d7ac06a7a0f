"""Findings about the data: guesses about columns, and cells that could not be used as they are."""

from sensorium.findings._words import IN_TRAINING, be, count, shorten
from sensorium.findings.guess import UNSURE, ColumnPlan, Guess
from sensorium.findings.problems import Problem, ProblemGroup, Problems
from sensorium.findings.unreadable import NotFound, Nothing, Outside, Unreadable

__all__ = [
    "IN_TRAINING", "UNSURE", "ColumnPlan", "Guess", "NotFound", "Nothing", "Outside", "Problem", "ProblemGroup",
    "Problems", "Unreadable", "be", "count", "shorten",
]  # fmt: skip
