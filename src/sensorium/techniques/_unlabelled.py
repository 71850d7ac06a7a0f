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


def draw_rows(context: TrainingContext, count: int, random: Generator) -> Batch | None:
    """Draw `count` training rows, with or without a label, as prepared; None if no cell of them can be read.

    Draws are independent, so that the state of the generator is the only state.
    """
    pool = torch.from_numpy(np.concatenate([context.train_rows, context.unlabelled_rows]))
    drawn = torch.randint(len(pool), (count,), generator=random, device=random.device).cpu()
    batch = context.loader.batch(pool[drawn])
    readable = batch.present.any(1)
    if not readable.any():
        return None
    return batch if readable.all() else batch.take(readable.nonzero().squeeze(1))


def strong_view(context: TrainingContext, batch: Batch, hide: float, random: Generator) -> Float[Tensor, "b k"]:
    """Logits for a strongly augmented view: the augmentations of the training, and hidden modalities."""
    hidden = hide_some(context.model.present(batch), hide, random)
    logits: Tensor = context.model(augment(batch, context.augmentations, random), hidden)
    return logits


def hide_some(present: Bool[Tensor, "b m"], probability: float, random: Generator) -> Bool[Tensor, "b m"]:
    """Hide each modality with this probability; one of those that the row has, drawn at random, always stays."""
    luck = torch.rand(present.shape, generator=random, device=random.device)
    keeper = luck.masked_fill(~present, -1).argmax(1, keepdim=True)
    drawn = torch.rand(present.shape, generator=random, device=random.device)
    return (drawn < probability).scatter(1, keeper, False)


def has_one_of_many(logits: Float[Tensor, "b k"], target: Tensor) -> bool:
    """Whether a row has one of several classes; otherwise each logit is a binary label."""
    return logits.shape[1] > 1 and not target.is_floating_point()


def probabilities(logits: Float[Tensor, "b k"], target: Tensor) -> Float[Tensor, "b k"]:
    """Probabilities of the classes or labels that are encoded like these targets."""
    return logits.float().softmax(1) if has_one_of_many(logits, target) else logits.float().sigmoid()


def ramp_up(step: Step, context: TrainingContext, share: float) -> float:
    """exp(−5 (1 − t)²), t from 0 to 1 over a fraction of the epochs (Laine and Aila 2017, arXiv:1610.02242)."""
    done = min(1.0, (step.epoch - 0.5) / (share * context.epochs))
    return math.exp(-STEEP * (1 - done) ** 2)


@contextmanager
def settled(model: FusionModel) -> Iterator[None]:
    """Within, the model is in evaluation mode and without gradients."""
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes:
            part.training = training
