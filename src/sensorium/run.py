"""The folder of a run: the model as soon as there is one, and everything that tells how it came about.

model/            the artifact; the best so far while training goes on
checkpoint.safetensors  the state of training, while it is not over: --resume goes on from it
config.yaml       the settings, defaults filled in
split.parquet     row → split
history.json      epoch by epoch
metrics.json      validation and test metrics, with intervals
problems.jsonl    cells that could not be taken as they were
search.json       with a budget: every trial, and what was chosen
search.journal    with a budget: what lets a killed search go on
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from sensorium.artifact import check_place, save_bundle, to_json, write_file
from sensorium.bundle import Bundle
from sensorium.config import Config
from sensorium.evaluate import Evaluation
from sensorium.experiment import Experiment, Trained
from sensorium.problems import Problems
from sensorium.schema import SPLITS
from sensorium.train import Checkpoint


class Run:
    """Writes a run's folder; files of an earlier run in it are replaced, others left alone.

    Raises:
        ArtifactError: the folder can't be made or written to, or its `model` is something else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        check_place(self.model)

    @property
    def model(self) -> Path:
        return self.folder / "model"

    def checkpoint(self, resume: bool) -> Checkpoint:
        """Where the state of training is kept."""
        return Checkpoint(self.folder / "checkpoint.safetensors", resume)

    def save_model(self, bundle: Bundle) -> None:
        save_bundle(bundle, self.model)

    def save_experiment(self, experiment: Experiment) -> None:
        """What is known before training."""
        write_file(self.folder / "config.yaml", _yaml(experiment.config))
        self.save_problems(experiment.problems)
        names = np.array([*SPLITS, None], dtype=object)[experiment.split.codes]  # code -1 is the last: none
        table = pa.table({"row": np.arange(len(names)), "split": pa.array(names, pa.string())})
        sink = pa.BufferOutputStream()
        parquet.write_table(table, sink)
        write_file(self.folder / "split.parquet", sink.getvalue().to_pybytes())

    def save_problems(self, problems: Problems) -> None:
        """Known before training, but for those of streamed columns."""
        write_file(self.folder / "problems.jsonl", problems.to_jsonl())

    def save_result(self, trained: Trained, evaluations: dict[str, Evaluation]) -> None:
        """What is known after it."""
        self.save_model(trained.bundle)
        write_file(self.folder / "history.json", to_json(trained.history.to_json()))
        metrics = {name: found.to_json() for name, found in evaluations.items()}
        write_file(self.folder / "metrics.json", to_json(metrics))


def _yaml(config: Config) -> bytes:
    import yaml

    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True).encode()
