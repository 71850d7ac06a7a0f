"""Heads against their formulas, and where they cannot be used."""

import numpy as np
import pytest
import torch

import sensorium
from sensorium.errors import ConfigError
from sensorium.registry import heads

HEADS = heads.names()


@pytest.fixture
def rows():
    return torch.randn(5, 12, generator=torch.Generator().manual_seed(0)) * 3


def unit(values):
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.mark.unit
def test_cosine_is_its_formula(rows):
    head = heads.load("cosine")(12, 4, scale=7.0)
    torch.nn.init.normal_(head.bias)
    weight, bias = head.weight.detach().numpy(), head.bias.detach().numpy()
    np.testing.assert_allclose(
        head(rows).detach(), 7 * unit(rows.numpy()) @ unit(weight).T + bias, rtol=1e-5, atol=1e-5
    )
    torch.testing.assert_close(head(100 * rows), head(rows))


@pytest.mark.unit
def test_a_prototype_s_probabilities_are_those_of_its_distances(rows):
    """Logits may differ from the distances by a number that all classes share."""
    head = heads.load("prototype")(12, 4, scale=6.0)
    points, x = head.points.detach().numpy(), rows.numpy()
    x = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    distance = np.square(x[:, None] - points[None]).sum(2)
    weights = np.exp(-6 * distance / 12)
    expected = weights / weights.sum(1, keepdims=True)
    np.testing.assert_allclose(head(rows).softmax(1).detach(), expected, rtol=1e-3)
    assert (head(rows).argmax(1).numpy() == distance.argmin(1)).all()


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    label = random.integers(0, 4, 200)
    centres = np.eye(4) * 2
    x = centres[label] + random.normal(size=(200, 4)) * 0.5
    return {**{f"x{i}": x[:, i].tolist() for i in range(4)}, "label": np.array(list("abcd"))[label].tolist()}


@pytest.mark.slow
@pytest.mark.parametrize("name", HEADS)
def test_each_learns_and_is_saved(name, table, tmp_path):
    model = sensorium.fit(table, "label", head=name, epochs=20, progress=False)
    assert model.evaluate(table).metrics["accuracy"] > 0.9
    model.save(tmp_path / "model")
    again = sensorium.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(table), model.predict_proba(table))
    assert type(again.fitted.network.head) is heads.load(name)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"head": "cosin"}, "did you mean 'cosine'"),
        ({"head": {"name": "cosine", "scael": 3}}, "did you mean 'scale'"),
        ({"head": {"name": "cosine", "scale": 0}}, "greater than 0"),
        ({"head": "cosine", "fusion": "late"}, "decision-level fusion has one head per modality"),
        ({"head": "cosine", "train": {"mixup": 0.2}}, "cannot be combined with mixup"),
        ({"head": "prototype", "task": "multilabel"}, "it is for multiclass"),
    ],
)
def test_what_can_not_be_is_refused(settings, message, table):
    with pytest.raises(ConfigError, match=message):
        sensorium.fit(table, "label", progress=False, **settings)
