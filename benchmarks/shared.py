"""Training on a shared machine: alone, beside another process, and with half of the CPU time.

python benchmarks/shared.py [--runs 7] [--rows 6000] [--seed 0] [--only default,alone,beside,half] [--json FILE]

Each run is a process of its own, `sensorium fit` on a table of texts (40 words) for two epochs; runs of all conditions
alternate. The figure is the rows per second of the second epoch, as the history of the run reports it; medians are
compared. Seven runs take less than ten minutes on two idle cores.

default  alone, with the threads and the waiting that torch has without Sensorium
alone    alone, as the command line does it
beside   while one other process multiplies matrices with torch
half     with half of the CPU time of the machine: a quota of a control group, of version 2 or 1, if one can be made
         (as root); otherwise, a signal stops the process for half of every 20 ms, which Sensorium cannot see

Without --json, `results/shared.json` is written.
"""

import argparse
import csv
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from _process import HERE, record

CONDITIONS = ("default", "alone", "beside", "half")
TARGETS = {
    "alone / default": ("alone", "default", 1.0, 0.9),
    "beside / alone": ("beside", "alone", 1.0, 0.4),
    "half / half of alone": ("half", "alone", 0.5, 0.8),
}
MATMUL = """
import torch
a = torch.randn(1500, 1500)
while True:
    a @ a
"""
WORDS, LENGTH, VOCABULARY = 1000, 40, 2000
GROUPS = Path("/sys/fs/cgroup")
PERIOD = 100_000  # microseconds
PULSE = 0.01  # seconds in which the process runs, and then stands still
SETTLE = 3.0  # seconds until the other process computes


def main() -> None:
    """Alternate the conditions, print medians and ratios, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(CONDITIONS))
    parser.add_argument("--json", type=Path, default=HERE / "benchmarks" / "results" / "shared.json")
    options = parser.parse_args()
    chosen = options.only.split(",")
    found: dict[str, list[float]] = {name: [] for name in chosen}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_table(folder / "texts.csv", options.rows, options.seed)
        with ExitStack() as stack:
            group = stack.enter_context(quota_group()) if "half" in chosen else None
            for run in range(options.runs):
                for condition in chosen if run % 2 == 0 else chosen[::-1]:
                    rate = measure(folder, condition, group, options.seed)
                    found[condition].append(rate)
                    print(f"run {run + 1}, {condition}: {rate:,.0f} rows/s", flush=True)
    by = "quota" if group else "signals"
    ratios = compare(found)
    for name, value in ratios.items():
        print(f"{name:<24}{value:>8.2f}   target {TARGETS[name][3]}")
    record(
        options.json,
        f"python benchmarks/shared.py --runs {options.runs} --rows {options.rows} --only {options.only}",
        seed=options.seed,
        half_by=by,
        rows_per_second=found,
        ratios={name: round(value, 3) for name, value in ratios.items()},
        targets={name: target[3] for name, target in TARGETS.items()},
    )


def write_table(path: Path, rows: int, seed: int) -> None:
    """Write texts of words, some of which tell the label."""
    draw = random.Random(seed)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label"])
        for _ in range(rows):
            label = draw.randrange(2)
            words = (draw.randrange(WORDS) + WORDS * label * (draw.random() < 0.3) for _ in range(LENGTH))
            writer.writerow([" ".join(f"w{word}" for word in words), "ab"[label]])


def measure(folder: Path, condition: str, group: Path | None, seed: int) -> float:
    """Return the rows per second of the second epoch of one fit."""
    settings = ["epochs=2", "split.test=0.01", "split.validation=0.01", f"seed={seed}"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_", "KMP_"))}
    environment["PYTHONPATH"] = str(HERE / "src")
    if condition == "default":  # what the libraries do if nothing is set
        environment["GOMP_SPINCOUNT"] = "300000"
        settings.append(f"threads={len(os.sched_getaffinity(0))}")
    command = [sys.executable, "-m", "sensorium", "fit", str(folder / "texts.csv"), "--target", "label", "--quiet"]
    command += ["--overwrite", "--out", str(folder / "run"), *(part for one in settings for part in ("--set", one))]
    with ExitStack() as stack:
        if condition == "beside":
            stack.enter_context(another_process())
        limit = group if condition == "half" else None
        enter = (lambda: (limit / "cgroup.procs").write_text(str(os.getpid()))) if limit else None
        child = subprocess.Popen(command, env=environment, preexec_fn=enter)
        if condition == "half" and not group:
            stack.enter_context(half_stopped(child))
        if child.wait():
            sys.exit(f"{' '.join(command)} failed")
    return float(json.loads((folder / "run" / "history.json").read_text())["epochs"][1]["rows_per_second"])


@contextmanager
def another_process() -> Iterator[None]:
    """Multiply matrices in another process within this block."""
    other = subprocess.Popen([sys.executable, "-c", MATMUL])
    try:
        time.sleep(SETTLE)
        yield
    finally:
        other.kill()
        other.wait()


@contextmanager
def quota_group() -> Iterator[Path | None]:
    """Make a control group that has half of the CPU time of the machine; None if it cannot be made."""
    half, name = len(os.sched_getaffinity(0)) * PERIOD // 2, f"sensorium-benchmark-{os.getpid()}"
    second = (GROUPS / "cgroup.controllers").exists()
    folder = (GROUPS if second else GROUPS / "cpu") / name
    limits = {"cpu.max": f"{half} {PERIOD}"} if second else {"cpu.cfs_period_us": PERIOD, "cpu.cfs_quota_us": half}
    made = False
    try:
        folder.mkdir()
        made = True
        for file, limit in limits.items():
            with (folder / file).open("r+") as stream:  # no other file system has it in a new folder
                stream.write(str(limit))
    except OSError:
        if made:
            folder.rmdir()
        yield None
        return
    try:
        yield folder
    finally:
        folder.rmdir()


@contextmanager
def half_stopped(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Stop a process for half of the time within this block."""
    over = threading.Event()

    def pulse() -> None:
        while not over.wait(PULSE) and child.poll() is None:
            child.send_signal(signal.SIGSTOP)
            time.sleep(PULSE)
            child.send_signal(signal.SIGCONT)

    thread = threading.Thread(target=pulse)
    thread.start()
    try:
        yield
        child.wait()
    finally:
        over.set()
        thread.join()


def compare(found: dict[str, list[float]]) -> dict[str, float]:
    """Return the ratios of medians that have a target."""
    middle = {name: statistics.median(rates) for name, rates in found.items()}
    return {
        name: middle[upper] / (middle[lower] * share)
        for name, (upper, lower, share, _) in TARGETS.items()
        if upper in middle and lower in middle
    }


if __name__ == "__main__":
    main()
