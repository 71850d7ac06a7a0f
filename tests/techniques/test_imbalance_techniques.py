"""Gradient blending and PMR against NumPy; they work for any number of modalities, with gaps, and resume to the bit."""

import contexts
import numpy as np
import pytest
import torch

import sensorium
from sensorium.errors import ConfigError
from sensorium.registry import techniques
from sensorium.registry.traits import suits
from sensorium.techniques import Step
from sensorium.techniques.gradient_blending import blend
from sensorium.techniques.pmr import answer, choices_of, coefficients
from tiers import tiered

ROWS = 90
LABELS = {
    "binary": lambda y: ["no", "yes", "no"][y],
    "multiclass": lambda y: f"k{y}",
    "multilabel": lambda y: [["a"], ["a", "b"], []][y],
    "regression": lambda y: float(y) + 0.25,
}


def made(task="multiclass", rows=ROWS):
    """Three vectors that show a class, each missing in some rows."""
    random = np.random.default_rng(0)
    y = random.integers(0, 3, rows)
    table = {}
    for place, name in enumerate(("one", "two", "three")):
        cells = (np.eye(3)[y] * (1 + place) + random.normal(size=(rows, 3))).tolist()
        table[name] = [None if row % 5 == place else cell for row, cell in enumerate(cells)]
    return {**table, "label": [LABELS[task](label) for label in y]}


def begin(task="multiclass"):
    """A context at its start."""
    vectors = dict.fromkeys(("one", "two", "three"), "vector")
    return contexts.begin(made(task), modalities=vectors, task=task, seed=0, epochs=10)[0]


def step_of(context, epoch=1):
    (batch,) = context.loader.shuffled(context.train_rows, len(context.train_rows), torch.Generator().manual_seed(0))
    context.model.eval()
    tokens, present = context.model.encode(batch)
    return Step(batch, tokens, present, context.model.decide(tokens, present), epoch, torch.Generator())


def blended(before, now, least):
    """The paper's formula, in NumPy, with the floor under O."""
    gain = [max(0.0, b - n) if np.isfinite(b - n) else 0.0 for b, n in zip(before[1], now[1], strict=True)]
    over = [abs((nv - nt) - (bv - bt)) for bt, bv, nt, nv in zip(*before, *now, strict=True)]
    over = [o if np.isfinite(o) else 0.0 for o in over]
    ratio = np.array([g / max(o, 0.1 * max(over)) ** 2 for g, o in zip(gain, over, strict=True)])
    share = ratio / ratio.sum() if ratio.sum() else np.full(len(ratio), 1 / len(ratio))
    return len(ratio) * ((1 - least) * share + least / len(ratio))


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([[1.1, 1.2, 1.0], [1.1, 1.2, 1.0]], [[0.9, 0.5, 0.4], [1.0, 0.8, 0.9]]),
        (
            [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]],
            [[0.9, 0.2, 0.5], [1.1, 0.9, 0.5]],
        ),  # one got worse, one overfits not at all
        ([[1.0, 1.0, np.nan], [1.0, 1.0, np.nan]], [[0.9, 0.5, np.nan], [0.95, 0.9, np.nan]]),
        ([[1.0, 1.0], [1.0, 1.0]], [[0.9, 0.9], [1.2, 1.1]]),  # nothing generalised: all alike
    ],
)
@pytest.mark.parametrize("least", [0.0, 0.3])
def test_the_weights_of_gradient_blending_are_the_paper_s(before, now, least):
    found = blend(torch.tensor(before), torch.tensor(now), least).numpy()
    assert found == pytest.approx(blended(before, now, least), rel=1e-4)
    assert found.mean() == pytest.approx(1, rel=1e-5)


def test_gradient_blending_weighs_the_heads_own_losses_and_the_fused_one():
    context = begin()
    technique = techniques.load("gradient_blending")(context)
    technique.weights.copy_(torch.tensor([0.5, 2.0, 0.25, 1.25]))
    step = step_of(context)
    plain = context.task.loss(step.logits, step.target)
    expected = 1.25 * plain.item()
    for place, weight in enumerate((0.5, 2.0, 0.25)):
        there = step.present[:, place]
        z = step.tokens[place].pooled()[there].detach().numpy()
        head = technique.heads[place]
        logits = z @ head.weight.detach().numpy().T + head.bias.detach().numpy()
        logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        expected += weight * -logs[np.arange(len(z)), step.target[there].numpy()].mean()
    assert technique.loss(step, plain).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("online", "measured"), [(True, [2, 4]), (False, [2])])
def test_gradient_blending_measures_every_so_many_epochs_or_once(online, measured):
    context = begin()
    technique = techniques.load("gradient_blending")(context, every=2, online=online)
    technique.begin_epoch(1)
    changed = []
    for number in range(1, 6):
        with torch.no_grad():
            for parameter in context.model.parameters():
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)))
        before = technique.before.clone()
        technique.end_epoch(number)
        if not torch.equal(before, technique.before):
            changed.append(number)
    assert changed == measured


def test_gradient_blending_needs_validation_rows():
    train = {"epochs": 1, "techniques": ["gradient_blending"]}
    with pytest.raises(ConfigError, match="no validation rows"):
        sensorium.fit(made(), "label", train=train, split={"validation": 0}, progress=False)


def prototypes_of(z, choices, count):
    """The mean of each question's choices, by a loop."""
    return np.stack([[z[choices[:, q] == c].mean(0) for c in range(count)] for q in range(choices.shape[1])])


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("epoch", [1, 9])
def test_pmr_is_the_paper_s_formula(task, epoch):
    context = begin(task)
    technique = techniques.load("pmr")(context, alpha=0.7, entropy=0.4, early=0.5)
    technique.begin_epoch(1)
    step = step_of(context, epoch)
    plain = context.task.loss(step.logits, step.target)
    truth = step.target.numpy()
    choices = (truth > 0.5).astype(int) if truth.ndim == 2 else truth[:, None]
    count = 2 if truth.ndim == 2 else truth.max() + 1
    right, entropy = [], []
    for place in range(3):
        there = step.present[:, place].numpy()
        z, own = step.tokens[place].pooled()[there].detach().numpy(), choices[there]
        centres = prototypes_of(z, own, count)  # (q, c, d)
        logits = -np.linalg.norm(z[:, None, None] - centres, axis=3)
        p = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
        right.append(np.take_along_axis(p, own[..., None], 2)[..., 0])
        entropy.append(-(p * np.log(p)).sum(2))
    s = np.array([values.mean() for values in right])
    expected = plain.item()
    for m in range(3):
        ratio = np.delete(s, m).mean() / s[m]
        expected += 0.7 * np.clip(ratio - 1, 0, 1) * -np.log(right[m]).mean()
        expected -= 0.4 * np.clip(1 / ratio - 1, 0, 1) * entropy[m].mean() * (epoch <= 5)
    assert technique.loss(step, plain).item() == pytest.approx(expected, rel=1e-4)


def test_prototypes_keep_a_share_of_the_old_ones():
    context = begin()
    technique = techniques.load("pmr")(context, momentum=0.3)
    technique.begin_epoch(1)
    old = technique._prototypes(0).clone()
    with torch.no_grad():
        for parameter in context.model.parameters():
            parameter.mul_(1.5)
    fresh = techniques.load("pmr")(context)
    fresh.begin_epoch(1)
    technique.begin_epoch(2)
    torch.testing.assert_close(technique._prototypes(0), 0.3 * old + 0.7 * fresh._prototypes(0))


def test_a_class_without_a_prototype_takes_no_part():
    prototypes = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [torch.nan, torch.nan]]])
    right, entropy = answer(torch.zeros(3, 2), prototypes, choices_of(torch.tensor([0, 2, 1])))
    p = np.exp([0, -5]) / np.exp([0, -5]).sum()
    assert right[:, 0].exp().numpy() == pytest.approx(p, rel=1e-4)
    assert entropy.numpy() == pytest.approx(-(p * np.log(p)).sum(), rel=1e-3)


def test_coefficients_of_two_are_the_paper_s_and_what_is_not_there_counts_not():
    slow, fast = coefficients(torch.tensor([0.8, 0.5]))
    assert slow.numpy() == pytest.approx([0, 0.6])
    assert fast.numpy() == pytest.approx([0.6, 0])
    slow, fast = coefficients(torch.tensor([0.8, torch.nan, 0.5]))
    assert slow.numpy() == pytest.approx([0, 0, 0.6])
    slow, fast = coefficients(torch.tensor([torch.nan, 0.5]))
    assert not slow.any() and not fast.any()


@pytest.mark.parametrize("name", ["gradient_blending", "pmr", "modality_imbalance", "ogm_ge"])
def test_what_changes_in_training_is_in_the_state(name):
    """A technique that is built anew and given the state goes on as the old one."""
    context = begin()
    old, new = (
        techniques.load(name)(context, **({"every": 1} if name != "pmr" and name != "ogm_ge" else {})) for _ in "12"
    )
    old.begin_epoch(1)
    step = step_of(context)
    context.model.zero_grad()
    old.loss(step, context.task.loss(step.logits, step.target)).backward()
    old.gradients(step)
    old.end_epoch(1)
    new.load_state_dict(old.state_dict())
    for technique in (old, new):
        technique.begin_epoch(2)
        technique.end_epoch(2)
    assert new.report() == old.report()
    again = step_of(context, 2)
    assert torch.equal(*(t.loss(again, again.logits.mean()) for t in (old, new)))


@pytest.mark.parametrize(
    ("name", "task"),
    tiered(
        [("gradient_blending", "regression"), ("pmr", "multilabel"), ("modality_imbalance", "regression")],
        [("gradient_blending", "multilabel"), ("pmr", "regression"), ("modality_imbalance", "multilabel")],
    ),
)
def test_they_fit_every_task_they_name(task, name):
    if suits(techniques.entry(name).literal("TASKS"), task):
        vectors = dict.fromkeys(("one", "two", "three"), "vector")
        train = {"epochs": 2, "techniques": [name]}
        model = sensorium.fit(made(task), "label", task=task, modalities=vectors, train=train, progress=False)
        assert set(model.card["history"]["techniques"]) == {name}
        assert all(np.isfinite(epoch["loss"]) for epoch in model.card["history"]["epochs"])
