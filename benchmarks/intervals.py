"""How often do 95% intervals contain the metric of the population? Nothing is trained.

python benchmarks/intervals.py [--samples 2000] [--tasks binary,regression] [--out FILE]

Each setting is a task, a number of rows, and independent rows or groups. Its samples are drawn from a population
(`_populations.py`), whose metrics are computed on many rows. The file has one entry per setting, and is written after
each one: the same command goes on where it was interrupted.
"""

import argparse
import functools
import json
import time
from pathlib import Path

import numpy as np
from _populations import POPULATIONS, draw_outcome

from sensorium.evaluate import evaluate_outcome
from sensorium.evaluate.intervals import FEW_GROUPS, FEW_ROWS
from sensorium.metrics import metrics_of, score

ROWS_AND_GROUPS = ((100, None), (300, None), (1000, None), (100, 10), (300, 30), (1000, 100))
POPULATION, GROUP_SIZE = 200_000, 10  # rows of a draw that stands for the population, and mean size of its groups
DRAWS = 5
LOWEST, HIGHEST = 0.935, 0.965
OUT = Path(__file__).parent / "results" / "intervals.json"


def main() -> None:
    """Measure the settings that the file does not have yet, and print a table of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--tasks", default=",".join(POPULATIONS))
    parser.add_argument("--rows", default="", help="only these numbers of rows")
    parser.add_argument("--units", choices=["rows", "groups", "both"], default="both")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    results = json.loads(given.out.read_text()) if given.out.exists() else {}
    for task in given.tasks.split(","):
        for rows, groups in ROWS_AND_GROUPS:
            wanted = not given.rows or str(rows) in given.rows.split(",")
            if not wanted or given.units == ("rows" if groups else "groups"):
                continue
            name = f"{task}, {rows} rows" + (f" of {groups} groups" if groups else "")
            if results.get(name, {}).get("samples", 0) < given.samples:
                results[name] = measure(task, rows, groups, given.samples)
                given.out.write_text(json.dumps(results, indent=1) + "\n")
            show(name, results[name])


def measure(task: str, rows: int, groups: int | None, samples: int) -> dict:
    """Draw samples and count which intervals contain the metric of the population."""
    started = time.process_time()
    truth = population_metrics(task, grouped=groups is not None)
    names = list(truth)
    missed = {name: [0, 0] for name in names}
    values: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(samples):
        made = draw_outcome(task, np.random.default_rng([seed, rows, groups or 0]), rows, groups)
        found = evaluate_outcome(made, names, seed, exactly=True)
        for name, (low, high) in found.intervals.items():
            missed[name][0] += not low <= truth[name]
            missed[name][1] += not truth[name] <= high
            values[name].append(found.metrics[name])
    metrics = {
        name: {
            "population": round(truth[name], 5),
            "mean": round(float(np.nanmean(values[name])), 5),
            "covered": round(1 - sum(missed[name]) / samples, 4),
            "below": round(missed[name][0] / samples, 4),
            "above": round(missed[name][1] / samples, 4),
        }
        for name in names
    }
    few = rows < FEW_ROWS or (groups is not None and groups < FEW_GROUPS)
    return {"samples": samples, "few": few, "cpu_seconds": round(time.process_time() - started, 1), "metrics": metrics}


@functools.cache
def population_metrics(task: str, *, grouped: bool) -> dict[str, float]:
    """Return the metrics of the population: means over a few large draws."""
    kind = "regression" if task == "heavy_tails" else task
    names = [name for name in metrics_of(kind) if name != "mape"]  # amounts near 0 have no expected relative error
    found: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(DRAWS):
        random = np.random.default_rng(seed)
        whole = draw_outcome(task, random, POPULATION, POPULATION // GROUP_SIZE if grouped else None)
        for name in names:
            found[name].append(score(name, whole)[0])
    return {name: float(np.mean(own)) for name, own in found.items()}


def show(name: str, setting: dict) -> None:
    """Print the coverage of each metric; `!` marks those outside of the limits."""
    print(f"{name}: {setting['samples']} samples, {setting['cpu_seconds']} s{', few' if setting['few'] else ''}")
    for metric, own in setting["metrics"].items():
        mark = "" if LOWEST <= own["covered"] <= HIGHEST else "  !"
        print(f"  {metric:<32} {own['population']:8.4f} {own['mean']:8.4f} {own['covered']:6.3f}{mark}", flush=True)


if __name__ == "__main__":
    main()
