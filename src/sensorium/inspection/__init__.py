"""Inspect a table before training: columns, problems, copies, advice. Does not import torch."""

from sensorium.inspection._look import inspect
from sensorium.inspection.result import ColumnReport, Inspection

__all__ = ["ColumnReport", "Inspection", "inspect"]
