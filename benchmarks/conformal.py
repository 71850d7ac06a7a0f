"""Do prediction sets and intervals reach the coverage that is asked for?

python benchmarks/conformal.py [--divisions 400] [--out benchmarks/results/conformal.json]

Simulated scores of which the truth is known: no model is trained. Each division draws calibration rows and test rows
anew, fits the conformal predictors (`sensorium.conformal`) on the first, and counts how many of the others have their
truth in the region. Rows have both modalities, one of two, and the scores are worse with fewer of them. The mean
coverage over the divisions is reported for all rows, for each subset of the modalities and, where the target has
classes, for each class, with its standard error. Where rows are grouped, scores within a group are correlated and
groups have different sizes; coverage is then that of a random row of a new group, among those of the subset or class.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from sensorium.conformal import Conformal, Presence, find_regions, fit_conformal
from sensorium.metrics import Outcome

NAMES = ("image", "text")
SHARES = (0.5, 0.25, 0.25)  # of rows with both modalities, with an image only, with a text only
SHARPNESS = (4.0, 2.0, 1.0)  # of the scores of each subset
TASKS = {"multiclass": ("lac", "aps", "auto"), "ordinal": ("lac",), "multilabel": ("labels",),
         "regression": ("absolute", "normalized", "auto"), "count": ("absolute",)}  # fmt: skip
TEST = 2000  # rows or groups per division


def main() -> None:
    """All cases, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--divisions", type=int, default=400)
    parser.add_argument(
        "--rows", type=int, default=1000, help="calibration rows; a quarter of them per single modality"
    )
    parser.add_argument("--coverage", type=float, default=0.9)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "conformal.json")
    options = parser.parse_args()
    start, found = time.perf_counter(), []
    for task, methods in TASKS.items():
        for method in methods:
            for grouped in (False, True):
                case = {"task": task, "method": method, "grouped": grouped}
                found.append({**case, **measure(task, method, grouped, options)})
                print(f"{task:11} {method:11} {'groups' if grouped else 'rows':7}", tell(found[-1]))
    content = {
        "coverage": options.coverage,
        "divisions": options.divisions,
        "calibration_units": options.rows,
        "test_units": TEST,
        "cases": found,
    }
    options.out.write_text(json.dumps(content, indent=1) + "\n")
    print(f"{len(found)} cases in {time.perf_counter() - start:.0f} s: {options.out}")


def measure(task: str, method: str, grouped: bool, options: argparse.Namespace) -> dict[str, object]:
    """Return the mean coverage over all divisions, and its standard error, by category."""
    rates: dict[str, list[float]] = {}
    methods: dict[str, int] = {}
    for division in range(options.divisions):
        random = np.random.default_rng([division, *map(ord, task)])
        own = fitted(random, task, method, options.rows, grouped)
        methods[own.method] = methods.get(own.method, 0) + 1
        outcome, presence = draw(random, task, TEST, grouped)
        for name, rate in coverages(own, outcome, presence, options.coverage).items():
            rates.setdefault(name, []).append(rate)
    return {
        "methods": methods,
        "mean_coverage": {name: round(float(np.mean(own)), 5) for name, own in rates.items()},
        "standard_error": {name: round(float(np.std(own) / np.sqrt(len(own))), 5) for name, own in rates.items()},
    }


def fitted(random: np.random.Generator, task: str, method: str, units: int, grouped: bool) -> Conformal:
    """Fit the conformal predictor on new calibration rows."""
    outcome, presence = draw(random, task, units, grouped)
    return fit_conformal(outcome, task, presence, method=method)[""]


def coverages(own: Conformal, outcome: Outcome, presence: Presence, coverage: float) -> dict[str, float]:
    """Return the coverage of all rows, of each subset of the modalities, and of each class or label."""
    covered = find_regions(own, outcome.scores, presence, coverage, "all").contain(outcome.truth)
    found = {"marginal": rate(covered, outcome.groups)}
    covered = find_regions(own, outcome.scores, presence, coverage, "modalities").contain(outcome.truth)
    codes, subsets = presence.subsets()
    for number, names in enumerate(subsets):
        found[f"with {' + '.join(names)}"] = rate(covered, outcome.groups, codes == number)
    if own.labels:
        sets = find_regions(own, outcome.scores, presence, coverage, "class").sets
        for k in range(own.labels):
            rows = outcome.truth[:, k] if outcome.is_multilabel else outcome.truth == k
            found[f"class {k}"] = rate(sets[:, k], outcome.groups, rows)
    return found


def rate(covered: np.ndarray, groups: np.ndarray | None, rows: np.ndarray | None = None) -> float:
    """Return the share of covered rows, or the mean over groups of the shares in them."""
    rows = np.ones(len(covered), bool) if rows is None else rows
    if groups is None:
        return float(covered[rows].mean())
    _, places, sizes = np.unique(groups[rows], return_inverse=True, return_counts=True)
    return float((np.bincount(places, covered[rows]) / sizes).mean())


def draw(random: np.random.Generator, task: str, units: int, grouped: bool) -> tuple[Outcome, Presence]:
    """Draw rows, or groups of 1 to 8 rows that share a part of what makes them easy or hard."""
    sizes = random.integers(1, 9, units) if grouped else np.ones(units, np.int64)
    groups = np.repeat(np.arange(units), sizes)
    shared = random.normal(0, 0.7, units)[groups]
    kinds = random.choice(len(SHARES), len(groups), p=SHARES)
    sharp = np.array(SHARPNESS)[kinds]
    if task in ("regression", "count"):
        scores, truth = _amounts(random, sharp, shared, whole=task == "count")
    elif task == "multilabel":
        logits = random.normal(0, 1, (len(groups), 4)) * sharp[:, None]
        scores = 1 / (1 + np.exp(-logits))
        truth = random.random(scores.shape) < 1 / (1 + np.exp(-(logits + shared[:, None])))
    else:
        scores, truth = _classes(random, sharp, shared)
    there = np.stack([kinds != 2, kinds != 1], 1)
    return Outcome(truth, scores, truth).grouped(groups if grouped else None), Presence(NAMES, there)


def _classes(random: np.random.Generator, sharp: np.ndarray, shared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Four classes. The model is too certain or too unsure in a group, and misses a shift of the first class."""
    logits = random.normal(0, 1, (len(sharp), 4)) * sharp[:, None]
    own = np.exp(logits * np.exp(shared)[:, None] + [0.5, 0, 0, 0])
    own /= own.sum(1, keepdims=True)
    truth = (own.cumsum(1) < random.random(len(own))[:, None]).sum(1).clip(max=3)
    scores = np.exp(logits - logits.max(1, keepdims=True))
    return scores / scores.sum(1, keepdims=True), truth


def _amounts(
    random: np.random.Generator, sharp: np.ndarray, shared: np.ndarray, *, whole: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Amounts whose error grows with the prediction and with fewer modalities."""
    scores = random.uniform(1, 10, len(sharp))
    if whole:
        return scores, random.poisson(scores * random.gamma(sharp, 1 / sharp)).astype(np.float64)
    return scores, scores + scores / sharp * (shared + random.standard_t(5, len(sharp)))


def tell(found: dict[str, object]) -> str:
    """Return the mean coverages in one line."""
    rates = found["mean_coverage"]
    assert isinstance(rates, dict)
    return ", ".join(f"{name} {rate:.4f}" for name, rate in rates.items())


if __name__ == "__main__":
    main()
