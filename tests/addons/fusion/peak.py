"""The largest of the modalities' values, feature by feature."""

import torch
from torch import nn

from sensorium.fusion._base import stack


class Peak(nn.Module):
    level = "vector"
    own_widths = False

    def __init__(self, widths, width, *, bonus: float = 0.0):
        super().__init__()
        self.width, self.bonus = width, bonus

    def forward(self, tokens, present):
        return stack(tokens).masked_fill(~present[..., None], -torch.inf).amax(1) + self.bonus

    def modality_weights(self, tokens, present):
        return None
