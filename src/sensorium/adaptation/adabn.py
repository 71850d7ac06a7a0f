"""Batch normalisation by the new domain's statistics: no gradient, no label."""

from __future__ import annotations

from typing import Any

from pydantic import NonNegativeInt

from sensorium.adaptation._base import Adaptation, Unlabelled
from sensorium.adaptation._statistics import estimate_statistics, normalisations
from sensorium.model import FittedModel


class AdaBN(Adaptation):
    """Adaptive batch normalisation (Li et al. 2016, arXiv:1603.04779).

    What a domain changes of brightness, contrast or loudness lies for a large part in the mean and variance of each
    layer: taken from the new rows, they bring the layers above back to what they know.

    Args:
        prior: rows for which the old statistics count beside the new ones (Schneider et al. 2020, arXiv:2006.16971):
            matters where new rows are few.
    """

    def __init__(self, *, prior: NonNegativeInt = 16) -> None:
        self.prior = prior

    def check(self, bundle: FittedModel) -> None:
        normalisations(bundle.network)

    def adapt(self, bundle: FittedModel, domain: Unlabelled) -> dict[str, Any]:
        return {"layers": estimate_statistics(bundle.network, domain, bundle.batch, self.prior)}
