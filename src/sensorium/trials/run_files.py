"""Write the files that record a run: what is known before training, and what is known after it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from sensorium.artifact import to_json
from sensorium.artifact.run_folder import PREDICTIONS, SETTINGS, parquet_bytes, yaml_bytes
from sensorium.evaluate import Evaluation
from sensorium.planning import PreparedTable
from sensorium.train import History
from sensorium.trials._result import TrialResult
from sensorium.trials.answers import answers_of


def files_before(data: PreparedTable) -> dict[str, bytes]:
    """Return name → content of the files of a run that are known before training."""
    names = data.plan.split.names()
    table = pa.table({"row": np.arange(len(names)), "split": pa.array(names, pa.string())})
    return {
        SETTINGS: yaml_bytes(data.plan.config),
        "problems.jsonl": data.problems.to_jsonl(),
        "split.parquet": parquet_bytes(table),
    }


def files_after(data: PreparedTable, result: TrialResult, evaluations: Mapping[str, Evaluation]) -> dict[str, bytes]:
    """Return name → content of the files of a run that are known after training."""
    metrics = {split: own.to_json() for split, own in evaluations.items()}
    if folds := result.model.card.cross_validation:
        metrics["cross_validation"] = folds.to_json()
    return {
        "problems.jsonl": data.all_problems().to_jsonl(),
        "history.json": to_json((result.history or History(data.plan.metric)).to_json()),
        "metrics.json": to_json(metrics),
        PREDICTIONS: parquet_bytes(answers_of(data, result)),
    }
