"""How good a model comes out of a time? `sensorium fit --budget` on the workload, or on pairs of digits.

python benchmarks/budget.py DATA [--budget 2m] [--seeds 0,1,2] [--preset good] [--digits]

DATA      the folder of the workload: `table.csv` with text, image, numbers, categories, label, split; no sounds used
--digits  DATA is the folder of the audio-visual digits instead: image_degraded and audio_noisy → digit
--preset  `fast` is the search alone; `good` and `best` blend what it chooses with classical models
Each run is a process of its own with a store of its own, so that files are decoded within the budget. The fit
of the same columns and preset without a budget is told beside it.
"""

import argparse
import json
import tempfile
from pathlib import Path

from _process import measure, python

WORKLOAD = "text,image,price,duration,score,age,income,visits,region,device,partner"
DIGITS = "image_degraded,audio_noisy"


def main() -> None:
    """For each seed a plain fit and one within the budget: accuracy, calibration, time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--budget", default="2m")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--preset", default="good", choices=["fast", "good", "best"])
    parser.add_argument("--digits", action="store_true")
    parser.add_argument("--no-plain", action="store_true", help="only with the budget")
    options = parser.parse_args()
    target, columns = ("digit", DIGITS) if options.digits else ("label", WORKLOAD)
    command = ["fit", str(options.data / "table.csv"), "--target", target, "--columns", columns]
    command += ["--preset", options.preset, "--quiet", "--json"]
    for seed in options.seeds.split(","):
        plain = [] if options.no_plain else ["plain"]
        for kind in [*plain, "budget"]:
            more = ["--budget", options.budget] if kind == "budget" else []
            with tempfile.TemporaryDirectory() as folder:
                arguments = ["-m", "sensorium", *command, "--seed", seed, "--out", folder, *more]
                found = measure(python(*arguments), SENSORIUM_CACHE=f"{folder}/cache")
            metrics = {name: {key: found["metrics"][name][key] for key in ("accuracy", "log_loss", "ece")}
                       for name in ("val", "test")}  # fmt: skip
            print(json.dumps({"seed": int(seed), "kind": kind, "wall": round(found["wall"], 1), **metrics}), flush=True)
            if kind == "budget":
                show(found["search"])
                show_blend(found.get("blend"))


def show(found: dict) -> None:
    """What was tried and chosen."""
    print(f"  plan {found['plan']}, {found['trials']} trainings, {found['seconds']:.0f} of {found['budget']:.0f} s")
    for trial in found["best"]:
        print(f"  {trial['metric']:.4f}  {trial['epochs']:>3} epochs  {trial['seconds']:>5.0f} s  {trial['name']}")
    print(f"  chosen: {' with '.join(found['chosen'])}, ensemble {found['ensemble']}", flush=True)


def show_blend(found: dict | None) -> None:
    """The candidates of a blend with their weights."""
    for member in found["candidates"] if found else ():
        print(f"  {member['weight']:.2f}  {found['metric']} {member['value']:.4f}  {member['name']}", flush=True)


if __name__ == "__main__":
    main()
