"""The encoder of sound: as many tokens as said, whatever a clip is batched with."""

import pytest
import torch

from sensorium.batch import Cells
from sensorium.encoders.audio_cnn import AudioCNN

pytestmark = pytest.mark.unit


def clips(lengths, steps, mels=64):
    frames = torch.randn(len(lengths), steps, mels, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(steps) < torch.tensor(lengths)[:, None]
    return Cells(frames * mask[..., None], torch.ones(len(lengths), dtype=torch.bool), mask)


@torch.no_grad()
def test_the_forms_in_the_description_are_true():
    found = AudioCNN(64).eval()(clips([98, 98], 112))
    assert found.mask.sum(1).tolist() == [13, 13]
    assert found.pooled().shape == (2, 128)
    assert torch.allclose(found.pooled(), found.values.sum(1) / 13, atol=1e-5)


@pytest.mark.parametrize("mels", [1, 7, 40])
@torch.no_grad()
def test_each_token_answers_for_eight_frames(mels):
    lengths = [1, 8, 9, 40]
    found = AudioCNN(mels).eval()(clips(lengths, 40, mels))
    assert found.mask.sum(1).tolist() == [1, 1, 2, 5]
    assert (found.values[~found.mask] == 0).all()


@pytest.mark.parametrize("stem", ["pool", "stride"])
@torch.no_grad()
def test_more_padding_changes_nothing(stem):
    encoder = AudioCNN(40, stem=stem).eval()
    short, long = clips([30, 11], 32, 40), clips([30, 11], 80, 40)
    long.values[:, :32] = short.values
    assert torch.allclose(encoder(short).values, encoder(long).values[:, :4], atol=1e-5)
    assert (encoder(long).values[:, 4:] == 0).all()
