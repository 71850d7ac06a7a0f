"""How long does a sweep of twelve fusions from three seeds take where the features are frozen and kept?

python benchmarks/fusion_sweep.py DATA --model FOLDER [--rows 5000] [--seeds 3]

DATA     the folder of the workload: `table.csv` with text, image, numbers, categories, label, split; no sounds are used
--model  a text model in transformers' form, frozen; pictures go through a small vision transformer with random weights
Features are computed by a fit of one epoch beforehand, timed by itself; then the sweep: every single modality and the
fusions from each seed, default settings, intervals and paired tests included.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from pyarrow import csv
from rich.console import Console

import sensorium
from sensorium.report import comparison_text
from sensorium.testing import make_pretrained

FUSIONS = [
    "weighted_sum", "concat", "gated", "late", "film", "multiplicative", "low_rank", "tensor", "mixture_of_experts",
    "attention", "transformer", "bottleneck",
]  # fmt: skip


def main() -> None:
    """Prepare, then sweep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    model = options.model.resolve()
    os.chdir(options.data)  # cells name files relative to the table
    table = csv.read_csv("table.csv").slice(6000 - options.rows)
    with tempfile.TemporaryDirectory() as folder:
        vision = make_pretrained("image", Path(folder) / "vision")
        settings = {
            "encoders": {
                "text": {"name": "pretrained_text", "model": str(model), "tune": "frozen"},
                "image": {"name": "pretrained_image", "model": str(vision), "tune": "frozen"},
            },
            "config": {"prepare": {"store": f"{folder}/store"}},
            "exclude": ["audio"],
            "progress": False,
        }
        start = time.perf_counter()
        sensorium.fit(table, "label", epochs=1, **settings)
        features = time.perf_counter() - start
        start = time.perf_counter()
        found = sensorium.compare(table, "label", fusions=FUSIONS, seeds=options.seeds, **settings)
        sweep = time.perf_counter() - start
    Console(width=160).print(comparison_text(found))
    models = len(found.results) * options.seeds
    print(f"features and one epoch {features:.0f} s; sweep of {models} models over {options.rows:,} rows {sweep:.0f} s")


if __name__ == "__main__":
    main()
