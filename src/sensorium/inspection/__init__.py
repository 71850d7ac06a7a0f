"""What is in a table before anything is trained: columns, faults, copies, advice; imports no torch."""

from sensorium.inspection._look import inspect
from sensorium.inspection.result import ColumnReport, Inspection

__all__ = ["ColumnReport", "Inspection", "inspect"]
