"""Output of an encoder."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor


@dataclass(frozen=True)
class Tokens:
    """Output of an encoder: the tokens of each row, such as words, patches or frames; a single vector has t = 1.

    Attributes:
        values: the tokens.
        mask: which tokens are not padding; a row without any token lacks this modality.
        summary: one vector per row by the encoder (last states, flattened map); None: the mean of the tokens.
    """

    values: Float[Tensor, "b t d"]
    mask: Bool[Tensor, "b t"]
    summary: Float[Tensor, "b s"] | None = None

    @classmethod
    def of_vector(cls, vector: Float[Tensor, "b d"]) -> Tokens:
        return cls(vector[:, None], torch.ones(vector.shape[0], 1, dtype=torch.bool, device=vector.device))

    def pooled(self) -> Float[Tensor, "b s"]:
        """Return one vector per row; zeros for rows without tokens."""
        if self.summary is not None:
            return self.summary
        weights = self.mask[..., None].to(self.values.dtype)  # (b, t, 1)
        return (self.values * weights).sum(1) / weights.sum(1).clamp_min(1)

    def float(self) -> Tokens:
        """Return the tokens in float32."""
        return Tokens(self.values.float(), self.mask, None if self.summary is None else self.summary.float())

    def only(self, keep: Bool[Tensor, " b"]) -> Tokens:
        """Keep the tokens of the given rows; other rows get zeros and no tokens."""
        summary = None if self.summary is None else torch.where(keep[:, None], self.summary, 0)
        return Tokens(torch.where(keep[:, None, None], self.values, 0), self.mask & keep[:, None], summary)

    def scatter(self, rows: Int64[Tensor, " k"], count: int) -> Tokens:
        """Spread the tokens of k rows over `count` rows; the other rows have none."""

        def spread(part: Tensor) -> Tensor:
            return part.new_zeros(count, *part.shape[1:]).index_copy(0, rows, part)

        summary = None if self.summary is None else spread(self.summary)
        return Tokens(spread(self.values), spread(self.mask), summary)
