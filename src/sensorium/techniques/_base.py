"""The contract that every technique keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from sensorium.augment import Augmentations
from sensorium.batch import Batch, Tokens
from sensorium.model import FusionModel
from sensorium.prepare.loader import Loader
from sensorium.tasks import Task

Rows: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Course:
    """What a training run works on.

    Attributes:
        model: the network in training.
        task: loss and scores.
        loader: makes batches of rows.
        train_rows, validation_rows: places of the rows.
        target: [n, ...] of all rows, as the task encodes it.
        taught: scores that the teacher (`train.teacher`) gives all rows; None without one.
        batch_size: rows of a step.
        epochs: the most there will be.
        unlabelled_rows: places of the training rows that have no label; their `target` means nothing.
        augmentations: change the cells of training rows.
    """

    model: FusionModel
    task: Task
    loader: Loader
    train_rows: Rows
    validation_rows: Rows
    target: npt.NDArray[Any]
    batch_size: int
    epochs: int
    teacher_scores: npt.NDArray[np.float64] | None = None
    unlabelled_rows: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    augmentations: Augmentations = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One step of the loop.

    `model.decide(tokens, present & other)` answers again from fewer modalities without encoding again.

    Attributes:
        batch: training rows with their target.
        tokens: what each tower made of them.
        present: which modalities each row has, less those that modality dropout hides.
        logits: the model's answers.
        epoch: from 1.
        random: the only source of chance; draws belong on its device.
    """

    batch: Batch
    tokens: Sequence[Tokens]
    present: Bool[Tensor, "b m"]
    logits: Float[Tensor, "b k"]
    epoch: int
    random: Generator

    @property
    def target(self) -> Tensor:
        """The batch's labels, as the task encodes them: [b, ...]."""
        assert self.batch.target is not None
        return self.batch.target


class Technique(nn.Module):
    """Changes the loss, the gradients or the data of a run; a module whose parameters are trained with the model's.

    The model that is saved holds nothing of it, yet a checkpoint does: all that it changes as it goes on is a parameter
    or a buffer, or is given by `get_extra_state` as dicts, lists, tensors and JSON values.

    The file of a technique may say which tasks it suits, as a literal that a listing can read; without it all are
    suited:

        TASKS = ("binary", "multiclass")

    and that it mitigates modality imbalance, so that `train.imbalance` tries it:

        MITIGATES_IMBALANCE = True

    Its constructor takes the course; keyword-only parameters are the user's options.

    Class attributes:
        joint: it is about several modalities: a model of one is trained without it.
        learns_from_teacher: it can't do without `train.teacher`.
        watches: it only looks: the model is the same to the bit as without it.
        unlabelled: it learns from training rows without a label (`Course.unlabelled_rows`): they are prepared for it.
        self_supervised: its term of the loss needs no label: it can pre-train (`train.pretrain`).

    Example:
        A technique that punishes large logits:

        >>> import torch
        >>> from types import SimpleNamespace
        >>> from sensorium.techniques import Technique
        >>> class LogitPenalty(Technique):
        ...     def __init__(self, course, *, weight: float = 0.1):
        ...         super().__init__(course)
        ...         self.weight = weight
        ...
        ...     def loss(self, step, loss):
        ...         return loss + self.weight * step.logits.square().mean()
        >>> step = SimpleNamespace(logits=torch.full((2, 3), 2.0))
        >>> LogitPenalty(course=None).loss(step, torch.tensor(1.0))
        tensor(1.4000)
    """

    joint: ClassVar[bool] = False
    watches: ClassVar[bool] = False
    learns_from_teacher: ClassVar[bool] = False
    unlabelled: ClassVar[bool] = False
    self_supervised: ClassVar[bool] = False

    def __init__(self, course: Course) -> None:
        super().__init__()
        # Behind a tuple: the model is no part of this module, whose parameters are those of the technique alone.
        self._course = (course,)

    @property
    def course(self) -> Course:
        return self._course[0]

    def begin_epoch(self, number: int) -> None:
        """Called before the first step of each epoch, counted from 1."""

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        """The step's scalar loss, from what it was: with a term more, or another altogether."""
        return loss

    def gradients(self, step: Step) -> None:
        """Called once the gradients of an update are there, before they are clipped: may change them in place.

        Where a batch is taken in parts (`train.accumulate`), the step is that of the last one.
        """

    def end_epoch(self, number: int) -> None:
        """Called after the last step of each epoch, before validation."""

    def report(self) -> dict[str, Any]:
        """What it saw and did, as JSON values, for the model's card."""
        return {}
