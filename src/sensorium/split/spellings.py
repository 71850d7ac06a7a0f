"""Words that name a split, and the split that each cell of a column names."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.errors import SchemaError
from sensorium.split._codes import UNUSED, Codes
from sensorium.table import Column

SPELLINGS = {
    **dict.fromkeys(("train", "training", "tr"), 0),
    **dict.fromkeys(("validation", "val", "valid", "dev", "development"), 1),
    **dict.fromkeys(("test", "testing", "holdout", "eval"), 2),
}


def named_codes(column: Column) -> Codes:
    """Return the code of the split that each cell names; -1 if it is empty."""
    if not column.is_string:
        raise SchemaError(
            f"the split column {column.name!r} has the type {column.data.type}",
            rule=f"one of {', '.join(SPELLINGS)}",
            cure='write words such as "train" and "test", not numbers or booleans',
        )
    encoded = pc.dictionary_encode(column.data)
    words = [word.strip().lower() for word in encoded.dictionary.to_pylist()]
    unknown = [
        spelt
        for spelt, word in zip(encoded.dictionary.to_pylist(), words, strict=True)
        if word and word not in SPELLINGS
    ]
    if unknown:
        raise SchemaError(
            f"the split column {column.name!r} contains {', '.join(map(repr, sorted(unknown)[:5]))}",
            rule=f"one of {', '.join(SPELLINGS)}",
        )
    codes = np.array([*(SPELLINGS.get(word, UNUSED) for word in words), UNUSED], np.int8)
    return codes[np.asarray(encoded.indices.fill_null(len(words)).cast(pa.int64()))]
