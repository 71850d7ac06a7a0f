"""Number of threads that torch computes with: chosen once, set for a block of code, and restored."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sensorium.runtime.cpus import usable_cpus
from sensorium.runtime.thread_environment import NUMBERS, user_sets

PER_THREAD = 30_000_000  # multiply-adds of a batch, per thread: with fewer, a second thread made training slower


@dataclass(frozen=True)
class Threads:
    """Number of threads of a run. Sums depend on it in their last bits, so a run keeps it when it is resumed.

    Attributes:
        most: the largest number of threads.
        exact: whether small networks use this number too; otherwise, they use fewer threads.
    """

    most: int
    exact: bool = False

    @classmethod
    def choose(cls, setting: int | Literal["auto"]) -> Threads:
        """Return the number for a run that starts now.

        `auto` is the number of CPUs that this process may use, and not more than torch uses outside of Sensorium, which
        counts physical cores and follows `torch.set_num_threads`. If the user sets it in the environment, that number
        is used.
        """
        if setting != "auto":
            return cls(setting, exact=True)
        outside = threads_outside()
        return cls(outside, exact=True) if user_sets(NUMBERS) else cls(min(usable_cpus(), outside))

    @classmethod
    def available(cls) -> Threads:
        """Return the number that `auto` would give if the user did not set one in the environment."""
        return cls(usable_cpus()) if user_sets(NUMBERS) else cls.choose("auto")

    def for_work(self, work: int) -> int:
        """Return the number for batches of `work` multiply-adds each."""
        return self.most if self.exact else max(1, min(self.most, work // PER_THREAD))

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {"most": self.most, "exact": self.exact}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Threads:
        """Restore the result of `to_json`."""
        return cls(int(content["most"]), bool(content["exact"]))


@dataclass
class _Block:
    """Open block of `torch_threads`.

    Attributes:
        number: the number of threads within the block.
        before: that of its thread of Python before the block, which is restored.
        everywhere: that of threads of Python that have not computed yet.
    """

    number: int
    before: int
    everywhere: int


class _Own(threading.local):
    """Open blocks of the current thread of Python, the innermost last."""

    def __init__(self) -> None:
        self.blocks: list[_Block] = []


_own, _lock = _Own(), threading.Lock()


def threads_outside() -> int:
    """Return the number of threads that torch uses outside of the blocks of `torch_threads`."""
    import torch

    with _lock:
        return _own.blocks[0].before if _own.blocks else torch.get_num_threads()


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Let torch compute with this number of threads within the block, and restore the number before.

    It holds for the current thread of Python only: several may enter blocks at the same time. Blocks may be nested. The
    number is also restored if code within the block sets another one, and if generators close blocks in another order.
    """
    import torch

    with _lock:  # a block that another thread enters changes, for a moment, what new threads take
        before = torch.get_num_threads()  # now, the number of this thread of Python is its own
        everywhere = _in_new_thread(torch.get_num_threads)
    blocks, block = _own.blocks, _Block(number, before, everywhere)
    blocks.append(block)
    try:
        if number != before:
            _change(number, everywhere)
        yield
    finally:
        _leave(blocks, block)


def _leave(blocks: list[_Block], block: _Block) -> None:
    """Restore the number before a block; if a later block is still open, let that one restore it."""
    import torch

    place = next(place for place, each in enumerate(blocks) if each is block)
    del blocks[place]
    if place < len(blocks):
        blocks[place].before, blocks[place].everywhere = block.before, block.everywhere
    elif blocks is _own.blocks and not block.number == block.before == torch.get_num_threads():
        _change(block.before, block.everywhere)


def _change(number: int, everywhere: int) -> None:
    """Set the number of the current thread of Python, and that of threads that have not computed yet.

    `torch.set_num_threads` sets both. The second one is set again in a new thread.
    """
    import torch

    with _lock:
        torch.set_num_threads(number)
        _in_new_thread(lambda: torch.set_num_threads(everywhere))


def _in_new_thread(function: Callable[[], Any]) -> Any:
    found = list[Any]()
    thread = threading.Thread(target=lambda: found.append(function()), name="sensorium-threads")
    thread.start()
    thread.join()
    return found[0]
