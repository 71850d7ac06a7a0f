"""One cell of `selection.py` in a process of its own: train one network, and measure it after every epoch.

python benchmarks/_selection_cell.py FOLDER

FOLDER holds `cell.json`; `result.json` is written beside it. Only development rows are used: the official test rows are
dropped when the table is read. A quarter of the rest is judged, and the training stops at no epoch.
"""

import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from _real_tables import JUDGED, TRAIN, UNUSED, VALIDATION, RealTable, Rows, divide, open_shared
from _scores import Scored
from _scores import score as table_score

import sensorium
from sensorium.config import Config
from sensorium.metrics import Outcome, log_losses, rank_value, score
from sensorium.model import FittedModel, Outputs, fit_temperature, infer
from sensorium.planning import PreparedTable, plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.runtime.threads import torch_threads
from sensorium.table import open_table
from sensorium.tasks import prior_scores
from sensorium.train import train
from sensorium.trials import Control, TrialSpec, build_fitted, model_of_none, training_of

ROWS = 1500  # development rows per table; fewer where a row takes long
FEWER = {"av_digits": 1000, "mitbih_ecg": 1000}
STEPS = 125  # of a series
SHARE = 0.25  # judged rows
RESAMPLES = 200  # for the standard error of the watched metric


@dataclass
class Recorder:
    """Measures the network after each epoch; `Control.should_stop` calls it."""

    data: PreparedTable
    fitted: FittedModel
    spec: RealTable
    epochs: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self) -> bool:
        task, plan = self.data.plan.task, self.data.plan
        context = training_of(self.data, self.fitted)
        found: dict[str, Any] = {}
        temperature = 1.0
        for split in ("validation", "test"):
            rows = self.data.rows(split)
            there = context.loader.has_any(rows)
            logits = infer(self.fitted.network, context.loader, rows[there], context.batch_size)
            truth = plan.target[rows]
            if split == "validation" and task.labels:
                temperature = fit_temperature(task, Outputs.of_logits(logits), truth[there])
            found[split] = self._measure(logits, truth, there, temperature)
        self.epochs.append({"temperature": temperature, **found})
        return False

    def _measure(self, logits: Any, truth: Any, there: Any, temperature: float) -> dict[str, float]:
        import torch

        task, watched = self.data.plan.task, self.data.plan.task.watch
        loss = float(task.loss(torch.from_numpy(logits), torch.from_numpy(truth[there])))
        plain, scaled = (self._outcome(task.scaled(logits, divisor), truth, there) for divisor in (1.0, temperature))
        found = {
            "metric": rank_value(watched, float(score(watched, plain)[0])),
            "error": standard_error(watched, plain),
            "loss": loss,
            "table_metric": table_score(self.spec.metric, Scored(truth, plain.scores, np.arange(len(truth)))),
        }
        if not task.labels:
            return found | {"log_loss": loss, "scaled": loss}
        found |= {"log_loss": float(log_losses(plain).mean()), "scaled": float(log_losses(scaled).mean())}
        return found | {"ece": float(score("ece", plain)[0]), "ece_scaled": float(score("ece", scaled)[0])}

    def _outcome(self, logits: Any, truth: Any, there: Any) -> Outcome:
        """Return the outcome of all rows; those without any value get the prior."""
        task = self.data.plan.task
        scores = prior_scores(task, self.fitted.prior, len(truth))
        scores[there] = task.scores(logits)
        return task.outcome(scores, truth)


def standard_error(metric: str, outcome: Outcome) -> float:
    """Bootstrapped standard error of a metric."""
    size = len(outcome.truth)
    weights = np.random.default_rng(0).multinomial(size, np.full(size, 1 / size), RESAMPLES).astype(np.float64)
    return float(np.nanstd(score(metric, outcome, weights)))


def development_rows(spec: RealTable, data: Path, seed: int) -> tuple[pa.Table, Path, list[str]]:
    """Return rows of a table that are no test rows, their folder, and their split by the rule of the table."""
    shared = open_shared(spec, data, 0, final=False)
    table, official = shared.table, shared.of(JUDGED)  # without test rows, the validation rows have this role
    share = len(official) / len(table)
    rows = some_rows(spec, table, FEWER.get(spec.name, ROWS), seed)
    table = shorter_series(spec, table.take(pa.array(rows)))
    codes = divide(spec, table, (share, SHARE), 0 if spec.rule == "time" else seed)
    words = np.array(["train", "validation", "test"])
    used = np.flatnonzero(codes != UNUSED)
    places = np.select([codes[used] == TRAIN, codes[used] == VALIDATION], [0, 1], 2)
    return table.take(pa.array(used)), shared.folder, words[places].tolist()


def some_rows(spec: RealTable, table: pa.Table, most: int, seed: int) -> Rows:
    """Draw rows; of a table in order of time, take a block that ends the earlier, the larger the seed is."""
    if len(table) <= most:
        return np.arange(len(table))
    if spec.rule != "time":
        return np.sort(np.random.default_rng(seed).permutation(len(table))[:most])
    order = np.argsort(np.array(table[spec.group].to_pylist()), kind="stable")
    end = max(len(order) - seed * most, most)
    return np.sort(order[end - most : end])


def shorter_series(spec: RealTable, table: pa.Table) -> pa.Table:
    """Average the neighbouring steps of long series."""
    for name in [column for column, kind in spec.kinds.items() if kind == "series"]:
        cells = table[name].to_pylist()
        length = max((len(cell) for cell in cells if cell is not None), default=0)
        if length >= 2 * STEPS:
            width = length // STEPS
            short = [None if cell is None else _averaged(np.array(cell, np.float64), width) for cell in cells]
            table = table.set_column(table.column_names.index(name), name, pa.array(short))
    return table


def _averaged(values: Any, width: int) -> list[float]:
    whole = len(values) // width * width
    return np.nanmean(values[:whole].reshape(-1, width), axis=1).tolist()


def measure(spec: RealTable, data: Path, seed: int) -> dict[str, Any]:
    """Train the default network for all of its epochs."""
    table, folder, split = development_rows(spec, data, seed)
    os.chdir(folder)  # cells name files relative to the table
    table = table.select([*spec.kinds, spec.target]).append_column("benchmark_split", pa.array(split))
    settings = {"target": spec.target, "split": {"column": "benchmark_split"}, "seed": seed, "threads": 1}
    prepared = plan_and_prepare(open_table(table), Config.gather({**settings, "train": {"patience": None}}), Silent())
    import torch

    with torch_threads(1):
        torch.manual_seed(seed)
        start = time.perf_counter()
        fitted = build_fitted(prepared, TrialSpec("network"), model_of_none)
        recorder = Recorder(prepared, fitted, spec)
        context = training_of(prepared, fitted, Control(should_stop=recorder))
        with fitted.network.reading_features(prepared.frozen):
            history = train(context, fitted.config.train, seed, report=Silent(), keep=lambda: None)
    task, judged = prepared.plan.task, prepared.rows("test")
    constant = task.outcome(prior_scores(task, fitted.prior, len(judged)), prepared.plan.target[judged])
    return {
        "rows": {name: len(prepared.rows(name)) for name in ("train", "validation", "test")},
        "watched": task.watch,
        "metric": spec.metric,
        "constant": float(log_losses(constant).mean()) if task.labels else None,
        "seconds": {"all": round(time.perf_counter() - start, 2), "training": round(history.seconds, 2)},
        "version": sensorium.__version__,
        "epochs": recorder.epochs,
    }


def main() -> None:
    """Run the cell that the folder describes."""
    folder = Path(sys.argv[1]).resolve()
    cell = json.loads((folder / "cell.json").read_text())
    found = measure(RealTable(**cell["table"]), Path(cell["data"]), cell["seed"])
    (folder / "result.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
