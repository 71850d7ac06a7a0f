"""Pretrained audio model of `transformers`: Wav2Vec2, HuBERT, WavLM, AST, Whisper's encoder."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from sensorium.batch import Cells, Tokens
from sensorium.encoders._backbone_settings import as_settings
from sensorium.encoders._kaldi_filters import KaldiFilters
from sensorium.encoders._pretrained import PREPROCESSING, Pretrained, every_state
from sensorium.encoders._sound import HOP, WINDOW, Waves, normalising_real
from sensorium.encoders._whisper_filters import WhisperFilters
from sensorium.errors import ConfigError
from sensorium.modalities import EncoderSpec

ACCEPTS = ("audio",)
RATE = 16_000  # Hz, where a model does not say
SPECTRA = {"audio-spectrogram-transformer": "kaldi", "whisper": "whisper"}  # others take the waveform
# Of the spectrogram transformer, in AudioSet, where a model does not say.
MEAN, DEVIATION = -4.2677393, 4.5689974


class PretrainedAudio(Pretrained):
    """Pretrained audio model: samples (b, t) → waveform or spectrogram → states of the model (b, t', d).

    The states of a clip do not depend on its padding: a model that takes no mask (its first layer normalises over time)
    gets batches of clips of one length.
    """

    modality = "audio"

    def ready(self) -> None:
        found = self.preprocessing
        self.front: KaldiFilters | WhisperFilters | Waves
        if found["form"] == "kaldi":
            self.front = KaldiFilters(found)
        elif found["form"] == "whisper":
            self.front = WhisperFilters(found)
        else:
            self.front = Waves(found["normalize"], _least_samples(self.backbone.config))

    @classmethod
    def preferred_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        found = cls.complete(options)["config"][PREPROCESSING]
        seconds = {"seconds": float(found["seconds"])} if "seconds" in found else {}
        return {"form": "waveform", "sample_rate": found["rate"], **seconds}

    @classmethod
    def preprocess(cls, config: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
        settings = as_settings(config)
        rate, normalize = int(found.get("sampling_rate") or RATE), bool(found.get("do_normalize", True))
        form = SPECTRA.get(config["model_type"], "waveform")
        if form == "whisper":
            return {"form": form, "rate": rate, **_whisper(settings, found, rate)}
        if form == "kaldi":
            return {"form": form, "rate": rate, "normalize": normalize, **_kaldi(settings, found, rate)}
        if not hasattr(settings, "conv_stride"):
            raise ConfigError(
                f"audio models of the family {config['model_type']!r} are not supported",
                place="model",
                cure=f"choose one that reads waveforms, such as Wav2Vec2, HuBERT and WavLM, or {' or '.join(SPECTRA)}",
            )
        return {"form": form, "rate": rate, "normalize": normalize}

    @classmethod
    def fitted(
        cls, config: dict[str, Any], preprocessing: Mapping[str, Any], encoder_spec: EncoderSpec
    ) -> dict[str, Any]:
        """Check that the column holds waveforms at the sampling rate of the model."""
        wanted, found = ("waveform", preprocessing["rate"]), (encoder_spec["form"], encoder_spec["rate"])
        if found != wanted:
            raise ConfigError(
                f"the model takes a {wanted[0]} at {wanted[1]} Hz, not {found[0]} at {found[1]} Hz",
                place="encoder 'pretrained_audio'",
                cure="omit the column's options form and sample_rate: the encoder sets them",
            )
        return config

    def states(self, cells: Cells) -> Tokens:
        assert cells.mask is not None
        if isinstance(self.front, KaldiFilters):
            return every_state(self.backbone(input_values=self.front(cells.values, cells.mask)).last_hidden_state)
        if isinstance(self.front, WhisperFilters):
            states = self.backbone(input_features=self.front(cells.values)).last_hidden_state
            return Tokens(states, _first(-(-cells.mask.sum(1) // (2 * self.front.hop)), states.shape[1]))
        samples, lengths = self.front(cells.values, cells.mask)
        return self._masked(samples, lengths) if self._takes_mask else self._by_length(samples, lengths)

    @property
    def _takes_mask(self) -> bool:
        return bool(self.backbone.config.feat_extract_norm == "layer")

    def _masked(self, samples: Tensor, lengths: Tensor) -> Tokens:
        mask = _first(lengths, samples.shape[1])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")  # WavLM's own two masks
            states = self.backbone(input_values=samples, attention_mask=mask.long()).last_hidden_state
        return Tokens(states, _first(self._counts(lengths), states.shape[1]))

    def dense(self, cells: Cells) -> Tokens:
        """Encode clips of all lengths together with a mask, even if the model was not trained with one."""
        assert cells.mask is not None
        if not isinstance(self.front, Waves):
            return self(cells)
        samples, lengths = self.front(cells.values, cells.mask)
        # WavLM looks whether there is one clip or more, which a graph can't: here there are always more.
        samples, lengths = (torch.cat([part, part[:1]]) for part in (samples, lengths))
        with nullcontext() if self._takes_mask else self._first_norm(lengths):
            states = self._masked(samples, lengths)
        return self.from_features(Cells(self.summary(states)[:-1], cells.present))

    def _first_norm(self, lengths: Tensor) -> AbstractContextManager[None]:
        """Within this block, the normalisation after the first convolution ignores padding."""
        config, first = self.backbone.config, self.backbone.feature_extractor.conv_layers[0]
        counts = (lengths - config.conv_kernel[0]) // config.conv_stride[0] + 1
        return normalising_real(first.layer_norm, counts)

    def _by_length(self, samples: Tensor, lengths: Tensor) -> Tokens:
        """Encode clips of one length together: without padding, no mask is needed."""
        counts = self._counts(lengths)
        mask = _first(counts, int(counts.max()))
        values = samples.new_zeros(*mask.shape, self.features_width)
        for length in lengths.unique().tolist():
            rows = (lengths == length).nonzero().squeeze(1)
            states = self.backbone(input_values=samples[rows, :length]).last_hidden_state
            values = values.index_copy(0, rows, _lengthened(states, mask.shape[1]).to(values.dtype))
        return Tokens(values, mask)

    def _counts(self, lengths: Tensor) -> Tensor:
        """Return the number of states for numbers of samples."""
        return self.backbone._get_feat_extract_output_lengths(lengths)


def _whisper(settings: Any, found: Mapping[str, Any], rate: int) -> dict[str, Any]:
    """Return the number of frames that the model takes, before its first layers halve it."""
    hop, window = int(found.get("hop_length") or HOP), int(found.get("n_fft") or WINDOW)
    samples = 2 * settings.max_source_positions * hop
    spectrum = {"mels": int(settings.num_mel_bins), "window": window, "hop": hop}
    return {"samples": samples, "seconds": samples / rate, **spectrum}


def _kaldi(settings: Any, found: Mapping[str, Any], rate: int) -> dict[str, Any]:
    frames = int(settings.max_length)
    seconds = (WINDOW + HOP * (frames - 1)) / rate
    scale = {"mean": float(found.get("mean", MEAN)), "deviation": float(found.get("std", DEVIATION))}
    return {"mels": int(settings.num_mel_bins), "frames": frames, "seconds": seconds, **scale}


def _first(counts: Tensor, places: int) -> Tensor:
    """Return a mask (b, places): True for the first `counts` positions of each row, at least one."""
    return torch.arange(places, device=counts.device) < counts.clamp_min(1)[:, None]


def _lengthened(states: Tensor, steps: int) -> Tensor:
    return torch.nn.functional.pad(states, (0, 0, 0, steps - states.shape[1]))


def _least_samples(config: Any) -> int:
    """Return the number of samples that the convolutions need for one state."""
    found = 1
    for kernel, stride in reversed(list(zip(config.conv_kernel, config.conv_stride, strict=True))):
        found = (found - 1) * stride + kernel
    return int(found)
