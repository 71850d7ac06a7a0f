"""MLflow runs in a local database: `mlflow ui --backend-store-uri sqlite:///RUN/mlflow/mlflow.db` shows them."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sensorium.runtime.events import FitEnd
from sensorium.runtime.trackers._base import Tracker

PACKAGES = ("mlflow", "sqlalchemy")
EXPERIMENT = "sensorium"
LONGEST = 500  # characters of a parameter, in every version of MLflow
STATUS = {"completed": "FINISHED", "stopped": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}


class MLflow(Tracker):
    """Tracker for MLflow: one run per training in `RUN/mlflow/mlflow.db`; `MLFLOW_TRACKING_URI` is ignored."""

    _client: Any = None
    _run = ""

    def start(self, name: str, settings: Mapping[str, Any]) -> None:
        client, experiment = self._open()
        from mlflow.entities import Param

        self._run = client.create_run(experiment, run_name=name).info.run_id
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
        client.log_batch(self._run, params=[Param(key, text[:LONGEST]) for key, text in texts.items()])

    def log(self, metrics: Mapping[str, float], epoch: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self._run, [Metric(name, value, now, epoch) for name, value in metrics.items()])

    def end(self, event: FitEnd) -> None:
        if self._run:
            self._client.set_tag(self._run, "outcome", event.outcome)
            self._client.set_tag(self._run, "best_epoch", str(event.best_epoch))
            self._client.set_terminated(self._run, STATUS[event.outcome])
            self._run = ""

    def _open(self) -> tuple[Any, str]:
        """Return the client and the id of the experiment; create the experiment if it does not exist."""
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # before it is imported; else it reports usage to its makers
        from mlflow import MlflowClient

        folder = self.folder / "mlflow"
        folder.mkdir(parents=True, exist_ok=True)
        with _without_messages():
            self._client = self._client or MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
            found = self._client.get_experiment_by_name(EXPERIMENT)
            if found:
                return self._client, found.experiment_id
            return self._client, self._client.create_experiment(EXPERIMENT, (folder / "artifacts").as_uri())


@contextmanager
def _without_messages() -> Iterator[None]:
    """Within this block, libraries do not log that they create tables."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)
