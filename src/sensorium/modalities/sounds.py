"""Several audio clips per cell, such as the messages of a call or the takes of a phrase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeInt

from sensorium.config import Many
from sensorium.findings import Guess, Problem
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Encoded, Ragged, Work
from sensorium.modalities._fields import Mels, Rate, Seconds
from sensorium.modalities._files import decode_cells
from sensorium.modalities._several import (
    flat_cells,
    fuller_cells,
    fuller_findings,
    looks_like_several,
    problems_of_cells,
    usual_count,
)
from sensorium.modalities.audio import Audio, longer_findings
from sensorium.table import Column

MOST = 16  # clips kept per cell by default, at most
PAUSE = 20  # frames between two clips: enough that filters do not blend them

Frames = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sounds(Modality):
    """An ordered set of audio clips: a list of paths (or of bytes), as a list cell or as JSON text.

    Encodes to Ragged float32[total frames, mels]: one clip after the other, with a fifth of a second of mean spectrum
    between. An unreadable clip is skipped with a reason; a cell without any readable clip is missing.

    Attributes:
        rate, mels, seconds, mean, deviation: as in audio, for each clip.
        most: clips kept per cell; the rest is cut.
        heard, longer: as in audio.
        cells, fuller: number of training cells, and how many of them have more clips than are kept.
    """

    encoder: ClassVar[str] = "audio_cnn"
    cacheable: ClassVar[bool] = True

    rate: Rate
    mels: Mels
    seconds: Seconds
    mean: Frames
    deviation: Frames
    most: Many
    heard: NonNegativeInt = 0
    longer: NonNegativeInt = 0
    cells: NonNegativeInt = 0
    fuller: NonNegativeInt = 0

    def check(self) -> None:
        self._sound.check()

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        return looks_like_several(column, Audio)

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        sample_rate: Rate | None = None,
        mels: Mels | None = None,
        seconds: Seconds | None = None,
        max_sounds: Many | None = None,
    ) -> Self:
        """Learn the properties of a single clip, as `Audio` does, and the number of clips kept.

        Args:
            column: training rows.
            sample_rate: sampling rate in Hz; by default the median of the training clips, at most 16,000.
            mels: number of mel bands; by default 64, or 40 for sampling rates up to 8,000.
            seconds: length kept of a clip; by default that of the 99th percentile of the training clips, at most 10.
            max_sounds: clips kept per cell; by default the largest number in a training cell, at most 16.
        """
        flat, owners = flat_cells(column)
        one = Audio.learn(flat, sample_rate=sample_rate, mels=mels, seconds=seconds)
        most = max_sounds or usual_count(owners, MOST)
        kept = (one.rate, one.mels, one.seconds, one.mean, one.deviation, most)
        return cls(*kept, one.heard, one.longer, *fuller_cells(owners, most))

    @property
    def _sound(self) -> Audio:
        return Audio(self.rate, self.mels, self.seconds, self.mean, self.deviation)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        flat, owners = flat_cells(column, self.most)
        empty = np.zeros((0, self.mels), np.float32)
        found = [empty] * len(flat)
        _, problems = decode_cells(flat, self._sound.decode, Work(work.workers), found.__setitem__)
        cells = [list[Frames]() for _ in range(len(column))]
        for owner, frames in zip(owners, found, strict=True):
            if len(frames):
                cells[owner].append(frames)
        work.advance(len(column))
        values = Ragged.of([self._joined(cell) for cell in cells], empty)
        told = problems_of_cells(problems, owners, column, "audio clips")
        return Encoded(values, np.array([bool(cell) for cell in cells], bool), told)

    def _joined(self, sounds: list[Frames]) -> Frames:
        pause = np.zeros((PAUSE, self.mels), np.float32)
        parts = [part for frames in sounds for part in (pause, frames)][1:]
        return np.concatenate(parts) if parts else pause[:0]

    def encoder_spec(self) -> EncoderSpec:
        return self._sound.encoder_spec()

    def describe(self) -> str:
        return f"at most {self.most} clips of {self._sound.describe()}"

    def findings(self, column: str) -> list[Problem]:
        cut = fuller_findings(column, "audio clips", (self.cells, self.fuller), self.most, option="max_sounds")
        return longer_findings(column, self.heard, self.longer, self.seconds) + cut
