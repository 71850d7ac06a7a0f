"""Turn the forms of y into labels or values without missing ones."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.utils.validation import column_or_1d

from sensorium.table import open_table

Array = npt.NDArray[Any]


def read_labels(y: Any) -> Array:
    """Return labels of one type, [n].

    Raises:
        ValueError: there is no y, labels are missing, or have several types.
    """
    return _checked(_as_array(y))


def read_values(y: Any) -> Array:
    """Return numbers, [n].

    Raises:
        ValueError: there is no y, or values are missing, infinite or no numbers.
    """
    values = _checked(_as_array(y))
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"y has values that are no numbers: {error}") from None
    if len(infinite := np.flatnonzero(np.isinf(values))):
        raise ValueError(f"Input y contains infinity: {len(infinite):,} values, the first in row {infinite[0]}")
    return values


def in_order(labels: Array, y: Any) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return the different labels, the lowest first, and the place of each label among them.

    Args:
        labels: the labels of y, as `read_labels` returns them.
        y: numbers, or ordered categories of pandas, polars or pyarrow.

    Raises:
        ValueError: y is neither.
    """
    classes, codes = np.unique(labels, return_inverse=True)
    order = open_table({"y": y}).column("y").origin.order
    if order:
        turn = np.argsort([order.index(str(label)) for label in classes], kind="stable")
        return classes[turn], np.argsort(turn)[codes]
    if classes.dtype.kind not in "biuf":
        rule = "use numbers, or pandas.Categorical(y, categories=[…], ordered=True), the lowest first"
        raise ValueError(f"the order of the labels of y is unknown, such as {str(classes[0])!r}: {rule}")
    return classes, codes


def _as_array(y: Any) -> Array:
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    if isinstance(y, pa.Array | pa.ChunkedArray):
        y = _objects(y.to_pylist())
    elif type(y).__module__.partition(".")[0] == "polars" and hasattr(y, "to_list"):
        y = _objects(y.to_list())
    elif getattr(y, "ndim", 2) == 1 and not isinstance(getattr(y, "dtype", np.dtype(float)), np.dtype):
        y = _objects(list(y))  # pandas' categories and nullable types
    elif isinstance(y, list | tuple):
        y = _of_list(y)
    return np.asarray(column_or_1d(y, warn=True))


def _objects(cells: list[Any]) -> Array:
    found = np.empty(len(cells), dtype=object)
    found[:] = cells
    return found


def _of_list(y: Any) -> Any:
    """Return labels of several types as objects, because NumPy would write all of them as text."""
    kinds = {type(label) for label in y}
    single = all(isinstance(label, str) or not hasattr(label, "__len__") for label in y)
    return _objects(list(y)) if len(kinds) > 1 and single else y


def _checked(y: Array) -> Array:
    """Return labels of one type, none of which is missing."""
    missing = np.flatnonzero([y.dtype.kind in "OfmM" and _is_missing(label) for label in y])
    if len(missing):
        rule = "every row of a fit needs a label; drop the others"
        raise ValueError(
            f"Input y contains NaN: {len(missing):,} missing labels, the first in row {missing[0]}; {rule}"
        )
    return _of_one_type(y) if y.dtype == object else y


def _is_missing(label: Any) -> bool:
    return label is None or type(label).__name__ in ("NAType", "NaTType") or bool(label != label)


def _of_one_type(labels: Array) -> Array:
    kinds = {_kind(label) for label in labels}
    if len(kinds) > 1:
        raise ValueError(f"y has labels of several types: {', '.join(sorted(kinds))}; give labels of one type")
    if kinds == {"bool"}:
        return labels.astype(bool)
    if kinds == {"number"}:
        whole = all(isinstance(label, int | np.integer) and abs(int(label)) < 2**63 for label in labels)
        return labels.astype(np.int64 if whole else np.float64)
    return labels


def _kind(label: Any) -> str:
    if isinstance(label, bool | np.bool_):
        return "bool"
    if isinstance(label, int | float | Decimal | np.integer | np.floating):
        return "number"
    return "str" if isinstance(label, str) else type(label).__name__
