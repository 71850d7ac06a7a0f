"""Which validation criterion should choose the epoch of a training, and stop it early? Measured on real tables.

python benchmarks/selection.py [DATA] [--tables fomc_stance,pokedex] [--seeds 0,1,2] [--results FOLDER]
python benchmarks/selection.py --report [--results FOLDER] [--json FILE]

DATA       the folder of the data sets; by default, SENSORIUM_DATA
--results  the folder of the cells, one JSON each; finished cells are skipped, so the same command resumes
--report   what each criterion of `_criteria.py` would have chosen: paired differences to the watched metric
--json     also writes the figures of the report to a file

A cell is one training of the default network, on one table with one seed, for all of its epochs. Official test rows are
dropped when a table is read; a quarter of the other rows is judged (see `_selection_cell.py`). After every epoch,
validation and judged rows are measured. Which epoch a criterion chooses is computed from these figures afterwards.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from _real_tables import TABLES
from _selection_report import load_cells, show
from tables import commit, names_of, replace

HERE = Path(__file__).resolve().parent
LIMIT = 3600.0  # seconds per cell
CHEAP_FIRST = (
    "fomc_stance", "pokedex", "exercises", "openmoji", "clothing_reviews", "fashion_products", "stocknet", "nlvr",
    "hippocampus_mri", "av_digits", "mitbih_ecg",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the cells that are missing, or print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=os.environ.get("SENSORIUM_DATA"))
    parser.add_argument("--tables", type=names_of("table", TABLES), default=",".join(CHEAP_FIRST))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--results", type=Path, default=HERE / "results" / "selection")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    if options.report:
        show(load_cells(options.results), options.json)
        return
    if not options.data:
        sys.exit("no folder of data sets: give DATA or set SENSORIUM_DATA")
    for seed in map(int, options.seeds.split(",")):
        for table in options.tables:
            path = options.results / table / f"{seed}.json"
            if not path.exists():
                print(f"{table}, seed {seed}: {run_cell(table, seed, Path(options.data).resolve(), path)}", flush=True)


def run_cell(table: str, seed: int, data: Path, path: Path) -> str:
    """Run a cell in a process of its own, and write its JSON; return what happened."""
    source = os.pathsep.join(filter(None, [str(HERE.parent / "src"), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory() as name:
        folder, start = Path(name), time.perf_counter()
        job = {"table": json.loads(TABLES[table].to_json()), "data": str(data), "seed": seed}
        (folder / "cell.json").write_text(json.dumps(job))
        environment = {
            **os.environ, "PYTHONPATH": source, "SENSORIUM_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        command = [sys.executable, str(HERE / "_selection_cell.py"), str(folder)]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return f"not done in {LIMIT:g} s"
        if done.returncode:
            return f"failed: {done.stderr[-2000:]}"
        found = json.loads((folder / "result.json").read_text())
        content = {"table": table, "seed": seed, **found, "commit": commit()}
        (folder / "whole.json").write_text(json.dumps(content) + "\n")
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(folder / "whole.json", path)
    return f"{len(found['epochs'])} epochs, {time.perf_counter() - start:.0f} s"


if __name__ == "__main__":
    main()
