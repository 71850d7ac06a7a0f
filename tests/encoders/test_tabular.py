"""Embedded numbers and categories against their definitions in NumPy."""

import itertools

import numpy as np
import pytest
import torch

from sensorium.batch import Cells
from sensorium.config import TrainConfig
from sensorium.encoders.tabular import Tabular
from sensorium.modalities.date import Date
from sensorium.modalities.number import Number
from sensorium.table import open_table
from sensorium.train.optimizer import make_optimizer, make_schedule

pytestmark = pytest.mark.unit

VALUES = np.array([-12.0, -1.0, -0.2, 0.0, 0.7, 3.0, 25.0], np.float32)
EDGES = np.array([-1.0, -0.5, 0.0, 2.0], np.float32)
NUMBER = {"floats": 1, "edges": EDGES}


def numbers(values, present=None):
    values = torch.tensor(values, dtype=torch.float32).reshape(len(values), -1)
    there = torch.ones(len(values), dtype=torch.bool) if present is None else torch.tensor(present)
    return Cells(values * there[:, None], there)


def features(columns, *cells, **options):
    """What the perceptron would be given: without layers, the encoder gives it out."""
    torch.manual_seed(0)
    encoder = Tabular(columns, layers=(), **options).eval()
    with torch.no_grad():
        found = encoder(*cells)
    assert found.values.shape[1:] == (1, encoder.width)
    return encoder, found.pooled().numpy()


def piecewise(value, edges):
    """Gorishniy et al. 2022, equation 1, held to 0 below the first bin and 1 above the last."""
    return [min(1.0, max(0.0, (value - low) / (high - low))) for low, high in itertools.pairwise(edges)]


def test_piecewise_numbers_equal_their_definition():
    _, found = features([NUMBER], numbers(VALUES), numeric="piecewise")
    expected = [[min(10, max(-10, v)), 1, *piecewise(v, EDGES)] for v in VALUES]
    assert found == pytest.approx(np.array(expected), abs=1e-6)


def test_each_column_has_bins_of_its_own():
    other = {"floats": 1, "edges": np.array([0.0, 10.0], np.float32)}
    _, found = features([NUMBER, other], numbers(VALUES), numbers(2 * VALUES), numeric="piecewise")
    expected = [
        [min(10, max(-10, v)), min(10, max(-10, 2 * v)), 1, 1, *piecewise(v, EDGES), *piecewise(2 * v, [0, 10])]
        for v in VALUES
    ]
    assert found == pytest.approx(np.array(expected), abs=1e-6)


def test_bins_of_a_learnt_column_hold_equal_shares_of_its_rows():
    values = np.random.default_rng(0).exponential(size=800)
    column = open_table({"c": values}).column("c")
    learnt = Number.learn(column, bins=8)
    cells = numbers(learnt.encode(column).values)
    _, found = features([learnt.encoder_spec()], cells, numeric="piecewise")
    inside = (found[:, 2:] > 0) & (found[:, 2:] < 1)
    assert found.shape[1] == 2 + 8
    assert inside.sum(0) == pytest.approx(np.full(8, 100), abs=2)


def test_periodic_numbers_equal_their_definition():
    encoder, found = features([NUMBER], numbers(VALUES), numeric="periodic", frequencies=3)
    rates = encoder.state_dict()["numbers.frequencies"].numpy()[0]
    angles = 2 * np.pi * VALUES[:, None] * rates
    expected = np.concatenate([VALUES.clip(-10, 10)[:, None], np.ones((7, 1)), np.sin(angles), np.cos(angles)], 1)
    assert found == pytest.approx(expected, abs=1e-5)


def test_linear_numbers_are_values_beside_presence():
    _, found = features([NUMBER], numbers(VALUES, [True, False] * 3 + [True]), numeric="linear")
    assert found.tolist() == [[-10, 1], [0, 0], [pytest.approx(-0.2), 1], [0, 0], [pytest.approx(0.7), 1], [0, 0],
                              [10, 1]]  # fmt: skip


@pytest.mark.parametrize("numeric", ["linear", "periodic", "piecewise"])
def test_a_missing_number_differs_from_an_average_one(numeric):
    _, found = features([NUMBER], numbers([0.0, 0.0], [True, False]), numeric=numeric)
    assert (found[0] != found[1]).any()


def test_a_constant_column_and_a_date_have_no_bins():
    column = open_table({"c": [5, 5, 5], "d": ["2026-01-31", "2026-02-01", "2026-03-01"]})
    number, date = Number.learn(column.column("c")), Date.learn(column.column("d"))
    cells = [numbers(number.encode(column.column("c")).values), numbers(date.encode(column.column("d")).values)]
    _, found = features([number.encoder_spec(), date.encoder_spec()], *cells, numeric="piecewise")
    assert found.shape == (3, 1 + 5 + 2)
    assert found[:, 0].tolist() == [0, 0, 0]


def test_each_level_and_each_missing_cell_has_a_vector_of_its_own():
    first = Cells(torch.tensor([0, 1, 2, 0]), torch.tensor([True, True, True, False]))
    second = Cells(torch.tensor([0, 1, 0, 1]), torch.tensor([True, True, False, True]))
    encoder, found = features([{"levels": 3}, {"levels": 2}], first, second, category=4)
    table = encoder.state_dict()["codes.embed.weight"].numpy()
    assert table.shape == (3 + 1 + 2 + 1, 4), "each level, and a row for a missing cell, of each column"
    rows = [(0, 4), (1, 5), (2, 6), (3, 5)]
    assert found == pytest.approx(np.array([[*table[a], *table[b]] for a, b in rows]))


@torch.no_grad()
def test_columns_of_several_kinds_keep_their_places():
    torch.manual_seed(0)
    kinds = [{"levels": 3}, NUMBER, {"levels": 2}, {"floats": 1}]
    encoder = Tabular(kinds, layers=(16, 8)).eval()
    cells = [Cells(torch.tensor([1, 2]), torch.ones(2, dtype=torch.bool)), numbers([0.5, -0.5]),
             Cells(torch.tensor([1, 0]), torch.ones(2, dtype=torch.bool)), numbers([1.0, -1.0])]  # fmt: skip
    assert encoder(*cells).pooled().shape == (2, 8)
    state = encoder.state_dict()
    table = state["codes.embed.weight"]
    plain = torch.tensor([[0.5, 1, 1, 1, *piecewise(0.5, EDGES)], [-0.5, -1, 1, 1, *piecewise(-0.5, EDGES)]])
    given = torch.cat([plain, table[[1, 2]], table[[5, 4]]], 1)
    for layer in (0, 3):
        given = (given @ state[f"layers.{layer}.weight"].T + state[f"layers.{layer}.bias"]).relu()
    assert torch.allclose(encoder(*cells).pooled(), given, atol=1e-5)


def first_losses(encoder, width, steps=6):
    """Losses of the first steps of a classification into three classes, with the default optimiser and its warm-up."""
    random = np.random.default_rng(0)
    x = torch.from_numpy(random.normal(size=(200, width)).astype(np.float32))
    labels = torch.from_numpy(np.digitize(x[:, :9].numpy().sum(1), [-1.3, 1.3]))
    torch.manual_seed(1)
    head = torch.nn.Linear(encoder.width, 3)
    optimizer = make_optimizer(torch.nn.ModuleDict({"encoder": encoder, "head": head}), TrainConfig())
    schedule, losses = make_schedule(optimizer, TrainConfig(), 75), []
    for _ in range(steps):
        rows = random.choice(200, 32, replace=False)
        cells = Cells(x[rows], torch.ones(32, dtype=torch.bool))
        loss = torch.nn.functional.cross_entropy(head(encoder(cells).pooled()), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def test_the_first_steps_over_very_many_numbers_do_not_make_the_loss_explode():
    """A step of Adam changes each weight by the learning rate: the outputs change by it times the number of inputs."""
    width, encoders = 10_000, []
    for _ in range(2):
        torch.manual_seed(0)
        encoders.append(Tabular([{"floats": width, "edges": EDGES}], dropout=0.0))
    del encoders[1].layers[0].weight.rate
    found, without = (first_losses(encoder, width) for encoder in encoders)
    assert found[0] == without[0] == pytest.approx(np.log(3), abs=0.3)
    assert max(found) < 1.5 < 4 < max(without)


def test_ordinary_numbers_of_features_are_trained_with_the_full_rate():
    ordinary, wide = (Tabular([{"floats": 1}] * count, numeric="linear") for count in (2048, 4096))
    assert not any(hasattr(weight, "rate") for weight in ordinary.parameters())
    rates = {name: weight.rate for name, weight in wide.named_parameters() if hasattr(weight, "rate")}
    assert rates == {"layers.0.weight": 0.5}
