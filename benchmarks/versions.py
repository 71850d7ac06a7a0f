"""The main figures of this version beside those of an earlier one, measured side by side.

python benchmarks/versions.py DATA --against OTHER [--digits FOLDER] [--runs 3] [--only startup,fit] [--json FILE]

DATA       a folder that `make_workload.py` of the peers' folder wrote, as for `workload.py`
--against  another checkout, for example of `git worktree add OTHER COMMIT`; its `src` is imported
--digits   the folder of the pairs of digits, as for `av_digits.py`
--only     some of: startup, fit, prepare, digits

Both versions work in processes of their own, which alternate, so that a slow minute of the machine slows both. Ratios
are of medians; the digits are compared once for each seed from 0 up to the number of runs.
"""

import argparse
import os
import re
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from _process import HERE, measure, python, record

DIGITS_LINE = re.compile(r"(\S+) (0\.\d+)[,;]| (\d+) s$")
LOAD_AND_PREDICT = """
import json, sys, time
import numpy as np
import sensorium
from sensorium.table import open_table
model, rows = sensorium.load(sys.argv[1]), open_table(sys.argv[2])
test = rows.take(np.flatnonzero(np.array(rows.column("split").data.to_pylist()) == "test"))
start = time.perf_counter()
answers = model.predict(test)
print(json.dumps({"rows_per_second": len(answers) / (time.perf_counter() - start)}))
"""
DECODE = """
import json, sys, tempfile, time
from pathlib import Path
from sensorium.modalities import Work
from sensorium.modalities.audio import Audio
from sensorium.modalities.image import Image
from sensorium.prepare.store import Store
from sensorium.table import open_table
column = open_table(sys.argv[1]).column(sys.argv[2])
modality = Image.learn(column, size=int(sys.argv[3])) if int(sys.argv[3]) else Audio.learn(column)
with tempfile.TemporaryDirectory() as folder:
    rates = {}
    for name in ("into", "out"):
        start = time.perf_counter()
        Store(Path(folder), 10**12).encode(modality, column, Work(2))
        rates[name] = len(column) / (time.perf_counter() - start)
print(json.dumps(rates))
"""
SHOW_HELP = "import sys; sys.argv = ['sensorium', '--help']; import sensorium.__main__ as m; m.main()"
Figures = Iterator[tuple[str, float]]


def main() -> None:
    """Alternate both versions, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--against", type=Path, required=True)
    parser.add_argument("--digits", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="startup,fit,prepare,digits")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    versions = {"now": HERE, "before": options.against.resolve()}
    parts: dict[str, Callable[[Path, int], Figures]] = {
        "startup": lambda version, _: startup(version),
        "fit": lambda version, _: fit(version, options.data),
        "prepare": lambda version, _: prepare(version, options.data),
        "digits": lambda version, run: digits(version, options.digits, run),
    }
    found: dict[str, dict[str, list[float]]] = {}
    for part in options.only.split(","):
        for run in range(options.runs):
            for name in sorted(versions, reverse=run % 2 == 1):
                for figure, value in parts[part](versions[name], run):
                    found.setdefault(figure, {}).setdefault(name, []).append(value)
                    print(f"run {run + 1}, {name}: {figure} {value:,.4g}", flush=True)
    show(found)
    if options.json:
        command = f"python benchmarks/versions.py DATA --against OTHER --only {options.only} --runs {options.runs}"
        record(options.json, command, versions=versions, figures=found)


def startup(version: Path) -> Figures:
    """Whole processes; the first of each only warms the disk cache."""
    for name, code in (
        ("import sensorium, s", "import sensorium"),
        (
            "sensorium --help, s",
            SHOW_HELP,
        ),
    ):
        walls = [measure(python("-c", code), PYTHONPATH=str(version / "src"))["wall"] for _ in range(4)]
        yield name, statistics.median(walls[1:])


def fit(version: Path, data: Path) -> Figures:
    """`sensorium fit` with each version's own copy of the two settings files, then prediction of the test rows."""
    for settings, name in (("reference.yaml", "same architecture"), ("default.yaml", "own choice")):
        with tempfile.TemporaryDirectory() as folder:
            environment = {"PYTHONPATH": str(version / "src"), "SENSORIUM_CACHE": f"{folder}/cache"}
            config = str(version / "benchmarks" / settings)
            command = [
                "fit",
                str(data / "table.csv"),
                "--config",
                config,
                "--out",
                f"{folder}/run",
                "--json",
                "--quiet",
            ]
            whole = measure(python("-m", "sensorium", *command), **environment)
            script = python("-c", LOAD_AND_PREDICT, f"{folder}/run", str(data / "table.csv"))
            predicted = measure(script, **environment)
        yield f"fit, {name}: whole process, s", whole["wall"]
        yield f"fit, {name}: training, s", whole["seconds"]
        yield f"fit, {name}: peak memory, MB", whole["peak"]
        yield f"fit, {name}: test accuracy", whole["metrics"]["test"]["accuracy"]
        yield f"fit, {name}: predicted from files, rows/s", predicted["rows_per_second"]


def prepare(version: Path, data: Path) -> Figures:
    """Cells per second into a new cache and out of it; `prepare.py` compares these rates with those of bare loops."""
    for column, size in (("image", 64), ("image", 224), ("audio", 0)):
        environment = {"PYTHONPATH": str(version / "src"), "OPENBLAS_NUM_THREADS": "1"}
        rates = measure(python("-c", DECODE, str(data / "table.csv"), column, str(size)), **environment)
        name = f"{column}, {size} × {size}" if size else column
        yield f"{name}: into the cache, cells/s", rates["into"]
        yield f"{name}: out of the cache, cells/s", rates["out"]


def digits(version: Path, folder: Path, seed: int) -> Figures:
    """One comparison of each modality alone and both fused, by each version's own `av_digits.py`."""
    script = python(str(version / "benchmarks" / "av_digits.py"), str(folder), "--seeds", str(seed))
    for name, score, seconds in DIGITS_LINE.findall(output(script, version).strip()):
        yield (f"digits, {name}: accuracy", float(score)) if name else ("digits: comparison, s", float(seconds))


def output(command: list[str], version: Path) -> str:
    """Run a command with a version's source and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(version / "src"), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def show(found: dict[str, dict[str, list[float]]]) -> None:
    """Medians, and the ratio of this version to the other."""
    print(f"\n{'median':<62}{'now':>12}{'before':>12}{'ratio':>8}")
    for figure, runs in found.items():
        now, before = (statistics.median(runs[name]) for name in ("now", "before"))
        print(f"{figure:<62}{now:>12,.4g}{before:>12,.4g}{now / before:>8.2f}")


if __name__ == "__main__":
    main()
