"""Strategies: ways to train and choose the model of a fit. One file per strategy."""

from sensorium.strategies._base import Request, Session, Strategy
from sensorium.strategies._budget import Budget, parse_budget
from sensorium.strategies._choose import (
    check_strategies,
    choose_strategies,
    close_strategies,
    find_conflicts,
    run_strategies,
    strategy_files,
)
from sensorium.strategies._cross_validate import FoldTraining, forget_folds

__all__ = [
    "Budget",
    "FoldTraining",
    "Request",
    "Session",
    "Strategy",
    "check_strategies",
    "choose_strategies",
    "close_strategies",
    "find_conflicts",
    "forget_folds",
    "parse_budget",
    "run_strategies",
    "strategy_files",
]
