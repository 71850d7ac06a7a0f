"""What a model answered for the rows that it was not trained on, beside the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sensorium.metrics import Outcome

if TYPE_CHECKING:
    from sensorium.experiment._experiment import Experiment, Trained

PRESENT = "present."  # before a column's name


def answers_of(experiment: Experiment, trained: Trained) -> pa.Table:
    """The validation and test rows, in the order of the table within each split.

    Args:
        experiment: the table.
        trained: the model, with its outcomes.

    Returns:
        `row` (0-based row of the table), `split`, `truth`, those of `Predictions.to_arrow` (`prediction`,
        `probability_<label>` …), and `present.<column>`, whether the row has a value there. Of several targets, `truth`
        and the answers bear the target's name, as in `price.truth`.
    """
    parts = [_of_split(experiment, trained, split, outcome) for split, outcome in trained.outcomes.items()]
    return pa.concat_tables(parts, promote_options="permissive") if parts else pa.table({})


def _of_split(experiment: Experiment, trained: Trained, split: str, outcome: Outcome) -> pa.Table:
    places, task = experiment.rows(split), experiment.task
    truth = task.decode(outcome.truth)
    columns: dict[str, Any] = {"row": experiment.used[places], "split": [split] * len(places)}
    if outcome.parts:
        names = list(outcome.parts)
        columns |= {f"{name}.truth": [None if row is None else row[name] for row in truth] for name in names}
    else:
        columns["truth"] = truth
    columns |= task.answers(outcome.scores)
    encoded = experiment.prepared.only(trained.bundle.learnt).columns
    for name, found in encoded.items():
        own = f"{PRESENT}{name}"
        columns[f"{own}_" if own in columns else own] = found.present[places]  # a target may be called present
    return pa.table(columns)
