"""The contract of fusions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Tokens


@runtime_checkable
class Fusion(Protocol):
    """Protocol of fusions: a `torch.nn.Module` that combines the tokens of m ≥ 1 modalities into one vector.

    Its constructor takes `widths`, the widths of the tokens of each modality, and `width`, the wanted width of the
    result. Keyword-only parameters are the user's options. Sizes and control flow must not depend on values; a file
    whose fusion cannot be exported for another reason declares it: `EXPORT = "…"`.

    Attributes:
        level: what it fuses. `vector`: one token for each modality, its summary; `token`: all tokens; `decision`: one
            token for each modality, the logits of that modality's own head.
        own_widths: whether each modality keeps the width of its encoder; otherwise all have `width`.
        width: width d of the fused vector.

    Example:
        `BaseFusion` implements all of it but `forward`.

        >>> from sensorium.fusion import Fusion
        >>> from sensorium.registry import fusions
        >>> isinstance(fusions.load("gated")([4, 4], 4), Fusion)
        True
    """

    level: ClassVar[Literal["vector", "token", "decision"]]
    own_widths: ClassVar[bool]
    width: int

    def __init__(self, widths: Sequence[int], width: int) -> None: ...

    def __call__(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        """Fuse rows with at least one modality. Tokens of absent modalities and padding must have no effect."""

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b m"] | None:
        """Return the weight of each modality in each row, adding up to 1; None if the method has no such weights."""


class BaseFusion(nn.Module):
    """Base class with defaults: a fusion of one vector of width d per modality, which has no modality weights.

    A subclass defines `forward(tokens, present)`. It may replace `level`, `own_widths` and `modality_weights`, which
    `Fusion` describes.

    Args:
        widths: widths of the tokens of each modality.
        width: width d of the fused vector.

    Example:
        The mean of the modalities that are present:

        >>> import torch
        >>> from sensorium.batch import Tokens
        >>> from sensorium.fusion import BaseFusion, stack
        >>> class Mean(BaseFusion):
        ...     def forward(self, tokens, present):
        ...         weights = self.modality_weights(tokens, present)
        ...         return (weights[..., None] * stack(tokens)).sum(1)  # (b, m, 1) · (b, m, d) → (b, d)
        ...
        ...     def modality_weights(self, tokens, present):
        ...         return present / present.sum(1, keepdim=True)
        >>> tokens = [Tokens.of_vector(torch.full((1, 4), value)) for value in (1.0, 3.0)]
        >>> Mean([4, 4], 4)(tokens, torch.tensor([[True, True]]))
        tensor([[2., 2., 2., 2.]])
        >>> Mean([4, 4], 4)(tokens, torch.tensor([[False, True]]))
        tensor([[3., 3., 3., 3.]])
    """

    level: ClassVar[Literal["vector", "token", "decision"]] = "vector"
    own_widths: ClassVar[bool] = False

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.widths, self.width = list(widths), width

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b m"] | None:
        """Return no weights."""
        return None


def stack(tokens: Sequence[Tokens]) -> Float[Tensor, "b m d"]:
    """Stack the summaries of all modalities, which have the same width."""
    return torch.stack([t.pooled() for t in tokens], 1)


def masked_softmax(logits: Tensor, present: Tensor) -> Tensor:
    """Compute the softmax over the present entries of dimension 1; `present` has the leading dimensions of `logits`."""
    mask = present.reshape(*present.shape, *[1] * (logits.dim() - present.dim()))
    return logits.masked_fill(~mask, float("-inf")).softmax(1)
