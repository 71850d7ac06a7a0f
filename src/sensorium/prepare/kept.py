"""The folder of one prepared column: written chunk by chunk, taken up again where a run was killed, mapped for reading.

values.bin      its arrays, end to end; cells of one shape are written by the processes that encode them
present.bin     bool, one a cell
lengths.bin     int64, steps of each cell; only where cells are of unequal length
journal.jsonl   one line a finished chunk: its cells, the bytes of its values, what was wrong
done.json       dtype and shape; written last
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sensorium.modalities import Array, Encoded, Modality, Ragged, Work
from sensorium.prepare.chunks import encode_chunks
from sensorium.problems import Problem
from sensorium.table import Column

CHUNK = 256  # cells encoded and written at a time: what a kill can cost, and what is held in memory
VALUES, PRESENT, LENGTHS, JOURNAL, DONE = "values.bin", "present.bin", "lengths.bin", "journal.jsonl", "done.json"


@dataclass(frozen=True)
class KeptColumn:
    """One column's folder; one process writes it at a time, any number read it."""

    folder: Path

    @property
    def done(self) -> bool:
        return (self.folder / DONE).exists()

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self.folder.iterdir())

    def write(self, modality: Modality, column: Column, work: Work) -> None:
        """Encode what is not there yet.

        Raises:
            OSError: the disk is full, the folder can't be written to; what was finished stays and is not done again.
        """
        self.folder.mkdir(exist_ok=True)
        start = self._recover()
        work.advance(start)
        with ThreadPoolExecutor(1) as writer:  # a chunk is written while the next one is decoded
            written: Future[None] | None = None
            hand = _InPlace(self.folder / VALUES, start)
            for encoded in encode_chunks(modality, column.slice(start, len(column)), work, CHUNK, hand):
                if written:
                    written.result()
                written = writer.submit(self._append, encoded)
            if written:
                written.result()
        layout = _layout(modality.encode(column.slice(0, 0)))
        new = self.folder / f"{DONE}.new"
        new.write_text(json.dumps(layout))
        new.replace(self.folder / DONE)

    def read(self, name: str) -> Encoded:
        """The column, its arrays mapped into memory; `name` is what its problems call it."""
        layout = json.loads((self.folder / DONE).read_text())
        present = np.fromfile(self.folder / PRESENT, np.bool_)
        values = _map(self.folder / VALUES, np.dtype(layout["dtype"]), layout["shape"])
        problems = list(self._problems(name))
        if not layout["ragged"]:
            return Encoded(values, present, problems)
        offsets = np.concatenate([[0], np.cumsum(np.fromfile(self.folder / LENGTHS, np.int64))])
        return Encoded(Ragged(values, offsets), present, problems)

    def _append(self, encoded: Encoded) -> None:
        """A chunk's arrays, then its line in the journal: what has no line was never written."""
        values, cells = encoded.values, len(encoded.present)
        if isinstance(values, Ragged):
            self._extend(LENGTHS, np.diff(values.offsets).data)
            self._extend(VALUES, np.ascontiguousarray(values.values).data)
            size = values.values.nbytes
        else:
            self._extend(VALUES, b"")  # they lie there already, maybe not yet on the disk
            size = cells * _cell_bytes(values)
        self._extend(PRESENT, encoded.present.data)
        line = {"cells": cells, "bytes": size, "problems": [asdict(problem) for problem in encoded.problems]}
        self._extend(JOURNAL, json.dumps(line).encode() + b"\n")

    def _extend(self, name: str, content: bytes | memoryview) -> None:
        with (self.folder / name).open("ab") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())  # in a power cut the journal must not outlive what it tells of

    def _recover(self) -> int:
        """Cut off what no line of the journal tells of; the number of cells that are there."""
        lines = list(self._journal())
        cells = sum(line["cells"] for line in lines)
        sizes = {VALUES: sum(line["bytes"] for line in lines), PRESENT: cells, LENGTHS: 8 * cells}
        sizes[JOURNAL] = sum(line["length"] for line in lines)
        for name, size in sizes.items():
            if (self.folder / name).exists():
                os.truncate(self.folder / name, size)
        return cells

    def _journal(self) -> Iterator[dict[str, Any]]:
        """The finished chunks, each with the `length` of its line; a line that was cut in writing ends them."""
        try:
            content = (self.folder / JOURNAL).read_bytes()
        except FileNotFoundError:
            return
        for line in content.splitlines(keepends=True):
            if line.endswith(b"\n"):
                yield json.loads(line) | {"length": len(line)}

    def _problems(self, name: str) -> Iterator[Problem]:
        start = 0
        for line in self._journal():
            for problem in line["problems"]:
                yield Problem(**(problem | {"row": problem["row"] + start, "column": name}))
            start += line["cells"]


@dataclass(frozen=True)
class _InPlace:
    """Writes cells of one shape to their places in a file, from any process; leaves those of unequal length alone.

    A process that outlives the one that sent for it does no harm: it writes what belongs there.

    Args:
        path: the file.
        start: where in it, in cells, the column that is encoded begins.
    """

    path: Path
    start: int

    def __call__(self, first: int, encoded: Encoded) -> Encoded:
        if isinstance(encoded.values, Ragged):
            return encoded
        content = np.ascontiguousarray(encoded.values).reshape(-1).view(np.uint8).data
        place = (self.start + first) * _cell_bytes(encoded.values)
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o666)
        try:
            while content:
                count = os.pwrite(file, content, place)
                content, place = content[count:], place + count
        finally:
            os.close(file)
        return replace(encoded, values=encoded.values[:0])


def _cell_bytes(values: Array) -> int:
    return math.prod(values.shape[1:]) * values.itemsize


def _layout(encoded: Encoded) -> dict[str, Any]:
    """What bytes don't tell."""
    ragged = isinstance(encoded.values, Ragged)
    values = encoded.values.values if isinstance(encoded.values, Ragged) else encoded.values
    return {"dtype": values.dtype.str, "shape": values.shape[1:], "ragged": ragged}


def _map(path: Path, dtype: np.dtype[Any], shape: list[int]) -> Any:
    """[n, *shape], mapped copy-on-write: torch takes no arrays that can't be written to."""
    if not path.stat().st_size:  # nothing can't be mapped
        return np.zeros((0, *shape), dtype)
    flat = np.memmap(path, dtype, mode="c")
    return flat.reshape(-1, *shape)
