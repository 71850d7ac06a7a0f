"""Read objects of Hugging Face's `datasets`, recognized by type name: the library is not imported here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.errors import TableError
from sensorium.table._table import one_array

SPLIT = "split"


def from_datasets(source: Any) -> pa.Table | None:
    """Read a Dataset, or a DatasetDict with the name of each part in the column `split`; return None for anything else.

    Rows keep the order of `shuffle`, `select` or `sort`; classes become names; images and audio become bytes or paths,
    undecoded.

    Raises:
        TableError: the data set is a stream without a known end, or its parts have different columns.
    """
    if not type(source).__module__.startswith("datasets."):
        return None
    kind = type(source).__name__
    if kind == "Dataset":
        return _table(source)
    if kind == "DatasetDict":
        return _parts(source)
    raise TableError(
        f"cannot read a table from {kind}",
        place=kind,
        cure="convert some of its rows: Dataset.from_list(list(stream.take(n)))",
    )


def _table(dataset: Any) -> pa.Table:
    found: pa.Table = dataset.with_format("arrow")[:]
    for place, (name, feature) in enumerate(dataset.features.items()):
        if _has_classes(feature):
            whole = one_array(found.column(name))
            found = found.set_column(place, name, _named(whole, feature))
    return found.replace_schema_metadata(None)


def _has_classes(feature: Any) -> bool:
    """Return whether a feature contains class labels, at any depth."""
    inside = feature.values() if isinstance(feature, Mapping) else _items(feature)
    return type(feature).__name__ == "ClassLabel" or any(map(_has_classes, inside))


def _items(feature: Any) -> list[Any]:
    """Return the feature of a list's items, in all its notations; None for others."""
    if isinstance(feature, list | tuple):
        return list(feature)
    return [feature.feature] if hasattr(feature, "feature") else []


def _named(cells: pa.Array, feature: Any) -> pa.Array:
    """Replace class numbers by names; −1, which marks a row without a label, is missing."""
    if not _has_classes(feature):
        return cells
    if type(feature).__name__ == "ClassLabel":
        numbers = np.asarray(cells.fill_null(-1), np.int64)
        return pa.array(feature.names, pa.string()).take(pa.array(numbers, mask=numbers < 0))
    if not pa.types.is_struct(cells.type):
        return _named_lists(cells, _items(feature)[0])
    # Older versions make of a sequence of objects an object of sequences.
    fields = feature if isinstance(feature, Mapping) else {n: [own] for n, own in _items(feature)[0].items()}
    names = [field.name for field in cells.type]
    parts = [_named(part, fields[name]) for name, part in zip(names, cells.flatten(), strict=True)]
    return pa.StructArray.from_arrays(parts, names, mask=cells.is_null())


def _named_lists(cells: pa.Array, feature: Any) -> pa.Array:
    """Replace class numbers by names in lists, of fixed or variable length."""
    lengths = pc.fill_null(pc.list_value_length(cells), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, _named(pc.list_flatten(cells), feature), mask=cells.is_null())


def _parts(parts: Any) -> pa.Table:
    tables = [_table(part) for part in parts.values()]
    if any(SPLIT in table.column_names for table in tables):
        raise TableError(f"the parts already have a column {SPLIT!r}", place="DatasetDict", cure="rename it")
    try:
        whole = pa.concat_tables(tables)
    except pa.ArrowInvalid as error:
        raise TableError(f"the parts have different columns: {error}", place="DatasetDict") from None
    names = np.repeat(np.array(list(parts)), [table.num_rows for table in tables])
    return whole.append_column(SPLIT, pa.array(names, pa.string()))
