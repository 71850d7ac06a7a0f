"""What do rows without a label bring where labels are few? A digit seen and heard, 50, 100 or 300 of 2,400 labelled.

python benchmarks/few_labels.py DATA [--labels 50,100,300] [--seeds 0,1,2] [--methods …] [--clean] [--augment]

DATA       the folder of the data set: `table.csv` with image_degraded, audio_noisy, image, audio, digit, split
--methods  of those below, parted by semicolons; all of them by default
--clean    the clean picture and sound instead of the degraded ones
--augment  shifts pictures and hides bands and stretches of sounds in training, for every method alike

The labelled rows are drawn anew for each seed, alike of each digit; as many validation rows are used as training rows
have a label: more would be labels that are not there. Every method sees the same rows. Test rows are all 300.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pyarrow as pa
from pyarrow import csv

import sensorium

METHODS = {
    "supervised": {},
    "fixmatch": {"techniques": ["fixmatch"]},
    "mean_teacher": {"techniques": ["mean_teacher"]},
    "contrastive first": {"pretrain": {"techniques": ["contrastive"]}},
    "masked first": {"pretrain": {"techniques": ["masked"]}},
    "contrastive beside": {"techniques": ["contrastive"]},
    "masked beside": {"techniques": ["masked"]},
    "contrastive first, fixmatch": {"pretrain": {"techniques": ["contrastive"]}, "techniques": ["fixmatch"]},
    "masked first, fixmatch": {"pretrain": {"techniques": ["masked"]}, "techniques": ["fixmatch"]},
}
AUGMENT = {"image": ["shift"], "audio": ["spec_augment"]}


def settings(method: dict) -> dict:
    """Of the training: what train.few_labels sets stays the same, whatever techniques a method names."""
    return {**method, "few_labels": "few", "techniques": ["label_smoothing", *method.get("techniques", [])]}


def with_few_labels(table: pa.Table, labels: int, seed: int) -> pa.Table:
    """So many training labels, alike of each digit, the others taken away; as many validation rows, the others too."""
    random = np.random.default_rng(seed)
    digit, split = (np.asarray(table[name].to_pylist()) for name in ("digit", "split"))
    kept = np.zeros(len(digit), bool)
    for part in ("train", "val"):
        for value in np.unique(digit):
            rows = random.permutation(np.flatnonzero((digit == value) & (split == part)))
            kept[rows[: labels // 10]] = True
    shown = pa.array([str(d) if k or s == "test" else None for d, k, s in zip(digit, kept, split, strict=True)])
    used = kept | (split != "val")
    return table.set_column(table.column_names.index("digit"), "digit", shown).filter(pa.array(used))


def main() -> None:
    """Every method for every number of labels and seed; means and deviations over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--labels", default="50,100,300")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--methods", default=";".join(METHODS))
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--augment", action="store_true")
    options = parser.parse_args()
    os.chdir(options.data)  # cells name files relative to the table
    table = csv.read_csv("table.csv")
    columns = ["image", "audio"] if options.clean else ["image_degraded", "audio_noisy"]
    methods = options.methods.split(";")
    seeds = list(map(int, options.seeds.split(",")))
    with tempfile.TemporaryDirectory() as folder:
        for labels in map(int, options.labels.split(",")):
            for method in methods:
                start, found = time.perf_counter(), []
                for seed in seeds:
                    model = sensorium.fit(
                        with_few_labels(table, labels, seed),
                        "digit",
                        columns=columns,
                        preset="fast",
                        split_column="split",
                        task="multiclass",
                        augment=AUGMENT if options.augment else {},
                        seed=seed,
                        config={"train": settings(METHODS[method]), "prepare": {"store": folder}},
                        progress=False,
                    )
                    found.append(model.test.metrics["accuracy"])
                spread = f" ± {stdev(found):.3f}" if len(found) > 1 else ""
                each = ", ".join(f"{value:.3f}" for value in found)
                seconds = (time.perf_counter() - start) / len(seeds)
                print(
                    f"{labels} labels, {method}: {mean(found):.3f}{spread} ({each}); {seconds:.0f} s a fit", flush=True
                )


if __name__ == "__main__":
    main()
