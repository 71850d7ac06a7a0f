"""Find the rows of a table that a model was trained, validated and tested on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sensorium.errors import SchemaError, near_name
from sensorium.model import FittedModel
from sensorium.model.card import DataSpec
from sensorium.split import SPLITS, EarlierRows, Split, make_split
from sensorium.table import Table


def is_fitted_on(fitted: FittedModel, table: Table) -> bool:
    """Return whether this is exactly the table of the fit."""
    return table.fingerprint() == fitted.data.fingerprint


def check_labelled(fitted: FittedModel, table: Table) -> None:
    """Check that the table has the label column.

    Raises:
        SchemaError: it is missing; the message names a column of a similar name that the model does not use.
    """
    if fitted.target in table.columns:
        return
    near = near_name(fitted.target, [name for name in table.columns if name not in fitted.learnt])
    add = f"add the column {fitted.target!r} with the labels"
    raise SchemaError(
        f"the table has no column {fitted.target!r}, which holds the labels",
        place=table.name,
        rule="evaluation needs labels; predictions do not",
        cure=f"rename {near!r}, if it has the labels, or {add}" if near else add,
    )


def rows_of(fitted: FittedModel, table: Table, split: str | None) -> tuple[npt.NDArray[np.int64], str]:
    """Find the rows of a split, and describe them in words.

    Args:
        fitted: the model.
        table: a table with labels.
        split: `train`, `validation`, `test` or `all`; by default the test rows if they are known, else all.

    Raises:
        SchemaError: the split is not known, or has no rows.
    """
    name = {"val": "validation"}.get(split or "", split)
    if name not in (None, "all", *SPLITS):
        raise SchemaError(f"there is no split {split!r}", rule=", ".join((*SPLITS, "all")))
    known = None if name == "all" else _known_split(fitted, table, name or "test")
    if known is None and name in SPLITS:
        raise SchemaError(
            f"cannot tell which rows of this table are {name} rows",
            place=table.name,
            rule="needs the split column, or the exact table of the fit",
            cure="omit --split (Python: split=) to evaluate all rows",
        )
    if known is None:
        return np.arange(len(table)), "all rows"
    name = name or "test"
    rows = known.rows(name)
    if not len(rows):
        raise SchemaError(
            f"the split {name!r} has no rows with a label", place=table.name, cure="--split all (Python: split='all')"
        )
    return rows, f"{name} rows"


def _known_split(fitted: FittedModel, table: Table, name: str) -> Split | None:
    data, config = fitted.data, fitted.config.split
    same = is_fitted_on(fitted, table)
    column = data.split_column if data.split_column in table.columns else None
    if column is None and not same:
        return None
    labels = fitted.task.reading.apply(table.column(fitted.target))
    if not same:  # another table has the split column, but may lack the others
        config = config.model_copy(update={"group": None, "time": None, "span": None})
    earlier = EarlierRows.at(data.split_earlier, len(table)) if same and data.split_earlier else None
    known = make_split(table, labels, config, column, fitted.config.seed, earlier=earlier)
    if not same or _is_recorded(known, data):
        return known
    if column is None or name != "test":
        raise SchemaError(
            "cannot tell which rows the model was trained on: it was fitted by an earlier version",
            place=table.name,
            rule=f"split of the fit: {_rule(data.split_rule)}; split of this version: {_rule(known.how)}",
            cure="evaluate all rows, --split all (Python: split='all'), or fit again",
        )
    # The column names the test rows; the validation rows were drawn from the training rows by another rule.
    return replace(known, codes=np.where(known.codes == SPLITS.index("test"), known.codes, -1).astype(np.int8))


def _rule(how: str) -> str:
    return how.removeprefix("made: ")


def _is_recorded(split: Split, data: DataSpec) -> bool:
    """Return whether this is the split of the fit. Models of early versions have no digest."""
    if data.split_digest:
        return data.split_digest == split.digest
    return (data.split_rule, data.split_rows) == (split.how, split.sizes())
