"""Questions about Arrow types, and dates as numbers."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa

from sensorium.table._arrays import Floats

ArrowCells: TypeAlias = pa.Array | pa.ChunkedArray

SECONDS_PER_UNIT = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}  # units of Arrow's timestamps and durations


def is_number_type(kind: pa.DataType) -> bool:
    """Return whether values are integers or floats."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_date_type(kind: pa.DataType) -> bool:
    """Return whether values are dates or timestamps; times of day and durations are not."""
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def as_microseconds(dates: ArrowCells) -> ArrowCells:
    """Return int64 microseconds since 1970, null if missing."""
    return dates.cast(pa.timestamp("us"), safe=False).cast(pa.int64())


def as_seconds(dates: ArrowCells) -> Floats:
    """Return float64[n]: seconds since 1970, NaN if missing."""
    numbers = as_microseconds(dates).cast(pa.float64(), safe=False)
    return np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64) / 1e6
