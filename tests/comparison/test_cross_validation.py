"""Comparisons over folds: every row is tested, models are compared by corrected intervals."""

import json
import subprocess
import sys
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

import sensorium
from sensorium.comparison._judge import judge
from sensorium.comparison._result import Result
from sensorium.errors import ConfigError
from sensorium.evaluate import CrossValidation, Evaluation
from sensorium.report import comparison_text
from sensorium.testing import make_truth
from sensorium.trials import Cost, run_trial
from sensorium.wording import verdict_sentence

RUN = "sensorium.trials._runner.run_trial"
QUICK = {"fusions": ["concat"], "baselines": ["none"], "progress": False, "width": 8}
QUICK |= {"train": {"epochs": 1, "metric": "accuracy"}}


@pytest.fixture(scope="module")
def table():
    return make_truth("unique", rows=60)


@pytest.fixture(scope="module")
def compared(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("folds")
    return sensorium.compare(table, "label", folds=3, out=out, **QUICK), out


def test_every_row_is_tested_once_and_metrics_are_means_over_folds(compared):
    found, out = compared
    folds = found.cross_validation
    assert (folds.folds, folds.repeats, len(folds.parts), folds.tested) == (3, 1, 3, 60)
    assert all(part == {"train": 36, "validation": 4, "test": 20} for part in folds.parts)
    for result in found.results:
        assert len(result.folds) == len(result.runs) == 3 and result.evaluation.n == 60
        for name in ("accuracy", "log_loss", "roc_auc"):
            value, (low, high) = result.evaluation.metrics[name], result.evaluation.intervals[name]
            assert value == pytest.approx(np.mean([metrics[name] for metrics in result.folds]))
            assert low <= value <= high
        assert result.runs == [metrics["accuracy"] for metrics in result.folds]
    fused = {result.name: result for result in found.results}
    gains = np.subtract(fused["concat"].runs, fused[found.best_single].runs)
    assert found.difference.value == pytest.approx(gains.mean())
    assert found.verdict.endswith(" All figures are means of 3 folds.")
    assert found.verdict == verdict_sentence(found.finding)
    written = json.loads((out / "comparison.json").read_text())
    assert written == found.to_json()
    assert written["cross_validation"]["test_to_training"] == 0.5
    assert [len(result["folds"]) for result in written["results"]] == [3, 3, 3]
    assert not any(path.is_dir() and not path.name.startswith(".") for path in out.iterdir()), "no model is saved"


def test_the_report_shows_folds(compared):
    console = Console(width=200, file=StringIO())
    console.print(comparison_text(compared[0]))
    shown = console.file.getvalue()
    assert "cross-validation on 60 rows: 3 folds, stratified by label, seed 0" in shown
    assert "accuracy by fold" in shown and "fold 3" in shown and "± folds" in shown


def test_a_finished_comparison_is_not_trained_again_and_is_not_mixed_with_another(compared, table, monkeypatch):
    found, out = compared
    monkeypatch.setattr(RUN, lambda *_: pytest.fail("trained again"))
    again = sensorium.compare(table, "label", folds=3, out=out, **QUICK)
    assert again.to_json() == found.to_json()
    for other in ({"folds": 4}, {"folds": 3, "repeats": 2}, {}):
        with pytest.raises(ConfigError, match=r"another run: .*(folds|repeats) was"):
            sensorium.compare(table, "label", out=out, **QUICK | other)


@pytest.mark.slow
def test_a_comparison_that_is_killed_goes_on_with_the_same_result(compared, table, tmp_path, monkeypatch):
    trained = []

    def run(data, spec, control):
        if len(trained) == 4:
            raise KeyboardInterrupt
        trained.append(spec.name)
        return run_trial(data, spec, control)

    monkeypatch.setattr(RUN, run)
    with pytest.raises(KeyboardInterrupt):
        sensorium.compare(table, "label", folds=3, out=tmp_path, **QUICK)
    monkeypatch.setattr(RUN, lambda data, spec, control: trained.append(spec.name) or run_trial(data, spec, control))
    found = sensorium.compare(table, "label", folds=3, out=tmp_path, **QUICK)
    assert len(trained) == 9
    folds = [[result.to_json()["folds"] for result in each.results] for each in (found, compared[0])]
    assert folds[0] == folds[1]


@pytest.mark.slow
def test_groups_are_on_one_side_and_repeats_cut_anew(table):
    groups = (np.arange(60) // 4).tolist()
    found = sensorium.compare(
        {**table, "who": groups},
        "label",
        folds=3,
        repeats=2,
        split={"group": "who"},
        columns=["left", "right"],
        **QUICK,
    )
    assert [len(result.folds) for result in found.results] == [6, 6, 6]
    assert found.cross_validation.tested == 60
    assert found.verdict.endswith(" All figures are means of 3 folds, repeated 2 times.")


@pytest.mark.slow
def test_named_test_rows_stay_out(table):
    named = {**table, "split": ["train"] * 40 + ["validation"] * 5 + ["test"] * 15}
    found = sensorium.compare(named, "label", folds=3, **QUICK)
    assert found.cross_validation.tested == 45
    assert any("its 15 test rows are not used" in notice["reason"] for notice in found.notices)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"folds": 1}, "folds cannot be 1"),
        ({"folds": True}, "folds cannot be"),
        ({"repeats": 2}, "repeats needs folds"),
        ({"folds": 3, "repeats": 0}, "repeats cannot be 0"),
        ({"folds": 3, "train": {"teacher": "model"}}, "cannot use a teacher"),
        ({"folds": 3, "repeats": 2, "split": {"time": "t"}}, "cannot be repeated"),
        ({"folds": 3, "columns": ["left"]}, "only one modality"),
    ],
)
def test_what_cannot_be_folded_is_refused(given, match, table):
    timed = {**table, "t": [*range(60)]}
    with pytest.raises(ConfigError, match=match):
        sensorium.compare(timed, "label", **QUICK | {"columns": ["left", "right"]} | given)


def result(name, kind, runs):
    metrics = [{"accuracy": value} for value in runs]
    evaluation = Evaluation(100, {"accuracy": float(np.mean(runs))}, {"accuracy": (0.0, 1.0)})
    fusion = name if kind == "fusion" else None
    cost = Cost(1.0, 10, None, None, 1.0)
    return Result(name, kind, ["one", "two"], fusion, evaluation, runs, float(np.mean(runs)), cost, folds=metrics)


FOLDS = CrossValidation(5, 1, "5 folds", [{"train": 70, "validation": 10, "test": 20}] * 5)


def judged(*fused):
    single = [result("one", "single", [0.6, 0.62, 0.58, 0.61, 0.59]), result("two", "single", [0.5] * 5)]
    return judge([*single, *fused], {}, "accuracy", 1, folds=FOLDS)[1]


@pytest.mark.unit
def test_a_clear_gain_in_every_fold_is_claimed():
    found = judged(result("concat", "fusion", [0.9, 0.93, 0.88, 0.91, 0.9]))
    assert found.helps and found.recommended == "concat" and found.finding.choices == 1
    assert found.verdict.startswith("Fusion helps here: concat fusion gains +30.4 points accuracy over one alone")


@pytest.mark.unit
def test_the_best_of_many_models_must_be_better_by_more():
    """In a cross-validation, the rows that choose a model are tested in other folds: p is corrected for the choice."""
    lucky = result("concat", "fusion", [0.66, 0.70, 0.61, 0.66, 0.66])
    assert judged(lucky).helps
    found = judged(lucky, *(result(f"fusion{k}", "fusion", [0.55] * 5) for k in range(9)))
    assert found.difference.helps and not found.helps and found.finding.choices == 10
    assert "It is not shown to beat one alone: 10 models were compared on the same folds" in found.verdict
    assert found.finding.kind == "does_not_help" and found.recommended == "one"


@pytest.mark.unit
def test_equally_good_models_are_rarely_said_to_gain_by_fusing():
    """Every model is right on 70% of the rows, and its validation metric is that of rows that other folds test."""
    random, claims, rows = np.random.default_rng(0), 0, 200
    folds = np.arange(rows) % 5
    cut = CrossValidation(5, 1, "5 folds", [{"train": 140, "validation": 20, "test": 40}] * 5)
    for _ in range(200):
        hard = random.normal(size=rows)
        models = []
        for number in range(8):
            right = hard + random.normal(size=rows) < 0.74
            runs = [float(right[folds == fold].mean()) for fold in range(5)]
            kind = "single" if number < 2 else "fusion"
            models.append(replace(result(f"model{number}", kind, runs), validation=float(right.mean())))
        claims += judge(models, {}, "accuracy", 1, folds=cut)[1].helps
    assert claims <= 10


@pytest.mark.slow
def test_a_share_of_test_rows_is_said_to_be_unused(table):
    found = sensorium.compare(table, "label", folds=2, split={"test": 0.3}, **QUICK)
    assert any("split.test is not used" in notice["reason"] for notice in found.notices)


@pytest.mark.slow
def test_the_command_line_cross_validates_and_says_which_fold_is_trained(table, tmp_path):
    import pandas

    names = [f"left{k}" for k in range(3)]
    rows = {name: [cell[k] for cell in table["left"]] for k, name in enumerate(names)}
    source = tmp_path / "table.csv"
    words = ["a green hill near the sea" if y == "yes" else "a quiet old stone town" for y in table["label"]]
    pandas.DataFrame(rows | {"note": words, "label": table["label"]}).to_csv(source, index=False)
    command = [sys.executable, "-m", "sensorium", "compare", str(source), "--target", "label", "--folds", "3"]
    command += ["--epochs", "1", "--fusions", "concat", "--baselines", "none", "--out", str(tmp_path / "out"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["cross_validation"]["folds"] == 3 and len(found["results"][0]["folds"]) == 3
    assert "fold 2 of 3" in done.stderr
