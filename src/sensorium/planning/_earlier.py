"""Find the rows of a table that the start model or the teacher was trained on."""

from __future__ import annotations

import numpy as np

from sensorium.model import FittedModel
from sensorium.split import EarlierRows, weigh_rows
from sensorium.table import Table


def find_earlier(table: Table, start: FittedModel | None, teacher: FittedModel | None) -> EarlierRows | None:
    """Return the training rows of these models; None if the table has none."""
    models = {"the start model": start, "the teacher": teacher}
    rows = np.arange(len(table))
    found = {
        name: weigh_rows(model.seen, table, model.row_cells, rows)
        for name, model in models.items()
        if model is not None
    }
    found = {name: weights for name, weights in found.items() if weights.any()}
    return EarlierRows(np.max([*found.values()], 0), " or ".join(found)) if found else None
