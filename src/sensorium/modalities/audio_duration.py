"""Duration of audio clips, before they are cut."""

from __future__ import annotations

from typing import ClassVar

from sensorium.modalities._files import Source
from sensorium.modalities._measures import Measures
from sensorium.modalities._sound import rate_and_seconds
from sensorium.modalities.audio import SUFFIXES, is_sound


class AudioDuration(Measures):
    """Duration of an audio clip in seconds, a view that is requested by name: `speech.duration`.

    Attributes:
        used, mean, deviation, lowest, highest: as in `Measures`.
    """

    names: ClassVar[tuple[str, ...]] = ("duration in seconds",)
    files: ClassVar[str] = "audio"
    suffixes: ClassVar[tuple[str, ...]] = SUFFIXES

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return is_sound(head)

    @classmethod
    def measure(cls, source: Source) -> tuple[float, ...]:
        return (rate_and_seconds(source)[1],)
