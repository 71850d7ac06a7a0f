"""The training loop: it stops in time, keeps the best, says when it can't go on, and every setting does something."""

import hashlib
import json

import numpy as np
import pytest
import torch

import sensorium
from sensorium.config import TrainConfig
from sensorium.errors import ConfigError, TrainingError
from sensorium.train import batch_size, epoch_count


def fit(table, **train):
    return sensorium.fit(table, "label", train={"epochs": 2, **train}, progress=False)


def digest(model):
    """Of all weights."""
    state = model.fitted.network.state_dict()
    return hashlib.sha256(b"".join(state[name].numpy().tobytes() for name in sorted(state))).hexdigest()


def weights(model):
    """All that is trained, in one vector."""
    return np.concatenate([p.detach().double().numpy().ravel() for p in model.fitted.network.parameters()])


def history(model):
    return model.card["history"]


def test_the_same_seed_gives_the_same_weights_another_seed_others(made):
    first, second = (sensorium.fit(made, "label", epochs=2, progress=False, seed=7) for _ in range(2))
    other = sensorium.fit(made, "label", epochs=2, progress=False, seed=8)
    assert digest(first) == digest(second)
    assert digest(first) != digest(other)


def test_training_leaves_the_callers_random_numbers_alone(tabular):
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(1), np.random.rand()
    torch.manual_seed(5)
    np.random.seed(5)
    fit(tabular)
    assert (torch.rand(1), np.random.rand()) == expected


def test_it_stops_when_validation_no_longer_improves():
    noise = np.random.default_rng(0)
    table = {"x": noise.normal(size=300), "label": noise.choice(["a", "b"], 300)}
    found = history(fit(table, epochs=60, patience=3))
    assert len(found["epochs"]) == found["best"] + 3 < 60


@pytest.mark.slow
def test_the_model_is_that_of_the_best_epoch(tabular, tmp_path):
    train = {"epochs": 12, "patience": None, "learning_rate": 0.02, "select_by": "metric"}
    model = sensorium.fit(tabular, "label", train=train, out=tmp_path, progress=False)
    found = history(model)
    assert len(found["epochs"]) == 12
    metric = [(epoch["metric"], -epoch["validation_loss"]) for epoch in found["epochs"]]
    assert max(metric) == metric[found["best"] - 1]
    for kept in (model, sensorium.load(tmp_path)):
        scored = kept.evaluate(tabular, "validation").metrics
        assert scored[found["watched"]] == pytest.approx(metric[found["best"] - 1][0])


@pytest.mark.parametrize(("metric", "better"), [("log_loss", min), ("accuracy", max)])
def test_the_watched_metric_can_be_chosen(tabular, metric, better):
    found = history(fit(tabular, epochs=6, patience=None, metric=metric))
    values = [epoch["metric"] for epoch in found["epochs"]]
    assert found["watched"] == metric
    assert values[found["best"] - 1] == better(values)


def test_a_loss_that_is_no_number_is_told_with_a_cure():
    table = {"x": np.linspace(0, 1, 200), "y": np.linspace(0, 1e3, 200)}
    train = {"learning_rate": 1e6, "optimizer": "sgd", "clip_norm": None, "warmup": 0}
    with pytest.raises(TrainingError, match=r"train\.learning_rate=") as caught:
        sensorium.fit(table, "y", train=train, epochs=20, progress=False)
    assert "epoch" in caught.value.finding


@pytest.mark.parametrize("validation", [0.0, 0.2])
def test_weights_that_the_last_step_broke_are_not_kept(validation):
    """Its loss was taken before the step."""
    table = {"x": np.linspace(0, 1, 60), "label": ["a", "b"] * 30}
    train = {"learning_rate": 1e30, "optimizer": "sgd", "clip_norm": None, "warmup": 0, "batch_size": 60}
    with pytest.raises(TrainingError, match="predictions are not finite after epoch 1"):
        sensorium.fit(table, "label", train=train, split={"validation": validation}, epochs=1, progress=False)


def test_the_step_is_no_longer_than_the_clipped_gradient(tabular):
    """Plain descent moves the weights by rate × gradient: one step, from the weights that the seed gives.

    Without validation rows, a network that still predicts a constant is not trained again.
    """
    train = {"optimizer": "sgd", "learning_rate": 1.0, "warmup": 0, "batch_size": 120, "weight_decay": 0, "epochs": 1}
    given = {"split": {"validation": 0}, "progress": False}
    long, short = (
        weights(sensorium.fit(tabular, "label", train={**train, "clip_norm": norm}, **given)) for norm in (1e-3, 1e-9)
    )
    assert 0.9e-3 < np.linalg.norm(long - short) < 1.1e-3


def test_without_validation_rows_the_last_epoch_counts(tabular):
    model = sensorium.fit(tabular, "label", epochs=3, split={"validation": 0}, progress=False)
    assert history(model)["best"] == 3
    json.dumps(sensorium.inspect(tabular, "label").to_json())


CHANGED = {
    "epochs": 3,
    "batch_size": 16,
    "accumulate": 2,
    "learning_rate": 0.01,
    "optimizer": "adam",
    "weight_decay": 0.9,
    "schedule": "constant",
    "warmup": 0.9,
    "clip_norm": 1e-3,
    "modality_dropout": 0.0,
    "mixup": 0.4,
    "precision": "bfloat16",
    "freeze": ["fusion", "text.*"],
    "techniques": ["auxiliary"],
    "few_labels": "none",
    "pretrain": {"techniques": ["contrastive"], "epochs": 1},
    "class_weight": "balanced",
}


@pytest.fixture(scope="module")
def usual(made):
    return digest(fit(made))


# These have tests of their own: some choose among epochs, a checkpoint changes no weight.
OTHERS = {
    "target_transform",
    "loss",
    "outliers",
    "patience",
    "metric",
    "select_by",
    "stop_by",
    "soup",
    "checkpoint",
    "compile",
    "teacher",
    "imbalance",
    "unfreeze",
    "stop_at_plateau",
}


@pytest.mark.slow
@pytest.mark.parametrize("key", sorted(set(TrainConfig.model_fields) - OTHERS))
def test_every_setting_does_something(key, made, usual):
    assert digest(fit(made, **{key: CHANGED[key]})) != usual


def test_a_batch_in_parts_makes_the_update_of_the_whole():
    """The last batch of an epoch is smaller than the others, its last part too."""
    random = np.random.default_rng(0)
    table = {"x": random.normal(size=139), "y": random.normal(size=139), "label": ["a", "b", "c"] * 46 + ["a"]}
    plain = {
        "epochs": 3,
        "batch_size": 32,
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "modality_dropout": 0.0,
        "patience": None,
    }
    large, parts = (
        sensorium.fit(
            table,
            "label",
            fusion="weighted_sum",
            train=plain | sizes,
            encoders={"tabular": {"name": "tabular", "dropout": 0}},
            progress=False,
        )
        for sizes in ({}, {"accumulate": 5})
    )
    assert [e["learning_rate"] for e in history(large)["epochs"]] == [
        e["learning_rate"] for e in history(parts)["epochs"]
    ]
    for one, other in zip(
        large.fitted.network.state_dict().values(), parts.fitted.network.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    losses = [[epoch["loss"] for epoch in history(model)["epochs"]] for model in (large, parts)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize("fusion", ["concat", "late"])
def test_mixed_rows_are_not_learnt_by_heart(fusion):
    """A mixture of two classes belongs to both, so that its loss can't fall to nothing; the plain rows are learnt."""
    table = {"x": np.tile([-1.0, 1.0], 100), "label": ["a", "b"] * 100}
    train = {"epochs": 15, "learning_rate": 0.05, "batch_size": 40, "few_labels": "none"}
    plain, mixed = (
        sensorium.fit(table, "label", train={**train, "mixup": alpha}, fusion=fusion, progress=False)
        for alpha in (0.0, 1.0)
    )
    assert history(plain)["epochs"][-1]["loss"] < 0.02 < 0.1 < history(mixed)["epochs"][-1]["loss"]
    assert mixed.evaluate(table).metrics["accuracy"] == 1
    assert 0.5 < mixed.predict_proba(table).max(1).mean() < plain.predict_proba(table).max(1).mean()


def test_values_are_mixed_too():
    table = {"x": np.linspace(-1, 1, 200), "y": np.linspace(3, 5, 200)}
    train = {"epochs": 15, "learning_rate": 0.02, "batch_size": 20, "mixup": 0.2}
    model = sensorium.fit(table, "y", train=train, progress=False)
    assert model.evaluate(table).metrics["r2"] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_every_optimiser_learns(tabular, optimizer):
    rate = {"sgd": 0.05}.get(optimizer, 5e-3)
    losses = [
        epoch["loss"] for epoch in history(fit(tabular, epochs=8, optimizer=optimizer, learning_rate=rate))["epochs"]
    ]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(("rows", "size"), [(10, 8), (400, 20), (100_000, 64)])
def test_batch_and_epochs_follow_the_number_of_rows(rows, size):
    assert batch_size(TrainConfig(), rows) == size
    assert 5 <= epoch_count(TrainConfig(), rows) <= 60
    assert batch_size(TrainConfig(batch_size=3), rows) == 3
    assert epoch_count(TrainConfig(epochs=2), rows) == 2


def test_modality_dropout_hides_yet_leaves_every_row_one(made, monkeypatch):
    from sensorium.model import FusionModel

    seen, encode = [], FusionModel.encode

    def look(self, batch, hide=None):
        seen.append((self.present(batch), hide))
        return encode(self, batch, hide)

    monkeypatch.setattr(FusionModel, "encode", look)
    fit(made, modality_dropout=0.4)
    hidden = [(present, hide) for present, hide in seen if hide is not None]
    left = torch.cat([present & ~hide for present, hide in hidden])
    there = torch.cat([present for present, _ in hidden])
    assert bool((left.any(1) == there.any(1)).all())
    assert 0.2 < 1 - float(left.sum() / there.sum()) < 0.45


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"metric": "rmse"}, "no metric 'rmse'"),
        ({"learning_rate": 0}, "greater than 0"),
        ({"epochs": 0}, "an integer, at least 1"),
        ({"modality_dropout": 1.0}, "at least 0, below 1"),
        ({"mixup": -0.1}, "a number, at least 0"),
        ({"learning_rate": float("inf")}, "finite"),
        ({"weight_decay": float("nan")}, "finite"),
        ({"optimiser": "adam"}, "did you mean 'optimizer'"),
    ],
)
def test_settings_that_cannot_be_are_refused(tabular, train, message):
    with pytest.raises(ConfigError, match=message):
        fit(tabular, **train)


def test_class_weights_of_a_regression_are_refused():
    table = {"x": [1.5, 2.5, 3.5, 4.5] * 5, "y": [1.5, 2.5, 3.5, 4.25] * 5}
    with pytest.raises(ConfigError, match="no classes to weight"):
        sensorium.fit(table, "y", train={"class_weight": "balanced"}, progress=False)
