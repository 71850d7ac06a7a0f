"""Prepare waveforms for pretrained audio models: standardised, or as the model's own spectrogram."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
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


class KaldiFilters(nn.Module):
    """Mel spectrogram of the audio spectrogram transformer (Gong et al. 2021, arXiv:2104.01778).

    Maps samples (b, t) and their mask to (b, frames, mels): log power in Kaldi's mel bands, 25 ms windows every 10 ms
    at 16 kHz; clips are cut or padded with zeros to one length.

    Args:
        settings: `rate`, `mels`, `frames`, and if `normalize` is true also `mean` and `deviation`.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("window", torch.hann_window(WINDOW, periodic=False), persistent=False)
        edges = {"min_frequency": LOWEST, "max_frequency": settings["rate"] // 2, "triangularize_in_mel_space": True}
        filters = _mel_filters(BINS, settings["mels"], settings["rate"], norm=None, mel_scale="kaldi", **edges)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, samples: Tensor, mask: Tensor) -> Tensor:
        frames = self.settings["frames"]
        most = WINDOW + HOP * (frames - 1)  # samples
        padded = nn.functional.pad(samples, (0, most))[:, :most]  # in any case, so that no size decides anything
        cut = padded.unfold(1, WINDOW, HOP)  # (b, frames, window)
        cut = cut - cut.mean(2, keepdim=True)
        before = torch.cat([cut[..., :1], cut[..., :-1]], 2)
        spectrum = torch.fft.rfft((cut - EMPHASIS * before) * self.window, BINS)
        found = (spectrum.abs().square() @ self.filters).clamp_min(FLOOR).log()
        counts = 1 + (mask.sum(1) - WINDOW).clamp_min(0) // HOP  # (b,)
        real = torch.arange(frames, device=counts.device) < counts[:, None]
        found = torch.where(real[..., None], found, 0.0)
        if not self.settings["normalize"]:
            return found
        return (found - self.settings["mean"]) / (2 * self.settings["deviation"])


class WhisperFilters(nn.Module):
    """Mel spectrogram of Whisper (Radford et al. 2022, arXiv:2212.04356): samples (b, t) → (b, mels, frames).

    Log power in mel bands, the loudest 80 dB of each clip; clips are padded with silence to one length.

    Args:
        settings: `rate`, `mels`, and in samples: `samples` (the length), `window`, `hop`.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.samples, self.hop = settings["samples"], settings["hop"]
        edges = {"min_frequency": 0.0, "max_frequency": TOP}
        filters = _mel_filters(
            settings["window"], settings["mels"], settings["rate"], norm="slaney", mel_scale="slaney", **edges
        )
        self.register_buffer("window", torch.hann_window(settings["window"]), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        padded = nn.functional.pad(samples, (0, self.samples))[:, : self.samples]
        spectrum = torch.stft(padded, len(self.window), self.hop, window=self.window, return_complex=True)
        power = self.filters.T @ spectrum[..., :-1].abs().square()
        found = power.clamp_min(QUIET).log10()
        loudest = found.amax((1, 2), keepdim=True)
        return (torch.maximum(found, loudest - DEPTH) + 4) / 4


def _mel_filters(window: int, mels: int, rate: int, **how: Any) -> Tensor:
    """Return mel filters, float32[window // 2 + 1, mels]."""
    from transformers.audio_utils import mel_filter_bank

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # some bands are empty: so they were when the model learnt
        found = mel_filter_bank(num_frequency_bins=window // 2 + 1, num_mel_filters=mels, sampling_rate=rate, **how)
    return torch.from_numpy(found).float()
