"""A course at its start, for tests of single techniques."""

import torch
from sensorium.experiment import Experiment, Variant

from sensorium.config import Config
from sensorium.prepare.loader import Loader
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.techniques import Course, Step


def begin(table, target="label", augment=None, **settings):
    """The course of a model with fresh weights, and a batch of all its training rows."""
    given = {"target": target, "modalities": {"vector": "vector"}, "width": 8, "seed": 3, **settings}
    job = Experiment(open_table(table), Config.gather(given, {"augment": augment or {}}), Silent())
    torch.manual_seed(3)
    bundle = job._new_bundle(Variant())
    loader, rows = Loader(job.prepared, job.target, job.device), job.rows("train")
    course = Course(
        bundle.network.train(),
        job.task,
        loader,
        rows,
        job.rows("validation"),
        job.target,
        len(rows),
        4,
        augmentations=job._augmentations(bundle),
    )
    (batch,) = loader.shuffled(rows, len(rows), torch.Generator().manual_seed(0))
    return course, batch


def step_of(course, batch, epoch=1, hide=None):
    """A step of the batch as the loop makes it."""
    tokens, present = course.model.encode(batch, hide)
    logits = course.model.decide(tokens, present)
    return Step(batch, tokens, present, logits, epoch, torch.Generator().manual_seed(5))
