"""Encode a column in chunks: in threads of this process, or in other processes for long columns."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from sensorium.errors import DataError
from sensorium.modalities import Encoded, Modality, Work
from sensorium.runtime.processes import apart, open_pool
from sensorium.runtime.signals import undone_at_end
from sensorium.table import Column

ENOUGH = 1.5  # seconds of work from which on it pays to start other processes
PROBE = 64  # cells in the first chunk, by which it is judged
AHEAD = 2  # chunks a process that are asked for before the first is taken: bounds what is held in memory

Hand: TypeAlias = Callable[[int, Encoded], Encoded]
Part: TypeAlias = tuple[int, Column]


def encode_chunks(modality: Modality, column: Column, work: Work, size: int, hand: Hand) -> Iterator[Encoded]:
    """Encode the column's cells in chunks of `size`, in order.

    Each chunk is passed to `hand(index of its first cell, encoded)` in the process that encoded it, so that arrays that
    `hand` stores need not be sent to this process.

    Threads share the interpreter lock, which slows down decoders of small files; processes do not, but take half a
    second to start. The first chunk is used to estimate how long the rest would take.

    Raises:
        DataError: a process crashed on its cells, as a decoder may on a malicious file.
    """
    if not len(column):
        return
    starts = [0, *range(min(PROBE, size), len(column), size)]
    parts = ((start, column.slice(start, end - start)) for start, end in itertools.pairwise([*starts, len(column)]))
    for part in itertools.islice(parts, 1):
        start = time.perf_counter()
        encoded = _encode(modality, part, hand, work)
        seconds = (time.perf_counter() - start) * (len(column) / len(part[1]) - 1)
        yield encoded
        if work.workers > 1 and seconds > ENOUGH:
            yield from _in_processes(modality, parts, hand, work)
        else:
            yield from (_encode(modality, rest, hand, work) for rest in parts)


def _encode(modality: Modality, part: Part, hand: Hand, work: Work = Work()) -> Encoded:
    start, cells = part
    return hand(start, modality.encode(cells, work))


def _in_processes(modality: Modality, parts: Iterator[Part], hand: Hand, work: Work) -> Iterator[Encoded]:
    from loky import BrokenProcessPool

    # Taken, not cut: a cut is sent with the whole column behind it.
    parts = ((start, part.take(np.arange(len(part)))) for start, part in parts)
    pool, waiting = open_pool(work.workers), deque[Any]()

    def ask(count: int) -> None:
        for part in itertools.islice(parts, count):
            with apart():
                waiting.append(pool.submit(_encode, modality, part, hand))

    def kill() -> None:
        pool.shutdown(kill_workers=True)

    with undone_at_end(kill):
        try:
            ask(AHEAD * work.workers)
            while waiting:
                encoded = waiting.popleft().result()
                ask(1)
                work.advance(len(encoded.present))
                yield encoded
        except BrokenProcessPool as error:
            raise DataError(
                "a process crashed while it decoded files",
                rule=str(error).partition("\n")[0],
                cure="check for a damaged or malicious file, or for too little memory",
            ) from None
        except KeyboardInterrupt:
            kill()
            raise
        finally:
            for future in waiting:
                future.cancel()
