"""Prepare waveforms for pretrained audio models: standardised, or as the model's own spectrogram."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

# Of the spectrogram transformer's front end, whatever the rate, as Kaldi's: samples, and constants of its formulas.
WINDOW, HOP, BINS = 400, 160, 512
EMPHASIS, FLOOR, LOWEST = 0.97, 1.192092955078125e-07, 20
# Of Whisper's.
QUIET, DEPTH, TOP = 1e-10, 8.0, 8000.0
TINY = 1e-7  # keeps a silent clip finite


class Waves(nn.Module):
    """Standardise each clip of samples (b, t) to mean 0 and standard deviation 1; padding is zero.

    Args:
        normalize: whether to standardise, as most of these models do.
        shortest: shorter clips are padded with silence to this many samples, which the model needs for its first state.
    """

    def __init__(self, normalize: bool, shortest: int) -> None:
        super().__init__()
        self.normalize, self.shortest = normalize, shortest

    def forward(self, samples: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return samples (b, t), and how many of each row the model should use (b,)."""
        lengths = mask.sum(1)
        if self.normalize:
            mean = samples.sum(1, keepdim=True) / lengths[:, None]
            centred = torch.where(mask, samples - mean, 0.0)
            samples = centred / (centred.square().sum(1, keepdim=True) / lengths[:, None] + TINY).sqrt()
        samples = nn.functional.pad(samples, (0, torch.sym_max(0, self.shortest - samples.shape[1])))
        return samples, lengths.clamp_min(self.shortest)


@contextmanager
def normalising_real(norm: nn.GroupNorm, counts: Tensor) -> Iterator[None]:
    """Within this block, a normalisation of each channel (b, c, t) over time ignores padding.

    Args:
        norm: of one channel in each group.
        counts: number of real steps, (b,).
    """

    def replace(module: nn.GroupNorm, given: tuple[Tensor], _: Tensor) -> Tensor:
        (values,) = given
        real = (torch.arange(values.shape[2], device=values.device) < counts[:, None])[:, None]  # (b, 1, t)
        mean = (values * real).sum(2, keepdim=True) / counts[:, None, None]
        centred = values - mean
        variance = (centred.square() * real).sum(2, keepdim=True) / counts[:, None, None]
        return centred * (variance + module.eps).rsqrt() * module.weight[:, None] + module.bias[:, None]

    hook = norm.register_forward_hook(replace)
    try:
        yield
    finally:
        hook.remove()


def slaney_filters(window: int, mels: int, rate: int, **how: Any) -> Tensor:
    """Return mel filters, float32[window // 2 + 1, mels]."""
    from transformers.audio_utils import mel_filter_bank

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # some bands are empty: so they were when the model learnt
        found = mel_filter_bank(num_frequency_bins=window // 2 + 1, num_mel_filters=mels, sampling_rate=rate, **how)
    return torch.from_numpy(found).float()
