"""Sort the rows of a long table by entity and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.config import WindowsConfig
from sensorium.errors import TableError
from sensorium.findings import count
from sensorium.table._arrays import Rows
from sensorium.table._arrow_types import as_microseconds, is_date_type, is_number_type

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)

Stamps = npt.NDArray[Any]
Columns = Mapping[str, pa.Array]


@dataclass(frozen=True)
class Steps:
    """Rows that have entity and time, sorted by entity and time.

    Attributes:
        rows: int64[steps], index of the row in the source.
        starts, ends: int64[steps], the first position of a step's entity and the first after it.
        since: float64[steps], time since the entity's step before (seconds, or as numeric stamps count); NaN at first.
        entities: number of entities.
    """

    rows: Rows
    starts: Rows
    ends: Rows
    since: npt.NDArray[np.float64]
    entities: int


def stamps_of(column: pa.Array) -> tuple[pa.Array, Stamps, npt.NDArray[np.bool_]]:
    """Return the column (text as timestamps), comparable values (microseconds or numbers), and which are known."""
    if pa.types.is_string(column.type):
        found = column.dictionary_encode()
        moments = pa.array([_parse(text) for text in found.dictionary.to_pylist()], pa.timestamp("us"))
        column = moments.take(found.indices)
    known = np.asarray(column.is_valid())
    if is_number_type(column.type):
        numbers = column.fill_null(0).to_numpy(zero_copy_only=False)
        return column, numbers, known & np.isfinite(numbers)
    if not is_date_type(column.type):
        raise TableError(
            f"the time column has the type {column.type}", place="table.windows.time", rule="dates or numbers"
        )
    return column, as_microseconds(column).fill_null(0).to_numpy(zero_copy_only=False), known


def _parse(text: str | None) -> int | None:
    """Return microseconds since 1970; None unless written as 2026-01-31 or 2026-01-31 16:00 (UTC without a zone)."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND


def _entities(columns: Columns, name: str | None, rows: int) -> Rows:
    """Return int64[rows], a number for each entity; -1 if there is none."""
    if name is None:
        return np.zeros(rows, np.int64)
    if pa.types.is_nested(columns[name].type):
        raise TableError(
            f"the entity column has the type {columns[name].type}", place="table.windows.entity", rule="names"
        )
    codes = columns[name].dictionary_encode().indices.fill_null(-1)
    return np.asarray(codes.to_numpy(zero_copy_only=False), np.int64)


def place_steps(
    columns: Columns, stamps: Stamps, dated: npt.NDArray[np.bool_], config: WindowsConfig
) -> tuple[Steps, list[str]]:
    codes = _entities(columns, config.entity, len(stamps))
    usable = np.flatnonzero(dated & (codes >= 0))
    rows = usable[np.lexsort((stamps[usable], codes[usable]))]  # stable: rows of one stamp stay in the table's order
    twins = (np.diff(codes[rows]) == 0) & (np.diff(stamps[rows]) == 0)
    rows = rows[np.append(~twins, True)] if len(rows) else rows
    firsts = np.flatnonzero(np.diff(codes[rows], prepend=-1))
    lengths = np.diff(np.append(firsts, len(rows)))
    unit = 1e6 if pa.types.is_temporal(columns[config.time].type) else 1
    since = np.diff(stamps[rows], prepend=stamps[rows][:1]) / unit
    since[firsts] = np.nan
    starts, ends = np.repeat(firsts, lengths), np.repeat(firsts + lengths, lengths)
    lost = {
        f"left out for lack of a time in {config.time!r}": (~dated).sum(),
        f"left out for lack of an entity in {config.entity!r}": (dated & (codes < 0)).sum(),
        "left out because a later row has the same entity and time": twins.sum(),
    }
    notes = [f"windows: {count(int(number), 'row')} {why}" for why, number in lost.items() if number]
    return Steps(rows, starts, ends, since, len(firsts)), notes
