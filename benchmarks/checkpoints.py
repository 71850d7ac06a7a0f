"""What checkpoints cost: seconds of training without a folder, with one, and with a checkpoint in every step.

    python benchmarks/checkpoints.py --rows 4000 --runs 5

Contenders alternate; medians, and ratios to the first. Made numbers and texts, three epochs each.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile

import numpy as np

import sensorium

WORDS, LENGTH, EPOCHS = 300, 12, 3
CONTENDERS = {"no folder": None, "a checkpoint a minute": 60.0, "no checkpoints": None, "one in each step": 0.0}


def make_table(rows: int) -> dict[str, object]:
    """Numbers, and texts of words that mean nothing."""
    random = np.random.default_rng(0)
    words = np.array([f"w{number}" for number in range(WORDS)])
    texts = [" ".join(random.choice(words, LENGTH)) for _ in range(rows)]
    numbers = {name: random.normal(size=rows) for name in "xyz"}
    return {**numbers, "text": texts, "label": random.choice(["a", "b", "c"], rows)}


def seconds(table: dict[str, object], name: str) -> float:
    """Of training, from its first step to its last validation."""
    train = {"epochs": EPOCHS, "patience": None, "checkpoint": CONTENDERS[name]}
    with tempfile.TemporaryDirectory() as folder:
        out = None if name == "no folder" else folder
        settings = {"modalities": {"text": "text"}, "train": train, "progress": False}
        return float(sensorium.fit(table, "label", out=out, **settings).card["seconds"])


def main() -> None:
    """Run all contenders, one after the other, several times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    table = make_table(given.rows)
    spent: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(given.runs):
        for name in CONTENDERS:
            spent[name].append(seconds(table, name))
    first = statistics.median(spent["no folder"])
    for name, found in spent.items():
        print(f"{name:24} {statistics.median(found):8.3f} s  {statistics.median(found) / first:.3f}")


if __name__ == "__main__":
    main()
