"""Label smoothing: a small share of every label is given to all classes alike, against overconfidence."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from sensorium.config import Fraction
from sensorium.techniques._base import Course, Step, Technique

TASKS = ("binary", "multiclass", "multilabel")


class LabelSmoothing(Technique):
    """`(1 − ε) · loss + ε · H(uniform, p)` (Szegedy et al. 2016, arXiv:1512.00567).

    Args:
        course: the run.
        smoothing: ε, the fraction of each label that is spread evenly over all classes.
    """

    def __init__(self, course: Course, *, smoothing: Fraction = 0.1) -> None:
        super().__init__(course)
        self.smoothing = smoothing

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        """The second term is cross-entropy against labels that know nothing: 1/k for each class, 1/2 for yes and no."""
        logits = step.logits
        if logits.shape[1] == 1 or step.target.is_floating_point():
            uniform = functional.binary_cross_entropy_with_logits(logits, logits.new_full(logits.shape, 0.5))
        else:
            uniform = -logits.log_softmax(1).mean()
        return (1 - self.smoothing) * loss + self.smoothing * uniform
