"""Cosine similarity to a learned vector of each class, for classes with few rows."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

TASKS = ("class logits",)


class Cosine(nn.Module):
    """Cosine head `s · cos(x, w_k) + b_k`, with a learned scale s.

    The norm of a class vector has no effect, which helps classes with few rows (Gidaris and Komodakis 2018,
    arXiv:1804.09367; "Baseline++" of Chen et al. 2019, arXiv:1904.04232, both without b).

    Args:
        width: width of x.
        outputs: number of logits.
        scale: initial value of the scale s, by which similarities are multiplied.
    """

    def __init__(self, width: int, outputs: int, *, scale: Annotated[float, Field(gt=0)] = 10.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, width) / math.sqrt(width))
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, fused: Float[Tensor, "b d"]) -> Float[Tensor, "b k"]:
        cosine = functional.normalize(fused, dim=1) @ functional.normalize(self.weight, dim=1).T
        return self.log_scale.exp() * cosine + self.bias
