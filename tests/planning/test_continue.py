"""`fit` from a model: what it learnt is kept, new labels are added, its network cannot be changed."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import sensorium
from sensorium.config import Config
from sensorium.errors import ConfigError, SchemaError
from sensorium.planning import scores_before
from sensorium.prepare import prepare_columns
from sensorium.registry import fusions
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.tasks.several import Several
from sensorium.testing import make_pretrained, make_table

WORDS = ["river lake", "engine wheel", "violin choir", "flour oven", "paper ink"]


def made(rows=160, labels=("a", "b", "c"), shift=0.0, seed=0):
    random = np.random.default_rng(seed)
    place = random.integers(0, len(labels), rows)
    return {
        "size": (1.5 * place + random.normal(size=rows) + shift).tolist(),
        "kind": [f"kind {k}" if random.random() < 0.7 else "other" for k in place],
        "note": [f"{WORDS[k]} and some {row % 9} of it" for row, k in enumerate(place)],
        "label": [labels[k] for k in place],
    }


def fit(table, **more):
    own = {"epochs": 4, "encoders": {"text": "bilstm"}}
    return sensorium.fit(table, "label", width=16, progress=False, **{**own, **more})


def go_on(table, start, **more):
    return sensorium.fit(table, start=start, progress=False, **{"epochs": 2, **more})


def without(table, *names):
    return {name: cells for name, cells in table.items() if name not in names}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("start")
    fit(made(), out=out)
    return out


@pytest.fixture(scope="module")
def model(folder):
    return sensorium.load(folder)


@pytest.mark.slow
def test_a_run_a_model_a_zip_and_an_object_give_the_same(folder, model, tmp_path):
    model.save(tmp_path / "m.zip")
    table = made(80, shift=1.0, seed=1)
    found = [go_on(table, start) for start in (folder, folder / "model", tmp_path / "m.zip", model)]
    answers = [each.predict_proba(table) for each in found]
    assert all(np.array_equal(answers[0], other) for other in answers[1:])


def test_what_was_learnt_of_columns_is_kept(folder, model):
    continued = go_on(made(80, shift=9.0, seed=1), folder)
    for name, learnt in model.fitted.learnt.items():
        assert continued.fitted.learnt[name].state()[0] == learnt.state()[0]
    assert continued.columns == model.columns


def test_it_starts_from_the_weights_of_the_model(folder, model):
    """At a rate of next to nothing it stays where it was; a fit anew does not."""
    table = made(80, seed=1)
    still = go_on(table, folder, train={"learning_rate": 1e-12, "weight_decay": 0.0})
    assert still.predict_proba(table) == pytest.approx(model.predict_proba(table), abs=1e-5)
    continued = go_on(table, folder)
    assert np.abs(continued.predict_proba(table) - model.predict_proba(table)).max() > 0.01


def test_the_model_that_is_continued_stays_as_it_is(model):
    before = {name: value.clone() for name, value in model.fitted.network.state_dict().items()}
    go_on(made(80, shift=3.0), model)
    assert all(torch.equal(value, before[name]) for name, value in model.fitted.network.state_dict().items())


def test_settings_lie_over_its_own(folder, tmp_path):
    (tmp_path / "s.yaml").write_text("train: {weight_decay: 0.5, batch_size: 9}\n")
    found = go_on(made(80), folder, config=tmp_path / "s.yaml", batch_size=7, seed=3).fitted.config
    assert (found.train.weight_decay, found.train.batch_size, found.seed, found.width) == (0.5, 7, 3, 16)
    assert found.train.learning_rate == pytest.approx(2e-3 / 4)
    assert go_on(made(80), folder, train={"learning_rate": 0.01}).fitted.config.train.learning_rate == 0.01


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"width": 8}, "width"),
        ({"fusion": "late"}, "fusion"),
        ({"columns": ["note"]}, "columns"),
        ({"modalities": {"size": "category"}}, "modalities"),
        ({"encoders": {"note": "text_cnn"}}, "encoders"),
        ({"task": "multilabel"}, "task"),
        ({"width": 8, "fusion": "late"}, "2 faults"),
    ],
)
def test_what_the_model_is_made_of_cannot_be_set(given, place, folder):
    with pytest.raises(ConfigError, match=place):
        go_on(made(40), folder, **given)


def test_a_model_of_eight_bits_is_refused(model):
    small = sensorium.Model(model.fitted.with_first(int8=["head"]))
    with pytest.raises(ConfigError, match="quantized"):
        go_on(made(40), small)
    with pytest.raises(ConfigError, match="quantized"):
        small.adapt(made(40))


def test_what_the_model_is_may_be_said(folder):
    found = go_on(made(40), folder, width=16, fusion="concat", task="multiclass", epochs=1)
    assert found.task == "multiclass"


@pytest.mark.slow
def test_new_labels_get_rows_of_their_own_in_the_head(folder, model):
    table = made(160, labels=("a", "b", "c", "A new one"), seed=2)
    still = go_on(table, folder, train={"learning_rate": 1e-12, "weight_decay": 0.0})
    assert still.labels == ["a", "b", "c", "A new one"]
    head, old = still.fitted.network.head, model.fitted.network.head
    assert head.weight.shape == (4, 16)
    torch.testing.assert_close(head.weight[:3], old.weight, atol=1e-6, rtol=0)
    torch.testing.assert_close(head.bias[:3], old.bias, atol=1e-6, rtol=0)
    learnt = go_on(table, folder, epochs=15)
    assert learnt.card["moved"]["labels"] == ["A new one"]
    rows = [row for row, label in enumerate(table["label"]) if label == "A new one"]
    assert np.mean(learnt.predict(table)[rows] == "A new one") > 0.7


@pytest.mark.slow
def test_a_fusion_of_decisions_grows_in_every_tower(tmp_path):
    start = fit(made(), fusion="late")
    still = go_on(made(120, labels=("a", "b", "c", "d"), seed=2), start, train={"learning_rate": 1e-12})
    for tower, old in zip(still.fitted.network.every_tower, start.fitted.network.every_tower, strict=True):
        assert tower.project.out_features == 4
        torch.testing.assert_close(tower.project.weight[:3], old.project.weight, atol=1e-5, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("fusion", sorted(fusions.names()))
def test_every_fusion_can_be_continued_with_more_labels(fusion):
    start = fit(made(60), fusion=fusion, epochs=1, columns=["size", "note"], calibrate="none")
    still = {
        "learning_rate": 1e-12,
        "freeze": ["fusion"] if fusion == "mixture_of_experts" else [],
    }  # its bias is no gradient's
    found = go_on(made(60, labels=("a", "b", "c", "d")), start, train=still, epochs=1)
    table = made(30, seed=9)
    assert found.predict_proba(table).shape == (30, 4)
    shares = found.predict_proba(table)[:, :3]
    if fusion != "late":  # its new logits have weights of their own in each tower
        shares = shares / shares.sum(1, keepdims=True)
        assert shares == pytest.approx(start.predict_proba(table), abs=1e-3)
    assert all(share is None or share < 1e-3 for share in found.card["moved"]["weights"].values())


def test_labels_that_the_new_table_lacks_are_kept(folder):
    found = go_on(made(80, labels=("a", "b")), folder)
    assert found.labels == ["a", "b", "c"]
    assert found.predict_proba(made(20)).shape == (20, 3)


def test_multilabel_takes_in_new_labels():
    sets = {"size": [float(i % 7) for i in range(90)], "label": [[["x"], ["y"], ["x", "y"]][i % 3] for i in range(90)]}
    start = fit(sets, task="multilabel")
    more = {**sets, "label": [[["x"], ["w", "y"], []][i % 3] for i in range(90)]}
    found = go_on(more, start, train={"learning_rate": 1e-12})
    assert found.labels == ["x", "y", "w"]
    torch.testing.assert_close(
        found.fitted.network.head.weight[:2], start.fitted.network.head.weight, atol=1e-6, rtol=0
    )


@pytest.mark.slow
def test_of_two_labels_a_third_is_refused():
    start = fit(made(labels=("no", "yes")))
    assert start.task == "binary"
    with pytest.raises(SchemaError, match="'perhaps'"):
        go_on(made(labels=("no", "yes", "perhaps")), start)
    assert go_on(made(labels=("no", "yes"), seed=4), start).labels == ["no", "yes"]


def test_the_scale_of_amounts_is_kept():
    start = fit({"x": np.linspace(0, 1, 90), "label": np.linspace(10, 20.5, 90)})
    found = go_on({"x": np.linspace(0, 1, 90), "label": np.linspace(110, 140.5, 90)}, start)
    assert found.fitted.task == start.fitted.task
    assert found.fitted.prior[0] == pytest.approx(125, abs=3)
    assert found.card["moved"]["answers"]["mean"][0] < 60


def test_of_several_targets_each_grows_where_it_stands():
    def two(labels, seed):
        table = made(120, labels=labels, seed=seed)
        return {**without(table, "label"), "first": table["label"], "amount": [2.0 * v for v in table["size"]]}

    start = sensorium.fit(two(("a", "b", "c"), 0), ["first", "amount"], width=16, epochs=2, progress=False)
    found = go_on(two(("a", "b", "c", "d"), 1), start, train={"learning_rate": 1e-12})
    assert isinstance(found.fitted.task, Several)
    assert found.labels == ["first=a", "first=b", "first=c", "first=d", "amount"]
    old, new = start.fitted.network.head.weight, found.fitted.network.head.weight
    torch.testing.assert_close(new[[0, 1, 2, 4]], old, atol=1e-6, rtol=0)


def test_a_column_that_is_gone_is_a_missing_modality(folder, capsys):
    table = without(made(120, seed=3), "note")
    found = sensorium.fit(table, start=folder, epochs=6)
    assert found.card["moved"]["missing"] == ["note"]
    assert set(found.columns) == {"size", "kind", "note"}
    assert found.evaluate(table, "all").metrics["accuracy"] > 0.5
    assert "the table lacks columns of the model" in capsys.readouterr().err


def test_a_column_that_is_new_is_said_to_be_unused(folder, capsys):
    table = {**made(80), "extra": np.random.default_rng(0).normal(size=80).tolist()}
    found = sensorium.fit(table, start=folder, epochs=1)
    assert found.card["moved"]["unused"] == ["extra"] and "extra" not in found.columns
    assert "extra: left out: not used: the model does not have this column" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("size", [f"a long text of row {i} here" for i in range(80)]),
        ("kind", [0.5, 1.25] * 40),
    ],
)
def test_a_column_of_another_kind_is_refused(column, cells, folder):
    with pytest.raises(SchemaError, match=f"column '{column}'") as caught:
        go_on({**made(80), column: cells}, folder)
    assert "the model expects" in str(caught.value)


def test_cells_that_may_be_of_another_kind_are_pointed_at(folder, capsys):
    """Any text can be read as text, were it only numbers: its words are unknown then, and that is told too."""
    table = {**made(80), "note": [str(i % 40 * 1.5) for i in range(80)]}
    found = sensorium.fit(table, start=folder, epochs=1)
    assert "its cells look more like number" in capsys.readouterr().err
    assert found.card["moved"]["columns"]["note"]["unknown"][1] > 0.3


def test_a_table_with_none_of_its_columns_is_refused(folder):
    with pytest.raises(SchemaError, match="none of the model's columns"):
        go_on({"other": list(np.random.default_rng(0).normal(size=60)), "label": ["a", "b", "c"] * 20}, folder)


def test_distribution_shift_is_reported(folder, model):
    table = made(200, shift=2.0, seed=5)
    found = go_on(table, folder, epochs=8)
    shift = json.loads(json.dumps(found.card))["moved"]
    old = model.fitted.learnt["size"]
    rows = 160  # train, stratified: about the whole table's mean
    assert shift["columns"]["size"]["shift"] == pytest.approx(
        (np.mean(table["size"]) - old.mean) / old.deviation, abs=0.2
    )
    assert found.card["rows"]["train"] == rows
    for place, tower in enumerate(model.fitted.network.every_tower):
        pairs = [
            (value, found.fitted.network.state_dict()[name])
            for name, value in model.fitted.network.state_dict().items()
            if name.startswith(f"towers.{place}.") and value.is_floating_point()
        ]
        change = np.sqrt(sum(float((b - a).double().square().sum()) for a, b in pairs))
        assert shift["weights"][tower.name] == pytest.approx(
            change / np.sqrt(sum(float(a.double().square().sum()) for a, _ in pairs)), rel=1e-3
        )
    assert set(shift["weights"]) == {"tabular", "note", "fusion", "head"}
    assert shift["split"] == "test" and shift["answers"]["rows"] == 20
    assert shift["metrics"]["after"] == found.card["metrics"]["test"]
    difference = shift["metrics"]["difference"]
    values = [shift["metrics"][when]["metrics"]["accuracy"] for when in ("before", "after")]
    assert difference["value"] == pytest.approx(values[1] - values[0])


@pytest.mark.slow
def test_a_continued_model_is_continued_again(folder):
    first = go_on(made(120, labels=("a", "b", "c", "d"), seed=6), folder)
    second = go_on(made(120, labels=("a", "b", "c", "d", "e")[1:], seed=7), first)
    assert second.labels == ["a", "b", "c", "d", "e"]
    assert second.card["moved"]["labels"] == ["e"]


def test_its_split_rules_are_those_of_fit(folder):
    table = {**made(100), "split": ["train"] * 70 + ["val"] * 10 + ["test"] * 20}
    assert go_on(table, folder).card["rows"] == {"train": 70, "validation": 10, "test": 20}
    assert go_on(made(100), folder, split={"test": 0.3}).card["rows"]["test"] == 30


def test_an_ensemble_is_refused_not_cut_down_to_its_first_network(model):
    joined = sensorium.Model(replace(model.fitted, members=model.fitted.members * 2, member_weights=()))
    with pytest.raises(ConfigError, match="cannot continue training a model with the members network, network"):
        go_on(made(40), joined)


def configured(model, **more):
    """The model, as if it had been fitted with other settings of training."""
    config = Config.gather(model.fitted.config.model_dump(mode="json"), more)
    return sensorium.Model(replace(model.fitted, config=config))


def test_stages_and_teachers_of_the_first_fit_are_not_taken_over(model):
    techniques = {"distillation": {}, "label_smoothing": {}}
    train = {"unfreeze": {}, "pretrain": {"techniques": ["masked"]}, "imbalance": "auto", "techniques": techniques}
    start = configured(model, train={**train, "teacher": "gone"})
    found = go_on(made(80), start)
    assert set(found.fitted.config.train.techniques) == {"label_smoothing"}
    assert found.card["pretraining"] is None and not {"imbalance", "tuning"} & set(found.card)
    again = go_on(made(80), start, train={"pretrain": {"techniques": ["masked"], "epochs": 1}})
    assert len(again.card["pretraining"]["epochs"]) == 1


@pytest.mark.slow
def test_a_temperature_is_chosen_again_where_rows_suffice(model):
    start = configured(model, calibrate="temperature")
    again = go_on(made(160), start, split={"validation": 0.4})
    assert again.fitted.config.calibrate == "auto" and again.card["calibration"]["fitted"] is not None
    assert go_on(made(160), start, split={"validation": 0.4}, config={"calibrate": "none"}).fitted.temperature == 1
    few = go_on(made(80), start)
    assert few.fitted.config.calibrate == "auto" and few.card["calibration"]["reason"] == "few_rows"
    with pytest.raises(ConfigError, match="too few to choose a temperature"):
        go_on(made(80), start, config={"calibrate": "temperature"})


def test_what_it_said_before_is_said_at_its_temperature(model):
    start = model.fitted.with_first(temperature=3.0)
    prepared = prepare_columns(open_table(made(30, seed=5)), start.learnt, Silent())
    found = scores_before(start, start.task, list(range(start.task.outputs)), prepared, np.arange(30))
    assert found == pytest.approx(start.scores(prepared), abs=1e-6)


def test_frozen_encoders_of_the_model_stay_where_they_are(tmp_path):
    """They are copied: not moved to another device, not put in another mode, not shared with the new model."""
    folder = make_pretrained("image", tmp_path / "m")
    table = make_table(tmp_path / "t", rows=40, modalities=["image", "number"])
    start = fit(table, encoders={"image": {"name": "pretrained_image", "model": str(folder)}}, epochs=1)
    encoder = next(t.encoder for t in start.fitted.network.every_tower if t.name == "image").train()
    new = go_on(table, start, train={"freeze": ["image"]})
    assert encoder.training
    own, theirs = (
        {value.data_ptr() for value in each.fitted.network.state_dict().values() if value.numel()}
        for each in (start, new)
    )
    assert own.isdisjoint(theirs)
