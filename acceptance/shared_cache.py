"""Processes that share a cache too small for what they need never fail, and never read another array.

A case is four processes that each ask for 25 columns of eight, in an order that its number draws, from a cache that has
room for one to three of them: each process removes what the others make, read and wait for.
"""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from acceptance._columns import content, in_children, job
from sensorium.prepare.store import Store

CASES = 200
PROCESSES, CALLS, COLUMNS = 4, 25, 8


def check(case: int) -> str | None:
    """Have the processes run at once."""
    for number in range(COLUMNS):
        job(str(number), sounds=number % 2 == 1)  # made here, once for all children
    with tempfile.TemporaryDirectory() as name:
        works = [asking(Path(name), case * PROCESSES + process) for process in range(PROCESSES)]
        failed = sum(code != 0 for code in in_children(works))
        left = [path.name for path in Path(name).iterdir() if "gone" in path.name]
    return f"{failed} of {PROCESSES} processes failed" if failed else f"left over: {left}" if left else None


def asking(folder: Path, seed: int) -> Callable[[], None]:
    """What one process does."""

    def work() -> None:
        draw = random.Random(seed)
        store = Store(folder, draw.choice([1, 3000, 6000]))
        for _ in range(CALLS):
            number = draw.randrange(COLUMNS)
            modality, column, expected = job(str(number), sounds=number % 2 == 1)
            assert content(store.encode(modality, column)) == expected, "another array"

    return work
