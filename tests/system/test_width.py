"""Work grows in proportion to the number of columns: counted as executed lines, not as time."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import sensorium
from sensorium.errors import near_name
from tiers import tiered

SOURCE = str(Path(sensorium.__file__).parent)
WIDTHS = (40, 80, 160)
LINEAR, SQUARE = 2.0, 4.0  # growth from the second width to the third, per growth from the first to the second


def lines_run(function, *arguments, **options):
    """Count the lines of Sensorium that a call executes in this thread."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(lambda frame, event, argument: trace if frame.f_code.co_filename.startswith(SOURCE) else None)
    try:
        result = function(*arguments, **options)
    finally:
        sys.settrace(before)
    return count, result


def growth(counts):
    first, second, third = counts
    return (third - second) / (second - first)


def labels(rows):
    return ["a", "b"] * (rows // 2)


def numbers(width, rows=40):
    random = np.random.default_rng(0)
    return pa.table({**{f"gene{place}": random.normal(size=rows) for place in range(width)}, "label": labels(rows)})


def categories(width, rows=40):
    random = np.random.default_rng(0)
    cells = {f"item {place}": random.choice(["red", "green", "blue"], rows) for place in range(width)}
    return pa.table({**cells, "label": labels(rows)})


def sparse(width, rows=40):
    """Rows of few keys each, as JSON Lines have."""
    rows_of = [{f"key{(row * 7 + step) % width}": float(row) for step in range(width // 4)} for row in range(rows)]
    return [{**cells, "label": label} for cells, label in zip(rows_of, labels(rows), strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("make", tiered([categories, sparse], [numbers]))
def test_inspection_grows_with_the_number_of_columns(make):
    sensorium.inspect(make(8), "label")  # imports
    counts = [lines_run(sensorium.inspect, make(width), "label")[0] for width in WIDTHS]
    assert growth(counts) == pytest.approx(LINEAR, abs=0.25)


@pytest.mark.parametrize(("make", "most"), [(numbers, 4), (categories, 30)])
def test_cells_are_not_examined_by_each_modality_again(make, most):
    sensorium.inspect(make(8), "label")
    few, many = (lines_run(sensorium.inspect, make(20, rows), "label")[0] for rows in (200, 600))
    assert (many - few) / (20 * 400) < most  # lines per cell


def test_columns_that_a_table_lacks_are_reported_in_linear_time():
    model = sensorium.fit(numbers(WIDTHS[-1]), "label", epochs=1, progress=False)
    counts = []
    for width in WIDTHS:
        names = ["gene0", *(f"probe {place}" for place in range(width))]
        names += [f"gene{place}" for place in range(1, WIDTHS[-1] - width)]
        counts.append(lines_run(model.predict, {name: [0.5, 1.5] for name in names})[0])
    assert growth(counts) < LINEAR + 0.5


def test_squares_are_seen():
    def compare(names):
        return [[near_name(name, names)] for name in names]

    counts = [lines_run(compare, [*map(str, range(width))])[0] for width in WIDTHS]
    assert growth(counts) == pytest.approx(SQUARE, abs=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("make", tiered([numbers], [categories]))
def test_fit_evaluation_and_prediction_grow_with_the_number_of_columns(make):
    sensorium.fit(make(8), "label", epochs=1, progress=False)
    counts = {"fit": [], "evaluate": [], "predict": [], "report": []}
    for width in WIDTHS:
        table = make(width)
        lines, model = lines_run(sensorium.fit, table, "label", epochs=1, progress=False)
        counts["fit"].append(lines)
        counts["evaluate"].append(lines_run(model.evaluate, table)[0])
        counts["predict"].append(lines_run(model.predict, table)[0])
        counts["report"].append(lines_run(model.describe)[0])
    for name, lines in counts.items():
        assert growth(lines) == pytest.approx(LINEAR, abs=0.3), name


def many_classes():
    random = np.random.default_rng(0)
    classes = random.permutation(np.repeat(np.arange(300), 20))
    centres = random.normal(size=(300, 5))
    cells = centres[classes] + 0.3 * random.normal(size=(len(classes), 5))
    return pa.table(
        {**{f"x{place}": row for place, row in enumerate(cells.T)}, "label": [f"class {k}" for k in classes]}
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "columns", "classes"),
    [(lambda: numbers(1000, 300), 1000, 2), (lambda: categories(300, 300), 300, 2), (many_classes, 5, 300)],
    ids=["numbers", "categories", "classes"],
)
def test_wide_tables_are_inspected_fitted_and_evaluated(make, columns, classes, tmp_path):
    table = make()
    found = sensorium.inspect(table, "label").to_json()
    assert len(found["columns"]) == columns + 1
    model = sensorium.fit(table, "label", epochs=3, out=tmp_path / "run", progress=False)
    assert len(model.columns) == columns
    evaluation = sensorium.load(tmp_path / "run").evaluate(table)
    low, high = evaluation.intervals["accuracy"]
    assert low <= evaluation.metrics["accuracy"] <= high
    for name in ("roc_auc", "average_precision", "f1_macro"):
        assert np.isfinite([evaluation.metrics[name], *evaluation.intervals[name]]).all()
    assert len(model.predict_proba(table.slice(0, 3))[0]) == classes
