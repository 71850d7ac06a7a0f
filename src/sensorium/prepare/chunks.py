"""A column encoded chunk by chunk: in threads of this process, or side by side in others where there is much to do."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterator

from sensorium.errors import DataError
from sensorium.modalities import Encoded, Modality, Work
from sensorium.table import Column

ENOUGH = 1.5  # seconds of work from which on it pays to start other processes
AHEAD = 2  # chunks a process that are asked for before the first is taken: bounds what is held in memory


def encode_chunks(modality: Modality, column: Column, work: Work, size: int) -> Iterator[Encoded]:
    """The column's cells in chunks of `size`, in order.

    Threads share one interpreter lock, which decoders of small files wait for; processes don't, and take half a second
    to start. The first chunk tells how long the rest would take.

    Raises:
        DataError: a process died over its cells, as a decoder may that meets a file made to break it.
    """
    parts = (column.slice(start, size) for start in range(0, len(column), size))
    for part in itertools.islice(parts, 1):
        start = time.perf_counter()
        encoded = modality.encode(part, work)
        seconds = (time.perf_counter() - start) * (len(column) / len(part) - 1)
        yield encoded
        if work.workers > 1 and seconds > ENOUGH:
            yield from _in_processes(modality, parts, work)
        else:
            yield from (modality.encode(rest, work) for rest in parts)


def _in_processes(modality: Modality, parts: Iterator[Column], work: Work) -> Iterator[Encoded]:
    import loky  # its processes don't run the user's script again, as those of multiprocessing would

    pool = loky.get_reusable_executor(work.workers)
    waiting = deque(pool.submit(modality.encode, part) for part in itertools.islice(parts, AHEAD * work.workers))
    try:
        while waiting:
            encoded = waiting.popleft().result()
            waiting.extend(pool.submit(modality.encode, part) for part in itertools.islice(parts, 1))
            work.advance(len(encoded.present))
            yield encoded
    except loky.BrokenProcessPool as error:
        raise DataError(
            "a process died while it decoded files",
            rule=str(error).partition("\n")[0],
            cure="look for a damaged or hostile file, or for memory that ran out",
        ) from None
    finally:
        for future in waiting:
            future.cancel()
