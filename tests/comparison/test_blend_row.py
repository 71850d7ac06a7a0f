"""The blend as a row of a comparison: what it is, how it is judged, and when it is left out."""

import json
import math
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

import sensorium
from sensorium.blending import _blend, _classical
from sensorium.comparison import ComparisonOptions, _blends
from sensorium.comparison._estimate import seconds_left
from sensorium.comparison._judge import judge
from sensorium.comparison._plan import Candidate
from sensorium.comparison._result import Result
from sensorium.errors import ConfigError
from sensorium.evaluate import CrossValidation
from sensorium.metrics import Outcome
from sensorium.report import comparison_text
from sensorium.trials import Cost, TrialSpec, run_trial
from sensorium.wording import verdict_sentence

RUN = "sensorium.trials._runner.run_trial"
NETWORK = {"epochs": 2, "width": 8, "progress": False}
BLEND = {"fusions": ["concat"], "baselines": ["none"], "blend": True, **NETWORK}
MEASURED = ("seconds", "peak_memory_mb", "energy_j", "rows_per_second")


def make_rows(rows=100, seed=0):
    """A text and a number that tell the label together with chance."""
    random, words = np.random.default_rng(seed), np.array(["calm", "loud", "sea", "town", "rain", "road", "old", "new"])
    label = random.integers(0, 2, rows)
    texts = [" ".join(random.choice(words[4 * own :][:4] if random.random() < 0.7 else words, 6)) for own in label]
    size = (label + random.normal(0, 0.8, rows)).round(3)
    split = (["train"] * 6 + ["val", "val", "test", "test"]) * (rows // 10)
    return {"text": texts, "size": size.tolist(), "label": np.array(["no", "yes"])[label].tolist(), "split": split}


def scores_of(comparison):
    """The results without what is measured."""
    rows = [
        {key: value for key, value in row.items() if key not in MEASURED} for row in comparison.to_json()["results"]
    ]
    return rows, comparison.recommended, comparison.left_out, comparison.difference.to_json()


def by_name(comparison):
    return {result.name: result for result in comparison.results}


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Without linear models, and with two folds for trees: `tests/strategies` has whole blends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_classical, "KINDS", ("trees",))
        patch.setattr(_blend, "FOLDS", (2,))
        yield


@pytest.fixture(scope="module")
def table():
    return make_rows()


@pytest.fixture(scope="module")
def compared(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("comparison")
    return sensorium.compare(table, "label", out=out, **BLEND), out


def test_the_blend_is_a_row_beside_the_others(compared):
    found, out = compared
    row = by_name(found)["blend"]
    assert [result.name for result in found.results] == ["text", "size", "concat", "blend"]
    assert (row.kind, row.fusion) == ("blend", None)
    assert row.gain.value == pytest.approx(row.runs[0] - by_name(found)[found.best_single].runs[0])
    assert row.evaluation.n == by_name(found)["concat"].evaluation.n == 20
    assert row.cost.seconds > by_name(found)["concat"].cost.seconds and row.cost.parameters > 0
    assert found.finding.blend.than.name != "blend" and found.finding.blend.model.kind == "blend"
    weights = [each.weight for each in row.blend.candidates]
    assert sum(weights) == pytest.approx(1)
    used = {name for each in row.blend.candidates if each.weight for name in each.modalities}
    assert set(row.modalities) == used
    written = json.loads((out / "comparison.json").read_text())
    assert written == found.to_json()
    assert written["results"][-1]["blend"]["judged"] == 80  # all training and validation rows
    assert all(line["shared_validation"] == line["validation"] for line in written["results"])
    assert found.verdict == verdict_sentence(found.finding) and "The blend of a network" in found.verdict


def test_the_report_shows_the_blend(compared):
    console = Console(width=200, file=StringIO())
    console.print(comparison_text(compared[0]))
    shown = console.file.getvalue()
    assert "\nthe blend " in shown and "estimated on 80 rows by models" in shown


@pytest.mark.slow
def test_the_row_is_the_model_that_the_preset_good_trains(compared, table, tmp_path):
    found, out = compared
    fitted = sensorium.fit(table, "label", preset="good", out=tmp_path / "run", **NETWORK)
    loaded = sensorium.load(out / "blend")
    assert np.array_equal(loaded.predict_proba(table), fitted.predict_proba(table))
    assert loaded.evaluate(table).metrics == pytest.approx(by_name(found)["blend"].evaluation.metrics)
    out_of_fold = json.loads((tmp_path / "run" / "metrics.json").read_text())["validation"]["metrics"]
    assert by_name(found)["blend"].validation == pytest.approx(out_of_fold[found.difference.metric])


def test_a_finished_blend_is_not_trained_again(compared, table, monkeypatch):
    found, out = compared
    monkeypatch.setattr(RUN, lambda *_: pytest.fail("trained again"))
    monkeypatch.setattr(_blends, "blend", lambda *_: pytest.fail("blended again"))
    assert sensorium.compare(table, "label", out=out, **BLEND).to_json() == found.to_json()
    assert not list((out / ".finished" / "models").glob("*"))  # the network is in the blend
    without = sensorium.compare(table, "label", out=out, **BLEND | {"blend": None})
    assert [result.name for result in without.results] == ["text", "size", "concat"]
    assert without.finding.blend is None and without.results[0].shared_validation is None


@pytest.mark.slow
def test_a_blend_that_is_interrupted_goes_on_with_its_networks(compared, table, tmp_path, monkeypatch):
    trained = []

    def run(data, spec, control):
        if len(trained) == 6:
            raise KeyboardInterrupt
        trained.append(spec.name)
        return run_trial(data, spec, control)

    monkeypatch.setattr(RUN, run)
    with pytest.raises(KeyboardInterrupt):
        sensorium.compare(table, "label", out=tmp_path, **BLEND)
    assert trained[3:] == ["network", "network, fold 1 of 5", "network, fold 2 of 5"]
    monkeypatch.setattr(RUN, lambda data, spec, control: trained.append(spec.name) or run_trial(data, spec, control))
    found = sensorium.compare(table, "label", out=tmp_path, **BLEND)
    assert trained[6:] == [f"network, fold {k} of 5" for k in (3, 4, 5)]
    assert scores_of(found) == scores_of(compared[0])
    first, second = (sensorium.load(out / "blend").predict_proba(table) for out in (tmp_path, compared[1]))
    assert np.array_equal(first, second)


@pytest.mark.slow
def test_workers_train_the_same_blend(compared, table):
    found = sensorium.compare(table, "label", workers=2, **BLEND)
    assert scores_of(found) == scores_of(compared[0])


@pytest.mark.slow
def test_each_seed_has_a_blend(compared, table):
    found = sensorium.compare(table, "label", seeds=2, **BLEND)
    assert len(by_name(found)["blend"].runs) == 2
    assert by_name(found)["blend"].runs[0] == by_name(compared[0])["blend"].runs[0]


@pytest.mark.slow
def test_every_fold_has_a_blend_of_its_own_rows(table, tmp_path):
    rows = {name: cells[:60] for name, cells in table.items() if name != "split"}
    found = sensorium.compare(rows, "label", folds=2, out=tmp_path, **BLEND)
    row = by_name(found)["blend"]
    assert len(row.folds) == 2 and row.blend is None and not (tmp_path / "blend").exists()
    assert row.evaluation.metrics["accuracy"] == pytest.approx(np.mean([own["accuracy"] for own in row.folds]))
    assert math.isfinite(row.shared_validation) and found.finding.blend and found.finding.choices == 1
    again = sensorium.compare(rows, "label", folds=2, out=tmp_path, **BLEND)
    assert again.to_json() == found.to_json()


@pytest.mark.slow
def test_in_a_large_table_the_blend_is_judged_by_the_validation_rows_that_chose_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(_blend, "LARGEST", 100)
    table = make_rows(400)
    found = sensorium.compare(table, "label", out=tmp_path, train={"metric": "log_loss"}, **BLEND)
    rows = by_name(found)
    assert rows["blend"].blend.judged == 40  # the other 40 validation rows calibrate, and judge the blend
    assert rows["blend"].validation == rows["blend"].shared_validation
    assert rows["concat"].validation != rows["concat"].shared_validation
    loaded = sensorium.load(tmp_path / "concat")
    assert rows["concat"].validation == pytest.approx(loaded.evaluate(table, "validation").metrics["log_loss"])


@pytest.mark.parametrize(
    ("target", "settings", "reason"),
    [
        (["label", "size"], {}, "a blend predicts one target, not several"),
        ("label", {"prepare": {"stream": True}}, "prepare.stream cannot be combined with a blend"),
        ("label", {"train": {"pretrain": {"techniques": ["masked"]}}}, "train.pretrain cannot be combined"),
    ],
)
def test_a_blend_that_is_not_supported_is_refused_if_it_was_requested(target, settings, reason, table):
    given = {**table, "year": list(range(100))}
    with pytest.raises(ConfigError, match=reason) as caught:
        sensorium.compare(given, target, **BLEND | settings)
    assert "--no-blend" in caught.value.cure


def test_a_blend_that_is_not_supported_is_left_out_by_default(table, monkeypatch):
    monkeypatch.setattr("sensorium.comparison._plan.USUAL", ("concat",))
    monkeypatch.setattr("sensorium.comparison._options.choose_baselines", lambda *_: [])
    found = sensorium.compare(table, "label", prepare={"stream": True}, **NETWORK | {"epochs": 1})
    assert found.left_out == {"blend": "prepare.stream cannot be combined with a blend"}
    assert found.finding.blend is None


@pytest.mark.slow
def test_a_library_that_fails_leaves_out_the_blend_only(table, monkeypatch):
    def full(*_, **__):
        raise MemoryError("no room for the matrix")

    monkeypatch.setattr(_blend, "classical_candidates", full)
    found = sensorium.compare(table, "label", **BLEND | {"epochs": 1})
    assert found.left_out == {"blend": "MemoryError: no room for the matrix"}
    assert [result.name for result in found.results] == ["text", "size", "concat"]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("options", "wants"),
    [
        ({}, True),
        ({"fusions": ["concat"]}, False),
        ({"baselines": ["none"]}, False),
        ({"fusions": ["concat"], "blend": True}, True),
        ({"blend": False}, False),
    ],
)
def test_the_blend_is_trained_unless_models_are_chosen(options, wants):
    assert ComparisonOptions(**options).wants_blend is wants


@pytest.mark.unit
def test_the_flag_is_true_false_or_none(table):
    with pytest.raises(ConfigError, match="blend cannot be 'yes'"):
        sensorium.compare(table, "label", **BLEND | {"blend": "yes"})


def decided(name, kind, right, validation, shared=None):
    """A result that is right on so large a share of 200 test rows, and its answers."""
    truth = np.arange(200) % 2
    answers = np.where(np.arange(200) < right * 200, truth, 1 - truth)
    fusion, cost = name if kind == "fusion" else None, Cost(1.0, 1, None, None, 1.0)
    result = Result(name, kind, [name], fusion, None, [right], validation, cost)
    shared = validation if shared is None else shared
    return replace(result, shared_validation=shared), Outcome(truth, np.eye(2)[answers], answers)


def judged(*pairs):
    outcomes = {result.name: [outcome] for result, outcome in pairs}
    return judge([result for result, _ in pairs], outcomes, "accuracy", 1)[1]


HELPS = [decided("text", "single", 0.6, 0.6), decided("concat", "fusion", 0.8, 0.8)]
HELPS_NOT = [decided("text", "single", 0.8, 0.8), decided("concat", "fusion", 0.8, 0.9)]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("others", "blend", "recommended", "told"),
    [
        (
            HELPS,
            decided("blend", "blend", 0.82, 0.85),
            "blend",
            "is better on the validation rows. On the test rows, it",
        ),
        (HELPS, decided("blend", "blend", 0.82, 0.75), "concat", "is not better on the validation rows."),
        (HELPS, decided("blend", "blend", 0.82, 0.8), "concat", "is not better on the validation rows."),
        (HELPS, decided("blend", "blend", 0.6, 0.85), "concat", "classical models loses 20.0 points accuracy"),
        (HELPS, decided("blend", "blend", 0.82, 0.9, math.nan), "concat", "is not better on the validation rows."),
        (HELPS, decided("blend", "blend", 0.82, 0.9, 0.7), "concat", "is not better on the validation rows."),
        (HELPS_NOT, decided("blend", "blend", 0.82, 0.85), "blend", "over text alone (95% interval"),
        (HELPS_NOT, decided("blend", "blend", 0.82, 0.7), "text", "is not better on the validation rows."),
    ],
)
def test_the_blend_is_recommended_if_validation_rows_prefer_it_and_test_rows_do_not_object(
    others, blend, recommended, told
):
    found, without = judged(*others, blend), judged(*others)
    assert found.recommended == recommended
    assert told in found.verdict
    use = {"blend": "Use the blend.", "text": "Use text alone.", "concat": ""}[recommended]
    assert found.verdict.endswith(use)
    assert found.finding.blend.than.name == without.recommended
    assert (found.helps, found.best_fused, found.difference) == (without.helps, without.best_fused, without.difference)
    sentences = found.verdict.split(". ")
    assert all(sentence.count("95% interval") <= 1 for sentence in sentences)


@pytest.mark.unit
def test_a_blend_makes_no_claim_of_a_cross_validation_harder():
    folds = CrossValidation(5, 1, "5 folds", [{"train": 70, "validation": 10, "test": 20}] * 5)

    def of_folds(name, kind, runs):
        result = decided(name, kind, 0.5, float(np.mean(runs)))[0]
        return replace(result, runs=runs)

    rows = [
        of_folds("text", "single", [0.60, 0.62, 0.58, 0.61, 0.59]),
        of_folds("concat", "fusion", [0.66, 0.70, 0.61, 0.66, 0.66]),
    ]
    blend = of_folds("blend", "blend", [0.7, 0.7, 0.7, 0.7, 0.7])
    found = judge([*rows, blend], {}, "accuracy", 1, folds=folds)[1]
    assert found.finding.choices == 1 and found.helps and found.recommended == "blend"


@pytest.mark.unit
@pytest.mark.parametrize(("folds", "seconds"), [(5, 3 * 5 + 4 * 5 * 2), (1, 3 + 4 * 2)])
def test_the_time_of_a_blend_is_that_of_its_networks_and_classical_models(folds, seconds):
    candidates = {
        "image": Candidate("image", "single", ["image"], TrialSpec("image")),
        "number": Candidate("number", "single", ["number"], TrialSpec("number")),
        "concat": Candidate("concat", "fusion", ["image", "number"], TrialSpec("concat")),
        "trees": Candidate("trees", "baseline", ["image", "number"], TrialSpec("trees")),
        "blend": Candidate("blend", "blend", ["image", "number"], TrialSpec("blend", blended=True), folds),
    }
    measured = {"image": 1.0, "number": 1.0, "concat": 3.0, "trees": 4.0}
    assert seconds_left(["blend"], candidates, measured) == pytest.approx(seconds)


@pytest.mark.slow
def test_a_column_may_be_called_blend(table):
    given = {**table, "blend": table["text"]}
    del given["text"]
    found = sensorium.compare(given, "label", **BLEND | {"epochs": 1})
    assert [result.name for result in found.results] == ["size", "blend", "concat", "blend (blended model)"]
