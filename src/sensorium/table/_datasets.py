"""Objects of Hugging Face's `datasets`, known by their type's name: the library is not imported here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from sensorium.errors import TableError

SPLIT = "split"


def from_datasets(source: Any) -> pa.Table | None:
    """A Dataset, or a DatasetDict with the name of each part in the column `split`; None for anything else.

    Rows come in the order that `shuffle`, `select` or `sort` gave them; classes by their names; pictures and sounds as
    the bytes or paths that they are, undecoded.

    Raises:
        TableError: a stream, which has no end that is known; parts of different columns.
    """
    if not type(source).__module__.startswith("datasets."):
        return None
    kind = type(source).__name__
    if kind == "Dataset":
        return _table(source)
    if kind == "DatasetDict":
        return _parts(source)
    raise TableError(
        f"a {kind} can't be read as a table",
        place=kind,
        cure="take rows of it: Dataset.from_list(list(stream.take(n)))",
    )


def _table(dataset: Any) -> pa.Table:
    found: pa.Table = dataset.with_format("arrow")[:]
    for place, (name, feature) in enumerate(dataset.features.items()):
        if type(feature).__name__ == "ClassLabel":
            found = found.set_column(place, name, _named(found.column(name), feature.names))
    return found.replace_schema_metadata(None)


def _named(codes: pa.ChunkedArray, names: list[str]) -> pa.Array:
    """Class numbers → names; −1, which says that a row has no label, is missing."""
    numbers = np.asarray(codes.fill_null(-1), np.int64)
    return pa.array(names).take(pa.array(numbers, mask=numbers < 0))


def _parts(parts: Any) -> pa.Table:
    tables = [_table(part) for part in parts.values()]
    if any(SPLIT in table.column_names for table in tables):
        raise TableError(f"the parts have a column {SPLIT!r} of their own", place="DatasetDict", cure="rename it")
    try:
        whole = pa.concat_tables(tables)
    except pa.ArrowInvalid as error:
        raise TableError(f"the parts have different columns: {error}", place="DatasetDict") from None
    names = np.repeat(np.array(list(parts)), [table.num_rows for table in tables])
    return whole.append_column(SPLIT, pa.array(names, pa.string()))
