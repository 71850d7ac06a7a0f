"""Find the rows of a table that a model was trained, validated and tested on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sensorium.errors import SchemaError, did_you_mean
from sensorium.model import FittedModel
from sensorium.model.card import DataSpec
from sensorium.split import SPLITS, Split, make_split
from sensorium.table import Table


def is_fitted_on(bundle: FittedModel, table: Table) -> bool:
    """Whether this is exactly the table of the fit."""
    return table.fingerprint() == bundle.data.fingerprint


def rows_of(bundle: FittedModel, table: Table, split: str | None) -> tuple[npt.NDArray[np.int64], str]:
    """Find the rows of a split, and name them in words.

    Args:
        bundle: the model.
        table: with the labels.
        split: `train`, `validation`, `test` or `all`; by default the test rows where they are known, else all.

    Raises:
        SchemaError: the split is not known, or has no rows.
    """
    name = {"val": "validation"}.get(split or "", split)
    if name not in (None, "all", *SPLITS):
        raise SchemaError(f"there is no split {split!r}", rule=", ".join((*SPLITS, "all")))
    found = None if name == "all" else _known_split(bundle, table, name or "test")
    if found is None and name in SPLITS:
        raise SchemaError(
            f"cannot tell which rows of this table are {name} rows",
            place=table.name,
            rule="needs the split column, or the exact table of the fit",
            cure="omit --split (Python: split=) to evaluate all rows",
        )
    if found is None:
        return np.arange(len(table)), "all rows"
    name = name or "test"
    rows = found.rows(name)
    if not len(rows):
        raise SchemaError(
            f"the split {name!r} has no rows with a label", place=table.name, cure="--split all (Python: split='all')"
        )
    return rows, f"{name} rows"


def _known_split(bundle: FittedModel, table: Table, name: str) -> Split | None:
    data, config = bundle.data, bundle.config.split
    if bundle.target not in table.columns:
        raise SchemaError(
            f"the table has no column {bundle.target!r}",
            place=table.name,
            rule="labels to compare with",
            cure=did_you_mean(bundle.target, table.columns),
        )
    same = is_fitted_on(bundle, table)
    column = data.split_column if data.split_column in table.columns else None
    if column is None and not same:
        return None
    labels = bundle.task.reading.apply(table.column(bundle.target))
    if not same:  # of another table the column alone is known; it may lack the others
        config = config.model_copy(update={"group": None, "time": None, "span": None})
    found = make_split(table, labels, config, column, bundle.config.seed)
    if not same or _is_recorded(found, data):
        return found
    if column is None or name != "test":
        raise SchemaError(
            "cannot tell which rows the model was trained on: it was fitted by an earlier version",
            place=table.name,
            rule=f"the split of the fit was {data.split_rule}; this version makes another one: {found.how}",
            cure="evaluate all rows, --split all (Python: split='all'), or fit again",
        )
    # The column names the test rows; those that validated were taken from the training rows by another rule.
    return replace(found, codes=np.where(found.codes == SPLITS.index("test"), found.codes, -1).astype(np.int8))


def _is_recorded(split: Split, data: DataSpec) -> bool:
    """Whether it is the split of the fit. Early models recorded no digest."""
    if data.split_digest:
        return data.split_digest == split.digest
    return (data.split_rule, data.split_rows) == (split.how, split.sizes())
