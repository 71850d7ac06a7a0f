"""Assign rows to the training, validation and test set, and detect rows that a model has seen."""

from sensorium.split._codes import SPLITS, group_codes, row_groups, split_groups, whole_groups
from sensorium.split.earlier import EarlierRows, new_rows
from sensorium.split.folds import Fold, FoldOptions, Folds, development_rows, make_folds
from sensorium.split.seen_rows import RowCells, SeenRows, add_fit, find_seen, weigh_rows
from sensorium.split.spellings import SPELLINGS, named_codes
from sensorium.split.split import Split, make_split, split_fold
from sensorium.split.unlabelled import unlabelled_rows

__all__ = [
    "SPELLINGS", "SPLITS", "EarlierRows", "Fold", "FoldOptions", "Folds", "RowCells", "SeenRows", "Split", "add_fit",
    "development_rows", "find_seen", "group_codes", "make_folds", "make_split", "named_codes", "new_rows", "row_groups",
    "split_fold", "split_groups", "unlabelled_rows", "weigh_rows", "whole_groups",
]  # fmt: skip
