"""The benchmark of real tables, on made ones: splits, test rows, resumption, time limit, metrics and the report."""

import json
import sys
from argparse import Namespace
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv
from sklearn import metrics as sk

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import tables as benchmark
from _cell import recipe
from _real_tables import JUDGED, TABLES, TRAIN, UNUSED, VALIDATION, RealTable, open_shared
from _report import choose_baseline, load_cells, report_table
from _scores import METRICS, Scored, calibration, gain, metrics_of

SPEC = RealTable(
    "made", "label", "accuracy", {"text": "text", "price": "number"}, "stratified groups", "author", "author"
)
ROWS = 200


def rows(seed=0):
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, ROWS)
    return {
        "text": [f"{'good' if code else 'bad'} w{random.integers(20)}" for code in label],
        "price": random.normal(label, 1.0).tolist(),
        "author": random.integers(0, 60, ROWS).tolist(),
        "day": [f"2026-01-{day:02}" for day in random.integers(1, 29, ROWS)],
        "label": ["yes" if code else "no" for code in label],
        "split": random.permutation(["train"] * 120 + ["val"] * 40 + ["test"] * 40).tolist(),
    }


def write(folder, cells):
    (folder / "made").mkdir(parents=True, exist_ok=True)
    csv.write_csv(pa.table(cells), folder / "made" / "table.csv")
    return folder


@pytest.fixture
def data(tmp_path):
    return write(tmp_path / "data", rows())


def run(data, results, *options, spec=SPEC):
    arguments = [str(data), "--results", str(results), "--splits", "0", "--log", str(results / "uses.jsonl"), *options]
    benchmark.main(arguments, {spec.name: spec})


def cell_of(results, model, mode="validation", split=0):
    path = results / mode / "made" / str(split) / f"{model}.json"
    return json.loads(path.read_text())


# splits


def test_official_roles_and_rows_of_a_group(data):
    table = rows()
    split, author = np.array(table["split"]), np.array(table["author"])
    shared = open_shared(SPEC, data, 0, final=True)
    words = {TRAIN: "train", VALIDATION: "val", JUDGED: "test"}
    assert [words[role] for role in shared.roles] == split.tolist()
    for number in range(1, 5):
        redrawn = open_shared(SPEC, data, number, final=True)
        sides = [{*author[redrawn.rows[redrawn.of(role)]]} for role in (TRAIN, VALIDATION, JUDGED)]
        assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
        assert 25 <= len(redrawn.of(JUDGED)) <= 55 and 25 <= len(redrawn.of(VALIDATION)) <= 55
        assert (redrawn.roles != shared.roles).any()


def test_test_rows_are_dropped_without_final(data):
    split = np.array(rows()["split"])
    for number in range(5):
        shared = open_shared(SPEC, data, number, final=False)
        assert "test" not in shared.table["split"].to_pylist()
        assert (split[shared.rows] == shared.table["split"].to_pylist()).all()
        assert all(len(shared.of(role)) >= 15 for role in (TRAIN, VALIDATION, JUDGED))
    official = open_shared(SPEC, data, 0, final=False)
    assert split[official.rows[official.of(JUDGED)]].tolist() == ["val"] * 40
    assert {*split[official.rows[official.roles != JUDGED]]} == {"train"}


def test_classes_have_their_shares_in_redrawn_splits(data):
    spec = RealTable("made", "label", "accuracy", SPEC.kinds, "stratified")
    label = np.array(rows()["label"]) == "yes"
    for number in range(1, 5):
        shared = open_shared(spec, data, number, final=True)
        assert len(shared.of(JUDGED)) == pytest.approx(40, abs=2)
        assert all(label[shared.of(role)].mean() == pytest.approx(label.mean(), abs=0.03) for role in (0, 1, 2))


@pytest.mark.parametrize("final", [True, False])
def test_time_is_respected_by_redrawn_splits(tmp_path, final):
    spec = RealTable("made", "label", "accuracy", SPEC.kinds, "time", "day", "day")
    table = rows()
    day, windows = np.array(table["day"]), []
    split = np.select([day < "2026-01-23", day < "2026-01-26"], ["train", "val"], "test")
    data = write(tmp_path, {**table, "split": split.tolist()})
    for number in range(1, 5):
        shared = open_shared(spec, data, number, final=final)
        learn, stop, judge, left = (day[shared.rows[shared.of(role)]] for role in (TRAIN, VALIDATION, JUDGED, UNUSED))
        assert max(learn) < min(stop) and max(stop) < min(judge) and max(judge) < min(left)
        windows.append({*judge})
    assert not any(one & other for one, other in combinations(windows, 2))


def test_tables_of_the_benchmark_use_no_label_as_a_column():
    forbidden = {
        "clothing_reviews": {"rating"},
        "fashion_products": {"master_category", "sub_category", "product_id"},
        "hippocampus_mri": {"mask", "anterior_mm3", "posterior_mm3"},
        "mitbih_ecg": {"n_beats", "n_ventricular", "n_supraventricular", "rhythm", "patient"},
        "nlvr": {"structured", "official_split"},
        "openmoji": {"hexcode", "subgroup"},
    }
    assert len(TABLES) == 11
    for name, spec in TABLES.items():
        assert not {*spec.kinds} & ({spec.target, "split"} | forbidden.get(name, set()))
        assert spec.why and spec.metric in METRICS


# what a recipe sees


def test_labels_of_judged_and_validation_rows_are_not_seen(data, tmp_path):
    cell = {"model": "linear", "split": 0}
    before, _ = recipe(cell, SPEC, open_shared(SPEC, data, 0, final=True), tmp_path)
    table = rows()
    other = np.array(table["split"]) != "train"
    label = np.array(table["label"])
    label[other] = np.random.default_rng(1).permutation(label[other])
    assert label.tolist() != table["label"]
    changed = write(tmp_path / "changed", {**table, "label": label.tolist()})
    after, _ = recipe(cell, SPEC, open_shared(SPEC, changed, 0, final=True), tmp_path)
    np.testing.assert_array_equal(before, after)


# cells


@pytest.mark.slow
def test_cells_are_written_and_finished_ones_are_skipped(data, tmp_path, capsys):
    results = tmp_path / "results"
    run(data, results, "--models", "linear")
    found = cell_of(results, "linear")
    assert found["state"] == "done" and found["judged"] == "validation" and found["seconds"] > 0
    assert found["rows"]["judged"] == 40 and found["rows"]["train"] + found["rows"]["validation"] == 120
    with np.load(results / "validation/made/0/linear.npz") as saved:
        assert [rows()["split"][row] for row in saved["rows"]] == ["val"] * 40
        hits = saved["scores"].argmax(1) == saved["truth"]
        assert [saved["classes"][code] for code in saved["truth"]] == [rows()["label"][row] for row in saved["rows"]]
    assert found["metrics"]["accuracy"] == pytest.approx(hits.mean()) and hits.mean() > 0.8
    assert not (results / "uses.jsonl").exists()
    before = (results / "validation/made/0/linear.json").read_bytes()
    capsys.readouterr()
    run(data, results, "--models", "linear")
    assert capsys.readouterr().out == "made, split 0, linear: finished\n"
    assert (results / "validation/made/0/linear.json").read_bytes() == before


@pytest.mark.slow
def test_final_uses_of_test_rows_are_logged(data, tmp_path):
    run(data, tmp_path, "--models", "constant", "--final")
    assert cell_of(tmp_path, "constant", "test")["rows"] == {"train": 120, "validation": 40, "judged": 40}
    run(data, tmp_path, "--models", "constant", "--final")  # a finished cell opens nothing
    (use,) = map(json.loads, (tmp_path / "uses.jsonl").read_text().splitlines())
    assert use["table"] == "made" and use["commit"] and use["date"].endswith("Z")


def test_cell_beyond_its_time_is_killed_and_ranked_last(data, tmp_path):
    run(data, tmp_path, "--models", "constant", "--limit", "0.01")
    assert cell_of(tmp_path, "constant")["state"] == "not done in 0.01 s"
    made_cell(tmp_path, "linear", 0, np.eye(2), np.array([1, 0]))  # wrong everywhere
    found = report_table(load_cells(tmp_path / "validation")["made"], "linear", "accuracy")
    assert found.values == {"constant": None, "linear": 0.0}
    assert found.ranks() == {"linear": 1.0, "constant": 2.0}
    run(data, tmp_path, "--models", "constant")  # it is finished
    assert cell_of(tmp_path, "constant")["state"] == "not done in 0.01 s"


def test_failed_cell_is_recorded_and_tried_again(data, tmp_path, monkeypatch):
    statuses = iter([1, None])
    tried = []

    def process(python, folder, limit):
        tried.append(limit)
        (folder / "errors.txt").write_text("Traceback …\nValueError: no rows")
        return next(statuses)

    monkeypatch.setattr(benchmark, "run_process", process)
    run(data, tmp_path, "--models", "default")
    assert cell_of(tmp_path, "default")["state"] == "failed"
    assert "no rows" in cell_of(tmp_path, "default")["error"]
    run(data, tmp_path, "--models", "default", "--limit", "7")
    assert tried == [600, 7] and cell_of(tmp_path, "default")["state"] == "not done in 7 s"


def test_model_that_is_not_installed_leaves_no_cell(data, tmp_path, capsys):
    if find_spec("autogluon"):
        pytest.skip("AutoGluon is installed")
    finish_default(tmp_path, seconds=3)
    run(data, tmp_path, "--models", "autogluon")
    assert "not installed: model autogluon needs AutoGluon" in capsys.readouterr().out
    assert [path.stem for path in tmp_path.glob("validation/**/*.json")] == ["default"]


def test_autogluon_gets_the_time_of_the_default(data, tmp_path, monkeypatch, capsys):
    given = []

    def process(python, folder, limit):
        given.append(json.loads((folder / "cell.json").read_text())["seconds"])
        (folder / "errors.txt").write_text("")  # and None: it was not done in time

    monkeypatch.setattr(benchmark, "run_process", process)
    run(data, tmp_path, "--models", "autogluon")
    assert not given and "run the model default first" in capsys.readouterr().out
    for seconds in (37.5, 590):
        finish_default(tmp_path, seconds=seconds)
        run(data, tmp_path, "--models", "autogluon")
        (tmp_path / "validation" / "made" / "0" / "autogluon.json").unlink()
    assert given == [37.5, 480]


def finish_default(results, seconds):
    folder = results / "validation" / "made" / "0"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "default.json").write_text(json.dumps({"state": "done", "seconds": seconds}))


@pytest.mark.slow
def test_models_of_sensorium_predict_the_judged_rows(data, tmp_path):
    run(data, tmp_path, "--models", "single,default,fast")
    for model in ("single", "default", "fast"):
        found = cell_of(tmp_path, model)
        assert found["state"] == "done", found
        assert found["metrics"]["accuracy"] > 0.7
    assert cell_of(tmp_path, "single")["note"] in {"text of text, facts", "facts of text, facts"}


# metrics


@pytest.fixture(params=[2, 4])
def scored(request):
    random = np.random.default_rng(request.param)
    scores = random.dirichlet(np.ones(request.param), 80)
    if request.param == 2:
        scores = np.round(scores, 1)  # ties
    return Scored(random.integers(0, request.param, 80), scores, np.arange(80))


def test_weighted_metrics_equal_those_of_scikit_learn(scored):
    weights = np.random.default_rng(0).integers(0, 4, (3, 80)).astype(float)
    truth, scores, predicted = scored.truth, scored.scores, scored.scores.argmax(1)
    labels = range(scores.shape[1])
    for number, own in enumerate(weights):
        expected = {
            "accuracy": sk.accuracy_score(truth, predicted, sample_weight=own),
            "f1_weighted": sk.f1_score(truth, predicted, average="weighted", sample_weight=own),
            "log_loss": np.average(-np.log(np.maximum(scores[np.arange(80), truth], 1e-6)), weights=own),
            "brier": np.average(((np.eye(len(labels))[truth] - scores) ** 2).sum(1), weights=own),
        }
        if len(labels) == 2:
            expected["f1"] = sk.f1_score(truth, predicted, sample_weight=own)
            expected["roc_auc"] = sk.roc_auc_score(truth, scores[:, 1], sample_weight=own)
        for name, value in expected.items():
            assert METRICS[name](scored, weights)[number] == pytest.approx(value, rel=1e-4), name


def test_weighted_metrics_of_amounts_equal_those_of_scikit_learn():
    random = np.random.default_rng(0)
    truth, weights = random.normal(5, 2, 60), random.integers(0, 4, (2, 60)).astype(float)
    scored = Scored(truth, truth + random.normal(0, 1, 60), np.arange(60))
    for number, own in enumerate(weights):
        assert METRICS["r2"](scored, weights)[number] == pytest.approx(
            sk.r2_score(truth, scored.scores, sample_weight=own)
        )
        squared = sk.mean_squared_error(truth, scored.scores, sample_weight=own)
        assert METRICS["rmse"](scored, weights)[number] == pytest.approx(squared**0.5)


def test_calibration_error_of_a_calibrated_and_a_bold_model():
    random = np.random.default_rng(0)
    scores = random.dirichlet(np.ones(2), 2000)
    truth = (random.random(2000) < scores[:, 1]).astype(int)
    error, limit = calibration(Scored(truth, scores, np.arange(2000)))
    assert error < limit
    bold = scores**4 / (scores**4).sum(1, keepdims=True)
    error, limit = calibration(Scored(truth, bold, np.arange(2000)))
    assert error > 2 * limit


# differences and the report


def made_cell(results, model, split, scores, truth, units=None, validation=0.5, name="made"):
    """Write a cell as a run would."""
    scored = Scored(truth, scores, np.arange(len(truth)) if units is None else units)
    path = results / "validation" / name / str(split) / f"{model}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {"state": "done", "metrics": metrics_of(scored), "validation": {"accuracy": validation}, "seconds": 2.0}
    found["fit_seconds"] = 1.5
    path.write_text(json.dumps({"table": name, "split": split, "model": model, **found}))
    np.savez(path.with_suffix(".npz"), truth=truth, scores=scores, units=scored.units)


def hits(*right):
    """Probabilities of two classes that hit class 0 in these rows."""
    return np.array([[0.8, 0.2] if one else [0.2, 0.8] for one in right])


def test_difference_is_the_mean_over_splits_and_resamples_units():
    truth, units = np.zeros(4, int), np.array([0, 0, 1, 1])
    ours = [Scored(truth, hits(1, 1, 1, 0), units), Scored(truth, hits(1, 1, 1, 1), units)]
    other = [Scored(truth, hits(0, 0, 1, 0), units), Scored(truth, hits(1, 0, 1, 1), units)]
    found = gain("accuracy", ours, other)
    assert found.value == pytest.approx((0.5 + 0.25) / 2) and found.splits == 2
    assert found.low == 0 and found.high == 1  # a resample of split 0 may be twice unit 0 (+1), or twice unit 1 (0)
    one_unit = [Scored(truth, one.scores, np.zeros(4, int)) for one in (ours[0], other[0])]
    alone = gain("accuracy", one_unit[:1], one_unit[1:])
    assert (alone.value, alone.low, alone.high) == (0.5, 0.5, 0.5)
    losses = gain("log_loss", ours, other)
    assert losses.value == pytest.approx((0.5 + 0.25) / 2 * np.log(4))  # positive: lower is better
    same = gain("accuracy", ours, ours)
    assert (same.value, same.low, same.high, same.standardised) == (0, 0, 0, 0)


def test_interval_of_many_rows_equals_the_normal_one():
    random = np.random.default_rng(7)
    right = random.random((2, 2000)) < [[0.7], [0.6]]
    truth, rows = np.zeros(2000, int), np.arange(2000)
    found = gain("accuracy", *[[Scored(truth, hits(*one), rows)] for one in right])
    difference = right[0].astype(float) - right[1]
    error = difference.std() / np.sqrt(2000)
    assert found.low == pytest.approx(difference.mean() - 1.96 * error, abs=0.25 * error)
    assert found.high == pytest.approx(difference.mean() + 1.96 * error, abs=0.25 * error)
    assert found.standardised == pytest.approx(difference.mean() / error, rel=0.1)


def test_report_equals_a_hand_computation(tmp_path, capsys):
    truth = np.zeros(4, int)
    for split, ours, linear, single in (
        (0, (1, 1, 1, 0), (1, 1, 0, 0), (1, 1, 1, 1)),
        (1, (1, 1, 1, 1), (1, 0, 0, 0), (0, 0, 0, 0)),
    ):
        made_cell(tmp_path, "default", split, hits(*ours), truth)
        made_cell(tmp_path, "linear", split, hits(*linear), truth, validation=0.6)
        made_cell(tmp_path, "single", split, hits(*single), truth, validation=0.5)
    made_cell(tmp_path, "default", 0, hits(0, 1), truth[:2], name="other")
    made_cell(tmp_path, "linear", 0, hits(1, 1), truth[:2], name="other")
    other = RealTable("other", "label", "accuracy", {}, "stratified")
    cells = load_cells(tmp_path / "validation")
    found = report_table(cells["made"], "default", "accuracy")
    assert found.values == {"default": 0.875, "linear": 0.375, "single": 0.5}
    assert found.gains["linear"].value == pytest.approx(0.5) and found.gains["single"].value == pytest.approx(0.375)
    assert choose_baseline(cells["made"], "default", "accuracy") == found.baseline == "linear"
    assert found.ranks() == {"default": 1, "single": 2, "linear": 3}
    benchmark.main(["--report", "--results", str(tmp_path)], {"made": SPEC, "other": other})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["default", "0.8750", "2", "splits", "2", "s"] in lines
    assert ["linear", "2.00", "2", "tables"] in lines and ["default", "1.50", "2", "tables"] in lines
    assert ["single", "2.00", "1", "tables"] in lines
    assert next(line for line in lines if line[:2] == ["linear", "0.3750"])[6:8] == ["ours", "+0.5000"]
    assert ["default", "minus", "the", "chosen", "baseline,", "2", "tables"] in lines
    other_gain = report_table(cells["other"], "default", "accuracy").gains["linear"]
    standardised = [found.gains["linear"].standardised, other_gain.standardised]
    assert f"mean standardised difference {np.mean(standardised):+.3f}".split() in lines
    assert ["above", "it", "by", "point", "on", "1,", "interval", "entirely", "below", "0", "on", "0"] in lines


def test_bars_are_judged_by_the_figures_of_the_cells(tmp_path, capsys):
    random, truth = np.random.default_rng(3), np.zeros(200, int)
    truth[::2] = 1
    calibrated = np.where(random.random(200) < 0.8, truth, 1 - truth)
    bold = np.where(random.random(200) < 0.5, truth, 1 - truth)
    shown = {"default": np.eye(2)[calibrated] * 0.6 + 0.2, "linear": np.eye(2)[bold] * 0.98 + 0.01}
    for name in ("av_digits", "stocknet"):
        for model, scores in shown.items():
            made_cell(tmp_path, model, 0, scores, truth, name=name)
        made_cell(tmp_path, "fast", 0, shown["linear"], truth, name=name, validation=0.4)
    made_cell(tmp_path, "default", 0, shown["linear"], truth, name="fomc_stance")
    made_cell(tmp_path, "linear", 0, shown["default"], truth, name="fomc_stance")
    tables = {name: RealTable(name, "label", "accuracy", {}, "") for name in ("av_digits", "stocknet", "fomc_stance")}
    benchmark.main(["--report", "--results", str(tmp_path), "--json", str(tmp_path / "whole.json")], tables)
    found = json.loads((tmp_path / "whole.json").read_text())
    judged = {bar["name"]: bar["passed"] for bar in found["bars"]}
    assert judged["no interval is entirely below 0"] is False  # that of fomc_stance is
    assert judged["above the chosen baseline on two thirds"] is True
    assert judged["fomc_stance, accuracy at least 0.6"] is False
    assert judged["av_digits, calibration error"] is True and judged["fomc_stance, calibration error"] is False
    assert judged["stocknet, calibration error"] is None  # later days are a shift
    assert judged["av_digits, log_loss not above linear"] is True
    assert judged["fomc_stance, brier not above linear"] is False
    assert judged["av_digits, time of the fit"] is True
    assert "  NOT met    fomc_stance, brier not above linear: -" in capsys.readouterr().out
    assert found["tables"]["av_digits"]["baseline"] == "linear" and found["judged"] == "validation rows"


def test_names_are_checked(capsys):
    with pytest.raises(SystemExit):
        benchmark.parse(["--models", "forest"], TABLES)
    assert "unknown model 'forest'; known: constant, linear" in capsys.readouterr().err
    assert isinstance(benchmark.parse(["--tables", "nlvr,pokedex"], TABLES), Namespace)
