"""GE2E speaker encoder: a vector of the speaker's voice, with weights from the package Resemblyzer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Fraction, Share
from sensorium.encoders._packaged import Packaged, Tune, Tuning, in_order, read_packaged
from sensorium.errors import ConfigError
from sensorium.modalities import EncoderSpec

ACCEPTS = ("audio",)
PACKAGE, INSTALL = "resemblyzer", "pip install --no-deps resemblyzer"
RATE, WINDOW, HOP, MELS = 16_000, 400, 160, 40
LOUDNESS = 10 ** (-30 / 20)  # root mean square that quieter clips are amplified to: −30 dB of full scale
FRAMES, STEP = 160, 77  # of a partial utterance, and from one to the next: 1.6 s, 1.3 of them a second
FEWEST = 2  # partial utterances of an exported graph, whose sizes may not be 1
COVERED = 0.75  # minimum share of audio in the last window, unless it is the only one
HIDDEN, LAYERS = 256, 3
TINY = 1e-9  # keeps silence finite


class VoiceGE2E(Packaged):
    """GE2E (Wan et al. 2017, "Generalized End-to-End Loss for Speaker Verification", arXiv:1710.10467).

    samples (b, t) → power in mel bands (b, frames, 40) → windows of 1.6 s → a unit vector each → their mean (b, 256),
    of length 1 → one token (b, 1, size). The vector identifies the speaker, independent of what is said.

    Args:
        encoder_spec: what the column's modality supplies.
        tune: which weights are trained: `frozen` none, `last` those of the last layers, `full` all.
        layers: number of layers that `tune: last` trains, of three LSTMs and a projection.
        learning_rate_scale: learning rate of the pretrained weights, as a fraction of `train.learning_rate`.
        layer_decay: factor of that fraction from each layer to the layer below.
        size: width of the output token.
        dropout: dropout probability in the network on top of the model.
    """

    def __init__(
        self,
        encoder_spec: EncoderSpec,
        *,
        tune: Tune = "frozen",
        layers: Depth = 2,
        learning_rate_scale: Share = 0.02,
        layer_decay: Share = 0.9,
        size: PositiveInt = 128,
        dropout: Fraction = 0.1,
    ) -> None:
        wanted, found = ("waveform", RATE), (encoder_spec["form"], encoder_spec["rate"])
        if found != wanted:
            raise ConfigError(
                f"the model takes a {wanted[0]} at {wanted[1]} Hz, not {found[0]} at {found[1]} Hz",
                place="encoder 'voice_ge2e'",
                cure="omit the column's options sample_rate and form: the encoder sets them",
            )
        super().__init__(
            Voice(), Tuning(tune, layers, learning_rate_scale, layer_decay), features=HIDDEN, size=size, dropout=dropout
        )

    @staticmethod
    def preferred_options(options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the audio options that match the model's own preprocessing."""
        return {"form": "waveform", "sample_rate": RATE}

    def read_weights(self) -> dict[str, Tensor]:
        found = read_packaged(PACKAGE, "pretrained.pt", INSTALL)["model_state"]
        kept = {name: value for name, value in found.items() if name.startswith(("lstm.", "linear."))}
        return in_order(kept, self.backbone, PACKAGE)

    def features(self, cells: Cells) -> Tensor:
        assert cells.mask is not None
        return self.norm(self.backbone(cells.values, cells.mask))

    def dense(self, cells: Cells) -> Tokens:
        assert isinstance(self.backbone, Voice)
        assert cells.mask is not None
        return self.from_features(Cells(self.norm(self.backbone.dense(cells.values, cells.mask)), cells.present))


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
