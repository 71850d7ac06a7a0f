"""Statistics of batch normalisation over given rows, layer after layer."""

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
    """Of what a layer is given, per channel."""

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
    """The layers of batch normalisation that have statistics.

    Raises:
        ConfigError: there are none.
    """
    found = [part for part in network.modules() if isinstance(part, _BatchNorm) and part.running_mean is not None]
    if not found:
        rule = "its encoders normalise over batches, as image_cnn, image_resnet, audio_cnn and scan_cnn do"
        raise ConfigError("the model has no batch normalisation to adapt", rule=rule, cure="another --method")
    return found


def estimate_statistics(network: FusionModel, domain: Unlabelled, batch: int, prior: int) -> int:
    """Give every layer of batch normalisation the mean and variance of what it is given in the domain's rows.

    A layer is told once all layers before it are: as many passes over the rows as the longest tower has such layers.
    So the result does not hang on how rows are cut into batches. With n rows and a prior of p, the statistics are
    (n · new + p · old) / (n + p).

    Returns:
        How many layers there were.
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
                    bar.advance(len(cells.present))
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
    """Layers in the order in which they are used; those of different towers side by side."""
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
    """Let the layers see a batch; towers that have none of them are spared the work where that can be."""
    towers = [(i, tower) for i, tower in enumerate(network.every_tower) if not set(layers).isdisjoint(tower.modules())]
    if not {layer for _, tower in towers for layer in tower.modules()}.issuperset(layers):
        network(batch)
        return
    present = network.present(batch)
    for place, tower in towers:
        tower(batch, present[:, place], network.fusion.level == "token")


@contextmanager
def _watching(layers: Wave, see: Any) -> Iterator[None]:
    """Within, `see(layer, values)` is told what each layer is given."""
    hooks = [layer.register_forward_pre_hook(lambda layer, given: see(layer, given[0])) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
