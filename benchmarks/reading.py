"""How long it takes to read and inspect a table, beside an earlier version of Sensorium.

python benchmarks/reading.py --against OTHER/src [--rows 1000000] [--runs 5] [--data FOLDER] [--json FILE]

--against  the `src` folder of another checkout, for example of `git worktree add OTHER COMMIT`
--data     a folder with `table.csv`, such as that of `workload.py`; its `inspect` is timed as well

Both versions work in processes of their own, which alternate. Each times its own work, without imports: reading a CSV
of whole numbers, decimals, prices, dates, categories and texts; then reading it and encoding every column but the text
as training would; then `inspect` of DATA. Printed are medians in seconds and the ratio of this version to the other.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from _process import HERE, record
from pyarrow import csv

WORK = """
import sys, time, json
import sensorium
from sensorium.config import Config
from sensorium.inspection import inspect
from sensorium.prepare import learn_modality
from sensorium.schema import infer_columns
from sensorium.table import open_table

table, data = sys.argv[1], sys.argv[2]
config = Config.gather({"target": "label"})
infer_columns(open_table({"x": ["1", "a b"], "label": ["0", "1"]}), config)  # what is imported late, too
found = {}
start = time.perf_counter()
opened = open_table(table, config.table)
found["read"] = time.perf_counter() - start
plans = infer_columns(opened, config)
for plan in plans:
    if plan.modality not in (None, "text"):
        column = opened.column(plan.name)
        learn_modality(plan, column, config).encode(column)
found["read, infer, encode"] = time.perf_counter() - start
if data:
    start = time.perf_counter()
    inspect(data, target="label")
    found["inspect"] = time.perf_counter() - start
print(json.dumps(found))
"""


def main() -> None:
    """Print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    times: dict[str, dict[str, list[float]]] = {"now": {}, "before": {}}
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        csv.write_csv(make_table(options.rows), table)
        for _ in range(options.runs):
            for name, source in (("before", options.against.resolve()), ("now", HERE / "src")):
                for step, seconds in timed(source, table, options.data).items():
                    times[name].setdefault(step, []).append(seconds)
    found = {
        step: {
            "now": statistics.median(now),
            "before": statistics.median(times["before"][step]),
            "ratio": statistics.median(a / b for a, b in zip(now, times["before"][step], strict=True)),
        }
        for step, now in times["now"].items()
    }
    for step, row in found.items():
        print(f"{step:22} {row['now']:.2f} s, before {row['before']:.2f} s, ratio {row['ratio']:.2f}")
    if options.json:
        command = f"python benchmarks/reading.py --against OTHER/src --rows {options.rows} --runs {options.runs}"
        record(options.json, f"{command} --data DATA" if options.data else command, seed=0, results=found)


def timed(source: Path, table: Path, data: Path | None) -> dict[str, float]:
    """Seconds of each step, in a process that imports Sensorium from `source`."""
    given = [str(table), str(data / "table.csv") if data else ""]
    environment = os.environ | {"PYTHONPATH": str(source)}
    done = subprocess.run(
        [sys.executable, "-c", WORK, *given], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def make_table(rows: int) -> pa.Table:
    """Columns as clean tables have them."""
    random = np.random.default_rng(0)
    words = np.array(["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "then", "rests"])
    days = np.datetime64("2015-01-01") + random.integers(0, 3000, rows).astype("timedelta64[D]")
    return pa.table(
        {
            "count": random.integers(0, 10_000, rows),
            "measure": random.normal(size=rows).round(6),
            "price": [f"{value:.2f}" for value in random.gamma(2, 30, rows)],
            "gap": [None if value < 0.1 else round(value, 3) for value in random.random(rows)],
            "day": days.astype("datetime64[D]").astype(str),
            "region": np.array(["north", "south", "east", "west"])[random.integers(0, 4, rows)],
            "note": [" ".join(words[picked]) for picked in random.integers(0, len(words), (rows, 8))],
            "label": np.array(["no", "yes"])[random.integers(0, 2, rows)],
        }
    )


if __name__ == "__main__":
    main()
