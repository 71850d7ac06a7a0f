"""Make batches of tensors from arrays, without a Python loop over rows."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensorium.batch import Batch, CellMap, Cells, Layout, PackedCells
from sensorium.modalities import Encoded, Ragged
from sensorium.prepare.columns import Prepared
from sensorium.prepare.packed import PackedColumns
from sensorium.prepare.streamed import Streamed

GRID = 16  # padded lengths are multiples of it: few different shapes keep the allocator from fragmenting
LARGE = 1024  # entries of a step (such as a frame) above which padding costs more than it saves
AHEAD = 2  # batches that are decoded while the model works on the one before
POOL = 8  # batches' worth of shuffled rows among which rows of like length are put together


class Loader:
    """Loader of batches from prepared columns.

    Cells of unequal length (texts, audio) are padded to the longest of their batch, so rows of similar length are
    batched together: this saves work on padding, and the batches stay random. Streamed columns are decoded ahead of the
    model; a row without any readable cell is left out of its batch.

    Args:
        prepared: the columns; tensors share their memory.
        target: the labels as the task encodes them, one per row; None for prediction.
        device: device of the batches.
    """

    def __init__(self, prepared: Prepared, target: npt.NDArray[np.generic] | None, device: torch.device) -> None:
        self._prepared = prepared
        self._names, self._packed = list(prepared.columns), [_PackedColumns(packed) for packed in prepared.packed]
        inside = {name for packed in prepared.packed for name in packed.columns}
        self._columns: dict[str, _Column | _StreamedColumn] = {
            name: _StreamedColumn(found) if isinstance(found, Streamed) else _Column(found)
            for name, found in prepared.columns.items()
            if name not in inside
        }
        self._streams = any(isinstance(found, Streamed) for found in prepared.columns.values())
        self._target = None if target is None else torch.from_numpy(target)
        self._device = device
        self._lengths = sum((column.lengths for column in self._columns.values()), torch.zeros(len(prepared)))

    @property
    def streams(self) -> bool:
        """Return whether batches decode their cells."""
        return self._streams

    def has_any(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return bool[n]: whether a row has a value; a streamed file may be found unreadable when it is decoded."""
        return self._prepared.has_any()[rows]

    def batch(self, rows: Tensor) -> Batch:
        """Return the batch of some rows (int64[b]), in their order."""
        others = {name: column.cells(rows).to(self._device) for name, column in self._columns.items()}
        packed = [columns.cells(rows).to(self._device) for columns in self._packed]
        cells = CellMap(self._names, packed, others) if packed else others
        target = None if self._target is None else self._target[rows].to(self._device)
        return Batch(cells, rows.to(self._device), target)

    def shuffled(self, rows: npt.NDArray[np.int64], size: int, random: torch.Generator) -> Iterator[Batch]:
        """Yield all rows in random batches of `size`; one may be smaller."""
        return (batch for batch in self.batches(self.order(rows, size, random)) if len(batch.rows))

    def order(self, rows: npt.NDArray[np.int64], size: int, random: torch.Generator) -> list[Tensor]:
        """Return the rows of each random batch of `size`; one may be smaller."""
        order = torch.from_numpy(rows)[torch.randperm(len(rows), generator=random)]
        parts = [part for pool in order.split(size * POOL) for part in self._by_length(pool).split(size)]
        return [parts[place] for place in torch.randperm(len(parts), generator=random).tolist()]

    def batches(self, parts: Iterable[Tensor]) -> Iterator[Batch]:
        """Yield a batch for each list of rows, without unreadable rows; it may be empty."""
        return (batch for _, batch in self._batches(iter(parts)))

    def streamed_state(self) -> dict[str, Any]:
        """Return the state of each streamed column, for a checkpoint."""
        streamed = {name: c for name, c in self._columns.items() if isinstance(c, _StreamedColumn)}
        found = {name: column.found.state() for name, column in streamed.items()}
        return {name: {**state, "present": torch.from_numpy(state["present"])} for name, state in found.items()}

    def restore_streamed(self, states: Mapping[str, Any]) -> None:
        """Restore the state returned by `streamed_state`."""
        for name, state in states.items():
            column = self._columns[name]
            assert isinstance(column, _StreamedColumn)
            column.found.restore({**state, "present": state["present"].numpy()})

    def by_length(self, rows: npt.NDArray[np.int64], size: int) -> Iterator[tuple[Tensor, Batch]]:
        """Yield batches of rows sorted by length, each batch with the positions of its rows in `rows`."""
        if not len(rows):
            return
        order = self._lengths[torch.from_numpy(rows)].argsort(stable=True).split(size)
        found = self._batches(torch.from_numpy(rows)[places] for places in order)
        for places, (kept, batch) in zip(order, found, strict=True):
            if len(kept):
                yield places[kept], batch

    def _batches(self, parts: Iterator[Tensor]) -> Iterator[tuple[Tensor, Batch]]:
        """Yield batches, each with the positions of the rows that it contains."""
        if not self._streams:
            yield from ((torch.arange(len(rows)), self.batch(rows)) for rows in parts)
            return
        with ThreadPoolExecutor(1) as pool:
            waiting = deque(pool.submit(self._readable, rows) for rows in islice(parts, AHEAD))
            try:
                while waiting:
                    found = waiting.popleft().result()
                    waiting.extend(pool.submit(self._readable, rows) for rows in islice(parts, 1))
                    yield found
            finally:
                for future in waiting:
                    future.cancel()

    def _readable(self, rows: Tensor) -> tuple[Tensor, Batch]:
        batch = self.batch(rows)
        kept = batch.has_any().nonzero().squeeze(1)
        return kept, batch if len(kept) == len(rows) else batch.take(kept)

    def _by_length(self, rows: Tensor) -> Tensor:
        return rows[self._lengths[rows].argsort(stable=True)]


class _Column:
    def __init__(self, encoded: Encoded) -> None:
        self._present = torch.from_numpy(encoded.present)
        self._offsets: Tensor | None = None
        self._steps = encoded.steps
        self.lengths = torch.zeros(len(encoded.present))  # in units of the column's mean, so that columns weigh alike
        if isinstance(encoded.values, Ragged):
            self._values = torch.from_numpy(encoded.values.values)
            self._offsets = torch.from_numpy(encoded.values.offsets)
            lengths = self._read(self._offsets.diff()).float()
            self.lengths = lengths / lengths.mean().clamp_min(1e-9)
        else:
            self._values = torch.from_numpy(encoded.values)

    def cells(self, rows: Tensor) -> Cells:
        present = self._present[rows]
        if self._offsets is None:
            return Cells(self._values[rows], present)
        start = self._offsets[rows]
        lengths = self._read(self._offsets[rows + 1] - start)
        steps = torch.arange(self._padded(max(1, int(lengths.max()))))  # (t,)
        mask = steps < lengths[:, None]  # (b, t)
        places = torch.where(mask, start[:, None] + steps, 0)
        values = (
            self._values[places]
            if len(self._values)
            else self._values.new_zeros(*places.shape, *self._values.shape[1:])
        )
        real = mask.reshape(*mask.shape, *[1] * (values.dim() - 2))
        return Cells(values * real, present, mask)

    def _read(self, lengths: Tensor) -> Tensor:
        """Return the number of steps that networks read."""
        return lengths if self._steps is None else lengths.clamp_max(self._steps)

    def _padded(self, length: int) -> int:
        return length if math.prod(self._values.shape[1:]) >= LARGE else -(-length // GRID) * GRID


class _PackedColumns:
    def __init__(self, packed: PackedColumns) -> None:
        self._values, self._present = torch.from_numpy(packed.values), torch.from_numpy(packed.present)
        self._places = packed.places and tuple(torch.from_numpy(places)[:, None] for places in packed.places)
        self._layout = Layout(packed.columns, packed.shapes)

    def cells(self, rows: Tensor) -> PackedCells:
        if not self._places:
            values, present = (part.index_select(1, rows) for part in (self._values, self._present))
        else:
            pairs = zip((self._values, self._present), self._places, strict=True)
            values, present = (part[places, rows] for part, places in pairs)
        return PackedCells(values.T.contiguous(), present.T.contiguous(), self._layout)


class _StreamedColumn:
    def __init__(self, found: Streamed) -> None:
        self.found = found
        self.lengths = torch.zeros(len(found.present))  # not known before they are decoded

    def cells(self, rows: Tensor) -> Cells:
        return _Column(self.found.encode(rows.numpy())).cells(torch.arange(len(rows)))
