"""Reduce Arrow types of single values: numbers, decimals, bytes, dates and times."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._arrow_types import SECONDS_PER_UNIT, is_date_type

DAYS = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}  # ticks of a day
FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # of the years 1 to 9999, in days since 1970


class NoPlainForm(Exception):
    """Arrow type that cannot be read; the message is the type."""


def plain_scalar(array: pa.Array) -> pa.Array:
    kind, types = array.type, pa.types
    if types.is_uint64(kind) and len(array) - array.null_count and pc.max(array).as_py() >= 2**63:
        return array.cast(pa.string())
    if types.is_integer(kind):
        return array.cast(pa.int64())
    if types.is_floating(kind):
        array = array.cast(pa.float64())
        return pc.if_else(pc.is_nan(array), pa.scalar(None, pa.float64()), array)
    if types.is_decimal(kind):
        return _plain_decimal(array)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return array.cast(pa.binary())
    if types.is_fixed_size_binary(kind):
        return array.cast(pa.binary())
    if types.is_duration(kind):
        return pc.multiply(array.cast(pa.int64()).cast(pa.float64(), safe=False), SECONDS_PER_UNIT[kind.unit])
    if is_date_type(kind):
        return in_calendar(array)
    if types.is_boolean(kind) or types.is_time(kind):
        return array
    raise NoPlainForm(str(kind))


def in_calendar(array: pa.Array) -> pa.Array:
    """Return timestamps, with those outside Python's calendar missing."""
    low, high = pc.min_max(array.cast(pa.int64() if array.type.bit_width == 64 else pa.int32())).values()
    if not low.is_valid:
        return array
    per_day = 1 if pa.types.is_date32(array.type) else DAYS[getattr(array.type, "unit", "ms")]
    first, last = FIRST_DAY * per_day, (LAST_DAY + 1) * per_day - 1
    if first <= low.as_py() and high.as_py() <= last:
        return array
    ticks = array.cast(pa.int64() if array.type.bit_width == 64 else pa.int32())
    inside = pc.and_(pc.greater_equal(ticks, first), pc.less_equal(ticks, last))
    return pc.if_else(inside, array, pa.scalar(None, array.type))


def _plain_decimal(array: pa.Array) -> pa.Array:
    """Return decimals as numbers; integers beyond int64 become text that keeps their digits."""
    if array.type.scale != 0:
        return array.cast(pa.float64(), safe=False)
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid:
        return array.cast(pa.string())
