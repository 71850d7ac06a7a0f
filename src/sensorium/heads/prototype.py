"""Distance to a learned prototype of each class, for classes with few rows."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

TASKS = ("multiclass",)


class Prototype(nn.Module):
    """Prototype head `−s · ‖x − p_k‖² / d` with learned p_k and s; x is normalised to mean 0 and standard deviation 1.

    The classifier of prototypical networks (Snell et al. 2017, arXiv:1703.05175) with learned prototypes instead of
    means of a few rows (Yang et al. 2018, arXiv:1805.03438).

    Args:
        width: width d of x.
        outputs: number of classes.
        scale: initial value of the scale s, by which distances are multiplied.
    """

    def __init__(self, width: int, outputs: int, *, scale: Annotated[float, Field(gt=0)] = 10.0) -> None:
        super().__init__()
        self.points = nn.Parameter(torch.randn(outputs, width) / math.sqrt(width))
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))

    def forward(self, fused: Float[Tensor, "b d"]) -> Float[Tensor, "b k"]:
        even = functional.layer_norm(fused, fused.shape[1:])
        # ‖x‖² is the same for all classes, so that the softmax does not see it.
        distance = self.points.square().sum(1) - 2 * even @ self.points.T  # (b, k)
        return -self.log_scale.exp() * distance / fused.shape[1]
