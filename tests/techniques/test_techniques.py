"""What each technique does to the loss and the gradients, against its formula, and what it is for."""

import numpy as np
import pytest
import torch
from contexts import begin

import sensorium
from sensorium.registry import techniques
from sensorium.techniques import Step
from sensorium.techniques.ogm_ge import coefficients

ROWS = 120


def made(rows=ROWS, seed=0, clear=2.0):
    """A number that tells the label as well as it is `clear`, and a vector that tells it less often; both with gaps."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, rows)
    number = clear * (2 * label - 1) + random.normal(size=rows)
    vectors = 0.7 * (2 * label[:, None] - 1) + random.normal(size=(rows, 4))
    return {
        "number": [None if row % 6 == 0 else float(value) for row, value in enumerate(number)],
        "vector": [None if row % 5 == 1 else vector.tolist() for row, vector in enumerate(vectors)],
        "label": np.where(label, "yes", "no").tolist(),
    }


@pytest.fixture(scope="module")
def begun():
    """A context at its start and its first step."""
    return begin(made())


def step_of(context, batch, epoch=1):
    tokens, present = context.model.encode(batch)
    logits = context.model.decide(tokens, present)
    return Step(batch, tokens, present, logits, epoch, torch.Generator().manual_seed(5))


def grads(context):
    return {
        tower.name: [p.grad.clone() for p in tower.parameters() if p.grad is not None]
        for tower in context.model.every_tower
    }


def test_auxiliary_adds_the_mean_of_the_modalities_own_losses(begun):
    context, batch = begun
    technique = techniques.load("auxiliary")(context, weight=0.25)
    step = step_of(context, batch)
    plain = context.task.loss(step.logits, step.target)
    own = []
    for place, head in enumerate(technique.heads):
        there = step.present[:, place]
        assert 0 < there.sum() < len(there)
        own.append(context.task.loss(head(step.tokens[place].pooled()[there]), step.target[there]))
    assert technique.loss(step, plain).item() == pytest.approx((plain + 0.25 * sum(own) / 2).item(), rel=1e-6)


def test_the_coefficients_of_ogm_ge_are_the_paper_s_for_two():
    s, alpha = np.array([0.9, 0.6]), 0.5
    expected = [1 - np.tanh(alpha * s[0] / s[1]), 1.0]
    assert coefficients(torch.tensor(s), alpha).numpy() == pytest.approx(expected)


def test_of_three_each_is_held_against_the_mean_of_the_others():
    s, alpha = np.array([0.9, 0.5, 0.75]), 0.3
    rest = [(s.sum() - own) / 2 for own in s]
    expected = [1 - np.tanh(alpha * own / other) if own > other else 1.0 for own, other in zip(s, rest, strict=True)]
    assert coefficients(torch.tensor(s), alpha).numpy() == pytest.approx(expected)
    nan = coefficients(torch.tensor([0.9, float("nan"), 0.6]), alpha).numpy()
    assert nan == pytest.approx([1 - np.tanh(alpha * 1.5), 1.0, 1.0])


def test_ogm_ge_multiplies_the_gradients_of_the_leading_tower_alone(begun):
    context, batch = begun
    technique = techniques.load("ogm_ge")(context, alpha=0.5, noise=False)
    step = step_of(context, batch)
    context.model.zero_grad()
    context.task.loss(step.logits, step.target).backward()
    before = grads(context)
    torch.manual_seed(5)  # the network trains: both draw the same dropout
    technique.gradients(step)
    torch.manual_seed(5)
    scores = []
    for place in range(2):
        only = torch.zeros_like(step.present)
        only[:, place] = step.present[:, place]
        right = torch.sigmoid(context.model.decide(step.tokens, only)[:, 0])
        right = torch.where(step.target == 1, right, 1 - right)
        scores.append(right[step.present[:, place]].mean().item())
    lead = int(np.argmax(scores))
    factors = [1.0, 1.0]
    factors[lead] = 1 - np.tanh(0.5 * scores[lead] / scores[1 - lead])
    after = grads(context)
    for tower, factor in zip(context.model.every_tower, factors, strict=True):
        for old, new in zip(before[tower.name], after[tower.name], strict=True):
            torch.testing.assert_close(new, old * factor)


def test_ogm_ge_ends_with_its_share_of_the_epochs(begun):
    context, batch = begun
    technique = techniques.load("ogm_ge")(context, until=0.5)
    step = step_of(context, batch, epoch=3)
    context.model.zero_grad()
    context.task.loss(step.logits, step.target).backward()
    before = grads(context)
    technique.gradients(step)
    assert all(torch.equal(a, b) for name in before for a, b in zip(before[name], grads(context)[name], strict=True))


def surer_with_less(model, table):
    """By how much answers are surer without the number, or without the vector, than with both: the mean over rows."""
    whole = model.predict_proba(table).max(1)
    both = [i for i in range(len(whole)) if table["number"][i] is not None and table["vector"][i] is not None]
    fewer = [model.predict_proba({n: c for n, c in table.items() if n != gone}).max(1) for gone in ("number", "vector")]
    return np.mean([np.maximum(0, part[both] - whole[both]) for part in fewer])


@pytest.mark.slow
def test_with_ranking_fewer_answers_are_surer_where_less_is_known():
    table, settings = made(400, clear=0.5), {"epochs": 15, "modality_dropout": 0.0}
    plain, ranked = (
        sensorium.fit(
            table, "label", modalities={"vector": "vector"}, train={**settings, "techniques": chosen}, progress=False
        )
        for chosen in ({}, {"ranking": {"weight": 5.0}})
    )
    rows = made(300, seed=1, clear=0.5)
    assert surer_with_less(ranked, rows) < 0.7 * surer_with_less(plain, rows)
    assert ranked.test.metrics["accuracy"] > plain.test.metrics["accuracy"] - 0.05
