"""Whisper's log-mel spectrogram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sensorium.encoders._sound import DEPTH, QUIET, TOP, slaney_filters


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
        filters = slaney_filters(
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
