"""Collect predictions for validation and test rows, with the truth."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from sensorium.metrics import Outcome
from sensorium.planning import PreparedTable
from sensorium.trials._result import TrialResult

PRESENT = "present."  # before a column's name


def answers_of(data: PreparedTable, result: TrialResult) -> pa.Table:
    """Return the predictions for validation and test rows, in the order of the table within each split.

    Args:
        data: the table.
        result: the result of the trial.

    Returns:
        A table with `row` (0-based row of the table), `split`, `truth`, the columns of `Predictions.to_arrow`
        (`prediction`, `probability_<label>` …), and `present.<column>` (whether the row has a value there). With
        several targets, the columns begin with the target's name, as in `price.truth`.
    """
    parts = [_of_split(data, result, split, outcome) for split, outcome in result.outcomes.items()]
    return pa.concat_tables(parts, promote_options="permissive") if parts else pa.table({})


def _of_split(data: PreparedTable, result: TrialResult, split: str, outcome: Outcome) -> pa.Table:
    places, task = result.rows(data, split), result.model.task
    truth = task.decode(outcome.truth)
    columns: dict[str, Any] = {"row": data.plan.used[places], "split": [split] * len(places)}
    if outcome.parts:
        names = list(outcome.parts)
        columns |= {f"{name}.truth": [None if row is None else row[name] for row in truth] for name in names}
    else:
        columns["truth"] = truth
    columns |= task.answers(outcome.scores)
    encoded = data.cells.only(result.model.learnt).columns
    for name, found in encoded.items():
        own = f"{PRESENT}{name}"
        columns[f"{own}_" if own in columns else own] = found.present[places]  # a target may be called present
    return pa.table(columns)
