"""AdaBN: replace the statistics of batch normalisation by those of the new domain, without gradients."""

from __future__ import annotations

from typing import Any

from pydantic import NonNegativeInt

from sensorium.adaptation._base import Adaptation, Unlabelled
from sensorium.adaptation._statistics import estimate_statistics, normalisations
from sensorium.model import FittedModel


class AdaBN(Adaptation):
    """Adaptive batch normalisation (Li et al. 2016, arXiv:1603.04779).

    A shift of brightness, contrast or loudness changes mostly the mean and variance of the inputs of each layer. With
    statistics of the new rows, later layers get inputs like those of training.

    Args:
        prior: weight of the old statistics, as a number of rows (Schneider et al. 2020, arXiv:2006.16971); it only
            matters for few new rows.
    """

    def __init__(self, *, prior: NonNegativeInt = 16) -> None:
        self.prior = prior

    def check(self, fitted: FittedModel) -> None:
        normalisations(fitted.network)

    def adapt(self, fitted: FittedModel, domain: Unlabelled) -> dict[str, Any]:
        return {"layers": estimate_statistics(fitted.network, domain, fitted.batch, self.prior)}
