"""A modality that is learnt by heart beside one that is slow to learn: what the check of modality imbalance finds,
and what mitigations bring.

python benchmarks/imbalance.py [--seeds 0,1,2,3,4] [--dropout 0.3,0] [--rows 1500]

Made rows of four classes, half of them to train on, 15% to validate, 35% to test. `embedding`: 800 numbers, each
shifted a little by the class in noise; 750 rows of them are learnt by heart in a few epochs, which leaves no loss to
learn from. `signal`: 32 numbers, turned at random, that hold two products of two signs: nearly all there is to know,
slow to find. The ceiling is what Bayes' rule makes of the densities that the rows are drawn from, on the same test
rows. Settings are the default ones but for two: the epoch is chosen by the accuracy (`train.select_by: metric`), which
is what the check compares; and modality dropout, which is 30% by default and a mitigation itself, is on or off: each
seed is run with and without.
"""

import argparse
import time
from statistics import mean, stdev
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.config import Config
from sensorium.planning import plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.strategies import Request, Session
from sensorium.strategies.imbalance import ImbalanceReport, mitigate
from sensorium.table import open_table
from sensorium.trials import Control

Floats = npt.NDArray[np.float64]

CLASSES = 4
WIDE, SHIFT = 800, 0.1
NARROW, NOISE = 32, 0.35


def make_rows(rows: int, seed: int) -> tuple[dict[str, Any], Floats]:
    """Columns, and the log-densities [rows, classes] of what they hold."""
    random = np.random.default_rng(seed)
    label = random.integers(0, CLASSES, rows)
    shifts = SHIFT * random.normal(size=(CLASSES, WIDE))
    embedding = shifts[label] + random.normal(size=(rows, WIDE))
    turn = np.linalg.qr(random.normal(size=(NARROW, NARROW)))[0]
    signs = random.choice([-1.0, 1.0], (rows, 2))
    plain = NOISE * random.normal(size=(rows, NARROW))
    plain[:, :4] += np.concatenate([signs, signs * bits(label)], 1)
    table = {
        "embedding": embedding.tolist(),
        "signal": (plain @ turn).tolist(),
        "label": [f"class_{k}" for k in label],
    }
    known = -0.5 * ((embedding[:, None] - shifts) ** 2).sum(2)
    for k in range(CLASSES):
        first, second = bits(np.array([k]))[0]
        for place, bit in enumerate((first, second)):
            pair = plain[:, [place, place + 2]]
            likely = [-0.5 * ((pair - sign * np.array([1, bit])) ** 2).sum(1) / NOISE**2 for sign in (-1, 1)]
            known[:, k] += np.logaddexp(*likely)
    return table, known


def bits(label: npt.NDArray[np.int64]) -> Floats:
    """Two signs a class, [n, 2]."""
    return 2.0 * np.stack([label // 2, label % 2], 1) - 1


def run(rows: int, seed: int, dropout: float) -> tuple[ImbalanceReport, float]:
    """Plain training, each modality alone, every mitigation; and the accuracy of Bayes' rule on the test rows."""
    table, known = make_rows(rows, seed)
    settings = {
        "target": "label",
        "modalities": {"embedding": "vector", "signal": "vector"},
        "split": {"validation": 0.15, "test": 0.35},
        "prepare": {"store": "none"},
        "train": {"modality_dropout": dropout, "imbalance": "always", "select_by": "metric"},
        "seed": seed,
    }
    data = plan_and_prepare(open_table(table), Config.gather(settings), Silent())
    truth = data.plan.task.encode(data.plan.table.column("label")).values
    own = data.plan.used[data.rows("test")]
    session = Session.of(data, Request(data.plan.config), Control())
    return mitigate(session), float((known[own].argmax(1) == truth[own]).mean())


def tell(name: str, values: list[float]) -> str:
    """Mean and spread over the seeds."""
    spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    return f"{name:<30}{mean(values):.3f}{spread}"


def main() -> None:
    """Seed by seed, then means and spreads over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--dropout", default="0.3,0")
    parser.add_argument("--rows", type=int, default=1500)
    options = parser.parse_args()
    for dropout in map(float, options.dropout.split(",")):
        columns: dict[str, list[float]] = {}
        for seed in map(int, options.seeds.split(",")):
            start = time.perf_counter()
            found, ceiling = run(options.rows, seed, dropout)
            figures = {f"test {result.name}": result.evaluation.metrics["accuracy"] for result in found.results}
            figures |= {"test, kept": figures[f"test {found.chosen}"], "test, Bayes": ceiling}
            for name, own in found.unimodal.items():
                figures |= {f"validation {name} in fused": own.fused, f"validation {name} by itself": own.alone}
            for name, value in figures.items():
                columns.setdefault(name, []).append(value)
            print(f"modality dropout {dropout:g}, seed {seed}: {found.verdict}; {time.perf_counter() - start:.0f} s")
            gains = [(result.name, result.difference) for result in found.results if result.difference]
            told = (f"{name} {d.value:+.3f} ({d.interval[0]:+.3f} – {d.interval[1]:+.3f})" for name, d in gains)
            print(f"  over plain: {', '.join(told)}", flush=True)
        print(f"modality dropout {dropout:g}, {len(next(iter(columns.values())))} seeds, accuracy:")
        print("\n".join(f"  {tell(name, values)}" for name, values in columns.items()), flush=True)


if __name__ == "__main__":
    main()
