"""Boosted trees of this version beside those of an earlier one: CPU seconds and the metric on the test rows.

python benchmarks/trees.py DATA --against OTHER [--seeds 0,1] [--rows 5000] [--json FILE]

DATA       a folder with one folder per data set: av_digits, clothing_reviews, fomc_stance, openmoji
--against  another checkout, for example of `git worktree add OTHER COMMIT`; its `src` is imported
--rows     rows of each table at most, drawn at random

Both versions work in processes of their own, which alternate. CPU time is counted, because wall time also measures what
else the machine does.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from _process import HERE, measure, python, record

TABLES: dict[str, dict[str, Any]] = {
    "av_digits": {"target": "digit", "columns": ["image_degraded", "audio_noisy"]},
    "clothing_reviews": {"target": "recommended", "exclude": ["rating", "clothing_id"]},
    "fomc_stance": {"target": "stance", "columns": ["sentence", "year", "source"]},
    "openmoji": {"target": "group", "columns": ["image", "name", "tags"]},
}
FIT = """
import json, sys, time
import numpy as np
from sensorium.config import Config
from sensorium.metrics import score
from sensorium.planning import plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.trials import TrialSpec, run_trial
path, settings, rows, seed = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
table = open_table(path)
table = table.take(np.sort(np.random.default_rng(seed).permutation(len(table))[:rows]))
data = plan_and_prepare(table, Config.gather({**settings, "seed": seed}), Silent())
task = data.plan.task
cpu = time.process_time()
outcome = run_trial(data, TrialSpec("trees", baseline="trees")).outcomes["test"]
cpu = time.process_time() - cpu
metric = "accuracy" if task.labels else "r2"
loss = "log_loss" if task.labels else "rmse"
print(json.dumps({
    "cpu": cpu, "rows": len(data.rows("train")), "outputs": task.outputs,
    metric: float(score(metric, outcome)[0]), loss: float(score(loss, outcome)[0]),
}))
"""


def main() -> None:
    """Alternate both versions over the tables and seeds, and print means and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--against", type=Path, required=True)
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--only", default=",".join(TABLES))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    versions = {"now": HERE, "before": options.against.resolve()}
    command = (
        f"python benchmarks/trees.py DATA --against OTHER --seeds {options.seeds} --rows {options.rows} "
        f"--only {options.only}"
    )
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    with tempfile.TemporaryDirectory() as cache:
        for seed in map(int, options.seeds.split(",")):
            for name in options.only.split(","):
                for version in sorted(versions, reverse=seed % 2 == 1):
                    environment = {"PYTHONPATH": str(versions[version] / "src"), "SENSORIUM_CACHE": cache}
                    table = str(options.data / name / "table.csv")
                    script = python("-c", FIT, table, json.dumps(TABLES[name]), str(options.rows), str(seed))
                    run = measure(script, **environment)
                    found.setdefault(name, {}).setdefault(version, []).append(run)
                    print(name, seed, version, {key: round(value, 4) for key, value in run.items()}, flush=True)
                if options.json:  # after each pair of runs, so that an interrupted measurement is not lost
                    record(options.json, command, versions=versions, figures=found)
    show(found)


def show(found: dict[str, dict[str, list[dict[str, float]]]]) -> None:
    """Means over the seeds, and the ratio of the CPU seconds."""
    print(f"\n{'table':<18}{'s now':>9}{'s before':>10}{'ratio':>7}  metrics now / before")
    for name, runs in found.items():
        now, before = (mean(runs[version], "cpu") for version in ("now", "before"))
        metrics = [key for key in runs["now"][0] if key in ("accuracy", "r2", "log_loss", "rmse")]
        told = ", ".join(f"{key} {mean(runs['now'], key):.3f} / {mean(runs['before'], key):.3f}" for key in metrics)
        print(f"{name:<18}{now:>9.1f}{before:>10.1f}{now / before:>7.2f}  {told}")


def mean(runs: list[dict[str, float]], key: str) -> float:
    """Mean of a figure over the seeds."""
    return statistics.mean(run[key] for run in runs)


if __name__ == "__main__":
    main()
