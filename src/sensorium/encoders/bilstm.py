"""Bidirectional LSTM on embedded words."""

from __future__ import annotations

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Fraction
from sensorium.encoders._base import padded_zero
from sensorium.encoders._recurrent import recurrent_states

ACCEPTS = ("text", "document")


class BiLSTM(nn.Module):
    """Bidirectional LSTM (Hochreiter and Schmidhuber 1997; Graves and Schmidhuber 2005).

    Tokens are the states of both directions at each word, the summary is the last state of each:
    ids (b, t) → embedding (b, t, e) → tokens (b, t, 2h), summary (b, 2h).

    Args:
        vocabulary: number of token ids.
        embedding: width e of a word embedding.
        hidden: width h of the state of each direction.
        dropout: dropout probability of the embedded words.
    """

    def __init__(
        self,
        vocabulary: int,
        *,
        embedding: PositiveInt = 64,
        hidden: PositiveInt = 64,
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        self.width = 2 * hidden
        self.embed = nn.Embedding(vocabulary, embedding, padding_idx=0)
        self.dropout = nn.Dropout(dropout)
        self.forwards = nn.LSTM(embedding, hidden, batch_first=True)
        self.backwards = nn.LSTM(embedding, hidden, batch_first=True)
        for lstm in (self.forwards, self.backwards):
            initialise_lstm(lstm)

    def forward(self, cells: Cells) -> Tokens:
        assert cells.mask is not None
        mask, lengths = cells.mask, cells.mask.sum(1)
        words = self.dropout(self.embed(cells.values))  # (b, t, e)
        # Each row is reversed within its own length and both directions run unpacked: the same states as a packed
        # sequence gives, in a third of its time on a CPU.
        ahead = recurrent_states(self.forwards, words)  # (b, t, h)
        behind = reverse(recurrent_states(self.backwards, reverse(words, lengths)), lengths)  # (b, t, h)
        last = ahead.gather(1, (lengths - 1)[:, None, None].expand(-1, 1, ahead.shape[2])).squeeze(1)  # (b, h)
        states = padded_zero(mask, torch.cat([ahead, behind], 2))
        return Tokens(states, mask, torch.cat([last, behind[:, 0]], 1))


def reverse(values: Tensor, lengths: Tensor) -> Tensor:
    """Reverse the first `lengths[i]` steps of each row i of (b, t, d); padding stays in place."""
    steps = torch.arange(values.shape[1], device=values.device)  # (t,)
    places = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)  # (b, t)
    return values.gather(1, places[..., None].expand_as(values))


def initialise_lstm(lstm: nn.LSTM) -> None:
    """Initialise: Glorot input weights, orthogonal recurrent weights, an open forget gate (Jozefowicz et al. 2015)."""
    for name, weight in lstm.named_parameters():
        if "bias" in name:
            nn.init.zeros_(weight)
            if "bias_ih" in name:
                with torch.no_grad():
                    weight[lstm.hidden_size : 2 * lstm.hidden_size] = 1
        else:
            for gate in weight.detach().chunk(4):
                (nn.init.orthogonal_ if "hh" in name else nn.init.xavier_uniform_)(gate)
