"""Tables with many columns or many classes: time and memory of `inspect`, `fit` and `evaluate`, as whole processes.

python benchmarks/width.py [--only inspect,numbers,categories,classes] [--runs 1] [--json FILE]

inspect      1,000 rows of 1,000, 2,000 and 4,000 numbers: time per column, which must not grow with their number
numbers      5,000 numbers × 1,000 rows, as in gene expression
categories   1,000 categories × 1,000 rows
classes      five numbers, 1,000 classes × 20 rows

The last three are inspected, fitted for three epochs and evaluated on all rows; each has a limit in seconds for the
whole. The tables are made with a fixed seed.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from _process import HERE, measure, python, record

WIDTHS = (1000, 2000, 4000)
ROWS, EPOCHS, TOLD = 1000, 3, 20  # columns that depend on the class
Figures = Iterator[tuple[str, float]]


def main() -> None:
    """Measure each case in processes of its own, print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="inspect,numbers,categories,classes")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, list[float]] = {}
    for run in range(options.runs):
        for case in options.only.split(","):
            for figure, value in CASES[case]():
                found.setdefault(figure, []).append(value)
                print(f"run {run + 1}: {figure} {value:,.4g}", flush=True)
    print()
    for figure, values in found.items():
        print(f"{figure:<60}{statistics.median(values):>12,.4g}")
    if options.json:
        command = f"python benchmarks/width.py --only {options.only} --runs {options.runs}"
        record(options.json, command, figures=found)


def inspected() -> Figures:
    """Inspect tables of growing width."""
    for width in WIDTHS:
        with tempfile.TemporaryDirectory() as folder:
            used = command(folder, "inspect", write(numbers(width), folder), "--target", "label")
        name = f"inspect {width:,} numbers × {ROWS:,} rows"
        yield f"{name}: s", used["wall"]
        yield f"{name}: CPU s", used["cpu"]
        yield f"{name}: ms per column", 1000 * used["wall"] / width
        yield f"{name}: peak memory, MB", used["peak"]


def whole(name: str, limit: int, make: Callable[[], pa.Table]) -> Figures:
    """Inspect, fit and evaluate one table."""
    with tempfile.TemporaryDirectory() as folder:
        path, run, total = write(make(), folder), str(Path(folder) / "run"), 0.0
        for verb, arguments in (
            ("inspect", [path, "--target", "label"]),
            ("fit", [path, "--target", "label", "--out", run, "--epochs", str(EPOCHS)]),
            ("evaluate", [run, path]),
        ):
            used = command(folder, verb, *arguments)
            total += used["wall"]
            yield f"{name}: {verb}, s", used["wall"]
            yield f"{name}: {verb}, CPU s", used["cpu"]
            yield f"{name}: {verb}, peak memory, MB", used["peak"]
        yield f"{name}: whole (limit {limit}), s", total


def command(folder: str, *arguments: str) -> dict[str, float]:
    """Run Sensorium of this checkout with a cache of its own."""
    environment = {"PYTHONPATH": str(HERE / "src"), "SENSORIUM_CACHE": f"{folder}/cache"}
    return measure(python("-m", "sensorium", *arguments, "--json", "--quiet"), **environment)


def write(table: pa.Table, folder: str) -> str:
    """Write a table as CSV and return its path."""
    path = str(Path(folder) / "table.csv")
    pyarrow.csv.write_csv(table, path)
    return path


def numbers(width: int) -> pa.Table:
    """Numbers with four decimals, a few of which depend on the class."""
    random = np.random.default_rng(0)
    classes = random.integers(0, 2, ROWS)
    cells = random.normal(size=(width, ROWS)) + classes * (np.arange(width) < TOLD)[:, None]
    return pa.table({**{f"gene{place}": row for place, row in enumerate(cells.round(4))}, "label": named(classes)})


def categories() -> pa.Table:
    """Categories of four names, a few of which depend on the class."""
    random = np.random.default_rng(0)
    classes, names = random.integers(0, 2, ROWS), np.array(["red", "green", "blue", "grey"])
    columns = {}
    for place in range(1000):
        drawn = random.integers(0, 4, ROWS)
        columns[f"item{place}"] = names[np.where((random.random(ROWS) < 0.3) & (place < TOLD), classes, drawn)]
    return pa.table({**columns, "label": named(classes)})


def many_classes() -> pa.Table:
    """Make rows that scatter around the centre of their class."""
    random = np.random.default_rng(0)
    classes = random.permutation(np.repeat(np.arange(1000), 20))
    centres = random.normal(size=(1000, 5))
    cells = (centres[classes] + 0.3 * random.normal(size=(len(classes), 5))).round(4)
    return pa.table({**{f"x{place}": cells[:, place] for place in range(5)}, "label": named(classes)})


def named(classes: np.ndarray) -> list[str]:
    """Name the classes in words."""
    return [f"class {number}" for number in classes]


CASES: dict[str, Callable[[], Figures]] = {
    "inspect": inspected,
    "numbers": lambda: whole("5,000 numbers × 1,000 rows", 60, lambda: numbers(5000)),
    "categories": lambda: whole("1,000 categories × 1,000 rows", 30, categories),
    "classes": lambda: whole("1,000 classes × 20 rows", 60, many_classes),
}


if __name__ == "__main__":
    main()
