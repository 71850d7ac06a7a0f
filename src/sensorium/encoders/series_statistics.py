"""Statistics of a whole time series: level, spread, changes, autocorrelation, spectrum. Fast on long series."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from pydantic import PositiveInt
from torch import Tensor

from sensorium.batch import Cells
from sensorium.config import Fraction
from sensorium.encoders._series_statistics import ChannelStatistics
from sensorium.encoders._two_steps import TwoSteps

ACCEPTS = ("series",)
EXPORT = "it sorts steps and computes a Fourier transform, which ONNX cannot express for series of any length"


class SeriesStatistics(TwoSteps):
    """Fixed statistics of each channel, with a small network on top (compare Christ et al. 2018, tsfresh).

    series (b, t, 2·c) → statistics (b, c·k), standardised with the training rows → one token (b, 1, size). The
    statistics never change: they are computed once and shared by all models of a table, like the features of a frozen
    model. The time per series hardly grows with its length.

    Args:
        channels: number of values per step.
        steps: largest number of steps.
        size: width of the output token.
        dropout: dropout probability in the network on top of the statistics.
    """

    def __init__(self, channels: int, steps: int, *, size: PositiveInt = 128, dropout: Fraction = 0.1) -> None:
        backbone = ChannelStatistics(channels, steps)
        super().__init__(backbone, True, features=backbone.width, size=size, dropout=dropout)

    def learn_features(self, cells: Iterable[Cells]) -> None:
        """Learn mean and deviation of each statistic."""
        assert isinstance(self.backbone, ChannelStatistics)
        self.backbone.learn(cells)

    def features(self, cells: Cells) -> Tensor:
        """Compute the statistics (b, f) of cells."""
        assert cells.mask is not None
        found: Tensor = self.backbone(cells.values.to(torch.float32), cells.mask)
        return found
