"""Base class of techniques."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from sensorium.batch import Batch, Tokens
from sensorium.techniques._context import TrainingContext


@dataclass(frozen=True)
class Step:
    """Step of the training loop, as techniques see it.

    `model.decide(tokens, present & other)` predicts from fewer modalities without encoding again.

    Attributes:
        batch: training rows with their target.
        tokens: the output of each tower.
        present: which modalities each row has, except those that modality dropout hides.
        logits: predictions of the model.
        epoch: number of the epoch, from 1.
        random: the generator for all random draws; it is on the device of the model.
    """

    batch: Batch
    tokens: Sequence[Tokens]
    present: Bool[Tensor, "b m"]
    logits: Float[Tensor, "b k"]
    epoch: int
    random: Generator

    @property
    def target(self) -> Tensor:
        """Return the labels of the batch, as the task encodes them: [b, ...]."""
        assert self.batch.target is not None
        return self.batch.target


class Technique(nn.Module):
    """Base class: change of the loss, gradients or data of a training; its parameters are trained with the model's.

    A technique is not part of the saved model, but of checkpoints. All state that it changes during training must
    therefore be a parameter or a buffer, or be returned by `get_extra_state` as dicts, lists, tensors and JSON values.

    The file of a technique may name the tasks that it suits, or traits of tasks (`registry/traits.py`), as a literal;
    the default is all:

        TASKS = ("binary", "multiclass")

    and that it mitigates modality imbalance, so that `train.imbalance` tries it:

        MITIGATES_IMBALANCE = True

    The constructor takes the context; its keyword-only parameters are the options of the user.

    Class attributes:
        joint: whether it needs several modalities; a model of one modality is trained without it.
        learns_from_teacher: whether it needs `train.teacher`.
        watches: whether it only observes, so that the model is the same, bit for bit, as without it.
        unlabelled: whether it learns from `TrainingContext.unlabelled_rows`, which are prepared for it.
        self_supervised: whether its loss needs no label, so that it can be used for pre-training (`train.pretrain`).
        validates: whether it needs validation rows.

    Example:
        A technique that penalises large logits:

        >>> import torch
        >>> from types import SimpleNamespace
        >>> from sensorium.techniques import Technique
        >>> class LogitPenalty(Technique):
        ...     def __init__(self, context, *, weight: float = 0.1):
        ...         super().__init__(context)
        ...         self.weight = weight
        ...
        ...     def loss(self, step, loss):
        ...         return loss + self.weight * step.logits.square().mean()
        >>> step = SimpleNamespace(logits=torch.full((2, 3), 2.0))
        >>> LogitPenalty(context=None).loss(step, torch.tensor(1.0))
        tensor(1.4000)
    """

    joint: ClassVar[bool] = False
    watches: ClassVar[bool] = False
    learns_from_teacher: ClassVar[bool] = False
    unlabelled: ClassVar[bool] = False
    self_supervised: ClassVar[bool] = False
    validates: ClassVar[bool] = False

    def __init__(self, context: TrainingContext) -> None:
        super().__init__()
        # A tuple hides the model from `nn.Module`, so that the parameters of this module are those of the technique.
        self._context = (context,)

    @property
    def context(self) -> TrainingContext:
        return self._context[0]

    def begin_epoch(self, number: int) -> None:
        """Prepare an epoch, before its first step; epochs are numbered from 1."""

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        """Return the scalar loss of the step: the given loss, with additional terms or replaced."""
        return loss

    def gradients(self, step: Step) -> None:
        """Change gradients in place, after the backward pass and before gradient clipping.

        With gradient accumulation (`train.accumulate`), the step is the last part of the batch.
        """

    def end_epoch(self, number: int) -> None:
        """Finish an epoch, after its last step and before validation."""

    def report(self) -> dict[str, Any]:
        """Return what the technique observed and did, as JSON values, for the model card."""
        return {}
