"""A training context with fresh weights, for tests of single techniques."""

from dataclasses import replace

import torch

from sensorium.config import Config
from sensorium.planning import plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.techniques import Step
from sensorium.trials import TrialSpec, build_fitted, model_of_none, training_of


def begin(table, target="label", augment=None, epochs=4, **settings):
    """The context of a model with fresh weights, and a batch of all its training rows."""
    given = {"target": target, "modalities": {"vector": "vector"}, "width": 8, "seed": 3, **settings}
    data = plan_and_prepare(open_table(table), Config.gather(given, {"augment": augment or {}}), Silent())
    torch.manual_seed(3)
    context = training_of(data, build_fitted(data, TrialSpec("model"), model_of_none))
    context.model.train()
    rows = context.train_rows
    (batch,) = context.loader.shuffled(rows, len(rows), torch.Generator().manual_seed(0))
    return replace(context, batch_size=len(rows), epochs=epochs), batch


def step_of(context, batch, epoch=1, hide=None):
    """A step of the batch as the loop makes it."""
    tokens, present = context.model.encode(batch, hide)
    logits = context.model.decide(tokens, present)
    return Step(batch, tokens, present, logits, epoch, torch.Generator().manual_seed(5))
