"""Run a task and metrics of other packages on a few labels, before any file is decoded."""

from __future__ import annotations

import numpy as np

from sensorium.metrics import metrics_of
from sensorium.registry import metrics, tasks
from sensorium.registry.failures import member_error, shape_of
from sensorium.tasks._base import EncodedTarget, Task

ROWS, WEIGHTINGS = 8, 2


def rehearse_task(name: str, task: Task, encoded: EncodedTarget) -> None:
    """Compute the loss, the scores and the metrics of a few rows; of Sensorium's own task and metrics, nothing.

    Args:
        name: registered name of the task.
        task: the fitted task.
        encoded: the labels.

    Raises:
        ConfigError: a metric lacks something.
        MemberError: a result has another shape than the contract says.
        Exception: the task or a metric raises; `explain_member_errors` names it.
    """
    foreign = [metric for metric in metrics_of(name) if not metrics.is_builtin(metric)]
    for metric in foreign:
        metrics.load(metric)
    if tasks.is_builtin(name) and not foreign:
        return
    import torch  # here, as `inspect` does not need it

    values = encoded.values[np.flatnonzero(encoded.known)[:ROWS]]
    logits = torch.zeros(len(values), task.outputs)
    loss = task.loss(logits, torch.from_numpy(values))
    given = f"logits: {shape_of(logits)}, target: {shape_of(values)}"
    if getattr(loss, "shape", None) != ():
        raise member_error("task", name, "loss", f"the result is {shape_of(loss)}, not a scalar tensor", given=given)
    scores = task.scores(logits.numpy())
    expected = (len(values), len(task.labels)) if task.labels else (len(values),)
    if np.shape(scores) != expected:
        raise member_error("task", name, "scores", f"the result is {shape_of(scores)}, not {expected}", given=given)
    outcome = task.outcome(scores, values)
    for metric in foreign:
        found = metrics.load(metric)(outcome, np.ones((WEIGHTINGS, len(values))))
        if np.shape(found) != (WEIGHTINGS,):
            given = f"outcome of {len(values)} rows, weights: float64[{WEIGHTINGS}, {len(values)}]"
            finding = f"the result is {shape_of(found)}, not one value per weighting, ({WEIGHTINGS},)"
            raise member_error("metric", metric, metric, finding, given=given)
