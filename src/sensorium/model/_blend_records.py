"""Record of a blend on the model card."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

import math

from pydantic import Field, NonNegativeInt

from sensorium.files.figures import Figure
from sensorium.model._record import Record


class BlendCandidate(Record):
    """Model that was considered for a blend.

    Attributes:
        name: name of the candidate, such as `linear (review)`.
        modalities: names of the modalities that it reads.
        weight: its weight in the blend; 0 if it is not a member.
        value: its metric on the judged rows. The lowest one is optimistic, because these rows chose it.
    """

    name: str
    modalities: list[str] = []
    weight: float = Field(0.0, ge=0, le=1)
    value: Figure = math.nan


class BlendRecord(Record):
    """How the members of a blend were chosen.

    Attributes:
        metric: the metric of all values, `log_loss`, `rmse` or `mean_poisson_deviance`.
        judged: number of rows that chose members and weights, predicted by models that did not learn from them.
        how: how these rows were predicted.
        candidates: all models that were considered.
        total: sum of the weights of the evidence for classes: near 1 if the members tell the same, higher if each tells
            something of its own. 1 for amounts, and in models of early versions, whose blends are means.
        value: metric of the blend on the judged rows, each with weights that were fitted on other rows.
        single: metric of a single candidate, which other rows chose for each row; NaN in records of early versions.
        modality: the only modality that is used, because the others did not help; None if all are used.
        alone: modality → metric of the best blend of this modality alone, judged like `value`. The same rows chose the
            modality, so the lowest one is a little optimistic.
        together: metric of the blend of all modalities.
    """

    metric: str
    judged: NonNegativeInt
    how: str
    candidates: list[BlendCandidate]
    total: Figure = 1.0
    value: Figure
    single: Figure = math.nan
    modality: str | None = None
    alone: dict[str, Figure] = {}
    together: Figure = math.nan
