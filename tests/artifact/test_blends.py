"""A blend of a network, a linear model and boosted trees is used like any model, and saved as plain arrays."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow.csv as csv
import pytest
from blends import COLUMNS, WEIGHTS, blended

import sensorium
from sensorium.errors import ConfigError
from sensorium.prepare import prepare_columns
from sensorium.prepare.summaries import _summarize
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing import make_table


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return make_table(tmp_path_factory.mktemp("blend"), rows=60, classes=3, modalities=[*COLUMNS, "tags"])


@pytest.fixture(scope="module")
def model(table):
    return blended(table)


def alone(model, place):
    return sensorium.Model(replace(model.fitted, members=[model.fitted.members[place]], member_weights=()))


def test_scores_are_the_weighted_mean(model, table):
    each = [alone(model, place).predict_proba(table) for place in range(3)]
    expected = sum(weight * own for weight, own in zip(WEIGHTS, each, strict=True))
    assert model.predict_proba(table) == pytest.approx(expected)
    assert not np.allclose(each[1], each[2])
    assert [(own["name"], own["kind"]) for own in model.members] == [
        ("network", "network"),
        ("linear", "estimator"),
        ("trees", "estimator"),
    ]


PREDICT = """
import json, sys
import sensorium
both = [sensorium.load(path) for path in sys.argv[2:]]
assert not {"sklearn", "lightgbm"} & {*sys.modules}
print(json.dumps([model.predict_proba(sys.argv[1]).tolist() for model in both]))
assert not {"sklearn", "lightgbm"} & {*sys.modules}
"""


def test_a_blend_predicts_the_same_bits_in_a_new_process(model, table, tmp_path):
    paths = [tmp_path / name for name in ("m", "m.zip")]
    for path in paths:
        model.save(path)
    command = [sys.executable, "-c", PREDICT, str(table), *map(str, paths)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(found.stdout) == [model.predict_proba(table).tolist()] * 2
    expected = model.evaluate(table, "all").to_json()
    for loaded in map(sensorium.load, paths):
        assert loaded.members == model.members and loaded.fitted.digest() == model.fitted.digest()
        assert loaded.evaluate(table, "all").to_json() == expected


@pytest.mark.slow
@pytest.mark.parametrize("target", ["number", "tags"])
def test_blends_of_numbers_and_of_several_labels_are_saved(target, table, tmp_path):
    model = blended(table, target)
    model.save(tmp_path / "m")
    loaded = sensorium.load(tmp_path / "m")
    prepared = prepare_columns(open_table(table), model.fitted.learnt, Silent())
    assert (loaded.fitted.scores(prepared) == model.fitted.scores(prepared)).all()
    assert len(loaded.predict(table)) == 60


def test_a_blend_without_a_network_is_saved(model, table, tmp_path):
    classical = sensorium.Model(
        replace(model.fitted, members=model.fitted.members[1:], member_weights=[0.25, 0.75], blend_temperature=2.0)
    )
    classical.save(tmp_path / "m")
    loaded = sensorium.load(tmp_path / "m")
    assert (loaded.predict_proba(table) == classical.predict_proba(table)).all()
    assert loaded.fitted.blend_temperature == 2.0
    with pytest.raises(ConfigError, match="no network"):
        loaded.quantize()
    with pytest.raises(ConfigError, match="no network: its members are linear, trees"):
        loaded.fitted.embed(prepare_columns(open_table(table), loaded.fitted.learnt, Silent()))


def test_rows_with_missing_columns_and_tables_without_rows_are_predicted(model):
    rows = [{"number": 1.0}, {"text": "one two"}, {"category": "a"}, {}]
    found = model.predict_proba(rows)
    assert found.sum(1) == pytest.approx(1)
    assert found[-1].tolist() == model.fitted.prior
    assert model.predict_proba(rows[:1]) == pytest.approx(found[:1])
    assert model.predict_proba([]).shape == (0, 3)


def test_subsets_count_the_other_modalities_as_missing(model, table):
    found = model.evaluate(table, "all", subsets=True).subsets
    whole = found.results[-1]
    assert set(whole.modalities) == {"text", "image", "tabular"}
    assert whole.value == pytest.approx(model.evaluate(table, "all").metrics[found.metric])
    prepared = prepare_columns(open_table(table), model.fitted.learnt, Silent())
    scores, there = model.fitted.subset_scores(prepared, [["text"], ["tabular"]])
    assert there.all()
    cells = csv.read_csv(table)
    for place, names in enumerate((["text"], ["number", "category"])):
        assert scores[place] == pytest.approx(model.predict_proba(cells.select(names)), abs=1e-6)


@pytest.mark.parametrize("subsets", [None, [["text"], ["tabular"], ["text", "tabular"]]])
def test_estimators_of_a_model_share_one_summary_of_each_column(model, table, monkeypatch, subsets):
    prepared, counted = prepare_columns(open_table(table), model.fitted.learnt, Silent()), []
    count_terms = _summarize.count_terms
    monkeypatch.setattr(_summarize, "count_terms", lambda cells: counted.append(len(cells)) or count_terms(cells))
    if subsets is None:
        model.fitted.scores(prepared)
    else:
        model.fitted.subset_scores(prepared, subsets)
    assert counted == [len(prepared)]


@pytest.mark.slow
def test_quantization_changes_the_network_alone(table, tmp_path):
    model = blended(table, width=160)
    small = model.quantize()
    assert small.fitted.int8 and small.weight_bytes < model.weight_bytes
    for place in (1, 2):
        assert (alone(small, place).predict_proba(table) == alone(model, place).predict_proba(table)).all()
    assert np.abs(small.predict_proba(table) - model.predict_proba(table)).max() < 0.05
    small.save(tmp_path / "m")
    loaded = sensorium.load(tmp_path / "m")
    assert (loaded.predict_proba(table) == small.predict_proba(table)).all()
    assert loaded.fitted.int8 == small.fitted.int8


def test_streamed_files_give_the_same_predictions(model, table):
    config = model.fitted.config
    streaming = config.model_copy(update={"prepare": config.prepare.model_copy(update={"stream": True})})
    streamed = sensorium.Model(replace(model.fitted, config=streaming))
    assert streamed.predict_proba(table) == pytest.approx(model.predict_proba(table), abs=1e-6)
    once, again = (each.evaluate(table, "all", subsets=True).subsets.to_json() for each in (model, streamed))
    assert once == again


def test_a_temperature_of_an_estimator_divides_its_log_probabilities(model, table):
    member = replace(model.fitted.members[1], temperature=2.0)
    scaled = sensorium.Model(replace(model.fitted, members=[member], member_weights=()))
    roots = alone(model, 1).predict_proba(table) ** 0.5
    assert scaled.predict_proba(table) == pytest.approx(roots / roots.sum(1, keepdims=True))
    assert member.uncalibrated().temperature == 1


def test_a_blend_teaches(model, table, tmp_path):
    model.save(tmp_path / "teacher")
    student = sensorium.fit(
        table, "label", columns=["number"], teacher=str(tmp_path / "teacher"), epochs=1, progress=False
    )
    assert student.predict_proba(table).shape == (60, 3)
