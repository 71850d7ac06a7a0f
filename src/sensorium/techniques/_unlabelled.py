"""Draw training rows without their labels, and predict for strongly augmented views of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from sensorium.augment import augment
from sensorium.batch import Batch
from sensorium.model import FusionModel
from sensorium.techniques._base import Step
from sensorium.techniques._context import TrainingContext

STEEP = 5.0  # a weight starts at exp(−5) of its maximum


def draw_rows(context: TrainingContext, step: Step, ratio: float) -> Batch | None:
    """Draw a batch of training rows, with or without a label; None if none of their cells can be read.

    Draws are independent, so the generator has all of the state.

    Args:
        context: of the training.
        step: of the labelled rows.
        ratio: number of rows drawn per labelled row; one row is always drawn.
    """
    count, random = max(1, round(ratio * len(step.target))), step.random
    pool = torch.from_numpy(np.concatenate([context.train_rows, context.unlabelled_rows]))
    drawn = torch.randint(len(pool), (count,), generator=random, device=random.device).cpu()
    batch = context.loader.batch(pool[drawn])
    readable = batch.has_any()
    if not readable.any():
        return None
    return batch if readable.all() else batch.take(readable.nonzero().squeeze(1))


def strong_view(context: TrainingContext, batch: Batch, hide: float, random: Generator) -> Float[Tensor, "b k"]:
    """Return the logits for a strongly augmented view: the augmentations of the training, and hidden modalities."""
    hidden = hide_some(context.model.present(batch), hide, random)
    logits: Tensor = context.model(augment(batch, context.augmentations, random), hidden)
    return logits


def hide_some(present: Bool[Tensor, "b m"], probability: float, random: Generator) -> Bool[Tensor, "b m"]:
    """Hide each modality with this probability; one random modality of each row is never hidden."""
    luck = torch.rand(present.shape, generator=random, device=random.device)
    keeper = luck.masked_fill(~present, -1).argmax(1, keepdim=True)
    drawn = torch.rand(present.shape, generator=random, device=random.device)
    return (drawn < probability).scatter(1, keeper, False)


def has_one_of_many(logits: Float[Tensor, "b k"], target: Tensor) -> bool:
    """Return whether a row has one of several classes; otherwise, each logit is a binary label."""
    return logits.shape[1] > 1 and not target.is_floating_point()


def probabilities(logits: Float[Tensor, "b k"], target: Tensor) -> Float[Tensor, "b k"]:
    """Return the probabilities of the classes or labels, which are encoded like `target`."""
    return logits.float().softmax(1) if has_one_of_many(logits, target) else logits.float().sigmoid()


def ramp_up(step: Step, context: TrainingContext, share: float) -> float:
    """Return exp(−5 (1 − t)²), t from 0 to 1 over a fraction of the epochs (Laine and Aila 2017, arXiv:1610.02242)."""
    done = min(1.0, (step.epoch - 0.5) / (share * context.epochs))
    return math.exp(-STEEP * (1 - done) ** 2)


@contextmanager
def settled(model: FusionModel) -> Iterator[None]:
    """Within this block, the model is in evaluation mode and computes no gradients."""
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes:
            part.training = training
