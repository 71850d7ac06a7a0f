"""Optimisers and schedules against their published formulas."""

import math

import numpy as np
import pytest
import torch

from sensorium.config import TrainConfig
from sensorium.train.optimizer import make_optimizer, make_schedule

pytestmark = pytest.mark.unit

STEPS = 50


def rates(config, steps=STEPS):
    """The rate of each step."""
    optimizer = make_optimizer(torch.nn.Linear(2, 2), config)
    course = make_schedule(optimizer, config, steps)
    found = []
    for _ in range(steps):
        found.append(course.get_last_lr()[0])
        optimizer.step()
        course.step()
    return found


FALLS = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1 - done,
    "cosine": lambda done: 0.5 + 0.5 * math.cos(math.pi * done),
}


@pytest.mark.parametrize("schedule", FALLS)
def test_the_rate_rises_and_then_follows_its_schedule(schedule):
    found = rates(TrainConfig(learning_rate=1.0, schedule=schedule, warmup=0.2, optimizer="sgd"))
    assert found[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert found[10:] == pytest.approx([FALLS[schedule](step / 40) for step in range(40)])


@pytest.mark.parametrize("schedule", FALLS)
def test_without_a_warm_up_the_rate_starts_at_its_peak(schedule):
    config = TrainConfig(learning_rate=0.5, schedule=schedule, warmup=0)
    assert rates(config) == pytest.approx([0.5 * FALLS[schedule](step / STEPS) for step in range(STEPS)])


@pytest.mark.parametrize("warmup", [0, 0.1, 0.9])
@pytest.mark.parametrize("schedule", FALLS)
def test_a_single_step_is_a_whole_one(schedule, warmup):
    assert rates(TrainConfig(learning_rate=0.5, schedule=schedule, warmup=warmup), steps=1) == [0.5]


def test_biases_and_embeddings_do_not_decay():
    network = torch.nn.ModuleDict({"layer": torch.nn.Linear(2, 2), "embed": torch.nn.Embedding(3, 2)})
    groups = make_optimizer(network, TrainConfig(weight_decay=0.1)).param_groups
    assert {group["weight_decay"]: len(group["params"]) for group in groups} == {0.1: 1, 0.0: 2}


def test_frozen_weights_are_left_alone():
    layer = torch.nn.Linear(2, 2)
    layer.weight.requires_grad_(False)
    groups = make_optimizer(layer, TrainConfig()).param_groups
    assert [p is layer.bias for group in groups for p in group["params"]] == [True]


def sgd(w, gradients, rate, decay):
    """Momentum 0.9."""
    velocity = 0
    for gradient in gradients:
        velocity = 0.9 * velocity + gradient + decay * w
        w = w - rate * velocity
    return w


def adam(w, gradients, rate, decay, decoupled=False):
    """Kingma and Ba 2015, algorithm 1; the decay added to the gradient, or decoupled (Loshchilov and Hutter 2019)."""
    m = v = 0
    for step, gradient in enumerate(gradients, 1):
        gradient = gradient if decoupled else gradient + decay * w
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        w = w - rate * decay * w if decoupled else w
        w = w - rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return w


def adamw(w, gradients, rate, decay):
    return adam(w, gradients, rate, decay, decoupled=True)


@pytest.mark.parametrize("formula", [sgd, adam, adamw])
def test_an_optimiser_steps_as_published(formula):
    random = np.random.default_rng(0)
    start, gradients = random.normal(size=(3, 2)), random.normal(size=(4, 3, 2))
    layer = torch.nn.Linear(2, 3, bias=False, dtype=torch.float64)
    layer.weight.data.copy_(torch.from_numpy(start))
    optimizer = make_optimizer(layer, TrainConfig(optimizer=formula.__name__, learning_rate=0.1, weight_decay=0.2))
    for gradient in gradients:
        layer.weight.grad = torch.from_numpy(gradient)
        optimizer.step()
    assert layer.weight.detach().numpy() == pytest.approx(formula(start, gradients, 0.1, 0.2), abs=1e-9)
