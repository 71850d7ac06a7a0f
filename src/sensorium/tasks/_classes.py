"""Classes of a target: their order, the index of each label, and class weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import set_both
from sensorium.errors import SchemaError
from sensorium.findings import Problem, shorten
from sensorium.labels import SEVERAL, UNSEEN, LabelReading, Names, value_of
from sensorium.table import Column
from sensorium.tasks._base import EncodedTarget, Label

ANOTHER_SPLIT = f"{set_both('split.stratify', True)}, or use another split, or correct the split column"
FEW = 20  # different whole numbers up to which they look like classes
UNBALANCED = 3.0  # largest class / smallest class from which `auto` weights classes
POSITIVE = ("yes", "true", "positive", "pos", "y", "t")
IN_ANOTHER_CASE = "a label that differs from a training label only in upper and lower case: {}"
FOLD_CASE = f"write it as in training, or fit with {set_both('table.labels', 'fold_case')}"
WRONG = {
    UNSEEN: ("a label not seen in training: the row is not scored", ""),
    SEVERAL: (
        "several labels are equal to this number: the row is not scored",
        "write the label as text, as in training",
    ),
}


def check_classes(classes: Sequence[Label], weights: Sequence[float], least: int, most: int | None = None) -> None:
    """Raise ValueError unless these are classes that a task can learn, with one weight each."""
    if len(classes) < least or (most and len(classes) > most):
        raise ValueError(f"{len(classes)} classes")
    if len({(type(label), label) for label in classes}) < len(classes):
        raise ValueError("a class occurs twice")
    if len(weights) != len(classes):
        raise ValueError(f"{len(weights)} weights for {len(classes)} classes")


def classes_of(column: Column) -> list[Label]:
    """Return the distinct labels in natural order; of two labels, the one that means "yes" is last.

    Raises:
        SchemaError: the cells are lists or objects.
    """
    if pa.types.is_nested(column.data.type):
        raise SchemaError(
            f"the labels have Arrow type {column.data.type}",
            place=f"column {column.name!r}",
            rule="one label per row",
            cure="--task multilabel (Python: task='multilabel') if a row has several",
        )
    found = sorted_labels(label_cells(column).drop_null().unique().to_pylist())
    if len(found) == 2 and str(found[0]).strip().lower() in POSITIVE:
        found.reverse()
    return found


def sorted_labels(labels: Sequence[Label]) -> list[Label]:
    """Sort labels; text that spells numbers by value, unless spellings such as "1.9" and "1.10" stay separate."""
    values = {label: value_of(label) for label in labels if isinstance(label, str)}
    if values and all(value is not None for value in values.values()):
        return sorted(labels, key=lambda label: (values[str(label)], label))
    return sorted(labels)


def label_cells(column: Column) -> pa.Array:
    """Return the labels as the user wrote them: text if numbers arrived as text in an unusual spelling."""
    if column.spelling is None:
        odd = pa.types.is_temporal(column.data.type) or pa.types.is_binary(column.data.type)
        return column.strings if odd else column.data
    texts = column.spelling.drop_null().unique().to_pylist()
    if all(text == str(float(text)) for text in texts):
        return column.data
    return pc.if_else(pc.is_valid(column.data), column.spelling, pa.scalar(None, pa.string()))


def count_labels(column: Column) -> int:
    """Count the different labels; in very long columns, different values."""
    if column.spelling is None or column.distinct > FEW:
        return column.distinct
    return int(pc.count_distinct(label_cells(column).drop_null()).as_py())


def new_classes(column: Column, classes: Sequence[Label], reading: LabelReading) -> list[Label]:
    """Return the labels of a column that are not among the classes, in natural order."""
    labels = reading.apply(column)
    unseen = labels.present & (Names(classes, reading.fold_case).find(labels) == UNSEEN)
    return classes_of(labels.take(np.flatnonzero(unseen)))


def encode_classes(column: Column, classes: Sequence[Label], reading: LabelReading) -> EncodedTarget:
    """Return int64[n] indices in `classes`; labels that are not among them are unknown."""
    labels = reading.apply(column)
    found = Names(classes, reading.fold_case).find(labels)
    problems = unreadable_lists(column, labels)
    wrong, cased = labels.present & (found < 0), in_another_case(labels, classes)
    told = [(wrong & cased, IN_ANOTHER_CASE.format("the row is not scored"), FOLD_CASE)]
    told += [(wrong & ~cased & (found == code), *said) for code, said in WRONG.items()]
    for mask, reason, cure in told:
        rows = np.flatnonzero(mask)
        cells = column.strings.take(pa.array(rows)).to_pylist()
        problems += [
            Problem(int(row), column.name, reason, cure, shorten(cell)) for row, cell in zip(rows, cells, strict=True)
        ]
    return EncodedTarget(found.clip(0), found >= 0, sorted(problems, key=Problem.place))


def in_another_case(labels: Column, names: Sequence[Label]) -> npt.NDArray[np.bool_]:
    """Return bool[n]: whether the text equals a name except for upper and lower case."""
    if not labels.is_string:
        return np.zeros(len(labels), bool)
    exact, folded = (Names(names, fold_case).find(labels) for fold_case in (False, True))
    return (exact == UNSEEN) & (folded != UNSEEN)


def unreadable_lists(column: Column, labels: Column) -> list[Problem]:
    """Report lists of another kind than in the training rows."""
    rows = np.flatnonzero(column.present & ~labels.present) if column.is_list else ()
    reason = "a list of another kind than in the training rows: the row is not scored"
    return [Problem(int(row), column.name, reason, "", shorten(column.data[int(row)].as_py())) for row in rows]


def same_value(column: str, labels: Sequence[Label]) -> list[Problem]:
    """Report labels that are the same number in several spellings."""
    twins = Names(labels).twins()
    if not twins:
        return []
    shown = ", ".join(" and ".join(map(repr, names)) for names in twins[:3])
    reason = f"labels with the same value in several spellings stay separate: {shown}"
    return [Problem(None, column, reason, "--task regression reads them as numbers; else write them the same way")]
