"""Label smoothing against overconfidence: a fraction of every label is spread over all classes."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from sensorium.config import Fraction
from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext

TASKS = ("class logits",)


class LabelSmoothing(Technique):
    """Label smoothing: `(1 − ε) · loss + ε · H(uniform, p)` (Szegedy et al. 2016, arXiv:1512.00567).

    Args:
        context: of the training.
        smoothing: fraction ε of every label that is spread over all classes.
    """

    def __init__(self, context: TrainingContext, *, smoothing: Fraction = 0.1) -> None:
        super().__init__(context)
        self.smoothing = smoothing

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        """Add cross-entropy against uniform labels: 1/k for each class, 1/2 for binary labels."""
        logits = step.logits
        if logits.shape[1] == 1 or step.target.is_floating_point():
            uniform = functional.binary_cross_entropy_with_logits(logits, logits.new_full(logits.shape, 0.5))
        else:
            uniform = -logits.log_softmax(1).mean()
        return (1 - self.smoothing) * loss + self.smoothing * uniform
