"""Kaldi's log-mel spectrogram, of AST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sensorium.encoders._sound import BINS, EMPHASIS, FLOOR, HOP, LOWEST, WINDOW, slaney_filters


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
        filters = slaney_filters(BINS, settings["mels"], settings["rate"], norm=None, mel_scale="kaldi", **edges)
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
