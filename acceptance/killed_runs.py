"""Commands killed before any of their changes of files: the same command then ends as if nothing had happened.

A case is a command and the number of a change (a file opened for writing, renamed, removed, synced, a folder made or
removed, two names exchanged). A process is killed before that change. What it leaves is a model that loads or none, and
nothing that tells of another model. The command is run again, and leaves the same weights and the same names of files
as one that was never killed.
"""

import contextlib
import functools
import hashlib
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Callable
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
import yaml

import sensorium
from sensorium.api import _fit
from sensorium.files import replace
from sensorium.strategies import Budget
from sensorium.table import open_table, write_table

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
TINY = {"epochs": 2, "split_column": "split", "batch_size": 12, "progress": False, "modalities": {"word": "text"}}
PLAIN = {"train": {"checkpoint": 0}, "width": 8}
SINGLE = {**TINY, "epochs": 1, "fusions": ["concat"], "baselines": ["none"]}
IMAGE = {"name": "image_cnn", "filters": [4]}
ROWS = 36

torch.set_num_threads(1)  # what a process forks has to have no threads


def table() -> dict[str, list[object]]:
    """Two modalities."""
    words = ["red apple", "green pear", "blue plum"]
    return {
        "x": [float(row * 7 % 10) for row in range(ROWS)],
        "word": [f"{words[row % 3]} {row % 5}" for row in range(ROWS)],
        "label": ["yes" if (row * 7 % 10 > 4) != (row % 11 == 0) else "no" for row in range(ROWS)],
        "split": [["train", "train", "validation", "test"][row // 3 % 4] for row in range(ROWS)],
    }


def pictures(seed: int) -> dict[str, list[object]]:
    """For an encoder that normalises over batches."""
    draw = np.random.default_rng(seed)
    cells = [draw.integers(0, 128 + 100 * (row % 2), (8, 8, 3)).astype(np.uint8) for row in range(ROWS)]
    return {"picture": cells, "label": ["no", "yes"] * (ROWS // 2), "split": table()["split"]}


def fit(folder: Path, again: bool) -> None:
    """A run that is resumed where it was killed."""
    sensorium.fit(table(), "label", out=folder / "run", resume=again, config=PLAIN, **TINY)


def fit_over(folder: Path, again: bool) -> None:
    """A run in the folder of a finished one."""
    del again
    sensorium.fit(table(), "label", out=folder / "earlier", overwrite=True, config={**PLAIN, "width": 12}, **TINY)


def compare(folder: Path, again: bool) -> None:
    """A comparison, in the folder of one of other settings."""
    del again
    sensorium.compare(table(), "label", out=folder / "comparison", overwrite=True, config=PLAIN, **SINGLE)


def search(folder: Path, again: bool) -> None:
    """A search whose clock stands still, so that time decides nothing."""
    del again
    _fit.Budget = functools.partial(Budget, clock=lambda: 0.0)
    sensorium.fit(table(), "label", out=folder / "run", budget=60.0, config={"width": 8}, fusion="concat", **TINY)


def search_and_blend(folder: Path, again: bool) -> None:
    """The same with a blend of what the search chooses."""
    del again
    _fit.Budget = functools.partial(Budget, clock=lambda: 0.0)
    settings = {"preset": "good", "config": {"width": 8}, "fusion": "concat", **TINY}
    sensorium.fit(table(), "label", out=folder / "run", budget=60.0, **settings)


def predict(folder: Path, again: bool) -> None:
    """Answers over those of before."""
    del again
    write_table(sensorium.load(folder / "earlier").predictions(open_table(table())).to_arrow(), folder / "answers.csv")


def quantize(folder: Path, again: bool) -> None:
    """A smaller model beside its own, as a folder."""
    del again
    sensorium.load(folder / "wide").quantize().save(folder / "small")


def adapt(folder: Path, again: bool) -> None:
    """A model as a zip beside the one that it comes from, adapted to other pictures."""
    del again
    sensorium.load(folder / "model.zip").adapt(pictures(1)).save(folder / "adapted.zip")


Command: TypeAlias = Callable[[Path, bool], None]
# Cases of each command: the last of them has to find that there are fewer changes.
COMMANDS: dict[Command, int] = {
    fit: 190,
    fit_over: 190,
    compare: 160,
    search: 560,
    search_and_blend: 540,
    predict: 12,
    quantize: 24,
    adapt: 24,
}
PLAN = [(command, number) for command, cases in COMMANDS.items() for number in range(1, cases + 1)]
CASES = len(PLAN)
CHUNK = 10  # a case trains models, and takes seconds
MIXED = 101  # neighbours in the plan are far apart among the cases, so that a small share holds some of all


def check(case: int) -> str | None:
    """Kill the command before the change, look at what is left, run it again, compare."""
    command, number = PLAN[case * MIXED % CASES]
    with tempfile.TemporaryDirectory() as place:
        folder, log = Path(place) / "case", Path(place) / "log"
        shutil.copytree(start(), folder)
        status = forked(lambda: killed(command, folder, number), log)
        if status == 0:  # it has fewer changes
            return None if number > 1 else f"{command.__name__} changes nothing"
        if status != -signal.SIGKILL:
            return f"{command.__name__}, before change {number}: {log.read_text()[-400:]}"
        if number == COMMANDS[command]:
            return f"{command.__name__} has {number} changes or more"
        for work in (lambda: intact(folder), lambda: command(folder, True)):
            if forked(work, log):
                return f"{command.__name__}, killed before change {number}: {log.read_text()[-400:]}"
        found, expected = result(folder), undisturbed(command)
        other = sorted(name for name, _ in found.items() ^ expected.items())
        told = f"{command.__name__}, killed before change {number}: other than undisturbed: {other}"
        return told if other else None


def killed(command: Command, folder: Path, number: int) -> None:
    """Run it until the change."""
    left, place = [number], str(folder)

    def change(path: object) -> None:
        if not isinstance(path, int) and os.fsdecode(path).startswith(place):  # type: ignore[arg-type]
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, found: tuple[object, ...]) -> None:
        if event in CHANGES or (event == "open" and isinstance(found[2], int) and found[2] & WRITING):
            change(found[0])

    sync, exchange = replace.sync, replace.exchange
    replace.sync = lambda path: (change(path), sync(path))[1]
    replace.exchange = lambda one, other: (change(one), exchange(one, other))[1]
    sys.addaudithook(watch)
    command(folder, False)


def intact(folder: Path) -> None:
    """Every model loads, and what lies beside it tells of it."""
    for name in ("run", "earlier"):
        run = folder / name
        if (run / "model").exists():
            fitted = sensorium.load(run).fitted
            if (run / "metrics.json").exists():
                kept = json.loads((run / "metrics.json").read_text())
                assert kept == fitted.card.to_json()["metrics"], "other metrics"
            if (run / "config.yaml").exists() and not fitted.card.search:
                assert yaml.safe_load((run / "config.yaml").read_text())["width"] == fitted.config.width, "other width"
    if (folder / "small").exists():
        assert sensorium.load(folder / "small").fitted.int8
    sensorium.load(folder / "earlier")
    if (folder / "adapted.zip").exists():
        sensorium.load(folder / "adapted.zip")
    for manifest in (folder / "comparison").rglob("manifest.json"):
        if not manifest.parent.name.startswith("."):
            sensorium.load(manifest.parent)


def result(folder: Path) -> dict[str, str]:
    """Names of all files; of weights and answers the content, too."""
    told = ("weights.safetensors", "answers.csv", "split.parquet", "arrays.safetensors")
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.name in told else ""
        for path in sorted(folder.rglob("*"))
        if path.is_file() or path.name.startswith(".")
    } | {path.name: zipped(path) for path in folder.glob("*.zip")}


def zipped(path: Path) -> str:
    """The weights in it: its card tells seconds."""
    with zipfile.ZipFile(path) as archive:
        return hashlib.sha256(archive.read("weights.safetensors")).hexdigest()


def forked(work: Callable[[], object], log: Path) -> int:
    """Do it in a process of its own; 0, its exit status, or a negative signal."""
    pid = os.fork()
    if not pid:
        status = 3
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - told by the parent
            log.write_text(traceback.format_exc())
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@functools.cache
def start() -> Path:
    """What is there before any command: made once in a process."""
    above = Path(tempfile.mkdtemp(prefix="killed_runs"))
    Finalize(None, shutil.rmtree, (above,), exitpriority=1)  # at the end of a pool's process, where atexit is not
    folder = above / "start"
    folder.mkdir()

    def make() -> None:
        sensorium.fit(table(), "label", out=folder / "earlier", config=PLAIN, **TINY)
        image = {"modalities": {"picture": {"name": "image", "size": 8}}, "encoders": {"picture": IMAGE}}
        sensorium.fit(pictures(0), "label", width=8, **{**TINY, **image}).save(folder / "model.zip")
        sensorium.fit(table(), "label", width=128, **TINY).save(folder / "wide")
        sensorium.compare(table(), "label", out=folder / "comparison", config=PLAIN, seed=1, **SINGLE)
        for command in COMMANDS:
            shutil.rmtree(scratch, ignore_errors=True)
            shutil.copytree(folder, scratch)
            command(scratch, False)
        predict(folder, False)
        log.write_text("\n".join(sys.modules))

    log, scratch = folder.with_suffix(".log"), folder.with_suffix(".scratch")
    if forked(make, log):
        raise RuntimeError(log.read_text())
    for name in log.read_text().split():  # what commands import when they need it, no case has to import again
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    shutil.rmtree(scratch)
    return folder


@functools.cache
def undisturbed(command: Command) -> dict[str, str]:
    """The result of the command."""
    with tempfile.TemporaryDirectory() as place:
        folder, log = Path(place) / "case", Path(place) / "log"
        shutil.copytree(start(), folder)
        if forked(lambda: command(folder, False), log):
            raise RuntimeError(log.read_text())
        return result(folder)
