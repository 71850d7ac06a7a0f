"""Encoders of pictures: forms that their descriptions promise, and an independent forward pass."""

import pytest
import torch
from torch.nn import functional

from sensorium.batch import Cells
from sensorium.encoders.image_cnn import ImageCNN
from sensorium.encoders.image_resnet import ImageResnet

pytestmark = pytest.mark.unit


def pictures(side, channels=3, rows=2):
    pixels = torch.randint(0, 256, (rows, side, side, channels), generator=torch.Generator().manual_seed(0))
    return Cells(pixels.to(torch.uint8), torch.ones(rows, dtype=torch.bool))


@torch.no_grad()
def test_without_normalisation_it_is_convolution_relu_pooling():
    torch.manual_seed(0)
    encoder = ImageCNN(3, 17, filters=(4, 8), norm=False).eval()
    cells = pictures(17)
    maps = cells.values.permute(0, 3, 1, 2).float() / 127.5 - 1
    state = encoder.state_dict()
    for layer in range(2):
        weight, bias = state[f"layers.{layer}.0.weight"], state[f"layers.{layer}.0.bias"]
        maps = functional.max_pool2d(functional.relu(functional.conv2d(maps, weight, bias, padding=1)), 2)
    found = encoder(cells)
    assert found.values.shape == (2, 16, 8)
    assert torch.allclose(found.values, maps.flatten(2).transpose(1, 2), atol=1e-5)
    assert torch.allclose(found.pooled(), maps.mean((2, 3)), atol=1e-5)


@pytest.mark.parametrize("side", [1, 2, 3, 7, 24, 64])
@pytest.mark.parametrize("shrink", ["pool", "stride", "none"])
@torch.no_grad()
def test_any_side_and_any_way_of_shrinking_give_the_width_that_it_says(side, shrink):
    for reduce in ("mean", "flatten"):
        encoder = ImageCNN(1, side, filters=(2, 3, 4), downsample=shrink, reduce=reduce).eval()
        found = encoder(pictures(side, channels=1))
        assert found.pooled().shape == (2, encoder.width)
        assert found.mask.all()


@torch.no_grad()
def test_the_forms_in_the_descriptions_are_true():
    assert ImageCNN(3, 64).eval()(pictures(64)).values.shape == (2, 64, 64)
    found = ImageResnet(3).eval()(pictures(64, rows=1))
    assert found.values.shape == (1, 256, 128)
    assert torch.allclose(found.pooled(), found.values.mean(1), atol=1e-5)


@torch.no_grad()
def test_tokens_keep_their_place_in_the_picture():
    """Only the tokens near a changed pixel change, row by row from the upper left."""
    encoder = ImageCNN(1, 32, filters=(4, 4), norm=False).eval()
    plain = pictures(32, channels=1, rows=1)
    changed = plain.values.clone()
    changed[0, 0, 31] = 255 - changed[0, 0, 31]
    moved = (encoder(Cells(changed, plain.present)).values - encoder(plain).values).abs().sum(2)[0].reshape(8, 8)
    assert moved[0, 7] > 0
    assert moved[:, :6].sum() == 0 and moved[2:].sum() == 0
