"""Journal of a stored column: what each finished chunk wrote into which file, with checksums."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from sensorium.files.caches import seal, unseal
from sensorium.findings import Problem
from sensorium.prepare._hash_threads import hash_threads

BLOCK = 2**20  # bytes read at a time

Written: TypeAlias = tuple[int, int]  # bytes and their checksum


@dataclass(frozen=True)
class Chunk:
    """Chunk of a column, a line of the journal.

    Attributes:
        cells: number of cells.
        files: file → the bytes appended to it, and their checksum.
        problems: rows are counted within the chunk.
    """

    cells: int
    files: Mapping[str, Written]
    problems: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, cells: int, files: Mapping[str, Written], problems: Sequence[Problem]) -> Chunk:
        return cls(cells, files, [asdict(problem) for problem in problems])

    @classmethod
    def parse(cls, line: bytes) -> Chunk:
        """Restore a chunk from `line`.

        Raises:
            ValueError: the line is damaged or incomplete.
        """
        return cls(**unseal(line))

    @property
    def line(self) -> bytes:
        return seal(asdict(self))


def whole_lines(journal: bytes) -> Iterator[tuple[Chunk, int]]:
    """Return the chunks, each with the length of its line, up to the first line that is damaged or incomplete."""
    for line in journal.splitlines(keepends=True):
        if not line.endswith(b"\n"):  # the next line would be written behind it
            return
        try:
            yield Chunk.parse(line), len(line)
        except ValueError:
            return


def sizes(chunks: Sequence[Chunk], names: Sequence[str]) -> dict[str, int]:
    """Return the bytes of each file."""
    return {name: sum(chunk.files[name][0] for chunk in chunks if name in chunk.files) for name in names}


def intact(chunks: Sequence[Chunk], handles: Mapping[str, int]) -> int:
    """Return the number of chunks, from the first one, that the open files contain unchanged."""
    parts = list(_parts(chunks))
    with ThreadPoolExecutor(hash_threads()) as pool:
        good = pool.map(lambda part: _is_there(part, handles), parts)
        return next((number for (number, *_), fine in zip(parts, good, strict=True) if not fine), len(chunks))


def checksum_at(handle: int, start: int, size: int) -> int | None:
    """Return the checksum of a part of an open file; None if the file ends before."""
    found = 0
    for place in range(start, start + size, BLOCK):
        wanted = min(BLOCK, start + size - place)
        block = os.pread(handle, wanted, place)
        if len(block) < wanted:
            return None
        found = zlib.crc32(block, found)
    return found


def _parts(chunks: Sequence[Chunk]) -> Iterator[tuple[int, str, int, Written]]:
    """Yield number of the chunk, file, start of the part, and the record of what was written."""
    starts: dict[str, int] = {}
    for number, chunk in enumerate(chunks):
        for name, written in chunk.files.items():
            yield number, name, starts.get(name, 0), written
            starts[name] = starts.get(name, 0) + written[0]


def _is_there(part: tuple[int, str, int, Written], handles: Mapping[str, int]) -> bool:
    _, name, start, (size, expected) = part
    try:
        return checksum_at(handles[name], start, size) == expected
    except OSError:  # an unreadable part of the disk
        return False
