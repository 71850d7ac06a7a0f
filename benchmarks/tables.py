"""Real tables: the default fit beside fixed recipes, single modalities and AutoGluon, on the same rows.

python benchmarks/tables.py [DATA] [--tables fomc_stance,pokedex] [--models linear,trees] [--splits 0,1] [--final]
python benchmarks/tables.py --report [--ours default] [--metric log_loss] [--final] [--json FILE]

DATA       the folder of the data sets; by default, SENSORIUM_DATA
--models   constant, linear and trees (see `baselines.py`), single (the best single modality), fast (one network),
           default (`fit` without settings), autogluon (AutoGluon-Tabular, whose training may take as long as the
           cell of `default`, which comes first)
--splits   0 is the official split, 1 to 4 are redrawn by its rule (see `_real_tables.py`)
--final    judges the test rows, and adds each use to --log (`results/final_uses.jsonl`), which is committed. Without
           it, test rows are dropped when a table is read, and validation rows are judged: no model sees these, and the
           validation rows of the models are drawn from the training rows
--limit    seconds per cell, 600 by default
--autogluon  the Python of another environment with autogluon.tabular, pyarrow, Pillow, soundfile and nibabel
--report   prints what the folder of results holds: the metric of each model, paired differences with 95% intervals over
           rows and splits, mean ranks, and which bars are met (`_bars.py`)
--json     writes these figures to a file as well, with the commits and machines of the cells

A cell is one model on one split of one table. It runs in a process of its own for at most ten minutes, and is one JSON
file, beside a file with the predictions of its rows. Finished cells are skipped, so the same command resumes an
interrupted run; failed cells are tried again.
"""

import argparse
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _bars import bars
from _cell import MODELS, NOT_INSTALLED
from _real_tables import SPLITS, TABLES, RealTable
from _report import load_cells, report_tables, show
from _scores import METRICS

HERE = Path(__file__).resolve().parent
LIMIT = 600.0  # seconds per cell
AUTOGLUON_SHARE = 0.8  # of it that its training may take; the rest is for imports, features and predictions


@dataclass(frozen=True)
class Cell:
    """One model on one split of one table."""

    table: RealTable
    split: int
    model: str
    final: bool

    def path(self, results: Path) -> Path:
        return mode_folder(results, final=self.final) / self.table.name / str(self.split) / f"{self.model}.json"

    def __str__(self) -> str:
        return f"{self.table.name}, split {self.split}, {self.model}"


def mode_folder(results: Path, *, final: bool) -> Path:
    """Return the folder of the cells that judge validation or test rows."""
    return results / ("test" if final else "validation")


def main(arguments: Sequence[str] | None = None, tables: Mapping[str, RealTable] = TABLES) -> None:
    """Run the cells that are missing, or print the report."""
    options = parse(arguments, tables)
    if options.report:
        report(options, tables)
        return
    if not options.data:
        sys.exit("no folder of data sets: give DATA or set SENSORIUM_DATA")
    for cell in cells_of(options, tables):
        if is_finished(cell.path(options.results)):
            print(f"{cell}: finished", flush=True)
            continue
        if cell.final:
            log_use(options.log, cell)
        print(f"{cell}: {run_cell(cell, options)}", flush=True)


def report(options: argparse.Namespace, tables: Mapping[str, RealTable]) -> None:
    """Print what the folder of results holds, and write it to a file if one is named."""
    cells = load_cells(mode_folder(options.results, final=options.final))
    reports = report_tables(cells, tables, options.ours, options.metric)
    show(reports, options.ours)
    judged = [] if options.metric else bars(cells, reports, options.ours)
    if judged:
        print("\nbars", *judged, sep="\n")
    if options.json:
        records = [cell.record for models in cells.values() for own in models.values() for cell in own.values()]
        whole = {
            "command": shlex.join(["python", "benchmarks/tables.py", *sys.argv[1:]]),
            "commits": sorted({record.get("commit", "") for record in records}),
            "machines": sorted({record.get("machine", "") for record in records}),
            "judged": "test rows" if options.final else "validation rows",
            "tables": {name: asdict(own) for name, own in reports.items()},
            "bars": [bar.to_json() for bar in judged],
        }
        options.json.write_text(json.dumps(whole, indent=1) + "\n")


def parse(arguments: Sequence[str] | None, tables: Mapping[str, RealTable]) -> argparse.Namespace:
    """Read the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=os.environ.get("SENSORIUM_DATA"))
    parser.add_argument("--tables", type=names_of("table", tables), default=",".join(tables))
    parser.add_argument("--models", type=names_of("model", MODELS), default=",".join(MODELS))
    parser.add_argument("--splits", type=names_of("split", map(str, range(SPLITS))), default="0,1,2,3,4")
    parser.add_argument("--final", action="store_true")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--ours", choices=MODELS, default="default")
    parser.add_argument("--metric", choices=METRICS, default="")
    parser.add_argument("--results", type=Path, default=HERE / "results" / "tables")
    parser.add_argument("--log", type=Path, default=HERE / "results" / "final_uses.jsonl")
    parser.add_argument("--autogluon", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--limit", type=float, default=LIMIT)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    options.data = Path(options.data).resolve() if options.data else None
    return options


def names_of(what: str, known: Any) -> Any:
    """Parse names that are separated by commas."""
    allowed = tuple(known)

    def parse_names(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in allowed:
                raise argparse.ArgumentTypeError(f"unknown {what} {name!r}; known: {', '.join(allowed)}")
        return names

    return parse_names


def cells_of(options: argparse.Namespace, tables: Mapping[str, RealTable]) -> Iterator[Cell]:
    """Yield the cells split by split, so that an interrupted run has whole splits."""
    for split in options.splits:
        for name in options.tables:
            for model in options.models:
                yield Cell(tables[name], int(split), model, options.final)


def is_finished(path: Path) -> bool:
    """Return whether the cell is done, or did not end within its time."""
    return path.exists() and json.loads(path.read_text())["state"] != "failed"


def log_use(path: Path, cell: Cell) -> None:
    """Record that the test rows of a table are opened."""
    path.parent.mkdir(parents=True, exist_ok=True)
    use = {"date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "commit": commit(), "table": cell.table.name}
    with path.open("a") as stream:
        stream.write(json.dumps({**use, "split": cell.split, "model": cell.model}) + "\n")


def run_cell(cell: Cell, options: argparse.Namespace) -> str:
    """Run a cell in a process of its own, write its JSON and predictions, and return what happened.

    Nothing is written if the model needs a package that is not installed.
    """
    path, limit = cell.path(options.results), options.limit
    allowed = _seconds_of_default(path, limit) if cell.model == "autogluon" else limit
    if allowed is None:
        return "run the model default first: its time is that of AutoGluon"
    python = options.autogluon if cell.model == "autogluon" else sys.executable
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = {**asdict(cell), "data": str(options.data), "seconds": allowed}
        (folder / "cell.json").write_text(json.dumps(job))
        start = time.perf_counter()
        status = run_process(python, folder, limit)
        seconds = time.perf_counter() - start
        told = (folder / "errors.txt").read_text(errors="replace").strip()
        if status == NOT_INSTALLED:
            return told.splitlines()[-1]
        found: dict[str, Any] = {"state": "failed", "error": told[-2000:]}
        if status is None:
            found = {"state": f"not done in {limit:g} s"}
        elif status == 0:
            found = {"state": "done", **json.loads((folder / "result.json").read_text())}
        path.parent.mkdir(parents=True, exist_ok=True)
        if status == 0:
            replace(folder / "predictions.npz", path.with_suffix(".npz"))
        (folder / "whole.json").write_text(json.dumps(record(cell, found, seconds), indent=1) + "\n")
        replace(folder / "whole.json", path)
    value = found.get("metrics", {}).get(cell.table.metric)
    return f"{found['state']} in {seconds:.0f} s, {cell.table.metric} {value:.3f}" if status == 0 else found["state"]


def _seconds_of_default(path: Path, limit: float) -> float | None:
    """Return the seconds of the cell of `default` beside a cell, within a limit; None if it is not finished."""
    beside = path.with_name("default.json")
    if not is_finished(beside):
        return None
    return min(float(json.loads(beside.read_text())["seconds"]), AUTOGLUON_SHARE * limit)


def run_process(python: str, folder: Path, limit: float) -> int | None:
    """Return the exit status; None if the process and all that it started had to be killed after `limit` seconds."""
    source = os.pathsep.join(filter(None, [str(HERE.parent / "src"), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": source, "SENSORIUM_CACHE": str(folder / "cache")}
    command = [python, str(HERE / "_cell.py"), str(folder)]
    with (folder / "errors.txt").open("w") as errors:
        child = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
        )
        try:
            return child.wait(limit)
        except BaseException as error:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                return None
            raise


def replace(source: Path, path: Path) -> None:
    """Move a file so that it is whole whenever it is there."""
    beside = path.with_name(f"{path.name}.partial")
    shutil.copyfile(source, beside)
    beside.replace(path)


def record(cell: Cell, found: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Everything about a cell: what it is, what was measured, by which version, on which machine."""
    return {
        "table": cell.table.name,
        "split": cell.split,
        "model": cell.model,
        "judged": "test" if cell.final else "validation",
        "metric": cell.table.metric,
        **found,
        "seconds": round(seconds, 2),
        "commit": commit(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


def commit() -> str:
    """Return the commit, with `-dirty` after it if files differ from it."""
    command = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
