"""Count the multiply-adds of a network, by which the number of threads is chosen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from sensorium.batch import Batch, CellMap, Cells, PackedCells
from sensorium.model.network import FusionModel

OPTIMIZER = 10  # a trained weight counts as so many multiply-adds, as the optimizer reads and writes it several times

MAX_SHAPES = 256  # of batches, remembered per network

Shapes: TypeAlias = tuple[tuple[int, ...], ...]
_per_row: WeakKeyDictionary[FusionModel, dict[Shapes, float]] = WeakKeyDictionary()  # multiply-adds of a row


def training_work(network: FusionModel, batch: Batch) -> int:
    """Return the work of a training step, in multiply-adds of a forward pass.

    The number depends on shapes alone, so it is the same on every machine.

    Args:
        network: the network.
        batch: a batch of the training rows.
    """
    weights = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    return _multiply_adds(network, batch) + OPTIMIZER * weights


def prediction_work(network: FusionModel, batch: Batch, rows: int) -> int:
    """Return the work of predicting a number of rows at a time, in multiply-adds.

    The work per row is counted once for each shape of batches. It depends on the shapes alone: padding counts as cells.
    So the number of threads, and with it the last bits of predictions, does not depend on earlier predictions.

    Args:
        network: the network.
        batch: some of the rows.
        rows: number of rows that are predicted at a time.
    """
    if not len(batch.rows):
        return 0
    known, shapes = _per_row.setdefault(network, {}), (*_shapes(batch), _present(network, batch))
    if shapes not in known:
        if len(known) >= MAX_SHAPES:
            known.clear()
        known[shapes] = _multiply_adds(network, _unmasked(batch)) / len(batch.rows)
    return int(known[shapes] * rows)


def _shapes(batch: Batch) -> Shapes:
    """Return the shapes of the tensors of a batch."""
    cells = batch.cells
    packed: Sequence[PackedCells] = cells.packed if isinstance(cells, CellMap) else ()
    others = cells.others if isinstance(cells, CellMap) else cells
    tensors: list[Cells | PackedCells] = [*packed, *others.values()]
    return tuple(tuple(each.values.shape) for each in tensors)


def _present(network: FusionModel, batch: Batch) -> tuple[int, ...]:
    """Return the number of rows that each tower encodes."""
    return tuple(network.present(batch).sum(0).tolist())


def _unmasked(batch: Batch) -> Batch:
    """Return a batch of the same shapes whose padding counts as steps of the cells."""
    cells = batch.cells
    others = cells.others if isinstance(cells, CellMap) else cells
    full = {
        name: each if each.mask is None else replace(each, mask=torch.ones_like(each.mask))
        for name, each in others.items()
    }
    packed = cells.packed if isinstance(cells, CellMap) else []
    return replace(batch, cells=CellMap([*cells], packed, full) if packed else full)


def _multiply_adds(network: FusionModel, batch: Batch) -> int:
    """Count the multiply-adds of products, convolutions and recurrent layers in the forward pass of a batch.

    The random generators stay as they are. The network is left in evaluation mode, as by a prediction.
    """
    counter = _Counter()
    network.eval()
    with torch.random.fork_rng([]), torch.no_grad(), counter:
        network(batch)
    return counter.total


class _Counter(TorchDispatchMode):
    """Counter of the operations that run within its block, in this thread of Python alone."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] = MappingProxyType({})
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        count = COUNTS.get(func.overloadpacket.__name__)
        if count is not None:
            self.total += count(args, found[0] if isinstance(found, tuple | list) else found)
        return found


def _of_product(place: int) -> Callable[[Sequence[Any], Tensor], int]:
    """Return the count of a matrix product whose left matrix is the argument at `place`."""
    return lambda args, out: out.numel() * int(args[place].shape[-1])


def _of_convolution(args: Sequence[Any], out: Tensor) -> int:
    return out.numel() * math.prod(args[1].shape[1:])


def _of_recurrent(args: Sequence[Any], out: Tensor) -> int:
    """Return the count of a recurrent layer: each step uses every weight once."""
    steps = out.numel() // max(1, int(out.shape[-1]))
    return steps * sum(weight.numel() for weight in args[1:3])


def _of_attention(args: Sequence[Any], out: Tensor) -> int:
    return 2 * out.numel() * int(args[1].shape[-2])


def _of_transformer(args: Sequence[Any], out: Tensor) -> int:
    """Return the count of a fused layer, without that of its attention: each token uses every weight once."""
    weights = sum(arg.numel() for arg in args if isinstance(arg, Tensor) and arg.dim() == 2)
    return out.numel() // max(1, int(out.shape[-1])) * weights


COUNTS: Mapping[str, Callable[[Sequence[Any], Tensor], int]] = {
    "mm": _of_product(0),
    "addmm": _of_product(1),
    "_int_mm": _of_product(0),
    "bmm": _of_product(0),
    "baddbmm": _of_product(1),
    "convolution": _of_convolution,
    "mkldnn_rnn_layer": _of_recurrent,
    "_scaled_dot_product_flash_attention_for_cpu": _of_attention,
    "_transformer_encoder_layer_fwd": _of_transformer,
    "_native_multi_head_attention": _of_transformer,
}
