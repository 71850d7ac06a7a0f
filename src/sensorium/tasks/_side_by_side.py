"""Logits, scores and labels of several targets, side by side in one array or tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sensorium.table import Floats
from sensorium.tasks._base import Task


@dataclass(frozen=True)
class SideBySide:
    """Columns of each target in what a task of several targets predicts or encodes.

    Attributes:
        parts: target → its own task, in the order of the columns.
        dtypes: target → dtype of the labels as its task encodes them.
        widths: target → number of values of one label; 0 for a plain number.
    """

    parts: Mapping[str, Task]
    dtypes: Mapping[str, str]
    widths: Mapping[str, int]

    def logits(self, values: Any) -> Iterator[Any]:
        """Yield the logits of each target, from an array or a tensor [n, outputs]."""
        return self._columns(values, lambda name: self.parts[name].outputs)

    def labels(self, values: Any) -> Iterator[Any]:
        """Yield the labels of each target, from an array or a tensor [n, width]; NaN where they are unknown."""
        return self._columns(values, lambda name: max(1, self.widths[name]))

    def scores(self, values: Floats) -> Iterator[tuple[str, Task, Floats]]:
        """Yield name, task and scores of each target, as the task returns them."""
        own = self._columns(values, lambda name: max(1, len(self.parts[name].labels)))
        for (name, part), mine in zip(self.parts.items(), own, strict=True):
            yield name, part, mine if part.labels else mine[:, 0]

    def encoded(self, name: str, values: Any) -> Any:
        """Return known labels of one target, as its task encodes them, from an array or a tensor."""
        values = values if self.widths[name] else values[:, 0]
        if isinstance(values, np.ndarray):
            return values.astype(self.dtypes[name])
        import torch

        return values.to(getattr(torch, self.dtypes[name]))

    def _columns(self, values: Any, width: Callable[[str], int]) -> Iterator[Any]:
        start = 0
        for name in self.parts:
            end = start + width(name)
            yield values[:, start:end]
            start = end


def join(parts: Sequence[Any]) -> Any:
    """Join arrays or tensors side by side."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts, 1)
    import torch

    return torch.cat(list(parts), 1)
