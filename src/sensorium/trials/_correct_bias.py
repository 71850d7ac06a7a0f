"""Learn the distribution of a model's errors, which turns predictions of a transformed target into means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sensorium.model import FittedModel, NetworkMember
from sensorium.planning import PreparedTable

if TYPE_CHECKING:
    from sensorium.table import Rows

FEWEST = 10  # validation rows; with fewer, training rows are used, whose errors are smaller
MOST = 5000  # training rows


def correct_bias(data: PreparedTable, fitted: FittedModel) -> FittedModel:
    """Return the model with the errors of its networks on the validation rows; unchanged if no score needs them."""
    if not fitted.task.corrects_bias:
        return fitted
    networks = [member for member in fitted.members if isinstance(member, NetworkMember)]
    rows = _filled(data, networks, data.rows("validation"))
    if len(rows) < FEWEST:
        train = _filled(data, networks, data.rows("train"))
        rows = train[np.linspace(0, len(train) - 1, min(MOST, len(train))).round().astype(np.int64)]
    logits = [
        fitted.task.scaled(member.logits(data.cells.only(member.columns), rows), member.temperature)
        for member in networks
    ]
    truth = np.concatenate([data.plan.target[rows]] * len(networks))
    return replace(fitted, task=fitted.task.corrected(np.concatenate(logits), truth))


def _filled(data: PreparedTable, networks: Sequence[NetworkMember], rows: Rows) -> Rows:
    """Return the rows that have a value for every network."""
    for member in networks:
        rows = data.filled(data.cells.only(member.columns), rows)
    return rows
