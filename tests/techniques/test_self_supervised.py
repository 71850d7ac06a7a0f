"""Terms that need no label, against formulas written out in NumPy; and who has part in them."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest
import torch
from contexts import begin, step_of

from sensorium.registry import techniques
from sensorium.techniques.contrastive import info_nce
from sensorium.techniques.masked import SMALL, covariance_term, variance_term

ROWS = 40


@pytest.fixture(scope="module", params=["concat", "late", "transformer"])
def begun(request):
    """Three modalities with gaps, through fusions of each level."""
    random = np.random.default_rng(0)
    table = {
        "number": [None if row % 6 == 0 else float(value) for row, value in enumerate(random.normal(size=ROWS))],
        "vector": [None if row % 5 == 1 else random.normal(size=4).tolist() for row in range(ROWS)],
        "other": [None if row % 4 == 2 else random.normal(size=3).tolist() for row in range(ROWS)],
        "label": ["a", "b", "c", "d"] * (ROWS // 4),
    }
    return begin(table, fusion=request.param, modalities={"vector": "vector", "other": "vector"})


def numpy_info_nce(one, other, scale):
    one, other = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (one, other))
    total = 0.0
    for a, b in ((one, other), (other, one)):
        for row in range(len(a)):
            found = np.array([scale * a[row] @ vector for vector in b])
            total += np.log(np.exp(found).sum()) - found[row]
    return total / (2 * len(one))


def numpy_vicreg(vectors):
    deviation = np.sqrt(vectors.var(0, ddof=1) + SMALL)
    covariance = np.cov(vectors.T)
    off = sum(covariance[i, j] ** 2 for i in range(len(covariance)) for j in range(len(covariance)) if i != j)
    return np.maximum(0, 1 - deviation).mean(), off / len(covariance)


def test_info_nce_is_the_mean_of_both_directions():
    one, other = np.random.default_rng(0).normal(size=(2, 7, 5))
    found = info_nce(torch.tensor(one), torch.tensor(other), torch.tensor(3.0))
    assert found.item() == pytest.approx(numpy_info_nce(one, other, 3.0))


def test_variance_and_covariance_are_those_of_vicreg():
    vectors = np.random.default_rng(1).normal(size=(9, 4)) * [0.2, 0.9, 1.5, 3.0]
    variance, covariance = numpy_vicreg(vectors)
    assert variance_term(torch.tensor(vectors)).item() == pytest.approx(variance)
    assert covariance_term(torch.tensor(vectors)).item() == pytest.approx(covariance)
    same = torch.ones(5, 4)
    assert variance_term(same).item() == pytest.approx(1 - SMALL**0.5)


def test_contrastive_compares_the_rows_that_have_both_of_a_pair(begun):
    context, batch = begun
    technique = techniques.load("contrastive")(context, weight=0.5, width=6, temperature=0.25)
    hide = torch.zeros_like(context.model.present(batch))
    hide[:3, 0] = True
    step = step_of(context, batch, hide=hide)
    vectors = [
        head(tokens.pooled()).detach().double().numpy()
        for head, tokens in zip(technique.heads, step.tokens, strict=True)
    ]
    present, expected = step.present.numpy(), []
    for one, other in combinations(range(3), 2):
        both = present[:, one] & present[:, other]
        assert 1 < both.sum() < len(both)
        expected.append(numpy_info_nce(vectors[one][both], vectors[other][both], 4.0))
    found = technique.loss(step, torch.tensor(2.0))
    assert found.item() == pytest.approx(2 + 0.5 * np.mean(expected), rel=1e-5)


def test_masked_foretells_each_modality_from_the_fused_others(begun):
    context, batch = begun
    technique = techniques.load("masked")(context, weight=0.5, width=6, variance=0.7, covariance=0.3)
    context.model.eval()
    step, expected = step_of(context, batch), []
    for place in range(3):
        rest = step.present.clone()
        rest[:, place] = False
        there = step.present[:, place] & rest.any(1)
        tokens = [dataclasses.replace(t, values=t.values[there], mask=t.mask[there]) for t in step.tokens]
        summaries = [None if t.summary is None else t.summary[there] for t in step.tokens]
        tokens = [dataclasses.replace(t, summary=s) for t, s in zip(tokens, summaries, strict=True)]
        tokens[place] = dataclasses.replace(tokens[place], values=torch.full_like(tokens[place].values, 1e3))
        fused = context.model.fusion(tokens, rest[there])
        target = technique.targets[place](step.tokens[place].pooled()[there]).detach().double().numpy()
        predicted = technique.predictors[place](fused).detach().double().numpy()
        (tv, tc), (pv, pc) = numpy_vicreg(target), numpy_vicreg(predicted)
        expected.append(((target - predicted) ** 2).mean() + 0.7 * (tv + pv) / 2 + 0.3 * (tc + pc))
    found = technique.loss(step, torch.tensor(2.0))
    context.model.train()
    assert found.item() == pytest.approx(2 + 0.5 * np.mean(expected), rel=1e-4)


@pytest.mark.parametrize("name", ["contrastive", "masked"])
def test_a_modality_that_is_alone_in_its_row_has_no_part(begun, name):
    """Neither loss nor gradient, whatever its cells hold."""
    context, batch = begun
    technique = techniques.load(name)(context)
    hide = torch.ones_like(context.model.present(batch))
    hide[:, 0] = False
    loss = torch.zeros((), requires_grad=True)
    assert technique.loss(step_of(context, batch, hide=hide), loss) is loss


def test_a_target_that_stands_still_gives_no_gradient_of_the_distance(begun):
    context, batch = begun
    for stop in (False, True):
        technique = techniques.load("masked")(context, variance=0.0, covariance=0.0, stop_gradient=stop)
        technique.loss(step_of(context, batch), torch.zeros(())).backward()
        moved = sum(float(p.grad.abs().sum()) for p in technique.targets.parameters())
        assert (moved == 0) == stop
    context.model.zero_grad()
