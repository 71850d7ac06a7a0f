"""Layers whose weights are stored as 8-bit integers."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int8
from torch import Tensor, nn

LARGEST = 127


class Int8Linear(nn.Module):
    """Linear layer `x Wᵀ + b` with int8 weights W [out, in]."""

    weight8: Int8[Tensor, "outside inside"]
    scale: Float[Tensor, " outside"]
    bias: Float[Tensor, " outside"] | None

    def __init__(self, inside: int, outside: int, bias: bool) -> None:
        super().__init__()
        self.in_features, self.out_features = inside, outside
        self.register_buffer("weight8", torch.zeros(outside, inside, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(outside))
        self.register_buffer("bias", torch.zeros(outside) if bias else None)

    @classmethod
    def of(cls, linear: nn.Linear) -> Int8Linear:
        made = cls(linear.in_features, linear.out_features, linear.bias is not None)
        made.weight8, made.scale = to_int8(linear.weight)
        if linear.bias is not None:
            made.bias = linear.bias.detach().clone()
        return made

    @property
    def weight(self) -> Tensor:
        """The dequantized weight, for modules that read it instead of calling this one."""
        return self.weight8 * self.scale[:, None]

    def forward(self, values: Float[Tensor, "... inside"]) -> Float[Tensor, "... outside"]:
        rows = values.reshape(-1, self.in_features)
        coarse, scale = to_int8(rows)
        # Exact in integers of 32 bits: a million products of 127 × 127 and more would be needed to leave them.
        product = torch._int_mm(coarse, self.weight8.t()).to(values.dtype) * scale[:, None] * self.scale
        output = product if self.bias is None else product + self.bias
        return output.reshape(*values.shape[:-1], self.out_features)


class Int8Embedding(nn.Module):
    """Embedding table [n, d] with int8 weights."""

    weight8: Int8[Tensor, "n d"]
    scale: Float[Tensor, " n"]

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.register_buffer("weight8", torch.zeros(count, width, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(count))

    @classmethod
    def of(cls, embedding: nn.Embedding) -> Int8Embedding:
        made = cls(embedding.num_embeddings, embedding.embedding_dim)
        made.weight8, made.scale = to_int8(embedding.weight)
        return made

    @property
    def weight(self) -> Tensor:
        """The dequantized table."""
        return self.weight8 * self.scale[:, None]

    def forward(self, places: Tensor) -> Tensor:
        return self.weight8[places] * self.scale[places][..., None]


def to_int8(values: Float[Tensor, "n d"]) -> tuple[Int8[Tensor, "n d"], Float[Tensor, " n"]]:
    """Quantize to integers from −127 to 127; return them and the scale of each row."""
    values = values.detach()
    scale = values.abs().amax(1) / LARGEST
    scale = torch.where(scale > 0, scale, 1.0)
    return (values / scale[:, None]).round().to(torch.int8), scale
