"""Convolutions of a size of 1 with a stride."""

import pytest
import torch

from sensorium.encoders._base import Conv2d


@pytest.mark.parametrize("channels", [1, 4, 8])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_of_size_1_skips_cells_as_a_stride_does(channels, stride):
    own, torchs = (
        kind(channels, 8, 1, stride).to(memory_format=torch.channels_last) for kind in (Conv2d, torch.nn.Conv2d)
    )
    torchs.load_state_dict(own.state_dict())
    values = torch.randn(3, channels, 7, 6)
    assert torch.allclose(own(values), torchs(values), atol=1e-6)
