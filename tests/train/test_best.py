"""The best epochs: the watched metric decides, then the validation loss, then the earlier epoch."""

import math

import pytest
import torch

from sensorium.train.best import Best
from sensorium.train.history import Epoch, History

pytestmark = pytest.mark.unit


def train(outcomes, count, watched="accuracy"):
    """Epochs with these (metric, validation loss); the only weight is the epoch's number.

    Returns:
        The best epochs, and which epochs were the best of all when they ended.
    """
    model, history, best = torch.nn.Linear(1, 1, bias=False), History(watched), Best(count)
    leaders = []
    for number, (metric, loss) in enumerate(outcomes, 1):
        torch.nn.init.constant_(model.weight, number)
        history.epochs.append(Epoch(number, 0.0, loss, metric, 0.1, 1.0, 1.0))
        if best.add(history, model):
            leaders.append(number)
    return best, leaders


def numbers(best):
    assert [weights["weight"].item() for _, weights in best.epochs] == [number for number, _ in best.epochs]
    return [number for number, _ in best.epochs]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_of_equal_epochs_the_earlier_is_kept(count):
    best, leaders = train([(0.5, 1.0)] * 4, count)
    assert numbers(best) == [1, 2, 3][:count]
    assert leaders == [1]


def test_an_equal_epoch_stands_behind_its_like_and_before_worse_ones():
    best, leaders = train([(0.9, 1.0), (0.5, 1.0), (0.9, 1.0), (0.7, 1.0)], 4)
    assert numbers(best) == [1, 3, 4, 2]
    assert leaders == [1]


def test_the_validation_loss_decides_between_equal_metrics():
    best, leaders = train([(0.5, 1.0), (0.5, 0.8), (0.5, 0.9), (0.4, 0.1)], 3)
    assert numbers(best) == [2, 3, 1]
    assert leaders == [1, 2]


@pytest.mark.parametrize(("watched", "kept"), [("log_loss", [2, 1]), ("accuracy", [3, 1])])
def test_the_direction_of_the_metric_counts(watched, kept):
    assert numbers(train([(0.5, 1.0), (0.2, 1.0), (0.9, 1.0)], 2, watched)[0]) == kept


@pytest.mark.parametrize("watched", ["mcc", "log_loss"])
def test_an_epoch_whose_metric_is_not_defined_is_worse_than_all_others(watched):
    worse, better = (-0.2, -0.1) if watched == "mcc" else (0.9, 0.8)
    best, leaders = train([(math.nan, 0.5), (worse, 1.0), (math.nan, 0.4), (better, 1.0)], 4, watched)
    assert numbers(best) == [4, 2, 3, 1]
    assert leaders == [1, 2, 4]


def test_without_validation_rows_the_last_epoch_is_the_best():
    best, leaders = train([(math.nan, math.nan)] * 3, 2)
    assert numbers(best) == [3, 2]
    assert leaders == [1, 2, 3]


def test_the_best_weights_return_to_the_model_and_survive_a_break():
    best, _ = train([(0.5, 1.0), (0.9, 1.0), (0.7, 1.0)], 2)
    again = Best(2)
    again.restore(best.to_tree())
    model = torch.nn.Linear(1, 1, bias=False)
    again.load(model)
    assert model.weight.item() == 2
    assert numbers(again) == [2, 3]
