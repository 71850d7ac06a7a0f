"""Convert standardised log-mel spectrograms to power, and power back to such spectrograms."""

from __future__ import annotations

import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from sensorium.modalities.audio import FLOOR


class Scale:
    """Standardisation of each mel band, and its inverse.

    Args:
        mean, deviation: mean and standard deviation of the log power, float[mels].
    """

    def __init__(self, mean: npt.ArrayLike, deviation: npt.ArrayLike) -> None:
        self.mean, self.deviation = torch.as_tensor(mean), torch.as_tensor(deviation)

    def power(self, values: Float[Tensor, "b t mels"]) -> Float[Tensor, "b t mels"]:
        logarithm = values * self.deviation.to(values.device) + self.mean.to(values.device)
        return (logarithm.exp() - FLOOR).clamp_min(0)

    def values(self, power: Float[Tensor, "b t mels"]) -> Float[Tensor, "b t mels"]:
        return ((power + FLOOR).log() - self.mean.to(power.device)) / self.deviation.to(power.device)
