"""Gated recurrent unit (GRU) on time series."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import PositiveInt
from torch import nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Fraction
from sensorium.encoders._base import padded_zero
from sensorium.encoders._recurrent import recurrent_states
from sensorium.encoders._steps import align, last_step
from sensorium.modalities import EncoderSpec

ACCEPTS = ("series",)
JOINT = True


class GRU(nn.Module):
    """GRU (Cho et al. 2014, arXiv:1406.1078), forward in time; the summary is the state after the last step.

    series (b, t, f) → tokens (b, t, hidden), summary (b, hidden).

    Args:
        columns: encoder specification of each column: `channels`.
        hidden: width of the state.
        layers: number of layers.
        dropout: dropout probability of the states, between layers and at the end.
    """

    def __init__(
        self,
        columns: Sequence[EncoderSpec],
        *,
        hidden: PositiveInt = 64,
        layers: Depth = 1,
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        self.width = hidden
        features = sum(2 * encoder_spec["channels"] for encoder_spec in columns)
        self.gru = nn.GRU(features, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        for name, weight in self.gru.named_parameters():
            if "bias" in name:
                nn.init.zeros_(weight)
            else:
                for gate in weight.detach().chunk(3):
                    (nn.init.orthogonal_ if "hh" in name else nn.init.xavier_uniform_)(gate)

    def forward(self, *cells: Cells) -> Tokens:
        steps, mask = align(cells)
        # Time runs forwards and padding stands at the end: it can't reach a real step, so nothing need be packed.
        states = padded_zero(mask, self.dropout(recurrent_states(self.gru, steps)))
        return Tokens(states, mask, last_step(states, mask))
