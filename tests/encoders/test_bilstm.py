"""The two unpacked LSTMs give what torch's own bidirectional LSTM gives over packed sequences."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sensorium.batch import Cells
from sensorium.encoders.bilstm import BiLSTM

pytestmark = pytest.mark.unit

LENGTHS = {"unequal": [3, 7, 1, 5], "equal": [7, 7, 7], "one word each": [1, 1], "one row": [4]}


def texts(lengths, steps=7, seed=0):
    """Random ids, zeros after each row's length."""
    ids = torch.randint(1, 20, (len(lengths), steps), generator=torch.Generator().manual_seed(seed)).int()
    mask = torch.arange(steps) < torch.tensor(lengths)[:, None]
    return Cells(ids * mask, torch.ones(len(lengths), dtype=torch.bool), mask)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return BiLSTM(20, embedding=6, hidden=5).eval()


def torchs_own(encoder):
    """A bidirectional LSTM with the same weights."""
    own = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
    weights = dict(encoder.forwards.named_parameters())
    weights |= {f"{name}_reverse": weight for name, weight in encoder.backwards.named_parameters()}
    own.load_state_dict(weights)
    return own


@pytest.mark.parametrize("case", LENGTHS)
@torch.no_grad()
def test_tokens_and_summary_equal_a_packed_bidirectional_lstm(encoder, case):
    lengths = LENGTHS[case]
    cells = texts(lengths)
    found = encoder(cells)
    packed = pack_padded_sequence(encoder.embed(cells.values), torch.tensor(lengths), True, enforce_sorted=False)
    states, (last, _) = torchs_own(encoder)(packed)
    expected, _ = pad_packed_sequence(states, batch_first=True, total_length=7)
    assert torch.allclose(found.values, expected, atol=1e-5)
    assert torch.allclose(found.pooled(), torch.cat([last[0], last[1]], 1), atol=1e-5)


@torch.no_grad()
def test_padding_gives_zero_tokens_whatever_it_holds(encoder):
    clean = texts([3, 7, 1])
    dirty = Cells(torch.where(clean.mask, clean.values, 9), clean.present, clean.mask)
    found, expected = encoder(dirty), encoder(clean)
    assert (found.values[~clean.mask] == 0).all()
    assert torch.equal(found.values, expected.values)
    assert torch.equal(found.pooled(), expected.pooled())


def test_gradients_equal_those_of_a_packed_bidirectional_lstm(encoder):
    cells = texts([2, 6, 4])
    own = torchs_own(encoder)
    packed = pack_padded_sequence(encoder.embed(cells.values), cells.mask.sum(1), True, enforce_sorted=False)
    own(packed)[1][0].square().sum().backward()
    encoder(cells).pooled().square().sum().backward()
    for name, weight in encoder.forwards.named_parameters():
        assert torch.allclose(weight.grad, getattr(own, name).grad, atol=1e-5)
    for name, weight in encoder.backwards.named_parameters():
        assert torch.allclose(weight.grad, getattr(own, f"{name}_reverse").grad, atol=1e-5)
