"""A whole fit, from files to saved and tested model, beside a bare hand-written loop over the same rows.

python benchmarks/workload.py DATA --peers FOLDER [--runs 3] [--keras PYTHON]

DATA     a folder that `make_workload.py` of the peers' folder wrote (6,000 rows: text, JPEG, numbers, categories)
FOLDER   holds `peer_torch.py` (the bare loop) and `peer_keras.py`
PYTHON   the interpreter of an environment with Keras on TensorFlow, to measure it too
Runs alternate, so that a slow minute of the machine slows everyone; ratios are of medians.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _process import measure, median, python

HERE = Path(__file__).parent
TRAIN_ROWS, EPOCHS = 4000, 3
FIGURES = {"wall": "s, whole process", "train": "rows/s trained", "predict": "rows/s from files", "accuracy": "test",
           "peak": "MB"}  # fmt: skip


def main() -> None:
    """Alternate the contenders, print medians and ratios to the bare loop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keras", help="interpreter with Keras on TensorFlow")
    parser.add_argument("--timed-predict", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.timed_predict:
        print(json.dumps(timed_predict(options.timed_predict, options.data / "table.csv")))
        return
    contenders: dict[str, Callable[[], dict[str, Any]]] = {
        "bare loop": lambda: peer(python(str(options.peers / "peer_torch.py"), str(options.data))),
        "sensorium, same architecture": lambda: ours(options, HERE / "reference.yaml"),
        "sensorium, own choice": lambda: ours(options, HERE / "default.yaml"),
    }
    if options.keras:
        script = [options.keras, str(options.peers / "peer_keras.py"), str(options.data)]
        contenders["keras on tensorflow"] = lambda: peer(script)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in contenders}
    for number in range(options.runs):
        for name, run in contenders.items():
            runs[name].append(run())
            figures = "  ".join(f"{key} {runs[name][-1][key]:.4g}" for key in FIGURES)
            print(f"run {number + 1}, {name}: {figures}", flush=True)
    show(runs)


def peer(command: list[str]) -> dict[str, Any]:
    """A peer's own script, whose last line tells its figures."""
    found = measure(command)
    return {
        "wall": found["wall"],
        "peak": found["peak"],
        "train": found["train_samples_per_s"],
        "predict": found["predict_samples_per_s"],
        "accuracy": found["test_accuracy"],
    }


def ours(options: argparse.Namespace, settings: Path) -> dict[str, Any]:
    """`sensorium fit`, then prediction of the test rows from their files by the saved model in another process."""
    table = options.data / "table.csv"
    with tempfile.TemporaryDirectory() as folder:
        fit = ["-m", "sensorium", "fit", str(table), "--config", str(settings), "--out", folder, "--json", "--quiet"]
        # A store of its own: nothing that an earlier run decoded is there.
        found = measure(python(*fit), SENSORIUM_CACHE=f"{folder}/cache")
        again = [__file__, str(options.data), "--peers", str(options.peers), "--timed-predict", folder]
        predicted = measure(python(*again))
    return {
        "wall": found["wall"],
        "peak": found["peak"],
        "train": TRAIN_ROWS * EPOCHS / found["seconds"],  # validation, and saving the best epoch, included
        "predict": predicted["rows_per_second"],
        "accuracy": found["metrics"]["test"]["accuracy"],
    }


def timed_predict(run: Path, table: Path) -> dict[str, float]:
    """Rows a second from the test rows' files to their labels, in a process that has loaded the model."""
    import numpy as np

    import sensorium
    from sensorium.table import open_table

    model, rows = sensorium.load(run), open_table(table)
    test = rows.take(np.flatnonzero(np.array(rows.column("split").data.to_pylist()) == "test"))
    start = time.perf_counter()
    answers = model.predict(test)
    return {"rows_per_second": len(answers) / (time.perf_counter() - start)}


def show(runs: dict[str, list[dict[str, Any]]]) -> None:
    """Medians, and the ratio to the bare loop of the same runs beside each."""
    base = runs["bare loop"]
    print(f"\n{'median of ' + str(len(base)):<30}" + "".join(f"{unit:>26}" for unit in FIGURES.values()))
    for name, found in runs.items():
        cells = (f"{median(found, key):.4g} ({median(found, key) / median(base, key):.2f}×)" for key in FIGURES)
        print(f"{name:<30}" + "".join(f"{cell:>26}" for cell in cells))


if __name__ == "__main__":
    main()
