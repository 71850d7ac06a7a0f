"""Rows without a label are learnt from where that was asked for, are told, and never counted as if they had one."""

import hashlib
import io

import numpy as np
import pytest
import torch
from contexts import begin, step_of
from rich.console import Console

import sensorium
from prepared import prepare, trial
from sensorium.config import PretrainConfig
from sensorium.errors import ConfigError
from sensorium.model import FusionModel
from sensorium.registry import techniques
from sensorium.report import fit_text
from sensorium.techniques._unlabelled import draw_rows, hide_some, ramp_up
from sensorium.testing import make_pretrained
from sensorium.trials import Control
from tiers import spread

FEW = {"contrastive": {"techniques": ["contrastive"], "epochs": 2}}


def redundant(rows=800, labelled=24, seed=0, width=16):
    """Two vectors that are independent given the class, each with four clusters; few training rows have a label."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 4, rows)
    table = {}
    for name in ("left", "right"):
        centres = random.normal(size=(4, width))
        centres *= 2.5 / np.linalg.norm(centres, axis=1, keepdims=True)
        table[name] = (centres[label] + random.normal(size=(rows, width))).round(4).tolist()
    split = np.where(np.arange(rows) % 4 == 3, "test", "train")
    training = np.flatnonzero(split == "train")
    split[training[labelled : 2 * labelled]] = "validation"
    known = (split != "train") | (np.cumsum(split == "train") <= labelled)
    return table | {
        "split": split,
        "label": [f"c{k}" if there else None for k, there in zip(label, known, strict=True)],
    }


def fit(table, **settings):
    given = {"split_column": "split", "modalities": {"left": "vector", "right": "vector"}, "progress": False}
    return sensorium.fit(table, "label", **given | settings)


@pytest.fixture(scope="module")
def table():
    return redundant(rows=200)


def digest(model):
    state = model.fitted.network.state_dict()
    return hashlib.sha256(b"".join(state[name].numpy().tobytes() for name in sorted(state))).hexdigest()


USERS = {
    "fixmatch": {"techniques": {"fixmatch": {"threshold": 0.3}}},
    "mean_teacher": {"techniques": ["mean_teacher"]},
    "pre-training": {"pretrain": FEW["contrastive"]},
}


@pytest.mark.parametrize("name", USERS)
def test_rows_without_a_label_are_learnt_from_and_told(name, table, capsys):
    """Their cells change the model; their count is told; no metric, split or problem knows of them."""
    missing = table["label"].count(None)
    other = dict(table)
    other["left"] = [
        cell if label else [1.0 - x for x in cell] for cell, label in zip(table["left"], table["label"], strict=True)
    ]
    models = [fit(given, epochs=2, train=USERS[name]) for given in (table, other)]
    assert digest(models[0]) != digest(models[1])
    card = models[0].card
    assert card["unlabelled"] == {"rows": missing, "learnt_from_by": [name]}
    assert card["rows"] == {"train": 24, "validation": 24, "test": 50}
    assert models[0].test.n == 50 and not len(models[0].fit_problems)
    fit(table, epochs=1, train=USERS[name], progress=True)
    assert f"{missing} rows without a label, by {name}" in capsys.readouterr().err


def test_without_a_use_they_are_left_out_as_ever(table):
    model = fit(table, epochs=1)
    assert model.card["unlabelled"] == {"rows": 0, "learnt_from_by": []}
    assert len(model.fit_problems) == table["label"].count(None)


def test_where_there_are_none_that_is_told(capsys):
    table = redundant(200)
    known = [row for row, label in enumerate(table["label"]) if label]
    whole = {name: [cells[row] for row in known] for name, cells in table.items()}
    fit(whole, epochs=1, train=USERS["mean_teacher"], progress=True)
    assert "no training row lacks a label: mean_teacher can only learn" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("name", USERS)
def test_what_columns_hold_is_learnt_from_them_too(name):
    """Words that occur in rows without a label only are in the vocabulary; those of rows that test are not."""
    texts = ["seen words"] * 20 + ["others yet"] * 20 + ["held out"] * 10 + ["kept back"] * 5
    split = ["train"] * 40 + ["test"] * 10 + ["validation"] * 5
    label = ["a", "b"] * 10 + [None] * 20 + ["a", "b", "a", "b", "a"] * 3
    given = {"text": texts, "number": np.arange(55) / 2, "split": split, "label": label}
    settings = {"modalities": {"text": {"name": "text", "min_count": 1}}, "split_column": "split", "progress": False}
    model = sensorium.fit(given, "label", epochs=1, train=USERS[name], **settings)
    described = str(model.fitted.learnt["text"].state())
    assert "others" in described and "held" not in described and "kept" not in described


@pytest.mark.slow
@pytest.mark.parametrize("name", USERS)
def test_the_same_seed_gives_the_same_weights(name, table):
    first, second = (digest(fit(table, epochs=2, train=USERS[name], seed=4)) for _ in range(2))
    assert first == second


def few():
    random = np.random.default_rng(0)
    return {
        "number": random.normal(size=60),
        "vector": [None if row % 5 == 1 else random.normal(size=4).tolist() for row in range(60)],
        "label": ["a", "b", "c"] * 20,
    }


@pytest.fixture(scope="module", params=["multiclass", "binary", "multilabel"])
def begun(request):
    labels = {"binary": ["a", "b"] * 30, "multilabel": [["a", "b"], ["b"], ["c"]] * 20}
    given = few() | ({"label": labels[request.param]} if request.param in labels else {})
    context, batch = begin(given, task=request.param, augment={"number": ["noise"]})
    with torch.no_grad():
        context.model.head.weight *= 15  # some answers are surer than others
    return context, batch


def answers(logits, task):
    logits = logits.detach().double().numpy()
    if task == "multiclass":
        shifted = np.exp(logits - logits.max(1, keepdims=True))
        return shifted / shifted.sum(1, keepdims=True)
    return 1 / (1 + np.exp(-logits))


def test_fixmatch_is_the_paper_s_formula(begun, monkeypatch):
    context, batch = begun
    task = type(context.task).__name__.lower()
    technique = techniques.load("fixmatch")(
        context, weight=0.5, threshold=0.55, ratio=2.0, modality_dropout=0.5, ramp=1.0
    )
    step, seen = step_of(context, batch, epoch=4), []
    forward = FusionModel.forward

    def look(self, given, hide=None):
        seen.append((self.training, given, hide, forward(self, given, hide)))
        return seen[-1][-1]

    monkeypatch.setattr(FusionModel, "forward", look)
    found = technique.loss(step, torch.tensor(1.0))
    (plain_training, plain_rows, no_hide, plain), (harder_training, harder_rows, hide, harder) = seen
    assert (plain_training, harder_training, no_hide) == (False, True, None) and context.model.training
    assert len(plain_rows.present) == 2 * len(batch.present)
    assert not torch.equal(plain_rows.cells["number"].values, harder_rows.cells["number"].values)
    assert torch.equal(plain_rows.cells["vector"].values, harder_rows.cells["vector"].values)
    assert (context.model.present(plain_rows) & ~hide).any(1).all() and hide.any()
    p, q = answers(plain, task), answers(harder, task)
    if task == "multiclass":
        sure, chosen = p.max(1) >= 0.55, p.argmax(1)
        losses = [
            -np.log(q[row, label]) if there else 0 for row, (label, there) in enumerate(zip(chosen, sure, strict=True))
        ]
    else:
        sure = np.maximum(p, 1 - p) >= 0.55
        losses = np.where(sure, -np.log(np.where(p >= 0.5, q, 1 - q)), 0)
    height = 0.5 * np.exp(-5 * (1 - 3.5 / 4) ** 2)
    assert 0 < sure.mean() < 1
    assert found.item() == pytest.approx(1 + height * np.mean(losses), rel=1e-5)
    assert technique.report() == {"sure": pytest.approx(sure.mean(), abs=1e-4)}


def test_the_mean_teacher_follows_and_teaches(begun):
    context, batch = begun
    technique = techniques.load("mean_teacher")(context, weight=3.0, decay=0.75, ramp=1.0, modality_dropout=0.0)
    weight = next(context.model.parameters())
    start = weight.detach().clone()
    teacher, step = start.clone(), step_of(context, batch, epoch=4)
    with torch.no_grad():
        for moved, keep in ((1.0, 1 / 2), (2.0, 2 / 3), (3.0, 0.75), (4.0, 0.75)):
            weight.copy_(start + moved)
            technique.gradients(step)
            teacher = keep * teacher + (1 - keep) * (start + moved)
    torch.testing.assert_close(technique.teacher_0, teacher)
    torch.manual_seed(0)
    found = technique.loss(step_of(context, batch, epoch=4), torch.tensor(1.0))
    assert found.item() > 1 and torch.equal(weight, start + 4)
    saved = {key: value.clone() for key, value in technique.state_dict().items()}
    again = techniques.load("mean_teacher")(context, weight=3.0, decay=0.75, ramp=1.0, modality_dropout=0.0)
    again.load_state_dict(saved)
    torch.manual_seed(0)
    torch.testing.assert_close(again.loss(step_of(context, batch, epoch=4), torch.tensor(1.0)), found)
    with torch.no_grad():
        weight.copy_(start)


def test_draws_come_from_the_step_alone(begun):
    """What goes on from a saved generator draws the same rows."""
    context, batch = begun
    step = step_of(context, batch, epoch=1)
    draw_rows(context, step, 2.0)
    state = step.random.get_state()
    first = draw_rows(context, step, 2.0)
    step.random.set_state(state)
    again = draw_rows(context, step, 2.0)
    assert torch.equal(first.cells["number"].values, again.cells["number"].values)
    assert len(first.cells["number"].values) == 2 * len(step.target)
    assert len(draw_rows(context, step, 1e-6).cells["number"].values) == 1
    assert ramp_up(step, context, 1.0) == pytest.approx(np.exp(-5 * (1 - 0.5 / 4) ** 2))
    assert ramp_up(step, context, 0.125) == 1


def test_what_is_hidden_leaves_every_row_one():
    present = torch.rand(200, 4, generator=torch.Generator().manual_seed(0)) < 0.6
    hidden = hide_some(present, 0.5, torch.Generator().manual_seed(1))
    kept = present & ~hidden
    assert torch.equal(kept.any(1), present.any(1))
    assert not hide_some(present, 0.0, torch.Generator()).any()
    assert (hide_some(present, 1.0, torch.Generator()) & present).sum(1).eq((present.sum(1) - 1).clamp_min(0)).all()


PRETRAINED = {"techniques": ["masked"], "epochs": 3, "batch_size": 9, "learning_rate": 0.05}


@pytest.mark.slow
@pytest.mark.parametrize("key", spread(sorted(PretrainConfig.model_fields), ["epochs", "techniques"]))
def test_every_setting_of_pre_training_does_something(key, table):
    plain, other = (
        digest(fit(table, epochs=1, train={"pretrain": FEW["contrastive"] | more}))
        for more in ({}, {key: PRETRAINED[key]})
    )
    assert plain != other


def told(model):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(fit_text(model.describe(), model.fitted.card, model.fitted.data, model.test))
    return console.export_text()


def test_pre_training_looks_at_no_label_and_is_told(table):
    """Other labels, the same losses before the task; the heads are thrown away."""
    swapped = {"c0": "c1", "c1": "c0"}
    other = table | {"label": [swapped.get(label, label) for label in table["label"]]}
    train = {"pretrain": {"techniques": ["contrastive", "masked"], "epochs": 3}}
    models = [fit(given, epochs=1, train=train) for given in (table, other)]
    cards = [model.card["pretraining"] for model in models]
    losses = [[epoch["loss"] for epoch in card["epochs"]] for card in cards]
    assert losses[0] == losses[1] and len(losses[0]) == 3 and losses[0][-1] < losses[0][0]
    missing = table["label"].count(None)
    assert (cards[0]["rows"], cards[0]["unlabelled"]) == (24 + missing, missing)
    assert cards[0]["techniques"]["contrastive"]["temperature"] > 0
    assert f"pre-trained by contrastive and masked on {24 + missing} rows for 3 epochs" in told(models[0])
    plain = fit(table, epochs=1)
    assert set(models[0].fitted.network.state_dict()) == set(plain.fitted.network.state_dict())
    assert plain.card["pretraining"] is None and "pre-trained" not in told(plain)


@pytest.mark.slow
def test_a_model_of_one_modality_is_trained_without_pre_training_over_several(table):
    found = sensorium.compare(
        table,
        "label",
        fusions=["concat"],
        baselines=[],
        epochs=1,
        train={"pretrain": FEW["contrastive"]},
        split_column="split",
        modalities={"left": "vector", "right": "vector"},
        progress=False,
    )
    assert [result.name for result in found.results] == ["left", "right", "concat"]


@pytest.mark.parametrize(
    ("pretrain", "match"),
    [
        ({"techniques": ["label_smoothing"]}, "cannot be used for pre-training(.|\n)*one of: contrastive, masked"),
        ({"techniques": []}, "with at least one entry"),
        ({"techniques": ["contrastiv"]}, "did you mean 'contrastive'"),
        ({"techniques": {"masked": {"wdith": 3}}}, "did you mean 'width'"),
        ({}, "techniques"),
    ],
)
def test_pre_training_that_cannot_be_is_refused(pretrain, match, table):
    with pytest.raises(ConfigError, match=match):
        fit(table, epochs=1, train={"pretrain": pretrain})


@pytest.mark.slow
def test_frozen_features_are_pre_trained_on_too(tmp_path, table):
    """The features stay as they are, what stands above them learns."""
    folder = str(make_pretrained("text", tmp_path / "text"))
    words = [f"word{int(cell[0] > 0)} and more" for cell in table["left"]]
    given = {"words": words, "right": table["right"], "split": table["split"], "label": table["label"]}
    settings = {
        "encoders": {"words": {"name": "pretrained_text", "model": folder, "tune": "frozen"}},
        "modalities": {"words": "text", "right": "vector"},
        "split_column": "split",
        "epochs": 1,
        "progress": False,
    }
    both = {"techniques": ["contrastive", "masked"], "epochs": 1}
    train = {"pretrain": both, "techniques": {"fixmatch": {"threshold": 0.3}, "mean_teacher": {}}}
    plain, other = (sensorium.fit(given, "label", train=chosen, **settings) for chosen in ({}, train))
    assert digest(plain) != digest(other)
    first, second = (model.fitted.network.every_tower[0].encoder.backbone.state_dict() for model in (plain, other))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_rows_without_a_label_help_by_a_wide_margin():
    """Each modality is redundant given the class: where they agree, they tell it (Blum and Mitchell 1998)."""
    chosen = {"pretrain": {"techniques": ["masked"], "epochs": 10}, "techniques": ["fixmatch"]}
    for seed in (0, 2):
        plain, helped = (
            fit(redundant(seed=seed), seed=seed, train={"epochs": 40, "patience": None, "few_labels": "none", **train})
            for train in ({}, chosen)
        )
        assert helped.test.metrics["accuracy"] > 0.9
        assert helped.test.metrics["accuracy"] > plain.test.metrics["accuracy"] + 0.08


def test_when_training_has_had_enough_says_nothing_of_pre_training(table):
    train = {"pretrain": FEW["contrastive"], "epochs": 3}
    trained = trial(prepare(table, {"target": "label", "train": train}), Control(should_stop=lambda: True))
    assert [len(history.epochs) for history in (trained.model.card.pretraining, trained.history)] == [2, 1]


def test_pre_training_does_not_go_with_a_budget(table):
    with pytest.raises(ConfigError, match=r"train\.pretrain cannot be combined with a budget"):
        fit(table, budget="9s", train={"pretrain": FEW["contrastive"]})
