"""Column → modality, target → task, row → split; every guess with its reason, none of them silent."""

from sensorium.schema.case import ONE_LABEL, case_twins, twins_in_words
from sensorium.schema.check_marks import holds_check_marks
from sensorium.schema.guess import Guess
from sensorium.schema.infer import ColumnPlan, infer_columns, infer_task, split_column, views_of
from sensorium.schema.labels import LabelReading, read_labels
from sensorium.schema.leaks import add_hints, names_unit
from sensorium.schema.names import SEVERAL, UNSEEN, Names, bare, value_of
from sensorium.schema.seen_rows import RowCells, SeenRows, add_fit, find_seen
from sensorium.schema.split import SPLITS, Split, make_split
from sensorium.schema.unlabelled import unlabelled_rows

__all__ = [
    "ONE_LABEL",
    "SEVERAL",
    "SPLITS",
    "UNSEEN",
    "ColumnPlan",
    "Guess",
    "LabelReading",
    "Names",
    "RowCells",
    "SeenRows",
    "Split",
    "add_fit",
    "add_hints",
    "bare",
    "case_twins",
    "find_seen",
    "holds_check_marks",
    "infer_columns",
    "infer_task",
    "make_split",
    "names_unit",
    "read_labels",
    "split_column",
    "twins_in_words",
    "unlabelled_rows",
    "value_of",
    "views_of",
]
