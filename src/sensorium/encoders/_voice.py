"""Network of GE2E: a unit vector of the voice from the power in mel bands."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

RATE, WINDOW, HOP, MELS = 16_000, 400, 160, 40
LOUDNESS = 10 ** (-30 / 20)  # root mean square that quieter clips are amplified to: −30 dB of full scale
FRAMES, STEP = 160, 77  # of a partial utterance, and from one to the next: 1.6 s, 1.3 of them a second
FEWEST = 2  # partial utterances of an exported graph, whose sizes may not be 1
COVERED = 0.75  # minimum share of audio in the last window, unless it is the only one
HIDDEN, LAYERS = 256, 3
TINY = 1e-9  # keeps silence finite


class Voice(nn.Module):
    """Map samples (b, t) and their mask to unit vectors (b, 256)."""

    filters: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        lstms = [nn.LSTM(HIDDEN if place else MELS, HIDDEN, batch_first=True) for place in range(LAYERS)]
        self.layers = nn.ModuleList([*lstms, nn.Linear(HIDDEN, HIDDEN)])
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)
        self.register_buffer("filters", mel_filters(), persistent=False)

    def forward(self, samples: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.sum(1)
        counts = partial_counts(lengths)
        most = int(counts.max())
        rows, parts = (torch.arange(most, device=counts.device) < counts[:, None]).nonzero(as_tuple=True)
        heard = self.embed(self.partials(samples, lengths, most)[rows, parts])
        return nn.functional.normalize(samples.new_zeros(len(samples), HIDDEN).index_add(0, rows, heard))

    def dense(self, samples: Tensor, mask: Tensor) -> Tensor:
        """Compute the same for export: windows of the padding are embedded, too, and ignored."""
        lengths = mask.sum(1)
        most = FEWEST + samples.shape[1] // (STEP * HOP)
        heard = self.embed(self.partials(samples, lengths, most).flatten(0, 1)).unflatten(0, (-1, most))
        real = torch.arange(most, device=lengths.device) < partial_counts(lengths)[:, None]
        return nn.functional.normalize((heard * real[..., None]).sum(1))

    def partials(self, samples: Tensor, lengths: Tensor, count: int) -> Tensor:
        """Compute the power of the first `count` windows of each clip: (b, count, 160, 40)."""
        frames = self.spectra(_louder(samples, lengths), FRAMES + STEP * (count - 1))
        return frames.unfold(1, FRAMES, STEP).transpose(2, 3)

    def spectra(self, samples: Tensor, frames: int) -> Tensor:
        """Map samples (b, t) to the power in each mel band every 10 ms: (b, frames, 40)."""
        padded = nn.functional.pad(samples, (WINDOW // 2, WINDOW // 2 + frames * HOP))[:, : WINDOW + frames * HOP]
        spectrum = torch.stft(padded, WINDOW, HOP, window=self.window, center=False, return_complex=True)
        return (self.filters @ spectrum.abs().square()).transpose(1, 2)[:, :frames]

    def embed(self, frames: Tensor) -> Tensor:
        """Map windows (n, 160, 40) to unit vectors (n, 256)."""
        *lstms, project = self.layers
        for lstm in lstms:
            frames, _ = lstm(frames)
        return nn.functional.normalize(project(frames[:, -1]).relu())


def partial_counts(samples: Tensor) -> Tensor:
    """Return the number of windows of clips with these lengths (b,); one starts every `STEP` frames."""
    frames = samples // HOP + 1
    counts = ((frames - FRAMES + STEP + 1).clamp_min(1) + STEP - 1) // STEP
    covered = samples - (counts - 1) * (STEP * HOP)
    return counts - ((covered < COVERED * FRAMES * HOP) & (counts > 1)).long()


def mel_filters() -> Tensor:
    """Return mel filters (40, 201): triangles of equal area on Slaney's scale, linear up to 1 kHz, then logarithmic."""
    linear, step = 200 / 3, math.log(6.4) / 27
    top = 1000 / linear + math.log(RATE / 2 / 1000) / step
    marks = torch.linspace(0, top, MELS + 2, dtype=torch.float64)
    edges = torch.where(marks < 15, marks * linear, 1000 * ((marks - 15) * step).exp())  # Hz
    bins = torch.arange(WINDOW // 2 + 1) * (RATE / WINDOW)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    weights = torch.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)).clamp_min(0)
    return (weights * 2 / (high - low)).float()


def _louder(samples: Tensor, lengths: Tensor) -> Tensor:
    level = (samples.square().sum(1) / lengths).sqrt().clamp_min(TINY)
    return samples * (LOUDNESS / level).clamp_min(1)[:, None]
