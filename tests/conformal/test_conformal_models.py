"""Prediction sets and intervals of models: predicted, evaluated, saved, quantized, adapted."""

import json

import numpy as np
import pytest

import sensorium
from sensorium.errors import ConfigError
from sensorium.testing import make_table
from sensorium.wording import conformal_sentences


def rows(count=240, seed=0):
    random = np.random.default_rng(seed)
    label = random.integers(0, 3, count)
    words = np.array(["red", "green", "blue"])[
        np.where(random.random(count) < 0.8, label, random.integers(0, 3, count))
    ]
    return {
        "size": np.where(random.random(count) < 0.8, random.normal(label, 0.7), np.nan),
        "note": [f"a {word} thing number {n}" if n % 4 else None for n, word in enumerate(words)],
        "kind": np.array(["a", "b", "c"])[label].tolist(),
        "cost": (2 * label + random.normal(0, 1, count)).round(2).tolist(),
        "split": (["train"] * 2 + ["val", "test"]) * (count // 4),
    }


def only(target, table):
    targets = [target] if isinstance(target, str) else target
    return {name: cells for name, cells in table.items() if name in ("size", "note", "split", *targets)}


def fit(target, **more):
    return sensorium.fit(only(target, rows()), target, preset="fast", epochs=2, width=16, progress=False, **more)


@pytest.fixture(scope="module")
def model():
    return fit("kind")


@pytest.fixture(scope="module")
def both():
    return fit(["kind", "cost"])


def test_predictions_have_sets(model):
    new = rows(seed=1)
    found = model.predictions(new, coverage=0.9)
    table = found.to_arrow()
    assert table.column_names[1:] == ["prediction", *(f"probability_{k}" for k in "abc"), "prediction_set", "problem"]
    sets = [[label for label, own in zip("abc", row, strict=True) if own] for row in found.sets]
    assert table["prediction_set"].to_pylist() == sets
    assert found.coverage == 0.9 and found.intervals is None
    assert np.mean([label in own for label, own in zip(new["kind"], sets, strict=True)]) > 0.8
    assert (model.predictions(new, coverage=0.97).sets >= found.sets).all()
    assert model.predictions(new).sets is None


def test_several_targets_have_sets_and_intervals(both):
    found = both.predictions(rows(seed=1), coverage=0.9)
    names = found.to_arrow().column_names
    assert {"kind.prediction_set", "cost.lower", "cost.upper"} < {*names}
    assert found.sets.keys() == {"kind"} and found.intervals.keys() == {"cost"}
    low, high = found.intervals["cost"].T
    assert 0.8 < np.mean((low <= rows(seed=1)["cost"]) & (rows(seed=1)["cost"] <= high)) < 1


def test_sets_are_written_to_every_format(model, tmp_path):
    found = model.predictions(rows(seed=1), coverage=0.9)
    for suffix in (".csv", ".parquet", ".jsonl", ".xlsx"):
        found.save(tmp_path / f"p{suffix}")
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert [line["prediction_set"] for line in lines] == found.to_arrow()["prediction_set"].to_pylist()
    assert f',"{json.dumps(lines[0]["prediction_set"])}",' in (tmp_path / "p.csv").read_text().replace('""', '"')


def test_evaluation_reports_coverage_by_modalities_and_class(model):
    own = rows(seed=1)
    found = model.evaluate(own, "test", coverage=0.9).coverage
    (target,) = found.targets.values()
    sets = model.predictions({name: cells[3::4] for name, cells in own.items()}, coverage=0.9).sets
    truth = np.array(["abc".index(label) for label in own["kind"][3::4]])
    hits = sets[np.arange(60), truth]
    assert target.every.coverage == hits.mean() and target.every.size == sets.sum(1).mean()
    low, high = target.every.interval
    assert low < target.every.coverage < high
    assert sum(rate.rows for rate in target.modalities) == sum(rate.rows for rate in target.classes) == 60
    assert [rate.names for rate in target.classes] == [["a"], ["b"], ["c"]]
    for k, rate in enumerate(target.classes):
        assert rate.coverage == hits[truth == k].mean()
    content = model.evaluate(own, "test", coverage=0.9).to_json()["coverage"]
    assert content["level"] == 0.9 and content["per"] == "modalities"
    json.dumps(content, allow_nan=False)


def test_abstention_curve_ends_at_the_metric_of_all_rows(model):
    found = model.evaluate(rows(seed=1), "test", coverage=0.9)
    (target,) = found.coverage.targets.values()
    shares = [point["answered"] for point in target.abstention]
    assert shares == sorted(shares) and shares[-1] == 1
    assert target.abstention[-1]["accuracy"] == pytest.approx(found.metrics["accuracy"])
    scores = model.predict_proba({k: v[3::4] for k, v in rows(seed=1).items()}).max(1)
    right = np.array(rows(seed=1)["kind"][3::4]) == model.predict({k: v[3::4] for k, v in rows(seed=1).items()})
    half = np.argsort(-scores, kind="stable")[:30]
    assert next(p for p in target.abstention if p["answered"] == 0.5)["accuracy"] == pytest.approx(right[half].mean())


def test_subsets_and_coverage_are_measured_together(model):
    one, other = (model.evaluate(rows(seed=1), "test", coverage=0.9, subsets=asked) for asked in (False, True))
    assert one.coverage.to_json() == other.coverage.to_json()


def test_what_the_coverage_does_not_hold_for_is_reported(model):
    table = {"size": [None, 1.0], "note": [None, "a red thing"]}
    reasons = [str(problem.reason) for problem in model.predictions(table, coverage=0.9).problems]
    assert any("not for rows without a value" in reason for reason in reasons)
    assert not any(
        "not for rows" in r.reason for r in model.predictions(table, coverage=0.9, coverage_per="all").problems
    )


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"coverage": 1.0}, "between 0 and 1"),
        ({"coverage": 90}, "between 0 and 1"),
        ({"coverage": "0.9"}, "between 0 and 1"),
        ({"coverage": 0.9, "coverage_per": "row"}, "modalities, class, all"),
        ({"coverage": 0.999}, "999 rows or more"),
    ],
)
def test_impossible_coverage_is_an_error(options, match, model):
    with pytest.raises(ConfigError, match=match):
        model.predictions(rows(seed=1), **options)


@pytest.mark.slow
def test_model_without_conformal_scores_says_so():
    without = fit("kind", config={"conformal": "none"})
    assert without.fitted.conformal == {} and "conformal" not in without.card
    with pytest.raises(ConfigError, match="no conformal scores"):
        without.evaluate(rows(), coverage=0.9)


@pytest.mark.slow
def test_setting_names_the_score():
    assert fit("kind", config={"conformal": "aps"}).fitted.conformal[""].method == "aps"


def test_score_that_suits_no_target_is_an_error():
    with pytest.raises(ConfigError, match="'lac' does not suit the task regression") as error:
        fit("cost", config={"conformal": "lac"})
    assert error.value.rule == "auto, absolute, normalized, none"


@pytest.mark.slow
def test_score_with_too_few_rows_is_replaced_and_named():
    record = fit("cost", config={"conformal": "normalized"}).fitted.card.conformal
    assert (record.methods, record.asked) == ({"": "absolute"}, "normalized")
    assert conformal_sentences(record)[0].endswith("there are too few rows for the score normalized")


def test_card_says_which_rows_calibrate_and_what_they_chose(model):
    record = model.card["conformal"]
    assert record["source"] == "validation" and record["rows"] == {"": 60}
    tested = model.evaluate(only("kind", rows()), "test", coverage=0.9, coverage_per="modalities").coverage
    assert record["test"][""]["coverage"] == tested.targets[""].every.coverage


def test_saved_and_quantized_models_keep_the_sets(model, tmp_path):
    model.save(tmp_path / "model")
    again = sensorium.load(tmp_path / "model")
    wanted = model.predictions(rows(seed=1), coverage=0.9).to_arrow()
    assert again.predictions(rows(seed=1), coverage=0.9).to_arrow().equals(wanted)
    assert again.quantize().fitted.conformal.keys() == model.fitted.conformal.keys()


def test_adapted_models_drop_the_sets_and_say_so(tmp_path):
    images = make_table(tmp_path, rows=60, modalities=["image"])
    own = sensorium.fit(images, "label", preset="fast", epochs=1, progress=False)
    assert own.fitted.conformal
    adapted = own.adapt(images, method="adabn")
    assert not adapted.fitted.conformal and "conformal" not in adapted.card
    assert any("no prediction sets" in problem.reason for problem in adapted.fit_problems)
