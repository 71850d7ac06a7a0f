"""The blended model: members are chosen and weighted by rows that they did not learn from."""

import json

import numpy as np
import pytest

import sensorium
from blend_rows import WORDS, make_rows
from sensorium.baselines import trees
from sensorium.blending import _blend, _networks, _time, check_blend
from sensorium.errors import ConfigError, OutOfMemoryError
from sensorium.planning import cut_folds, make_plan
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.trials import _work, blend_pool

SETTINGS = {"preset": "good", "epochs": 2, "width": 16, "progress": False}


@pytest.fixture(scope="module")
def table():
    return make_rows()


@pytest.fixture(scope="module")
def model(table):
    return sensorium.fit(table, "label", **SETTINGS)


def test_members_have_weights_that_sum_to_one(model):
    record = model.card["blend"]
    assert {"network", "linear", "trees"} <= {each["name"] for each in record["candidates"]}
    assert sum(each["weight"] for each in record["candidates"]) == pytest.approx(1)
    weights = [each["weight"] for each in record["candidates"] if each["weight"]]
    assert weights == pytest.approx([each["weight"] for each in model.members])
    assert np.array(model.fitted.member_weights) / sum(model.fitted.member_weights) == pytest.approx(weights)
    assert sum(model.fitted.member_weights) == pytest.approx(record["total"])
    assert record["judged"] == 144  # all training and validation rows
    assert record["value"] <= record["single"]  # both by choices of other rows


def test_rows_that_were_predicted_out_of_fold_calibrate_prediction_sets(model, table):
    record = model.card["conformal"]
    assert (record["source"], record["rows"]) == ("out_of_fold", {"": 144})
    sets = model.predictions(table, coverage=0.9).sets
    test = np.array(table["split"]) == "test"
    assert record["test"][""]["size"] == sets[test].sum(1).mean()


def test_a_loaded_model_predicts_the_same(model, table, tmp_path):
    model.save(tmp_path / "model")
    loaded = sensorium.load(tmp_path / "model")
    assert np.array_equal(loaded.predict_proba(table), model.predict_proba(table))
    assert loaded.card["blend"] == model.card["blend"]


def test_evaluating_validation_rows_that_the_members_learned_from_is_reported(model, table):
    assert not model.evaluate(table, "test").problems
    (problem,) = model.evaluate(table, "validation").problems
    assert problem.reason.startswith("32 of 32 rows were training rows")


def test_any_subset_of_the_columns_gives_predictions(model, table):
    for columns in (["text"], ["size"]):
        found = model.predict_proba({name: table[name] for name in columns})
        assert np.isfinite(found).all()
        assert found.sum(1) == pytest.approx(1)


@pytest.mark.parametrize(("weight", "pooling"), [("none", "log"), ("balanced", "mean"), ("sqrt", "mean")])
def test_class_weights_are_not_undone_by_the_class_frequencies(weight, pooling):
    config = sensorium.Config.gather({"target": "label", "train": {"class_weight": weight}})
    assert blend_pool(make_plan(open_table(make_rows()), config, Silent())).pooling == pooling


@pytest.mark.slow  # the next one shows it as well
def test_the_same_seed_gives_the_same_model(model, table):
    again = sensorium.fit(table, "label", **SETTINGS)
    assert np.array_equal(again.predict_proba(table), model.predict_proba(table))


def test_test_labels_play_no_part(model, table):
    changed = {**table, "label": [
        "yes" if split == "test" else label for label, split in zip(table["label"], table["split"], strict=True)
    ]}  # fmt: skip
    other = sensorium.fit(changed, "label", **SETTINGS)
    assert np.array_equal(other.predict_proba(table), model.predict_proba(table))


@pytest.mark.slow
def test_labels_of_the_rows_that_calibrate_select_nothing(monkeypatch):
    """A large table: one half of the validation rows selects, the other calibrates."""
    monkeypatch.setattr(_blend, "LARGEST", 100)
    table, unstratified = make_rows(400), {"stratify": False}  # else the halves depend on the labels
    plan = make_plan(open_table(table), sensorium.Config.gather({"target": "label", "split": unstratified}), Silent())
    calibrate = plan.used[cut_folds(plan, 1).folds[0].judge]
    assert {table["split"][row] for row in calibrate} == {"val"}
    shuffled = np.array(table["label"])
    shuffled[calibrate] = np.random.default_rng(0).permutation(shuffled[calibrate])
    before, after = (
        sensorium.fit({**table, "label": labels}, "label", calibrate="none", split=unstratified, **SETTINGS)
        for labels in (table["label"], shuffled.tolist())
    )
    assert len(calibrate) == 40 == before.card["blend"]["judged"]
    assert before.card["blend"] == after.card["blend"]
    assert np.array_equal(before.predict_proba(table), after.predict_proba(table))
    assert not before.evaluate(table, "validation").problems  # its members did not learn from these rows


@pytest.mark.slow
def test_only_the_modality_that_helps_is_used():
    random = np.random.default_rng(1)
    table = make_rows(200, seed=1)
    label = np.array([name == "yes" for name in table["label"]])
    table["size"] = (4 * label + random.normal(0, 0.6, 200)).tolist()
    table["text"] = [" ".join(random.choice(WORDS, 12)) for _ in label]
    found = sensorium.fit(table, "label", **SETTINGS)
    record = found.card["blend"]
    assert record["modality"] == "size"
    assert record["alone"]["size"] <= record["together"]
    used = [each for each in record["candidates"] if each["weight"]]
    assert all(each["modalities"] == ["size"] for each in used)
    assert np.isfinite(found.predict_proba(table)).all()


def test_labels_that_nothing_predicts_cost_no_more_than_the_class_frequencies():
    random = np.random.default_rng(0)
    table = {name: random.normal(size=240).round(3).tolist() for name in ("a", "b")}
    table["label"] = [f"class {place}" for place in random.integers(0, 40, 240)]
    model = sensorium.fit(table, "label", **SETTINGS)
    frequencies = np.bincount(np.unique(table["label"], return_inverse=True)[1]) / 240
    entropy = -(frequencies * np.log(frequencies)).sum()
    record = model.card["blend"]
    assert record["value"] < entropy + 0.2
    assert all(each["value"] < entropy + 0.2 for each in record["candidates"] if each["name"] != "network")


def test_amounts_are_blended():
    random = np.random.default_rng(2)
    size = random.normal(size=150)
    table = {"size": size.tolist(), "text": [WORDS[int(value > 0)] + " x" for value in size]}
    table["price"] = (np.exp(size) * 10 + random.normal(0, 0.1, 150)).round(2).tolist()
    found = sensorium.fit(table, "price", **SETTINGS)
    assert found.card["blend"]["metric"] == "rmse"
    assert found.evaluate(table).metrics["r2"] > 0.5


def test_a_network_that_fails_is_left_out(table):
    found = sensorium.fit(table, "label", learning_rate=1e18, train={"clip_norm": None}, **SETTINGS)
    assert "network" not in {each["name"] for each in found.card["blend"]["candidates"]}
    assert np.isfinite(found.predict_proba(table)).all()


class LibraryError(Exception):
    """An error of a class of its own, such as LightGBM's."""


def break_trees(monkeypatch, message):
    def fail(sample):
        raise LibraryError(message)

    monkeypatch.setattr(trees, "_new_booster", fail)


def test_a_classical_model_whose_library_fails_is_left_out(table, monkeypatch, capsys):
    break_trees(monkeypatch, "a check failed")
    found = sensorium.fit(table, "label", **SETTINGS | {"progress": True})
    assert "trees is left out of the blend: LibraryError: a check failed" in " ".join(capsys.readouterr().err.split())
    names = {each["name"] for each in found.card["blend"]["candidates"]}
    assert names == {"network", "linear", "linear (text)", "linear (size)"}


def test_a_lack_of_memory_of_a_library_is_an_error(table, monkeypatch):
    """A model without the trees would depend on the free memory."""
    break_trees(monkeypatch, "std::bad_alloc")
    with pytest.raises(OutOfMemoryError, match="not enough memory"):
        sensorium.fit(table, "label", **SETTINGS)


def test_a_network_that_would_take_too_long_is_not_trained(table, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(_time, "MOST", 0.01)
    monkeypatch.setattr(_work, "START", 0.0)
    found = sensorium.fit(table, "label", out=tmp_path / "run", **SETTINGS | {"progress": True})
    log = " ".join(capsys.readouterr().err.split())
    assert "network is left out of the blend: 2 trainings of about 0 s would exceed the 0 s of preset good" in log
    assert [each["name"] for each in found.card["blend"]["candidates"]] == ["linear"]  # one model stays in any case
    assert "trees (text) is left out of the blend" in log and "preset best may take ten times as long" in log
    assert "fitted to 2 folds" in log
    assert found.card["blend"]["how"].startswith("2 folds")
    assert np.array_equal(sensorium.load(tmp_path / "run").predict_proba(table), found.predict_proba(table))


@pytest.mark.parametrize(
    ("given", "stop_by"), [({}, "log_loss"), ({"metric": "accuracy"}, "metric"), ({"stop_by": "metric"}, "metric")]
)
def test_a_network_stops_by_the_criterion_that_chooses_its_epoch(table, given, stop_by):
    found = sensorium.fit(table, "label", train=given, **SETTINGS)
    assert found.card["history"]["stop_by"] == stop_by


def test_folds_without_validation_rows_train_as_long_as_the_network_needed(table, monkeypatch):
    """In order of time, the validation rows are the last ones, so most folds do not learn from them."""
    seen, train_networks = [], _blend.train_networks

    def spy(data, mains, train, report):
        def watched(specs):
            seen.append((mains[0].training_history.best, specs))
            return train(specs)

        return train_networks(data, mains, watched, report)

    monkeypatch.setattr(_blend, "train_networks", spy)
    dated = {**table, "day": [f"2024-01-{1 + row // 10:02d}" for row in range(len(table["label"]))]}
    sensorium.fit(dated, "label", split={"time": "day"}, **SETTINGS | {"preset": "good", "epochs": 4})
    ((best, specs),) = seen
    assert {spec.settings["train"]["epochs"] for spec in specs[:-1]} == {best}


@pytest.mark.parametrize(
    ("train", "refused"),
    [({}, None), ({"soup": 3}, "train.soup"), ({"techniques": ["gradient_blending"]}, "gradient_blending")],
)
def test_settings_that_need_validation_rows_are_refused_where_a_fold_has_none(table, train, refused):
    """The error comes before any file is decoded, not after the network of the whole table was trained."""
    dated = {**table, "day": [f"2024-01-{1 + row // 10:02d}" for row in range(len(table["label"]))]}
    del dated["split"]
    for split in ({}, {"time": "day"}):
        config = sensorium.Config.gather({"target": "label", "exclude": ["day"], "train": train, "split": split})
        plan = make_plan(open_table(dated), config, Silent())
        if split and refused:
            with pytest.raises(ConfigError, match=f"{refused} needs validation rows"):
                check_blend(plan, place="preset", cure="use preset fast")
        else:
            check_blend(plan, place="preset", cure="use preset fast")


@pytest.mark.slow
def test_a_finished_network_is_not_trained_again(table, tmp_path, monkeypatch):
    """An interruption between two members loses none that is finished."""
    trained = []
    real = _networks.network_candidate

    def stop(*arguments):
        found = real(*arguments)
        if not trained:
            trained.append(1)
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(_networks, "network_candidate", stop)
    with pytest.raises(KeyboardInterrupt):
        sensorium.fit(table, "label", out=tmp_path / "run", **SETTINGS)
    records = list((tmp_path / "run" / ".finished").glob("*.json"))
    assert len(records) == 6  # the network, and one per fold
    assert len(list((tmp_path / "run" / ".finished" / "models").iterdir())) == 1  # of the folds, only the scores
    found = sensorium.fit(table, "label", out=tmp_path / "run", **SETTINGS)
    assert not (tmp_path / "run" / ".finished").exists()
    whole = sensorium.fit(table, "label", **SETTINGS)
    assert np.array_equal(found.predict_proba(table), whole.predict_proba(table))
    saved = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert saved["validation"]["n"] == 32


def test_several_targets_are_refused(table):
    with pytest.raises(ConfigError, match="one target"):
        sensorium.fit(table, ["label", "size"], **SETTINGS)


def test_rows_that_make_no_folds_are_refused_before_training(monkeypatch):
    """All validation rows of a large table are of one group: no half of them can calibrate."""
    monkeypatch.setattr(_blend, "LARGEST", 100)
    table = make_rows(200)
    table["person"] = ["one" if split == "val" else f"p{row}" for row, split in enumerate(table["split"])]
    with pytest.raises(ConfigError, match="cannot be cut into 2 folds") as caught:
        sensorium.fit(table, "label", split={"column": "split", "group": "person"}, **SETTINGS)
    assert caught.value.cure == "use preset fast"


def test_a_fold_with_validation_rows_only_trains_on_them():
    """Three groups: one each for training, validation and test. A fold learns from one of the first two."""
    table = make_rows(60)
    table["split"], table["group"] = ["train"] * 20 + ["val"] * 20 + ["test"] * 20, ["a"] * 20 + ["b"] * 20 + ["c"] * 20
    found = sensorium.fit(table, "label", split={"column": "split", "group": "group"}, **SETTINGS)
    record = found.card["blend"]
    assert "network" in {each["name"] for each in record["candidates"]} and record["how"].startswith("2 folds")


def test_a_group_without_a_usable_label_makes_no_fold():
    """The labels of one group are not seen in training: a fold of this group alone would judge no row."""
    table = make_rows(50)
    table["group"] = [f"g{row // 10}" for row in range(50)]
    table["split"], table["label"][30:40] = ["train"] * 30 + ["val"] * 20, ["new"] * 10
    found = sensorium.fit(table, "label", split={"column": "split", "group": "group"}, **SETTINGS)
    record = found.card["blend"]
    assert record["how"].startswith("4 folds") and record["judged"] == 40


def test_a_network_without_values_in_a_fold_is_left_out():
    table = {"size": [None if row % 20 else 1.0 + row for row in range(60)], "label": ["no", "yes"] * 30}
    found = sensorium.fit(table, "label", **SETTINGS)
    assert [each["name"] for each in found.card["blend"]["candidates"]] == ["linear", "trees"]


def test_a_network_that_tells_nothing_and_is_calibrated_twice_loads(tmp_path):
    """The temperatures of the network and of the out-of-fold predictions are both at their bound."""
    table = {"s": [[0.0] * (1 + row % 3) for row in range(60)], "label": ["a", "b"] * 30}
    found = sensorium.fit(table, "label", out=tmp_path / "run", **SETTINGS)
    assert np.array_equal(sensorium.load(tmp_path / "run").predict_proba(table), found.predict_proba(table))


def test_amounts_whose_differences_overflow_are_reported_and_not_used():
    x = np.random.default_rng(0).normal(size=80)
    amount = (10 * x).round(3).tolist()
    amount[3], amount[50] = 1.7e308, -1.7e308
    found = sensorium.fit({"x": x.tolist(), "amount": amount}, "amount", task="regression", **SETTINGS)
    reported = {told.row for told in found.fit_problems if "beyond ±1e+305" in told.reason}
    assert reported == {3, 50} and found.card["blend"]["value"] < 20


@pytest.mark.parametrize("unit", [1e300, 1e-300])
def test_amounts_of_any_size_are_judged(unit):
    random = np.random.default_rng(0)
    x = random.normal(size=80)
    table = {"x": x, "z": random.normal(size=80), "amount": (x + random.normal(size=80) / 9) * unit}
    record = sensorium.fit(table, "amount", task="regression", **SETTINGS).card["blend"]
    assert 0.05 * unit < record["value"] < 0.6 * unit
