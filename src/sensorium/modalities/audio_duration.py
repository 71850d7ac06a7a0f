"""Duration of audio clips, before they are cut."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from sensorium.findings import Guess
from sensorium.modalities._files import Source, looks_like_files
from sensorium.modalities._measures import Measures
from sensorium.modalities._sound import rate_and_seconds
from sensorium.modalities.audio import SUFFIXES, is_sound
from sensorium.table import Column


class AudioDuration(Measures):
    """Duration of an audio clip in seconds, a view that is requested by name: `speech.duration`.

    Attributes:
        used, mean, deviation, lowest, highest: as in `Measures`.
    """

    names: ClassVar[tuple[str, ...]] = ("duration in seconds",)

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        guess = looks_like_files(column, SUFFIXES, is_sound, "audio")
        return guess and replace(guess, confidence=0.05)

    @classmethod
    def measure(cls, source: Source) -> tuple[float, ...]:
        return (rate_and_seconds(source)[1],)
