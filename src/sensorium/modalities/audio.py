"""Sound: any rate, mono or stereo, any length, as a log-mel spectrogram or as its waveform."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, PositiveFloat, PositiveInt

from sensorium.errors import ConfigError
from sensorium.modalities._base import Encoded, Facts, Modality, Ragged, Work
from sensorium.modalities._containers import container_format, sound_rate_and_seconds, sound_track
from sensorium.modalities._files import Source, decode_cells, decode_sample, looks_like_files, sample_rows
from sensorium.modalities._overview import Overview, outline
from sensorium.problems import Unreadable
from sensorium.schema import Guess
from sensorium.table import Column

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".m4a")
MAGIC = (b"fLaC", b"OggS", b"ID3", b"FORM", b".snd")
HIGHEST_RATE = 16_000  # Hz: speech and most sound events lie below 8 kHz
LOWEST_RATE = 100  # Hz: a sample a hop
LONGEST = 10.0  # seconds kept of a clip by default, at most
SHOWN = 4  # curves in an overview
WINDOW, HOP = 0.025, 0.010  # seconds, as in most speech front ends
FLOOR = 1e-6  # power under which a band counts as silent
SLACK = 64  # bytes that headers are wrong by without harm
ENDLESS = 0x7FFF_0000  # bytes: above it lie the lengths that recorders write where they don't know it yet

Wave = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Audio(Modality):
    """A sound.

    Encodes to Ragged float32[total frames, mels]: log power in mel bands, 25 ms windows every 10 ms, standardised
    per band by the training rows; or, as a waveform, to Ragged float32[total samples], as they are. Channels are
    averaged; other rates are resampled (soxr).

    Attributes:
        rate: samples per second.
        mels: number of mel bands; 0 for a waveform.
        seconds: what is kept of a clip; the rest is cut.
        mean, deviation: float32[mels], of the training frames.
        form: `log_mel` or `waveform`.
    """

    encoder: ClassVar[str] = "audio_cnn"
    kept: ClassVar[bool] = True

    rate: int
    mels: int
    seconds: float
    mean: npt.NDArray[np.float32]
    deviation: npt.NDArray[np.float32]
    form: str = "log_mel"

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        return looks_like_files(column, SUFFIXES, lambda head: head.startswith(MAGIC) or head[8:12] == b"WAVE", "audio")

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        rate: Annotated[int, Field(ge=LOWEST_RATE)] | None = None,
        mels: PositiveInt | None = None,
        seconds: PositiveFloat | None = None,
        form: Literal["log_mel", "waveform"] = "log_mel",
    ) -> Self:
        """Args:
        column: training rows.
        rate: samples per second; by default the median of the training clips, at most 16,000.
        mels: number of mel bands; by default 64, or 40 for rates of 8,000 and less.
        seconds: what is kept of a clip; by default as much as 99% of the training clips have, at most 10.
        form: a log-mel spectrogram, or the waveform itself, as some pretrained models take it.

        Raises:
            ConfigError: `mels` of a waveform.
        """
        if form == "waveform" and mels is not None:
            raise ConfigError(
                "a waveform has no mel bands", place="mels, of the modality 'audio'", cure="form: log_mel, or no mels"
            )
        seen = decode_sample(column, _rate_and_seconds)
        rate = rate or int(
            np.clip(np.median([r for r, _ in seen]) if seen else HIGHEST_RATE, LOWEST_RATE, HIGHEST_RATE)
        )
        mels = 0 if form == "waveform" else mels or (64 if rate > 8000 else 40)
        if seconds is None:
            seconds = float(min(LONGEST, max(WINDOW, np.quantile([s for _, s in seen], 0.99)) if seen else LONGEST))
        plain = cls(rate, mels, seconds, np.zeros(mels, np.float32), np.ones(mels, np.float32), form)
        if form == "waveform":
            return plain
        frames = np.concatenate([np.zeros((0, mels), np.float32), *decode_sample(column, plain.decode)])
        if not len(frames):
            return plain
        # A band that never sounds keeps its scale, so that noise in it is not blown up.
        return cls(rate, mels, seconds, frames.mean(0), np.maximum(frames.std(0), 0.1).astype(np.float32))

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        empty = np.empty(0 if self.form == "waveform" else (0, self.mels), np.float32)
        cells = [empty] * len(column)
        present, problems = decode_cells(column, self.decode, work, cells.__setitem__)
        return Encoded(Ragged.of(cells, empty), present, problems)

    def decode(self, source: Source) -> Wave:
        """One file → float32[frames, mels], or float32[samples].

        Raises:
            Unreadable: truncated, damaged, without samples, with samples that are no numbers.
        """
        wave = _mono(source, self.rate, self.seconds)
        if self.form == "waveform":
            return wave
        found = self.spectrogram(wave)
        found -= self.mean
        found /= self.deviation
        return found

    def spectrogram(self, wave: Wave) -> Wave:
        """float32[samples] → float32[frames, mels]: natural logarithm of the power in each mel band."""
        window, hop = self._window, round(HOP * self.rate)
        padded = wave if len(wave) >= len(window) else np.pad(wave, (0, len(window) - len(wave)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, len(window))[::hop]  # (frames, window)
        spectrum = np.fft.rfft(frames * window, axis=1)  # (frames, bins)
        power = spectrum.real**2 + spectrum.imag**2  # as abs()² without its square root
        return np.log(power @ self._filters + FLOOR)

    @cached_property
    def _window(self) -> Wave:
        return np.hanning(round(WINDOW * self.rate)).astype(np.float32)

    @cached_property
    def _filters(self) -> Wave:
        return mel_filters(len(self._window), self.rate, self.mels)

    def facts(self) -> Facts:
        if self.form == "waveform":
            return {"form": self.form, "rate": self.rate}
        shape = {"mels": self.mels, "mean": self.mean, "deviation": self.deviation}
        return {"form": self.form, "rate": self.rate, **shape}

    def overview(self, column: Column) -> Overview:
        seconds = np.array([seconds for _, seconds in decode_sample(column, _rate_and_seconds)], np.float64)
        curves = dict[int, npt.NDArray[np.float64]]()
        rows = sample_rows(column, SHOWN)

        def keep(place: int, wave: Wave) -> None:
            curves[int(rows[place])] = outline(wave)

        decode_cells(column.take(rows), lambda source: _mono(source, self.rate, self.seconds), Work(), keep)
        return Overview({"duration in seconds": seconds}, curves=curves)

    def describe(self) -> str:
        form = "the waveform" if self.form == "waveform" else f"{self.mels} mel bands"
        return f"{self.rate} Hz, at most {self.seconds:.2g} s, {form}"


def mel_filters(window: int, rate: int, mels: int) -> Wave:
    """float32[window // 2 + 1, mels]: triangles, evenly spaced on the mel scale 2595·log10(1 + f/700), up to rate / 2.

    A triangle narrower than the distance of two bins is widened to it, so that no band is empty.
    """
    top = 2595 * np.log10(1 + rate / 2 / 700)
    centres = 700 * (10 ** (np.linspace(0, top, mels + 2) / 2595) - 1)  # (mels + 2,) Hz
    bins = np.fft.rfftfreq(window, 1 / rate)[:, None]  # (bins, 1) Hz
    step = rate / window
    left = np.minimum(centres[:-2], centres[1:-1] - step)
    right = np.maximum(centres[2:], centres[1:-1] + step)
    rising = (bins - left) / (centres[1:-1] - left)
    falling = (right - bins) / (right - centres[1:-1])
    weights = np.clip(np.minimum(rising, falling), 0, None)
    return (weights / weights.sum(0)).astype(np.float32)


def _rate_and_seconds(source: Source) -> tuple[int, float]:
    import soundfile

    if container_format(_head(source)[0]):
        return sound_rate_and_seconds(source)
    try:
        info = soundfile.info(source)
    except (soundfile.SoundFileError, RuntimeError, OSError) as error:
        raise Unreadable(f"no sound that libsndfile knows ({_words(error)})") from None
    return info.samplerate, info.frames / info.samplerate


def _mono(source: Source, rate: int, seconds: float) -> Wave:
    """float32[samples] at `rate`, the first `seconds` of the clip."""
    import soundfile
    import soxr

    head, size = _head(source)
    if container_format(head):
        return _sound(sound_track(source, rate, seconds))
    _refuse_cut(head, size)
    try:
        with soundfile.SoundFile(source) as clip:
            wanted = min(clip.frames, int(np.ceil(seconds * clip.samplerate)))
            samples, own_rate = clip.read(wanted, dtype="float32", always_2d=True), clip.samplerate
    except (soundfile.SoundFileError, RuntimeError, OSError, ValueError, MemoryError) as error:
        raise Unreadable(f"damaged sound, or none that libsndfile knows ({_words(error)})") from None
    if len(samples) < wanted:
        raise Unreadable("truncated sound: not all of its samples can be read")
    mono = _sound(samples[:, 0] if samples.shape[1] == 1 else samples.mean(1, dtype=np.float32))
    return mono if own_rate == rate else soxr.resample(mono, own_rate, rate)


def _sound(samples: Wave) -> Wave:
    if not len(samples):
        raise Unreadable("a sound without samples")
    if not np.isfinite(samples).all():
        raise Unreadable("a sound with samples that are no finite numbers")
    return samples


def _head(source: Source) -> tuple[bytes, int]:
    """The first 12 bytes, and how many there are in all."""
    if isinstance(source, io.BytesIO):
        return bytes(source.getbuffer()[:12]), source.getbuffer().nbytes
    try:
        with source.open("rb", buffering=0) as stream:
            return stream.read(12), os.fstat(stream.fileno()).st_size
    except OSError as error:
        raise Unreadable(f"the file can't be read ({error.strerror})") from None


def _refuse_cut(head: bytes, size: int) -> None:
    """To libsndfile a cut WAV, AIFF or AU file is a shorter sound; the header says how long it was."""
    if size + SLACK < _declared_size(head):
        raise Unreadable("truncated sound: the file is shorter than its header says")


def _declared_size(head: bytes) -> int:
    """Bytes that a WAV, AIFF or AU file says it has; 0 where it does not say."""
    order: Literal["little", "big"] = "little" if head.startswith(b"RIFF") else "big"
    first, second = (int.from_bytes(head[at : at + 4], order) for at in (4, 8))
    size = {b"RIFF": first + 8, b"FORM": first + 8, b".snd": first + second}.get(head[:4], 0)
    return size if size < ENDLESS else 0


def _words(error: Exception) -> str:
    """Without the name of the file, which the problem tells by itself: like faults are counted together."""
    return str(getattr(error, "error_string", error))
