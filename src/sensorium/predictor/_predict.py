"""Predict the rows of a table with a fitted model."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.model import FittedModel
from sensorium.predictor._predictions import Predictions
from sensorium.predictor._scores import score_rows
from sensorium.predictor._tables import open_rows
from sensorium.runtime.progress import Reporter
from sensorium.table import Floats


def predict_rows(fitted: FittedModel, table: Any, report: Reporter) -> Predictions:
    """Return labels or numbers, with their scores and the problems of each row."""
    opened = open_rows(fitted, table, report)
    scores, present, problems = score_rows(fitted, opened, report)
    windows = fitted.config.table.windows
    identifiers = [name for name in (windows.entity, windows.time) if name is not None] if windows else []
    answers = fitted.task.answers(scores)
    taken = {"row", "problem", *answers}
    columns = {"row": np.arange(len(opened))}
    columns |= {f"{name}_" if name in taken else name: opened.column(name).data for name in identifiers}
    absent = {name for name in fitted.learnt if name not in opened}
    return Predictions(
        values=decode_scores(fitted, scores),
        scores=scores,
        labels=tuple(fitted.task.labels),
        present=present,
        problems=problems,
        _columns=columns | answers,
        _lacking=tuple(f"{p.column}: {p.reason}" for p in problems.whole() if p.column in absent),
    )


def decode_scores(fitted: FittedModel, scores: Floats) -> npt.NDArray[Any]:
    """Return the predicted labels or numbers; lists of labels as an array of objects."""
    answers = list(fitted.task.decode(fitted.task.predicted(scores)))
    if answers and isinstance(answers[0], list):
        labels = np.empty(len(answers), dtype=object)
        labels[:] = answers
        return labels
    return np.array(answers)
