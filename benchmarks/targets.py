"""Do transforms of the target and the robust loss help regressions, and do they never hurt?

python benchmarks/targets.py [DATA] [--seeds 0,1,2] [--tables …] [--arms …] [--rows 1200]

DATA      the folder of the data sets; with it, the volume of `hippocampus_mri` is predicted as well, from its scans.
          Its test rows are not used: models are judged on its validation rows
--tables  of the made tables below, parted by commas; all of them by default
--arms    of the settings below; all that suit a table by default

Made tables have two numbers, a category and a text of three words. Their conditional mean is known, so besides R² on
the test rows, the script shows the error against the conditional mean (mean squared error / variance of the mean).
Every arm sees the same rows; differences are paired by seed.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

import sensorium

Arrays = dict[str, Any]
WORDS = ("plain", "small", "old", "large", "new", "rare")
ARMS = {
    "neither": {"target_transform": "none", "loss": "squared"},
    "auto": {},
    "log": {"target_transform": "log", "loss": "squared"},
    "yeo_johnson": {"target_transform": "yeo_johnson", "loss": "squared"},
    "huber": {"target_transform": "none", "loss": "huber"},
}


def features(rows: int, random: np.random.Generator) -> tuple[Arrays, np.ndarray]:
    """Columns and a signal of mean 0 and deviation about 1 that depends on all of them."""
    first, second = random.normal(size=rows), random.normal(size=rows)
    group, words = random.integers(0, 5, rows), random.integers(0, len(WORDS), (rows, 3))
    signal = 0.5 * first + 0.4 * np.sin(2 * second) + 0.4 * (group - 2) / 1.4 + 0.5 * (words.mean(1) - 2.5)
    texts = [" ".join(WORDS[place] for place in row) for row in words]
    return {"first": first, "second": second, "group": [f"g{g}" for g in group], "text": texts}, signal


def log_normal(signal: np.ndarray, random: np.random.Generator, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Multiplicative noise."""
    level = 7 + signal
    return np.exp(level + noise * random.normal(size=len(level))), np.exp(level + noise**2 / 2)


def wide_log_normal(signal: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Multiplicative noise of deviation 1."""
    return log_normal(signal, random, 1.0)


def with_zeros(signal: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A quarter of the amounts is 0."""
    amounts, expected = log_normal(signal, random)
    share = 1 / (1 + np.exp(-signal - 1))
    return np.where(random.random(len(signal)) < share, amounts, 0).round(2), share * expected


def normal(signal: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Additive normal noise: nothing should change."""
    return 50 + 10 * (signal + random.normal(size=len(signal))), 50 + 10 * signal


def additive(signal: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A skewed mean with additive normal noise: the logarithm is wrong here."""
    level = np.exp(signal)
    return 5 + level + 0.5 * random.normal(size=len(level)), 5 + level


def two_groups(signal: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A tenth of the rows, known by a column, lie far above the others."""
    level = 20 + signal + np.where(signal > np.quantile(signal, 0.9), 10, 0)
    return level + random.normal(size=len(level)), level


def student(signal: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Noise with the tails of Student's t with two degrees of freedom."""
    return 50 + 10 * (signal + random.standard_t(2, len(signal))), 50 + 10 * signal


def contaminated(signal: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A tenth of the rows has twenty times the noise of the others."""
    noise = random.normal(size=len(signal)) * np.where(random.random(len(signal)) < 0.1, 10, 0.5)
    return 50 + 10 * (signal + noise), 50 + 10 * signal


def cubic(signal: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Heavy tails of the signal, with little noise."""
    return signal**3 + 0.1 * random.normal(size=len(signal)), signal**3


def counts(signal: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Small counts (Poisson)."""
    rate = np.exp(0.3 + 0.7 * signal)
    return random.poisson(rate).astype(float), rate


def spread_counts(signal: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Counts with more variance than Poisson (negative binomial)."""
    rate = np.exp(1.5 + signal)
    return random.negative_binomial(2, 2 / (2 + rate)).astype(float), rate


Maker = Callable[[np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]
MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        log_normal, wide_log_normal, with_zeros, normal, additive, two_groups, student, contaminated, cubic, counts,
        spread_counts,
    )
}  # fmt: skip


def made(name: str, rows: int, seed: int) -> tuple[pa.Table, np.ndarray]:
    """Table with a column `split`, 70% training, 10% validation and 20% test rows; and the conditional means."""
    random = np.random.default_rng([seed, 1983])
    columns, signal = features(rows, random)
    amounts, expected = MAKERS[name](signal, random)
    split = np.array(["train", "val", "test"])[np.searchsorted([0.7, 0.8], np.arange(rows) / rows, side="right")]
    return pa.table({**columns, "amount": amounts, "split": split}), expected


def hippocampus(data: Path) -> pa.Table:
    """Development rows of the data set: the validation rows are judged, a tenth of the training rows validates."""
    table = csv.read_csv(data / "hippocampus_mri" / "table.csv")
    role = np.array(table["split"].to_pylist())
    table, role = table.filter(pa.array(role != "test")), role[role != "test"]
    drawn = np.random.default_rng(0).random(len(role)) < 0.1
    role = np.where(role == "val", "test", np.where(drawn, "val", "train"))
    return table.select(["scan", "intensity_max", "dtype"]).append_column(
        "amount", table["hippocampus_mm3"]
    ).append_column("split", pa.array(role))  # fmt: skip


def run(table: pa.Table, expected: np.ndarray | None, arm: str, seed: int) -> dict[str, Any]:
    """Fit one model, and return its errors on the test rows."""
    start = time.perf_counter()
    model = sensorium.fit(
        table,
        "amount",
        preset="fast",
        split_column="split",
        task="regression",
        seed=seed,
        train=ARMS[arm],
        progress=False,
    )
    judged = np.flatnonzero(np.array(table["split"].to_pylist()) == "test")
    found = np.asarray(model.predict(table.take(judged).drop_columns(["amount", "split"])), np.float64)
    truth = np.asarray(table["amount"].take(judged), np.float64)
    result = {
        "r2": 1 - np.square(found - truth).mean() / truth.var(),
        "mae": np.abs(found - truth).mean() / np.abs(truth - np.median(truth)).mean(),
        "bias": found.mean() / truth.mean() - 1,
        "seconds": time.perf_counter() - start,
    }
    if expected is not None:
        result["error"] = np.square(found - expected[judged]).mean() / expected[judged].var()
    return {key: round(float(value), 4) for key, value in result.items()}


def cells(options: argparse.Namespace) -> Iterator[tuple[str, str, int, pa.Table, np.ndarray | None]]:
    """Yield table, arm and seed of each cell, with its rows."""
    arms = options.arms.split(",") if options.arms else list(ARMS)
    seeds = list(map(int, options.seeds.split(",")))
    for name in options.tables.split(","):
        for seed in seeds:
            table, expected = made(name, options.rows, seed)
            for arm in arms:
                if arm != "log" or min(table["amount"].to_pylist()) >= 0:
                    yield name, arm, seed, table, expected
    if options.data:
        table = hippocampus(options.data)
        os.chdir(options.data / "hippocampus_mri")  # cells name files relative to the table
        for seed in seeds:
            for arm in arms:
                yield "hippocampus_mri", arm, seed, table, None


def main() -> None:
    """Print one line per cell as JSON, then means over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--tables", default=",".join(MAKERS))
    parser.add_argument("--arms", default="")
    parser.add_argument("--rows", type=int, default=1200)
    options = parser.parse_args()
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for name, arm, seed, table, expected in cells(options):
        result = run(table, expected, arm, seed)
        print(json.dumps({"table": name, "arm": arm, "seed": seed, **result}), flush=True)
        found.setdefault((name, arm), []).append(result)
    for (name, arm), results in found.items():
        means = {key: mean(result[key] for result in results) for key in results[0]}
        base = found.get((name, "neither"), results)
        gains = [own["r2"] - other["r2"] for own, other in zip(results, base, strict=True)]
        shown = ", ".join(f"{key} {value:.3f}" for key, value in means.items())
        print(f"{name}, {arm}: {shown}; R² gains {', '.join(f'{gain:+.3f}' for gain in gains)}")


if __name__ == "__main__":
    main()
