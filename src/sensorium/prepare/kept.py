"""Folder of one prepared column: written chunk by chunk, resumed after a kill, memory-mapped for reading.

values.bin      its arrays, end to end; cells of one shape are written by the processes that encode them
present.bin     bool, one per cell
lengths.bin     int64, steps of each cell; empty if all cells have one shape
journal.jsonl   one line per finished chunk: its cells, the size and checksum of what it wrote, its problems
done.json       dtype, shape, steps that networks read, and the checksum of the journal; written last

Once `done.json` exists, nothing in the folder is changed: other processes may have it mapped.
"""

from __future__ import annotations

import errno
import math
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sensorium.files.caches import seal, size_of, unseal, write_durably
from sensorium.findings import Problem
from sensorium.modalities import Array, Encoded, Modality, Ragged, Work
from sensorium.prepare.chunks import encode_chunks
from sensorium.prepare.journal import Chunk, Written, checksum_at, intact, sizes, whole_lines
from sensorium.table import Column

FORMAT = 3  # of the folder; part of a column's key, so that folders of another format are never read
CHUNK = 256  # cells encoded and written at a time: what a kill can cost, and what is held in memory
VALUES, PRESENT, LENGTHS, JOURNAL, DONE = "values.bin", "present.bin", "lengths.bin", "journal.jsonl", "done.json"
ARRAYS = (VALUES, PRESENT, LENGTHS)


@dataclass(frozen=True)
class KeptColumn:
    """Folder of one column; one process writes at a time, and any number of processes read."""

    folder: Path

    @property
    def done(self) -> bool:
        """Return whether the column was finished; `read` checks whether it is undamaged."""
        return (self.folder / DONE).exists()

    @property
    def size(self) -> int:
        """Return the size on disk in bytes."""
        return size_of(self.folder)

    def write(self, modality: Modality, column: Column, work: Work) -> None:
        """Encode the cells that are not stored yet.

        Raises:
            OSError: the disk is full, or the folder cannot be written to; finished chunks are kept.
        """
        self.folder.mkdir(exist_ok=True)
        first = start = self._recover()
        work.advance(start)
        with ThreadPoolExecutor(1) as writer:  # a chunk is written while the next one is decoded
            written: Future[None] | None = None
            hand = _InPlace(self.folder / VALUES, start)
            for encoded in encode_chunks(modality, column.slice(start, len(column)), work, CHUNK, hand):
                if written:
                    written.result()
                written = writer.submit(self._append, first, encoded)
                first += len(encoded.present)
            if written:
                written.result()
        layout = _layout(modality.encode(column.slice(0, 0)))
        journal = zlib.crc32((self.folder / JOURNAL).read_bytes())
        write_durably(self.folder / DONE, seal({**layout, "journal": journal}))

    def read(self, name: str) -> Encoded | None:
        """Return the column with memory-mapped arrays; None if it is unfinished or damaged.

        Every byte is checked against the journal. No lock is needed, as the checked bytes are those that are mapped.

        Args:
            name: the column's name in its problems.

        Raises:
            OSError: the files may not be read, or too many are open.
        """
        try:
            with ExitStack() as stack:
                return self._read(name, stack)
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return None  # the disk lost a part of it

    def _read(self, name: str, stack: ExitStack) -> Encoded:
        done = stack.enter_context((self.folder / DONE).open("rb"))
        layout, journal = unseal(done.read()), (self.folder / JOURNAL).read_bytes()
        files = {name: stack.enter_context((self.folder / name).open("rb")) for name in ARRAYS}
        if not os.path.samestat(os.fstat(done.fileno()), (self.folder / DONE).stat()):
            raise ValueError("the folder was replaced while its files were opened")
        chunks = [chunk for chunk, _ in whole_lines(journal)]
        if zlib.crc32(journal) != layout["journal"] or not _are_whole(files, chunks):
            raise ValueError("the files were changed after they were written")
        present = np.fromfile(files[PRESENT], np.bool_)
        values = _map(files[VALUES], np.dtype(layout["dtype"]), layout["shape"])
        problems = list(_problems(chunks, name))
        if not layout["ragged"]:
            return Encoded(values, present, problems)
        offsets = np.concatenate([[0], np.cumsum(np.fromfile(files[LENGTHS], np.int64))])
        return Encoded(Ragged(values, offsets), present, problems, layout["steps"])

    def _append(self, first: int, encoded: Encoded) -> None:
        """Append a chunk's arrays, then its line in the journal; data without a line is ignored."""
        values, cells = encoded.values, len(encoded.present)
        files = {PRESENT: self._extend(PRESENT, encoded.present.data)}
        if isinstance(values, Ragged):
            files[LENGTHS] = self._extend(LENGTHS, np.diff(values.offsets).data)
            files[VALUES] = self._extend(VALUES, np.ascontiguousarray(values.values).data)
        else:
            files[VALUES] = self._settle(first * _cell_bytes(values), cells * _cell_bytes(values))
        self._extend(JOURNAL, Chunk.of(cells, files, encoded.problems).line)

    def _extend(self, name: str, content: bytes | memoryview) -> Written:
        with (self.folder / name).open("ab") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())  # in a power cut the journal must not outlive what it tells of
        return memoryview(content).nbytes, zlib.crc32(content)

    def _settle(self, start: int, size: int) -> Written:
        """Flush cells of one shape, which are already in the file, to disk."""
        with (self.folder / VALUES).open("r+b") as stream:
            os.fsync(stream.fileno())
            found = checksum_at(stream.fileno(), start, size)
        if found is None:
            raise OSError(errno.EIO, "the disk lost data that was written")
        return size, found

    def _recover(self) -> int:
        """Cut off data without a valid line in the journal; return the number of cells that remain."""
        with ExitStack() as stack:
            files = {name: stack.enter_context((self.folder / name).open("ab+")) for name in (*ARRAYS, JOURNAL)}
            files[JOURNAL].seek(0)
            lines = list(whole_lines(files[JOURNAL].read()))
            chunks = [chunk for chunk, _ in lines]
            good = intact(chunks, {name: files[name].fileno() for name in ARRAYS})
            ends = {**sizes(chunks[:good], ARRAYS), JOURNAL: sum(length for _, length in lines[:good])}
            for name, size in ends.items():
                os.truncate(files[name].fileno(), size)
        return sum(chunk.cells for chunk in chunks[:good])


@dataclass(frozen=True)
class _InPlace:
    """Writer of cells of one shape to their positions in a file, from any process; ragged cells are not written.

    A process that outlives its parent does no harm: it writes the right values.

    Args:
        path: the file.
        start: position in the file, in cells, where the column begins.
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
    """Return dtype, shape and steps, which the files of values do not contain."""
    ragged = isinstance(encoded.values, Ragged)
    values = encoded.values.values if isinstance(encoded.values, Ragged) else encoded.values
    return {"dtype": values.dtype.str, "shape": values.shape[1:], "ragged": ragged, "steps": encoded.steps}


def _are_whole(files: Mapping[str, BinaryIO], chunks: Sequence[Chunk]) -> bool:
    """Return whether each file holds what the chunks wrote, and nothing else."""
    handles = {name: stream.fileno() for name, stream in files.items()}
    as_long = {name: os.fstat(handle).st_size for name, handle in handles.items()} == sizes(chunks, ARRAYS)
    return as_long and intact(chunks, handles) == len(chunks)


def _problems(chunks: Sequence[Chunk], name: str) -> Iterator[Problem]:
    start = 0
    for chunk in chunks:
        for problem in chunk.problems:
            yield Problem(**{**problem, "row": problem["row"] + start, "column": name})
        start += chunk.cells


def _map(file: BinaryIO, dtype: np.dtype[Any], shape: list[int]) -> Any:
    """Map [n, *shape] copy-on-write, as torch does not support read-only arrays."""
    if not os.fstat(file.fileno()).st_size:  # an empty file cannot be mapped
        return np.zeros((0, *shape), dtype)
    flat = np.memmap(file, dtype, mode="c")
    return flat.reshape(-1, *shape)
