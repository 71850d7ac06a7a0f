"""Encoders around weights that packages of the Python index carry: found without importing, read without pickle."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from sensorium.encoders._two_steps import TwoSteps
from sensorium.errors import ConfigError
from sensorium.files.pretrained_sources import package_folder

Tune: TypeAlias = Literal["frozen", "last", "full"]


@dataclass(frozen=True)
class Tuning:
    """What is trained of a pretrained model, and how fast.

    Attributes:
        tune: nothing, its last layers, everything.
        layers: how many are the last ones.
        rate: learning rate of the model's own weights, as a share of the others'.
        decay: of that share, from each layer to the one below (Howard and Ruder 2018, arXiv:1801.06146).
    """

    tune: Tune
    layers: int
    rate: float
    decay: float


class Packaged(TwoSteps):
    """A pretrained model that makes a vector of a cell, and a small network of our own over that.

    Batch normalisation keeps its statistics even where its weights are trained.

    Args:
        backbone: the model, with its `layers` one above the other.
        tuning: what of it is trained.
        features: width of the vector.
        size: width of the token that comes out.
        dropout: in our own network.
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
        """Take the package's weights; until then they are random.

        Raises:
            MissingExtraError: the package is not installed.
            ConfigError: its weights are damaged, or of another model.
        """
        self.backbone.load_state_dict(self.read_weights())

    def read_weights(self) -> dict[str, Tensor]:
        """The weights under the names that the model has for them."""
        raise NotImplementedError

    def rests(self, part: nn.Module) -> bool:
        return isinstance(part, nn.BatchNorm2d)


def read_packaged(package: str, pattern: str, install: str) -> dict[str, Any]:
    """What the file holds: tensors and plain containers of them; anything else in it is refused.

    Args:
        package: as it is imported.
        pattern: of the file's path within its folder.
        install: the line that installs the package.

    Raises:
        MissingExtraError: the package is not installed.
        ConfigError: it holds no such file, or a damaged one.
    """
    folder = package_folder(package, install)
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise ConfigError(f"the package {package!r} holds no {pattern}", place=str(folder), cure=install)
    try:
        return torch.load(paths[0], map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"the weights can't be read: {reason}", place=str(paths[0]), cure=install) from None


def in_order(found: Mapping[str, Tensor], model: nn.Module, place: str) -> dict[str, Tensor]:
    """Weights under other names, in the order in which the model has them → under the model's names.

    Raises:
        ConfigError: their shapes are not the model's.
    """
    own = model.state_dict()
    if [value.shape for value in found.values()] != [value.shape for value in own.values()]:
        raise ConfigError("the weights are not of this model", place=place)
    return dict(zip(own, found.values(), strict=True))
