"""Summaries of prepared columns: terms of texts, codes of categories, numbers of all else. Nothing is learned."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.modalities import Encoded, Ragged
from sensorium.prepare.columns import Prepared
from sensorium.prepare.streamed import Streamed
from sensorium.prepare.summaries._images import summarize_images
from sensorium.prepare.summaries.series import summarize_series, summarize_waveforms
from sensorium.prepare.summaries.terms import Keys, count_terms
from sensorium.table import Rows

Kind: TypeAlias = Literal["terms", "codes", "numbers"]
CHUNK = 256  # cells summarized at a time


@dataclass(frozen=True, eq=False)
class Summary:
    """Summary of a column.

    Attributes:
        kind: of its values.
        values: sparse float32[n, terms] counts, int64[n] codes, or float32[n, f] numbers.
        present: bool[n].
        keys: int64[terms], sorted; empty unless the values are counts.
    """

    kind: Kind
    values: Any
    present: npt.NDArray[np.bool_]
    keys: Keys

    @property
    def width(self) -> int:
        """Return the number of numbers per row; 0 for terms and codes."""
        return int(self.values.shape[1]) if self.kind == "numbers" else 0

    def take(self, rows: Rows) -> Summary:
        """Return some of the rows."""
        return Summary(self.kind, self.values[rows], self.present[rows], self.keys)

    def hidden(self) -> Summary:
        """Return as many rows without any value."""
        missing = np.zeros_like(self.present)
        if self.kind == "terms":
            return Summary(self.kind, self.values[:, :0], missing, self.keys[:0])
        nothing = np.broadcast_to(np.zeros((), self.values.dtype), self.values.shape)  # without memory
        return Summary(self.kind, nothing, missing, self.keys)


@dataclass(frozen=True, eq=False)
class Summaries:
    """Summaries of the columns of a table, in their order."""

    columns: Mapping[str, Summary]
    rows: int

    def only(self, names: Iterable[str]) -> Summaries:
        """Return some of the columns."""
        return Summaries({name: self.columns[name] for name in names}, self.rows)

    def take(self, rows: Rows) -> Summaries:
        """Return some of the rows."""
        return Summaries({name: column.take(rows) for name, column in self.columns.items()}, len(rows))

    def hiding(self, names: Collection[str]) -> Summaries:
        """Return the same columns, with every cell of some of them missing."""
        columns = {name: own.hidden() if name in names else own for name, own in self.columns.items()}
        return Summaries(columns, self.rows)

    def has_any(self) -> npt.NDArray[np.bool_]:
        """Return bool[n]: whether the row has a value in at least one column."""
        return np.logical_or.reduce([np.zeros(self.rows, np.bool_), *(own.present for own in self.columns.values())])


def summarize(prepared: Prepared | Summaries, rows: Rows | None = None) -> Summaries:
    """Summarize the columns of a table.

    Args:
        prepared: the columns; streamed ones are decoded once. Summaries are returned as they are.
        rows: positions of the rows; all by default.
    """
    if isinstance(prepared, Summaries):
        return prepared if rows is None else prepared.take(rows)
    places = np.arange(len(prepared)) if rows is None else rows
    return Summaries({name: _summarize(found, places) for name, found in prepared.columns.items()}, len(places))


def _summarize(found: Encoded | Streamed, rows: Rows) -> Summary:
    nothing = np.zeros(0, np.int64)
    parts: list[Any] = list(_parts(found, rows))
    present = found.present[rows]  # after the cells were decoded, which finds those that are unreadable
    if isinstance(parts[0], Ragged):
        counts, keys = count_terms(Ragged.join(parts, parts[0].values[:0]))
        return Summary("terms", counts, present, keys)
    values: npt.NDArray[Any] = np.concatenate(parts)
    return Summary("codes" if values.ndim == 1 else "numbers", values, present, nothing)


def _parts(found: Encoded | Streamed, rows: Rows) -> Iterator[npt.NDArray[Any] | Ragged]:
    """Yield the rows in chunks: tokens as they are, codes int64[m], everything else float32[m, f]."""
    for start in range(0, max(1, len(rows)), CHUNK):
        chunk = rows[start : start + CHUNK]
        if isinstance(found, Streamed):
            cells = found.encode(chunk).values
        else:
            cells = _take(found.values, chunk) if isinstance(found.values, Ragged) else found.values[chunk]
        yield _summary_of(cells)(cells)


def _take(cells: Ragged, rows: Rows) -> Ragged:
    lengths = np.diff(cells.offsets)[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    places = np.arange(offsets[-1]) + np.repeat(cells.offsets[rows] - offsets[:-1], lengths)
    return Ragged(cells.values[places], offsets)


def _summary_of(cells: npt.NDArray[Any] | Ragged) -> Callable[[Any], Any]:
    """Return the function that summarizes cells of this shape."""
    if isinstance(cells, Ragged):
        if cells.values.ndim == 1:
            return (lambda tokens: tokens) if np.issubdtype(cells.values.dtype, np.integer) else summarize_waveforms
        return summarize_series if cells.values.ndim == 2 else summarize_images
    if cells.ndim > 2:
        return summarize_images
    kind = np.int64 if cells.ndim == 1 else np.float32
    return lambda plain: np.asarray(plain, kind)
