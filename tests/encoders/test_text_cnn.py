"""Encoders of text against their definitions, term by term in NumPy."""

import math

import numpy as np
import pytest
import torch

from sensorium.batch import Cells
from sensorium.encoders.text_cnn import TextCNN
from sensorium.encoders.text_transformer import TextTransformer, sinusoids

pytestmark = pytest.mark.unit

LENGTHS = [5, 2, 1]


def texts(seed=0):
    mask = torch.arange(6) < torch.tensor(LENGTHS)[:, None]
    ids = torch.randint(1, 12, (3, 6), generator=torch.Generator().manual_seed(seed)).int()
    return Cells(ids * mask, torch.ones(3, dtype=torch.bool), mask)


def windows_by_hand(words, weight, bias):
    """Convolution over one text's words (t, e), zeros beyond its ends, then ReLU: (t, f)."""
    size = weight.shape[2]
    padded = np.pad(words, ((size // 2, size // 2), (0, 0)))
    return np.array([
        np.maximum(0, bias + np.einsum("fek,ke->f", weight, padded[t : t + size])) for t in range(len(words))
    ])  # fmt: skip


@torch.no_grad()
def test_text_cnn_equals_its_definition():
    torch.manual_seed(0)
    encoder = TextCNN(12, embedding=4, filters=3, windows=(1, 3)).eval()
    cells = texts()
    found = encoder(cells)
    weights = {name: value.numpy() for name, value in encoder.state_dict().items()}
    for row, length in enumerate(LENGTHS):
        words = weights["embed.weight"][cells.values[row, :length].numpy()]
        maps = [windows_by_hand(words, weights[f"convolutions.{i}.weight"], weights[f"convolutions.{i}.bias"])
                for i in range(2)]  # fmt: skip
        expected = np.concatenate(maps, 1)
        assert found.values[row, :length].numpy() == pytest.approx(expected, abs=1e-5)
        assert (found.values[row, length:] == 0).all()
        assert found.pooled()[row].numpy() == pytest.approx(expected.max(0), abs=1e-5)


def test_positions_are_sinusoids_of_geometric_wavelengths():
    found = sinusoids(torch.zeros(1, 50, 8)).numpy()
    expected = np.array([
        [(math.cos if k % 2 else math.sin)(position / 10_000 ** (2 * (k // 2) / 8)) for k in range(8)]
        for position in range(50)
    ])  # fmt: skip
    assert found == pytest.approx(expected, abs=1e-4)


@torch.no_grad()
def test_the_transformer_sees_the_order_of_words_but_no_padding():
    torch.manual_seed(0)
    encoder = TextTransformer(12, size=8, heads=2).eval()
    cells = texts()
    found = encoder(cells)
    assert (found.values[~cells.mask] == 0).all()
    dirty = encoder(Cells(torch.where(cells.mask, cells.values, 7), cells.present, cells.mask))
    assert torch.allclose(dirty.values, found.values, atol=1e-6)
    turned = Cells(cells.values[:1, :5].flip(1), cells.present[:1], cells.mask[:1, :5])
    assert not torch.allclose(encoder(turned).pooled(), found.pooled()[:1], atol=1e-3)
