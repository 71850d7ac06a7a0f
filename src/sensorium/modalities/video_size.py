"""Duration, number of frames, width and height of videos, before frames are sampled and resized."""

from __future__ import annotations

from typing import ClassVar

from sensorium.modalities._files import Source
from sensorium.modalities._formats import open_container
from sensorium.modalities._measures import Measures
from sensorium.modalities._video_frames import frame_times, sides_of
from sensorium.modalities.video import SUFFIXES, is_video


class VideoSize(Measures):
    """Size of a video, a view of a column of videos that is requested by name: `clip.size`.

    Duration in seconds, number of frames, and width and height in pixels, as stored.

    Attributes:
        used, mean, deviation, lowest, highest: as in `Measures`.
    """

    names: ClassVar[tuple[str, ...]] = (
        "duration in seconds",
        "number of frames",
        "width in pixels",
        "height in pixels",
    )
    files: ClassVar[str] = "video"
    suffixes: ClassVar[tuple[str, ...]] = SUFFIXES

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return is_video(head)

    @classmethod
    def measure(cls, source: Source) -> tuple[float, ...]:
        with open_container(source) as container:
            times, _ = frame_times(container)
        return times[-1] - times[0], len(times) - 1.0, *map(float, sides_of(source))
