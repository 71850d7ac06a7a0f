"""Mixed precision: networks compute in half the size, weights and losses stay as they are."""

import numpy as np
import pytest
import torch

import sensorium
from prepared import prepare
from sensorium.errors import ConfigError
from sensorium.model import FusionModel
from sensorium.registry import fusions
from sensorium.train.precision import Precision
from tiers import spread

CPU = torch.device("cpu")


def fit(table, **settings):
    return sensorium.fit(table, "label", width=16, progress=False, **settings)


@pytest.mark.slow
def test_bfloat16_learns_and_leaves_the_weights_in_float32(made, monkeypatch):
    seen, decide = [], FusionModel.decide

    def look(self, tokens, present):
        logits = decide(self, tokens, present)
        seen.append((self.training, torch.is_autocast_enabled("cpu"), logits.dtype))
        return logits

    monkeypatch.setattr(FusionModel, "decide", look)
    model = fit(made, train={"epochs": 6, "precision": "bfloat16", "learning_rate": 5e-3})
    losses = [epoch["loss"] for epoch in model.card["history"]["epochs"]]
    assert losses[-1] < 0.8 * losses[0]
    assert {value.dtype for value in model.fitted.network.state_dict().values()} <= {torch.float32, torch.int64}
    # In training half the size, in validation what the saved model answers in.
    assert set(seen) == {(True, True, torch.bfloat16), (False, False, torch.float32)}


# One of each level and of each way to weight and mix.
KINDS = ["attention", "bottleneck", "concat", "late", "mixture_of_experts", "tensor"]


@pytest.mark.slow
@pytest.mark.parametrize("fusion", spread(fusions.names(), KINDS))
def test_every_fusion_takes_a_step_in_bfloat16(fusion, tabular):
    train = {"epochs": 1, "precision": "bfloat16", "batch_size": 48, "techniques": ["auxiliary", "ogm_ge", "ranking"]}
    assert np.isfinite(fit(tabular, fusion=fusion, train=train).predict_proba(tabular)).all()


def test_on_a_cpu_auto_is_float32(tabular):
    """Where nothing was asked for, results don't change with the machine's tricks."""
    assert Precision("auto", CPU).dtype is None
    kinds = ("auto", "float32", "bfloat16")
    auto, whole, half = (fit(tabular, train={"epochs": 1, "precision": kind}).predict_proba(tabular) for kind in kinds)
    assert (auto == whole).all()
    assert np.abs(auto - half).max() > 0


def test_float16_on_a_cpu_is_refused_before_the_work(tabular, monkeypatch):
    monkeypatch.setattr("sensorium.planning._prepared.prepare_columns", None)  # would fail with a TypeError
    with pytest.raises(ConfigError, match=r"precision 'float16' is not supported on cpu(.|\n)*cure: bfloat16, float32"):
        prepare(tabular, {"target": "label", "train": {"precision": "float16"}})


def test_scaled_losses_make_the_same_step(monkeypatch):
    """float16's scaling, on a device where both can be computed; what overflows makes no step."""
    monkeypatch.setattr("sensorium.train.precision._check", lambda *_: None)
    precision, weights = Precision("float16", CPU), []
    for scaled in (False, True):
        layer = torch.nn.Linear(3, 1, bias=False)
        torch.nn.init.ones_(layer.weight)
        optimizer = torch.optim.AdamW(layer.parameters(), 0.1, fused=True)
        for value in (1e-3, 0.5, float("inf")) if scaled else (1e-3, 0.5):
            optimizer.zero_grad()
            loss = layer(torch.full((2, 3), value)).mean()
            if scaled:
                precision.backward(loss)
                precision.unscale(optimizer)
                precision.step(optimizer)
            else:
                loss.backward()
                optimizer.step()
        weights.append(layer.weight.detach().clone())
    torch.testing.assert_close(*weights)
    kept = precision.to_tree()
    assert kept["scale"] == 2.0**15  # halved by the overflow
    other = Precision("float16", CPU)
    other.restore(kept)
    assert other.to_tree() == kept
