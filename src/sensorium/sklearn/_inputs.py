"""Turn the forms of X into a data frame, an array or a sparse matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import issparse

from sensorium.errors import DataError, OutOfMemoryError
from sensorium.runtime.memory import usable_memory
from sensorium.table import open_table

FIRST = "x0"  # the name of the first column of an array
COPIES = 3  # of a dense matrix that a fit holds: the array, the table and the prepared columns
NUMBER = 8  # bytes
PER_COLUMN = 35_000  # bytes of a fit for a column of any length: its schema, statistics and weights (measured)
MAX_COLUMNS = 100_000  # of a sparse matrix: each is planned and encoded alone, which takes milliseconds
SPARSE = ("csr", "csc")  # formats that scikit-learn checks

Array = npt.NDArray[Any]


def as_given(X: Any) -> Any:
    """Return a data frame, an array or a sparse matrix.

    A Series and a list of texts are one column. Rows as dicts and a dict of columns are a data frame. In rows of mixed
    cells, each cell keeps its type.
    """
    if issparse(X):
        return X if X.format in SPARSE else X.tocsr()
    if hasattr(X, "to_frame") and getattr(X, "ndim", 1) == 1 and hasattr(X, "name"):
        return X.to_frame(FIRST if X.name in (None, "") else X.name)
    if isinstance(X, pa.RecordBatch):
        return pa.Table.from_batches([X])
    if isinstance(X, Mapping) or _is_of(X, Mapping) or hasattr(X, "collect_schema"):  # the last is a lazy frame
        return X if is_frame(X) else pa.table(dict(open_table(X, keep="all", empty=True).kept_columns.cells))
    if isinstance(X, list | tuple):
        X = _array_of(X)
    is_text = isinstance(X, np.ndarray) and X.ndim == 1 and _holds_text(X)
    return X.astype(object).reshape(-1, 1) if is_text else X


def is_frame(X: Any) -> bool:
    """Return whether X has named columns that Arrow reads."""
    return hasattr(X, "__arrow_c_stream__") and hasattr(X, "shape")


def column_names(X: Any) -> list[str]:
    """Return the names of the columns of a frame; those of an array are x0, x1 …"""
    if is_frame(X):
        return list(map(str, X.column_names if isinstance(X, pa.Table) else X.columns))
    return [f"x{place}" for place in range(X.shape[1])]


def with_names(X: Any, names: Sequence[str]) -> Any:
    """Return the columns of X under the names of the fit; they stand in the same order."""
    if not is_frame(X):
        return dict(zip(names, _columns(X), strict=True))
    if column_names(X) == list(names):
        return X
    return X.set_axis(list(names), axis=1) if hasattr(X, "set_axis") else pa.table(X).rename_columns(list(names))


def check_dense_size(X: Any) -> None:
    """Check that a sparse matrix fits into the memory as dense columns, and that it is not too wide.

    Raises:
        DataError: it has more than `MAX_COLUMNS` columns.
        OutOfMemoryError: it does not fit.
    """
    rows, columns = X.shape
    memory, needed = usable_memory(), columns * (COPIES * rows * NUMBER + PER_COLUMN)
    cure = "reduce its columns, for example with sklearn.decomposition.TruncatedSVD"
    if columns > MAX_COLUMNS:
        raise DataError(
            f"the sparse matrix of {rows:,} rows and {columns:,} columns has too many columns: about "
            f"{needed / 1e9:,.2f} GB and hours would be needed",
            place="X",
            rule=f"a sparse matrix is read as dense columns, of which there may be {MAX_COLUMNS:,}",
            cure=cure,
        )
    if memory is not None and needed > memory:
        sizes = f"{needed / 1e9:,.2f} GB, more than the {memory / 1e9:,.2f} GB that can be used"
        raise OutOfMemoryError(
            f"the sparse matrix of {rows:,} rows and {columns:,} columns needs {sizes}",
            place="X",
            rule="a sparse matrix is read as dense columns",
            cure=f"{cure}, or use fewer rows",
        )


def _columns(X: Any) -> list[Any]:
    if issparse(X):
        held = X.tocsc()
        return [held[:, [place]].toarray().ravel() for place in range(X.shape[1])]
    return [column.tolist() if column.dtype == object else column for column in X.T]


def _array_of(rows: Sequence[Any]) -> Any:
    """Return rows as an array; of objects if they are not all numbers, so that numbers stay numbers beside text."""
    try:
        found = np.asarray(rows)
    except ValueError:  # cells of several lengths, such as lists
        return _objects(rows)
    return np.array(rows, dtype=object) if found.dtype.kind in "US" else found


def _objects(rows: Sequence[Any]) -> Any:
    widths = {len(row) if isinstance(row, list | tuple) else -1 for row in rows}
    if len(widths) > 1 or -1 in widths:
        return rows  # scikit-learn explains it
    found = np.empty((len(rows), widths.pop()), dtype=object)
    for place, row in enumerate(rows):
        for at, cell in enumerate(row):
            found[place, at] = cell
    return found


def _holds_text(array: Array) -> bool:
    if array.dtype.kind in "UT":  # text of fixed and of variable width
        return True
    return array.dtype == object and any(isinstance(cell, str) for cell in array) and _is_of(array, str | None)


def _is_of(cells: Any, kind: Any) -> bool:
    several = isinstance(cells, list | tuple | np.ndarray) and len(cells) > 0
    return several and all(isinstance(cell, kind) or (kind == str | None and cell != cell) for cell in cells)
