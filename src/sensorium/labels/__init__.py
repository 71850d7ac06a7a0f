"""Read the cells of a target or a category as labels."""

from sensorium.labels.case import ONE_LABEL, case_twins, twins_in_words
from sensorium.labels.check_marks import holds_check_marks
from sensorium.labels.names import SEVERAL, UNSEEN, Names
from sensorium.labels.reading import LabelReading, read_labels
from sensorium.labels.values import TRUTH, bare, value_of

__all__ = [
    "ONE_LABEL", "SEVERAL", "TRUTH", "UNSEEN", "LabelReading", "Names", "bare", "case_twins", "holds_check_marks",
    "read_labels", "twins_in_words", "value_of",
]  # fmt: skip
