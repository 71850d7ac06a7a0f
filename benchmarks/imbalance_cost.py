"""Cost of the check of modality imbalance: training with the technique `modality_imbalance` and without it.

python benchmarks/imbalance_cost.py [--rows 4000] [--runs 3]

Made rows of pictures, texts, numbers and categories, three epochs at default settings. The table is prepared once;
contenders alternate within one run, medians of processor time, so that a neighbour on the machine counts little.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from sensorium.config import Config
from sensorium.planning import plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing import make_table
from sensorium.trials import TrialSpec, run_trial

CONTENDERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "every": {"modality_imbalance": {}},
    "every 5": {"modality_imbalance": {"every": 5}},
}


def main() -> None:
    """Prepare once, train each in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    spent: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    with tempfile.TemporaryDirectory() as folder:
        modalities = ["image", "text", "number", "category"]
        table = open_table(make_table(Path(folder), rows=options.rows, modalities=modalities))
        settings = {"target": "label", "prepare": {"store": "none"}, "train": {"epochs": 3}}
        data = plan_and_prepare(table, Config.gather(settings), Silent())
        run_trial(data, TrialSpec("warm-up"))  # what is done only once a process is nobody's cost
        for _ in range(options.runs):
            for name, techniques in CONTENDERS.items():
                spec = TrialSpec(name, settings={"train": {"techniques": techniques}})
                start = time.process_time()
                run_trial(data, spec)
                spent[name].append(time.process_time() - start)
    plain = median(spent["plain"])
    for name, seconds in spent.items():
        print(f"{name:<8} {median(seconds):7.2f} s of processor time, {median(seconds) / plain:.3f}×")


if __name__ == "__main__":
    main()
