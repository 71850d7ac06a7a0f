"""How often does the search for slices report one where there is none, and how often does it find a planted one?

python benchmarks/slices.py [--tables 200] [--rows 1000] [--out benchmarks/results/slices.json]

Losses of a model are simulated; nothing is trained. A table has eight columns of categories, numbers and dates, with
missing cells. The losses of a row are the log losses of a calibrated model of two classes (skewed), or
squared errors with heavy tails. They do not depend on the columns, but for the planted slice: there, the classes are
guessed, or errors are twice as large. The planted slices are those of a column and of a pair of columns, with 4% to 25%
of the rows. Tables with groups have three times as many rows, 10 per group on average. Half of their columns are
constant in a group, and a fifth of the variance of what makes a row difficult is between groups.

A planted slice is found if a reported slice and the planted rows share at least half of the rows in either of them
(Jaccard index). Intervals are exact binomial ones (Clopper and Pearson 1934).
"""

import argparse
import json
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from sensorium.evaluate.slices import MAX_P, Cut, cut_dates, cut_numbers, cut_values, list_candidates, worst_slices

RESULTS = Path(__file__).parent / "results" / "slices.json"
YEAR = 365.25 * 86_400  # seconds
GROUP, MORE = 10, 3  # rows of a group, and times the rows of a table with groups


def main() -> None:
    """Simulate all tables, and write the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=200, help="of each kind")
    parser.add_argument("--rows", type=int, default=1000, help="of each table")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    start, results = time.process_time(), dict[str, Any]()
    for loss, grouped, planted in product(("log loss", "squared error"), (False, True), ("", "column", "pair")):
        rows = options.rows * (MORE if grouped else 1)
        found = [report(loss, planted, rows, number, grouped=grouped) for number in range(options.tables)]
        name = f"{loss}, {'groups' if grouped else 'rows'}, {f'planted: {planted}' if planted else 'no slice'}"
        results[name] = {"rows": rows, **rates(found, planted)}
        print(name, results[name], flush=True)
    seconds = round(time.process_time() - start, 1)
    written = {"tables": options.tables, "cpu_seconds": seconds, "results": results}
    options.out.write_text(json.dumps(written, indent=1) + "\n")


def report(loss: str, planted: str, rows: int, seed: int, *, grouped: bool) -> dict[str, Any]:
    """Return what the search reports on one table."""
    random = np.random.default_rng([seed, rows, grouped, *loss.encode(), *planted.encode()])
    groups = np.sort(random.integers(0, rows // GROUP, rows)) if grouped else None
    cuts = columns(random, rows, groups)
    worse = plant(planted, cuts, random)
    losses = simulate(loss, worse, random, groups)
    tested = worst_slices(list_candidates(cuts, groups, rows), losses, groups)
    reported = [own for own in tested if own.p < MAX_P]
    shared = [float((own.rows & worse).sum() / (own.rows | worse).sum()) for own in reported]
    return {"reported": len(reported), "best": max(shared, default=0.0), "rows": int(worse.sum())}


def columns(random: np.random.Generator, rows: int, groups: np.ndarray | None) -> list[Cut]:
    """Return slices of eight columns; with groups, half of the columns are constant in a group."""

    def spread(values: np.ndarray, place: int) -> np.ndarray:
        return values if groups is None or place % 2 else values[groups]

    found = list[Cut]()
    for place, size in enumerate((2, 3, 5, 8)):
        names = spread(random.choice(size, rows, p=random.dirichlet(np.full(size, 5.0))), place)
        gaps = random.random(rows) < 0.03
        found.append(cut_values(f"category {place}", np.where(gaps, None, names.astype(str)).tolist()))
    for place in range(3):
        numbers = spread(random.gamma(2, 10, rows), place)
        found.append(cut_numbers(f"number {place}", np.where(random.random(rows) < 0.05, np.nan, numbers)))
    found.append(cut_dates("date", spread(random.uniform(40 * YEAR, 55 * YEAR, rows), 1)))
    return found


def plant(planted: str, cuts: list[Cut], random: np.random.Generator) -> np.ndarray:
    """Return the rows of the planted slice: of a column or of a pair, with 4% to 25% of the rows."""
    rows = cuts[0].rows.shape[1]
    while planted:
        first, second = random.choice(len(cuts), 2, replace=False)
        worse = random.choice(cuts[first].rows)
        worse = worse & random.choice(cuts[second].rows) if planted == "pair" else worse
        if 0.04 * rows <= worse.sum() <= 0.25 * rows:
            return worse
    return np.zeros(rows, bool)


def simulate(loss: str, worse: np.ndarray, random: np.random.Generator, groups: np.ndarray | None) -> np.ndarray:
    """Return the loss of each row."""
    rows = len(worse)
    group = np.zeros(rows) if groups is None else random.normal(size=rows)[groups]
    share = 0.0 if groups is None else 0.2
    own = np.sqrt(1 - share) * random.normal(size=rows) + np.sqrt(share) * group
    if loss == "squared error":
        return np.square(own * np.where(worse, 2.0, 1.0)) * random.chisquare(8, rows) / 8
    sure = 1 / (1 + np.exp(-(2.0 + 1.2 * own)))  # probability of the predicted class; 86% on average
    right = random.random(rows) < np.where(worse, 0.5, sure)
    return -np.log(np.where(right, sure, 1 - sure))


def rates(found: list[dict[str, Any]], planted: str) -> dict[str, Any]:
    """Return the share of tables with a false alarm, or in which the planted slice is found."""
    hits = sum(own["best"] >= 0.5 if planted else own["reported"] > 0 for own in found)
    low, high = binomtest(hits, len(found)).proportion_ci(method="exact")
    name = "found" if planted else "false_alarms"
    sizes = {"median_rows": float(np.median([own["rows"] for own in found]))} if planted else {}
    return {name: hits / len(found), "interval": [round(float(low), 4), round(float(high), 4)], **sizes}


if __name__ == "__main__":
    main()
