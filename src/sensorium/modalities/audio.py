"""Audio of any sampling rate, channel count and length, as a log-mel spectrogram or as a waveform."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeInt

from sensorium.config import setting_of
from sensorium.errors import ConfigError
from sensorium.findings import Guess, Problem
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Encoded, Ragged, Work
from sensorium.modalities._fields import DURATION, Mels, Rate, Seconds, check_scale
from sensorium.modalities._files import Source, decode_cells, decode_sample, looks_like_files, sample_rows
from sensorium.modalities._formats import container_format, is_sound_container
from sensorium.modalities._mel import mel_filters
from sensorium.modalities._mp3 import is_mpeg
from sensorium.modalities._overview import Overview, outline
from sensorium.modalities._sound import mono_sound, rate_and_seconds
from sensorium.modalities._sound_files import Wave
from sensorium.modalities._tracks import holds_sound_alone
from sensorium.modalities.video import SUFFIXES as VIDEO_SUFFIXES
from sensorium.table import Column

SUFFIXES = (
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".spx", ".mp3", ".mp2", ".mpga", ".aif",
    ".aiff", ".aifc", ".au", ".snd", ".caf", ".m4a", ".m4b", ".m4r", ".aac", ".adts", ".wma", ".amr", ".awb", ".3ga",
    ".weba", ".mka", ".ac3", ".eac3", ".wv", ".tta",
)  # fmt: skip
MAGIC = (b"fLaC", b"OggS", b"FORM", b".snd", b"caff", b"riff")
HIGHEST_RATE = 16_000  # Hz: speech and most sound events lie below 8 kHz
LOWEST_RATE = 100  # Hz: a hop is one sample
LONGEST = 10.0  # seconds kept of a clip by default, at most
MUCH = 1.1  # multiple of the kept length above which a clip is reported
FEW = 0.01  # share of clips that may be so long without a report
SHOWN = 4  # curves in an overview
WINDOW, HOP = 0.025, 0.010  # seconds, as in most speech front ends
FLOOR = 1e-6  # power below which a band counts as silent


@dataclass(frozen=True)
class Audio(Modality):
    """An audio clip.

    Encodes to Ragged float32[total frames, mels]: log power in mel bands (25 ms windows every 10 ms), standardized per
    band with the training rows; or, as a waveform, to Ragged float32[total samples], unscaled. Channels are averaged;
    other sampling rates are resampled (soxr). The duration of the whole clip is used if `NAME.duration` is requested.

    Attributes:
        rate: sampling rate in Hz.
        mels: number of mel bands; 0 for a waveform.
        seconds: length kept of a clip; the rest is cut.
        mean, deviation: float32[mels], of the training frames.
        form: `log_mel` or `waveform`.
        heard, longer: number of sampled training clips, and how many of them lose more than a tenth.
    """

    encoder: ClassVar[str] = "audio_cnn"
    cacheable: ClassVar[bool] = True

    rate: Rate
    mels: Mels | Literal[0]
    seconds: Seconds
    mean: npt.NDArray[np.float32]
    deviation: npt.NDArray[np.float32]
    form: Literal["log_mel", "waveform"] = "log_mel"
    heard: NonNegativeInt = 0
    longer: NonNegativeInt = 0

    def check(self) -> None:
        if (self.form == "waveform") != (self.mels == 0):
            raise ValueError(f"a {self.form} cannot have {self.mels} mel bands")
        check_scale(self.mean, self.deviation, self.mels)

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        guess = looks_like_files(column, SUFFIXES, is_sound, "audio")
        return guess or holds_sound_alone(column, VIDEO_SUFFIXES)

    @classmethod
    def view(cls, name: str) -> str | None:
        return "audio_duration" if name == DURATION else None

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        sample_rate: Rate | None = None,
        mels: Mels | None = None,
        seconds: Seconds | None = None,
        form: Literal["log_mel", "waveform"] = "log_mel",
    ) -> Self:
        """Learn the sampling rate, the length kept, and mean and deviation per mel band.

        Args:
            column: training rows.
            sample_rate: sampling rate in Hz; by default the median of the training clips, at most 16,000.
            mels: number of mel bands; by default 64, or 40 for sampling rates up to 8,000.
            seconds: length kept of a clip; by default that of the 99th percentile of the training clips, at most 10.
            form: a log-mel spectrogram, or the waveform itself, which some pretrained models need.

        Raises:
            ConfigError: `mels` is set for a waveform.
        """
        if form == "waveform" and mels is not None:
            raise ConfigError(
                "a waveform has no mel bands",
                place="mels, of the modality 'audio'",
                cure="set form to log_mel, or remove mels",
            )
        seen = decode_sample(column, rate_and_seconds)
        rate = sample_rate or int(
            np.clip(np.median([r for r, _ in seen]) if seen else HIGHEST_RATE, LOWEST_RATE, HIGHEST_RATE)
        )
        mels = 0 if form == "waveform" else mels or (64 if rate > 8000 else 40)
        if seconds is None:
            seconds = float(min(LONGEST, max(WINDOW, np.quantile([s for _, s in seen], 0.99)) if seen else LONGEST))
        longer = sum(own > MUCH * seconds for _, own in seen)
        zero, one = np.zeros(mels, np.float32), np.ones(mels, np.float32)
        plain = cls(rate, mels, seconds, zero, one, form, len(seen), longer)
        if form == "waveform":
            return plain
        frames = np.concatenate([np.zeros((0, mels), np.float32), *decode_sample(column, plain.decode)])
        if not len(frames):
            return plain
        # A silent band keeps its scale, so that noise in it is not amplified.
        return replace(plain, mean=frames.mean(0), deviation=np.maximum(frames.std(0), 0.1).astype(np.float32))

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        empty = np.empty(0 if self.form == "waveform" else (0, self.mels), np.float32)
        cells = [empty] * len(column)
        present, problems = decode_cells(column, self.decode, work, cells.__setitem__)
        return Encoded(Ragged.of(cells, empty), present, problems)

    def decode(self, source: Source) -> Wave:
        """Decode one file to float32[frames, mels], or float32[samples].

        Raises:
            Unreadable: the file is truncated, damaged, without samples, or has samples that are not finite.
        """
        wave = mono_sound(source, self.rate, self.seconds)
        if self.form == "waveform":
            return wave
        found = self.spectrogram(wave)
        found -= self.mean
        found /= self.deviation
        return found

    def spectrogram(self, wave: Wave) -> Wave:
        """Convert float32[samples] to float32[frames, mels]: natural logarithm of the power in each mel band."""
        window, hop = self._window, round(HOP * self.rate)
        padded = wave if len(wave) >= len(window) else np.pad(wave, (0, len(window) - len(wave)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, len(window))[::hop]  # (frames, window)
        spectrum = np.fft.rfft(frames * window, axis=1)  # (frames, bins)
        power = spectrum.real**2 + spectrum.imag**2  # abs()² without the square root
        return np.log(power @ self._filters + FLOOR)

    @cached_property
    def _window(self) -> Wave:
        return np.hanning(round(WINDOW * self.rate)).astype(np.float32)

    @cached_property
    def _filters(self) -> Wave:
        return mel_filters(len(self._window), self.rate, self.mels)

    def encoder_spec(self) -> EncoderSpec:
        if self.form == "waveform":
            return {"form": self.form, "rate": self.rate}
        shape = {"mels": self.mels, "mean": self.mean, "deviation": self.deviation}
        return {"form": self.form, "rate": self.rate, **shape}

    def overview(self, column: Column) -> Overview:
        seconds = np.array([seconds for _, seconds in decode_sample(column, rate_and_seconds)], np.float64)
        curves = dict[int, npt.NDArray[np.float64]]()
        rows = sample_rows(column, SHOWN)

        def keep(place: int, wave: Wave) -> None:
            curves[int(rows[place])] = outline(wave)

        decode_cells(column.take(rows), lambda source: mono_sound(source, self.rate, self.seconds), Work(), keep)
        return Overview({"duration in seconds": seconds}, curves=curves)

    def findings(self, column: str) -> list[Problem]:
        return longer_findings(column, self.heard, self.longer, self.seconds)

    def describe(self) -> str:
        form = "waveform" if self.form == "waveform" else f"spectrogram with {self.mels} mel bands"
        return f"{self.rate} Hz, at most {self.seconds:.2g} s, {form}"


def longer_findings(column: str, heard: int, longer: int, seconds: float) -> list[Problem]:
    """Report audio clips that are cut."""
    if longer <= FEW * heard:
        return []
    reason = f"{longer} of {heard:,} sampled audio clips are longer than {seconds:.3g} s and are cut to this length"
    return [Problem(None, column, reason, f"a larger {setting_of(column, 'seconds')} keeps more")]


def is_sound(head: bytes) -> bool:
    """Return whether bytes start like an audio file."""
    return (
        head.startswith(MAGIC)
        or head[8:12] == b"WAVE"
        or head.startswith(b"ID3")
        or is_mpeg(head)
        or (container_format(head) is not None and is_sound_container(head))
    )
