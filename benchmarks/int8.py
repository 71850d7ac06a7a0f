"""What do eight-bit weights save, and what do they cost?

python benchmarks/int8.py DATA --model FOLDER [--rows 6000] [--runs 3]

DATA     the folder of the clothing reviews: `table.csv` with title, review_text, … recommended, split
--model  a text model in transformers' form; it stands frozen behind the reviews
One epoch is trained over kept features; then the model and its eight-bit twin answer the same test rows from the cells
on, in turn. Rows a second are medians over the runs.
"""

import argparse
import time
from pathlib import Path
from statistics import median

from pyarrow import compute, csv

import sensorium


def main() -> None:
    """Fit, quantise, answer in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    table = csv.read_csv(options.data / "table.csv")
    train = table.filter(compute.equal(table["split"], "train")).slice(0, options.rows)
    test = table.filter(compute.equal(table["split"], "test")).slice(0, options.rows // 4)
    encoders = {"review_text": {"name": "pretrained_text", "model": str(options.model.resolve())}}
    whole = sensorium.fit(
        train, "recommended", exclude=["rating", "split"], encoders=encoders, epochs=1, progress=False
    )
    models = {"32 bits": whole, "8 bits": whole.quantize()}
    spent: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(options.runs):
        for name, model in models.items():
            start = time.perf_counter()
            model.predict(test)
            spent[name].append(time.perf_counter() - start)
    for name, model in models.items():
        found, size, rate = model.evaluate(test), model.weight_bytes / 2**20, len(test) / median(spent[name])
        scores = ", ".join(f"{key} {found.metrics[key]:.4f}" for key in ("f1", "average_precision", "log_loss"))
        print(f"{name}: {size:.1f} MB, {rate:.0f} rows/s, {scores} on {found.n:,} rows")


if __name__ == "__main__":
    main()
