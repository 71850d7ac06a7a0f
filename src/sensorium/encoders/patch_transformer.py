"""Small transformer on patches of time series (PatchTST)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Fraction, check_heads
from sensorium.encoders._base import padded_zero
from sensorium.encoders._steps import align
from sensorium.encoders.text_transformer import sinusoids
from sensorium.errors import ConfigError
from sensorium.modalities import EncoderSpec

ACCEPTS = ("series",)
JOINT = True


class PatchTransformer(nn.Module):
    """PatchTST (Nie et al. 2023, arXiv:2211.14730): neighbouring steps form one token.

    Unlike the paper, a patch embeds all channels together. `modalities: {series: {scale: cell}}` gives the paper's
    standardisation of each series. The last patch ends at the last step, and sinusoidal positions count from it:
    series (b, t, f) → patches (b, n, patch·f) → layers → tokens (b, n, size); the summary is their mean.

    Args:
        columns: encoder specification of each column: `channels`.
        patch: number of steps of a patch.
        stride: steps from one patch to the next; at most `patch`.
        size: width of a token.
        layers: number of layers.
        heads: attention heads; must divide `size`.
        dropout: dropout probability within the layers.
    """

    def __init__(
        self,
        columns: Sequence[EncoderSpec],
        *,
        patch: PositiveInt = 8,
        stride: PositiveInt = 4,
        size: PositiveInt = 64,
        layers: Depth = 2,
        heads: PositiveInt = 4,
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        check_heads(heads, size, "encoder patch_transformer")
        if stride > patch:
            raise ConfigError(
                f"a stride of {stride} skips steps between patches of {patch}",
                place="encoder patch_transformer",
                cure=f"set stride to {patch} or less",
            )
        self.width, self.patch, self.stride = size, patch, stride
        features = sum(2 * encoder_spec["channels"] for encoder_spec in columns)
        self.embed = nn.Linear(patch * features, size)
        layer = nn.TransformerEncoderLayer(size, heads, 4 * size, dropout, "gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, nn.LayerNorm(size), enable_nested_tensor=False)

    def forward(self, *cells: Cells) -> Tokens:
        return self._encode(*self.patches(*align(cells)))

    def dense(self, *cells: Cells) -> Tokens:
        """Compute the same for export: make as many patches as fit into the padded steps, and at least two."""
        steps, mask = align(cells)
        return self._encode(*self.patches(steps, mask, 2 + (steps.shape[1] - 1) // self.stride))

    def _encode(self, patches: Tensor, mask: Tensor) -> Tokens:
        words = self.embed(patches)  # (b, n, size)
        ages = (mask.sum(1, keepdim=True) - 1 - torch.arange(mask.shape[1], device=mask.device)).clamp_min(0)  # (b, n)
        states = self.layers(words + sinusoids(words)[ages], src_key_padding_mask=~mask)
        return Tokens(padded_zero(mask, states), mask)

    def patches(self, steps: Tensor, mask: Tensor, most: int | None = None) -> tuple[Tensor, Tensor]:
        """Cut steps (b, t, f) into patches (b, n, patch·f); also return the mask of patches (b, n).

        The first patch of a row is padded with zeros at its start, as in a gap, so that the last one ends at the last
        step.

        Args:
            steps: steps of each row, followed by padding.
            mask: which steps are not padding.
            most: number of patches n; by default that of the longest row.
        """
        lengths = mask.sum(1)  # (b,)
        counts = 1 + (lengths - self.patch).clamp_min(0).add(self.stride - 1) // self.stride  # (b,)
        most = int(counts.max()) if most is None else most
        early = self.patch + self.stride * (counts - 1) - lengths  # (b,) zeros in front
        starts = self.stride * torch.arange(most, device=steps.device)  # (n,)
        within = torch.arange(self.patch, device=steps.device)
        places = starts[:, None] + within - early[:, None, None]  # (b, n, patch)
        real = (places >= 0) & (places < lengths[:, None, None])
        rows = torch.arange(steps.shape[0], device=steps.device)[:, None, None]
        taken = steps[rows, places.clamp(0, steps.shape[1] - 1)]  # (b, n, patch, f)
        found = torch.where(real[..., None], taken, 0.0).transpose(2, 3).flatten(2)  # (b, n, f·patch)
        return found, torch.arange(most, device=steps.device) < counts[:, None]
