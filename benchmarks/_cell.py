"""One cell of `tables.py` in a process of its own: read the table, train a model, predict.

python benchmarks/_cell.py FOLDER

FOLDER holds `cell.json`. `predictions.npz` (judged rows) and `result.json` (metrics) are written beside it.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from _real_tables import JUDGED, TRAIN, VALIDATION, RealTable, Shared, codes_of, numbered, open_shared, to_pandas
from _scores import Scored, Values, metrics_of

NOT_INSTALLED = 3  # exit status
SERIES = "all_series"  # name of the tower
AUTOGLUON_MISSING = "not installed: model autogluon needs AutoGluon (pip install 'autogluon.tabular[all]')"


def main() -> None:
    """Run the cell that the folder describes."""
    folder = Path(sys.argv[1]).resolve()
    cell = json.loads((folder / "cell.json").read_text())
    spec = RealTable(**cell["table"])
    shared = open_shared(spec, Path(cell["data"]), cell["split"], final=cell["final"])
    try:
        scores, note = MODELS[cell["model"]](cell, spec, shared, folder)
    except ModuleNotFoundError as error:
        if error.name not in ("lightgbm", "autogluon", "autogluon.tabular"):
            raise
        sys.stderr.write(f"{error}\n")
        sys.exit(NOT_INSTALLED)
    truth, classes = codes_of(spec, shared.table)
    units = numbered(shared.table, spec.unit)
    judged = shared.of(JUDGED)
    np.savez_compressed(
        folder / "predictions.npz", rows=shared.rows[judged], truth=truth[judged], units=units[judged],
        scores=scores[judged], classes=np.array(classes, dtype=str),
    )  # fmt: skip
    result = {
        "metrics": metrics_of(Scored(truth[judged], scores[judged], units[judged])),
        "validation": validation_metrics(spec, shared, scores),
        "rows": {name: len(shared.of(role)) for name, role in ROLES.items()},
        "note": note,
        **({"fit_seconds": sum(cell["fits"])} if "fits" in cell else {}),
    }
    (folder / "result.json").write_text(json.dumps(result))


ROLES = {"train": TRAIN, "validation": VALIDATION, "judged": JUDGED}
Outcome = tuple[Values, str]


def validation_metrics(spec: RealTable, shared: Shared, scores: Values) -> dict[str, float]:
    """Compute the metrics of the validation rows, by which baselines are chosen."""
    truth, rows = codes_of(spec, shared.table)[0], shared.of(VALIDATION)
    return metrics_of(Scored(truth[rows], scores[rows], rows))


def recipe(cell: dict[str, Any], spec: RealTable, shared: Shared, folder: Path) -> Outcome:
    """A recipe of `baselines.py`: it gets the labels of the training rows alone."""
    from baselines import RECIPES, Job, read_columns

    del folder
    frame, kinds = read_columns(to_pandas(shared.table, spec.kinds), spec.kinds, shared.folder)
    truth, classes = codes_of(spec, shared.table)
    train = shared.of(TRAIN)
    groups = numbered(shared.table, spec.group)[train] if spec.group else None
    job = Job(frame, kinds, train, truth[train], len(classes), groups, spec.rule == "time", cell["split"])
    return RECIPES[cell["model"]](job), ""


def fit_columns(
    cell: dict[str, Any], spec: RealTable, shared: Shared, columns: list[str], settings: dict[str, Any]
) -> Values:
    """`sensorium.fit` of some columns; scores of all rows. The judged rows are not in the table that it gets.

    The fit gets the column of groups or times, as a recipe does. Its seconds are added to `fits` of the cell.
    """
    import sensorium

    os.chdir(shared.folder)  # cells name files relative to the table
    learn = np.flatnonzero((shared.roles == TRAIN) | (shared.roles == VALIDATION))
    words = np.where(shared.roles[learn] == TRAIN, "train", "validation")
    table = shared.table.select([*columns, spec.target]).take(pa.array(learn))
    table = table.append_column("benchmark_split", pa.array(words.tolist()))
    split = {"column": "benchmark_split"}
    if spec.group:
        table = table.append_column("benchmark_unit", shared.table[spec.group].take(pa.array(learn)))
        split["time" if spec.rule == "time" else "group"] = "benchmark_unit"
    given: dict[str, Any] = {"split": split, "seed": cell["split"], **settings}
    start = time.perf_counter()
    model = sensorium.fit(table, spec.target, progress=False, **given)
    cell.setdefault("fits", []).append(time.perf_counter() - start)
    asked = shared.table.select(columns)
    if spec.is_amount:
        return np.asarray(model.predict(asked), np.float64)
    place = {str(label): number for number, label in enumerate(model.labels)}
    found, names = model.predict_proba(asked), codes_of(spec, shared.table)[1]
    lacking = np.zeros(len(asked))
    return np.column_stack([found[:, place[name]] if name in place else lacking for name in names])


def default(cell: dict[str, Any], spec: RealTable, shared: Shared, folder: Path) -> Outcome:
    """`fit` without settings."""
    del folder
    return fit_columns(cell, spec, shared, list(spec.kinds), {}), ""


def fast(cell: dict[str, Any], spec: RealTable, shared: Shared, folder: Path) -> Outcome:
    """One network: `fit` with the preset `fast`, or without settings in versions that have no presets."""
    del folder
    return fit_columns(cell, spec, shared, list(spec.kinds), one_network()), ""


def one_network() -> dict[str, Any]:
    """Settings of `fast`."""
    from sensorium import Config

    return {"preset": "fast"} if "preset" in Config.model_fields else {}


def single(cell: dict[str, Any], spec: RealTable, shared: Shared, folder: Path) -> Outcome:
    """`fast` of each modality alone; the one with the best metric on the validation rows."""
    del folder
    found: dict[str, Values] = {}
    for name, columns in towers(spec).items():
        together = {"towers": {name: columns}} if len(columns) > 1 and name == SERIES else {}
        found[name] = fit_columns(cell, spec, shared, columns, {**one_network(), **together})
    best = max(found, key=lambda name: validation_metrics(spec, shared, found[name])[spec.metric])
    return found[best], f"{best} of {', '.join(found)}"


def towers(spec: RealTable) -> dict[str, list[str]]:
    """Return the columns per single modality: numbers, categories and dates are one, all series are one."""
    found: dict[str, list[str]] = {}
    for column, kind in spec.kinds.items():
        name = "facts" if kind in ("number", "category", "date") else SERIES if kind == "series" else column
        found.setdefault(name, []).append(column)
    return found


def autogluon(cell: dict[str, Any], spec: RealTable, shared: Shared, folder: Path) -> Outcome:
    """AutoGluon-Tabular over the columns of the recipes: texts as they are, statistics of files.

    Its training may take as long as the whole cell of `default`.
    """
    try:
        from autogluon.tabular import TabularPredictor
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(AUTOGLUON_MISSING, name="autogluon") from error
    from baselines import read_columns

    frame, _ = read_columns(to_pandas(shared.table, spec.kinds), spec.kinds, shared.folder)
    truth, classes = codes_of(spec, shared.table)
    labelled = frame.assign(benchmark_label=truth)
    problem = "regression" if spec.is_amount else "binary" if len(classes) == 2 else "multiclass"
    predictor = TabularPredictor("benchmark_label", problem, spec.metric, path=str(folder / "model"), verbosity=0)
    train, validation = (labelled.iloc[shared.of(role)] for role in (TRAIN, VALIDATION))
    predictor.fit(train, tuning_data=validation, time_limit=cell["seconds"])
    if spec.is_amount:
        return predictor.predict(frame).to_numpy(np.float64), ""
    found = predictor.predict_proba(frame).reindex(columns=range(len(classes)), fill_value=0.0)
    return found.to_numpy(np.float64), str(predictor.model_best)


Model = Callable[[dict[str, Any], RealTable, Shared, Path], Outcome]
MODELS: dict[str, Model] = {
    "constant": recipe, "linear": recipe, "trees": recipe, "single": single, "fast": fast, "default": default,
    "autogluon": autogluon,
}  # fmt: skip

if __name__ == "__main__":
    main()
