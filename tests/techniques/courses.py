"""A course at its start, for tests of single techniques."""

import torch

from prepared import fresh, prepare
from sensorium.prepare.loader import Loader
from sensorium.techniques import Course, Step


def begin(table, target="label", augment=None, **settings):
    """The course of a model with fresh weights, and a batch of all its training rows."""
    given = {"target": target, "modalities": {"vector": "vector"}, "width": 8, "seed": 3, **settings}
    data = prepare(table, given, {"augment": augment or {}})
    torch.manual_seed(3)
    fitted = fresh(data)
    loader, rows = Loader(data.cells, data.plan.target, data.plan.device), data.rows("train")
    course = Course(
        fitted.network.train(),
        data.plan.task,
        loader,
        rows,
        data.rows("validation"),
        data.plan.target,
        len(rows),
        4,
        augmentations=data.augmentations(fitted.learnt),
    )
    (batch,) = loader.shuffled(rows, len(rows), torch.Generator().manual_seed(0))
    return course, batch


def step_of(course, batch, epoch=1, hide=None):
    """A step of the batch as the loop makes it."""
    tokens, present = course.model.encode(batch, hide)
    logits = course.model.decide(tokens, present)
    return Step(batch, tokens, present, logits, epoch, torch.Generator().manual_seed(5))
