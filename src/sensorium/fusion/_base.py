"""The contract that every fusion keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from sensorium.batch import Tokens


@runtime_checkable
class Fusion(Protocol):
    """A `torch.nn.Module` that makes one vector of the tokens of m modalities, m ≥ 1.

    Its constructor is given `widths`, the widths of the m tokens that will come, and `width`, the one asked for;
    keyword-only parameters are the user's options.

    Attributes:
        level: what it fuses. `vector`: one token a modality, its summary; `token`: all tokens; `decision`: one token
            a modality, the logits of that modality's own head.
        own_widths: it takes each modality at its encoder's width; otherwise all come at `width`.
        width: d of the vector that goes out.

    Example:
        The mean of the modalities that are present:

        >>> import torch
        >>> from sensorium.batch import Tokens
        >>> class Mean(torch.nn.Module):
        ...     level, own_widths = "vector", False
        ...
        ...     def __init__(self, widths, width):
        ...         super().__init__()
        ...         self.width = width
        ...
        ...     def forward(self, tokens, present):
        ...         vectors = torch.stack([part.pooled() for part in tokens], 1)  # (b, m, d)
        ...         shares = self.modality_weights(tokens, present)
        ...         return (shares[..., None] * vectors.masked_fill(~present[..., None], 0)).sum(1)
        ...
        ...     def modality_weights(self, tokens, present):
        ...         return present / present.sum(1, keepdim=True)
        >>> tokens = [Tokens.of_vector(torch.full((1, 4), value)) for value in (1.0, 3.0)]
        >>> Mean([4, 4], 4)(tokens, torch.tensor([[True, True]]))
        tensor([[2., 2., 2., 2.]])
        >>> Mean([4, 4], 4)(tokens, torch.tensor([[False, True]]))
        tensor([[3., 3., 3., 3.]])
    """

    level: ClassVar[Literal["vector", "token", "decision"]]
    own_widths: ClassVar[bool]
    width: int

    def __call__(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        """Every row has one modality or more. What an absent one's tokens hold must not matter, nor padded tokens."""

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b m"] | None:
        """How much each modality counts in each row, adding up to 1; None where the method has no such weights."""


def stack(tokens: Sequence[Tokens]) -> Float[Tensor, "b m d"]:
    """The summaries of all modalities, which have one width."""
    return torch.stack([t.pooled() for t in tokens], 1)


def masked_softmax(logits: Tensor, present: Tensor) -> Tensor:
    """Softmax over dimension 1 among what is present; `present` has the shape of `logits`, less its trailing ones."""
    mask = present.reshape(*present.shape, *[1] * (logits.dim() - present.dim()))
    return logits.masked_fill(~mask, float("-inf")).softmax(1)
