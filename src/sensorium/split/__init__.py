"""Assign rows to the training, validation and test set, and detect rows that a model has seen."""

from sensorium.split._codes import SPLITS, group_codes, row_groups, whole_groups
from sensorium.split.earlier import EarlierRows, new_rows
from sensorium.split.seen_rows import RowCells, SeenRows, add_fit, find_seen, weigh_rows
from sensorium.split.spellings import SPELLINGS
from sensorium.split.split import Split, make_split
from sensorium.split.unlabelled import unlabelled_rows

__all__ = [
    "SPELLINGS", "SPLITS", "EarlierRows", "RowCells", "SeenRows", "Split", "add_fit", "find_seen", "group_codes",
    "make_split", "new_rows", "row_groups", "unlabelled_rows", "weigh_rows", "whole_groups",
]  # fmt: skip
