"""Training rows without their labels: drawn at random, answered as they are and in another guise."""

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
from sensorium.techniques._base import Course, Step

STEEP = 5.0  # a weight starts at exp(−5) of its full height


def draw_rows(course: Course, count: int, random: Generator) -> Batch | None:
    """So many training rows, with a label or without, as they are prepared; None where no cell of them can be read.

    Draws are independent of each other, so that nothing but the generator knows how far they went.
    """
    pool = torch.from_numpy(np.concatenate([course.train_rows, course.unlabelled_rows]))
    drawn = torch.randint(len(pool), (count,), generator=random, device=random.device).cpu()
    batch = course.loader.batch(pool[drawn])
    readable = batch.present.any(1)
    if not readable.any():
        return None
    return batch if readable.all() else batch.take(readable.nonzero().squeeze(1))


def strong_view(course: Course, batch: Batch, hide: float, random: Generator) -> Float[Tensor, "b k"]:
    """The model's answers to the rows in another guise: augmented as the run is, and with modalities hidden."""
    hidden = hide_some(course.model.present(batch), hide, random)
    logits: Tensor = course.model(augment(batch, course.augmentations, random), hidden)
    return logits


def hide_some(present: Bool[Tensor, "b m"], chance: float, random: Generator) -> Bool[Tensor, "b m"]:
    """Each modality with this chance, but for one, drawn at random, of those that the row has."""
    luck = torch.rand(present.shape, generator=random, device=random.device)
    keeper = luck.masked_fill(~present, -1).argmax(1, keepdim=True)
    drawn = torch.rand(present.shape, generator=random, device=random.device)
    return (drawn < chance).scatter(1, keeper, False)


def has_one_of_many(logits: Float[Tensor, "b k"], target: Tensor) -> bool:
    """Is a row of one of several classes? Else each logit is a yes or no of its own."""
    return logits.shape[1] > 1 and not target.is_floating_point()


def probabilities(logits: Float[Tensor, "b k"], target: Tensor) -> Float[Tensor, "b k"]:
    """What the logits say of classes or labels that are encoded like these targets."""
    return logits.float().softmax(1) if has_one_of_many(logits, target) else logits.float().sigmoid()


def ramp_up(step: Step, course: Course, share: float) -> float:
    """exp(−5 (1 − t)²), t from 0 to 1 over a share of the epochs (Laine and Aila 2017, arXiv:1610.02242)."""
    done = min(1.0, (step.epoch - 0.5) / (share * course.epochs))
    return math.exp(-STEEP * (1 - done) ** 2)


@contextmanager
def settled(model: FusionModel) -> Iterator[None]:
    """Within, the model answers as it would in use, and nothing of it is learnt: no dropout, no batch statistics."""
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes:
            part.training = training
