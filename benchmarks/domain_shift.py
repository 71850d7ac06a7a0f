"""What does a model do in a domain that it was not trained in, and what helps: nothing, adapting, or a few labels?

python benchmarks/domain_shift.py digits DATA [--seeds 0,1,2] [--labels 200]
python benchmarks/domain_shift.py stocks DATA [--seeds 0,1,2] [--labels 600]

digits   DATA is the folder of av_digits. Trained on clean pictures and clean speech; the other domain is the degraded
         picture and the noisy speech, whose columns are called otherwise there and are renamed.
stocks   DATA is the folder of stocknet. Trained on every sector but one; the other domain is that sector. There is
         almost no signal in it: what matters is whether an interval holds the 50% of a coin (MCC: 0).

Each line is one way over all seeds, on the test rows of the other domain: as it is; adapted to its training rows
without labels (digits only: a model of texts and series has no batch normalisation); continued (`start`) from so many
labelled rows, a fifth of which validate; trained from scratch on these same rows; trained from scratch on all of its
training rows. Metrics are means over the seeds, with bootstrap 95%
intervals over rows and seeds.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

import sensorium
from sensorium.evaluate import evaluate_runs
from sensorium.metrics import Outcome

SERIES = ["movement", "close", "high", "low", "log_volume"]
OTHER_SECTOR = "Technology"
PLAIN = {"preset": "fast", "progress": False, "config": {"prepare": {"store": "none"}}}
Ways = dict[str, Outcome]


def main() -> None:
    """Every way from every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=["digits", "stocks"])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--labels", type=int)
    options = parser.parse_args()
    os.chdir(options.data)  # cells name files relative to the table
    seeds = list(map(int, options.seeds.split(",")))
    run, metrics, labels = {
        "digits": (digits, ["accuracy"], options.labels or 200),
        "stocks": (stocks, ["accuracy", "mcc"], options.labels or 600),
    }[options.job]
    tell([run(seed, labels) for seed in seeds], metrics)


def digits(seed: int, labels: int) -> Ways:
    """Clean → degraded and noisy."""
    table = csv.read_csv("table.csv")
    source = table.select(["image", "audio", "digit", "split"])
    other = table.select(["image_degraded", "audio_noisy", "digit", "split"]).rename_columns(source.column_names)
    fit = fitter("digit", seed)
    return every_way(fit, source, other, ("adabn", "tent"), labels, seed)


def stocks(seed: int, labels: int) -> Ways:
    """All sectors but one → that one."""
    table = parquet.read_table("table.parquet").drop_columns(["date", "ticker"])
    there = np.array(table["sector"].to_pylist()) == OTHER_SECTOR
    table = table.drop_columns(["sector"])
    fit = fitter(
        "rises",
        seed,
        towers={"prices": SERIES},
        modalities={"tweets": {"name": "text", "length": 48}, **dict.fromkeys(SERIES, "series")},
        encoders={"tweets": "text_cnn"},
        train={"epochs": 3, "batch_size": 128},
    )
    return every_way(fit, table.filter(~there), table.filter(there), (), labels, seed)


def fitter(target: str, seed: int, **settings: Any) -> Callable[..., sensorium.Model]:
    """`fit` of a table, from scratch or, with `start`, from a model."""

    def fit(table: pa.Table, start: sensorium.Model | None = None) -> sensorium.Model:
        own = {} if start else settings
        return sensorium.fit(table, target, start=start, seed=seed, **own, **PLAIN)

    return fit


def every_way(
    fit: Callable[..., sensorium.Model],
    source: pa.Table,
    other: pa.Table,
    methods: tuple[str, ...],
    labels: int,
    seed: int,
) -> Ways:
    """Way → truth and answers on the other domain's test rows."""
    start = time.perf_counter()
    train, test = of(other, "train"), of(other, "test")
    few = pa.concat_tables([labelled(train, labels, seed), test])
    found: Ways = {}

    def look(way: str, model: sensorium.Model) -> sensorium.Model:
        task = model.fitted.task
        found[way] = task.outcome(model.predict_proba(test), task.encode(model._open(test).column(model.target)).values)
        return model

    plain = look("as it is", fit(source))
    look(f"continued on {labels} labels", fit(few, plain))
    for method in methods:
        adapted = look(f"{method}, no labels", plain.adapt(train, method))
        look(f"{method}, then continued on {labels} labels", fit(few, adapted))
    look(f"from scratch on {labels} labels", fit(few))
    look("from scratch on all labels", fit(other))
    figures = ", ".join(f"{way} {(o.predicted == o.truth).mean():.3f}" for way, o in found.items())
    print(f"seed {seed}, {time.perf_counter() - start:.0f} s: {figures}", flush=True)
    return found


def of(table: pa.Table, split: str) -> pa.Table:
    """The rows of a split."""
    return table.filter(pa.array(np.array(table["split"].to_pylist()) == split))


def labelled(train: pa.Table, count: int, seed: int) -> pa.Table:
    """So many rows at random, a fifth of them for validation."""
    some = train.take(np.random.default_rng(seed).choice(len(train), count, replace=False))
    splits = ["validation" if row % 5 == 0 else "train" for row in range(count)]
    place = some.column_names.index("split")
    return some.set_column(place, "split", pa.array(splits, some.schema.field(place).type))


def tell(runs: list[Ways], metrics: list[str]) -> None:
    """A line a way: the metrics' means over the seeds, with their intervals."""
    for way in runs[0]:
        found = evaluate_runs([run[way] for run in runs], metrics)
        shown = [f"{m} {found.metrics[m]:.3f} [{low:.3f}, {high:.3f}]" for m, (low, high) in found.intervals.items()]
        print(f"{way:42} {'   '.join(shown)}")


if __name__ == "__main__":
    main()
