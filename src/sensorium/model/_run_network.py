"""Run a network over all rows of a table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensorium.batch import Batch
from sensorium.model.network import FusionModel
from sensorium.prepare.loader import Loader


def weight_index(old: Tensor, new: Tensor, logits: Tensor, sizes: tuple[int, int]) -> tuple[Tensor, ...]:
    """Return the index of a smaller model's weight within the same weight of a model with more logits.

    Args:
        old: a weight of the model with `sizes[0]` logits.
        new: the same weight of the model with `sizes[1]` logits.
        logits: int64[k], the index of each old logit in the new model.
        sizes: both numbers of logits.
    """
    grown = old.shape != new.shape
    pairs = zip(old.shape, new.shape, strict=True)
    axes = [logits if grown and pair == sizes and pair[0] != pair[1] else torch.arange(pair[0]) for pair in pairs]
    return torch.meshgrid(*axes, indexing="ij") if axes else ()


def infer(model: FusionModel, loader: Loader, rows: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.float32]:
    """Compute the logits (n, k) of some rows, in their order, `size` rows at a time."""
    return _collect(model, loader, rows, size, (model, model.outputs))


def embed(model: FusionModel, loader: Loader, rows: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.float32]:
    """Compute the fused vectors (n, d) of some rows, in their order, `size` rows at a time."""
    return _collect(model, loader, rows, size, (lambda batch: model.fuse(*model.encode(batch)), model.fusion.width))


def _collect(
    model: FusionModel,
    loader: Loader,
    rows: npt.NDArray[np.int64],
    size: int,
    answer: tuple[Callable[[Batch], Tensor], int],
) -> npt.NDArray[np.float32]:
    """Apply a function to some rows, batch by batch; rows that cannot be read keep zeros."""
    function, width = answer
    model.eval()
    result = torch.zeros(len(rows), width)
    with torch.inference_mode():
        for places, batch in loader.by_length(rows, size):
            result[places] = function(batch).float().cpu()
    return result.numpy()
