"""Estimate the statistics of batch normalisation over given rows, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from sensorium.adaptation._base import Unlabelled
from sensorium.batch import Batch
from sensorium.errors import ConfigError
from sensorium.model import FusionModel

Wave: TypeAlias = list[_BatchNorm]


@dataclass
class _Sums:
    """Sums over the inputs of a layer, per channel."""

    count: int = 0
    total: Tensor | float = 0.0
    squares: Tensor | float = 0.0

    def add(self, values: Tensor) -> None:
        values = values.detach().double()
        axes = [axis for axis in range(values.dim()) if axis != 1]
        self.count += values.numel() // values.shape[1]
        self.total = self.total + values.sum(axes)
        self.squares = self.squares + values.square().sum(axes)


def normalisations(network: FusionModel) -> Wave:
    """Return the batch normalisation layers that have running statistics.

    Raises:
        ConfigError: the model has no such layer.
    """
    found = [part for part in network.modules() if isinstance(part, _BatchNorm) and part.running_mean is not None]
    if not found:
        rule = "needs an encoder with batch normalisation, such as image_cnn, image_resnet, audio_cnn or scan_cnn"
        raise ConfigError(
            "the model has no batch normalisation to adapt", rule=rule, cure="fit a model with such an encoder"
        )
    return found


def estimate_statistics(network: FusionModel, domain: Unlabelled, batch: int, prior: int) -> int:
    """Set mean and variance of each batch normalisation layer to those of its inputs in the new domain.

    Layers are set in order, one pass over the rows per layer of the deepest tower. So the result does not depend on how
    rows are divided into batches. With n rows and a prior of p, the statistics are (n · new + p · old) / (n + p).

    Returns:
        The number of layers.
    """
    network.eval()
    waves = list(_waves(network, domain, batch))
    share = len(domain.rows) / (len(domain.rows) + prior)
    with domain.report.bar("adapting", len(waves) * len(domain.rows)) as bar:
        for wave in waves:
            sums = {layer: _Sums() for layer in wave}
            with _watching(wave, lambda layer, values, sums=sums: sums[layer].add(values)):
                for _, cells in domain.loader.by_length(domain.rows, batch):
                    _feed(network, cells, wave)
                    bar.advance(len(cells.rows))
            for layer, found in sums.items():
                _mix(layer, found, share)
    return sum(map(len, waves))


def _mix(layer: _BatchNorm, found: _Sums, share: float) -> None:
    if not found.count:
        return
    assert layer.running_mean is not None
    assert layer.running_var is not None
    mean = torch.as_tensor(found.total) / found.count
    variance = torch.as_tensor(found.squares) / found.count - mean.square()
    for old, new in ((layer.running_mean, mean), (layer.running_var, variance.clamp_min(0))):
        old.copy_(share * new + (1 - share) * old.double())


def _waves(network: FusionModel, domain: Unlabelled, batch: int) -> Iterator[Wave]:
    """Yield the layers in the order of use; layers of different towers that are equally deep are yielded together."""
    order: Wave = []
    layers = normalisations(network)
    with _watching(layers, lambda layer, _: order.append(layer)):
        for _, cells in domain.loader.by_length(domain.rows, batch):
            _feed(network, cells, layers)
            if len(set(order)) == len(layers):
                break
    used = list(dict.fromkeys(order))
    inside = [set(tower.modules()) for tower in network.every_tower]
    towers = [[layer for layer in used if layer in own] for own in inside]
    for wave in zip_longest(*towers):
        yield [layer for layer in wave if layer is not None]
    yield from ([layer] for layer in used if not any(layer in own for own in inside))


@torch.no_grad()
def _feed(network: FusionModel, batch: Batch, layers: Wave) -> None:
    """Run a batch through the towers; towers without such layers are skipped if possible."""
    towers = [(i, tower) for i, tower in enumerate(network.every_tower) if not set(layers).isdisjoint(tower.modules())]
    if not {layer for _, tower in towers for layer in tower.modules()}.issuperset(layers):
        network(batch)
        return
    present = network.present(batch)
    for place, tower in towers:
        tower(batch, present[:, place], network.fusion.level == "token")


@contextmanager
def _watching(layers: Wave, see: Any) -> Iterator[None]:
    """Call `see(layer, values)` with the inputs of each layer within this block."""
    hooks = [layer.register_forward_pre_hook(lambda layer, given: see(layer, given[0])) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
