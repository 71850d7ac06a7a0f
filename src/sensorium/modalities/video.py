"""Video: frames at even distances; the audio track is a separate column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from pydantic import PositiveFloat

from sensorium.config import Side
from sensorium.findings import Guess, Unreadable
from sensorium.modalities._base import EncoderSpec
from sensorium.modalities._containers import is_cut
from sensorium.modalities._encoded import Encoded, Ragged, Work
from sensorium.modalities._fields import SIZE, Channels, Fit, FrameCount
from sensorium.modalities._files import Source, decode_cells, decode_sample, looks_like_files
from sensorium.modalities._formats import container_format, is_sound_container, open_container
from sensorium.modalities._heic import is_heif
from sensorium.modalities._pictures import MOST_PIXELS, opened
from sensorium.modalities._sides import Square
from sensorium.modalities._tracks import has_sound, holds_sound_alone
from sensorium.modalities._turns import upright
from sensorium.modalities._video_frames import frame_times, frames_shown_at, sides_of, video_track
from sensorium.modalities.image import LARGEST, SMALLEST, Image
from sensorium.table import Column

if TYPE_CHECKING:
    from av import VideoFrame

SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".qt", ".webm", ".mkv", ".avi", ".divx", ".3gp", ".3gpp", ".3g2", ".mpg", ".mpeg", ".mpe",
    ".vob", ".ts", ".mts", ".m2ts", ".flv", ".f4v", ".wmv", ".asf",
)  # fmt: skip
UNSURE = (".ts",)  # suffixes that other kinds of files have, too
LEARN_FROM = 50  # videos whose size is read
LISTEN_TO = 10  # videos that are checked for an audio track
GROUND, MAX_PIXELS = 255, 100_000_000

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Video(Square):
    """A video, sampled as frames; its audio is a view, the column `NAME.sound`.

    Encodes to Ragged uint8[total frames, size, size, channels]. Each frame is the one displayed at its time, for
    constant and variable frame rates, rotated as the file declares. Duration, number of frames, width and height are
    used if `NAME.size` is requested as a column.

    Attributes:
        frames: frames sampled from a video, at most.
        rate: frames per second; None to take `frames` frames, evenly spaced.
        size, channels, fit: as in image, for each frame.
    """

    encoder: ClassVar[str] = "frames_cnn"
    cacheable: ClassVar[bool] = True

    frames: FrameCount
    rate: PositiveFloat | None
    size: Side
    channels: Channels
    fit: Fit

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        found = looks_like_files(column, SUFFIXES, is_video, "video")
        if found:
            others = _all_end_in(column, UNSURE) and not decode_sample(column, sides_of, most=LISTEN_TO)
            return None if others or holds_sound_alone(column, SUFFIXES) else found
        if not column.is_string:
            return None
        animated = decode_sample(column, _is_animated, most=10) if _all_end_in(column, (".gif",)) else []
        return Guess(0.995, "animated GIF files") if animated and all(animated) else None

    @classmethod
    def views(cls, column: Column) -> Mapping[str, str]:
        return {"sound": "audio"} if any(decode_sample(column, has_sound, most=LISTEN_TO)) else {}

    @classmethod
    def view(cls, name: str) -> str | None:
        return "video_size" if name == SIZE else None

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        frames: FrameCount = 8,
        fps: PositiveFloat | None = None,
        size: Side | None = None,
        channels: Channels = 3,
        fit: Fit = "stretch",
    ) -> Self:
        """Learn the size of the frames.

        Args:
            column: training rows.
            frames: frames sampled from a video, at most.
            fps: frames per second from the start; by default `frames` frames, each from the middle of one of as many
                equal segments (Wang et al. 2016, arXiv:1608.00859).
            size: side in pixels; by default the median shorter side of the training videos, between 16 and 64;
                smaller for large tables, at least 32.
            channels: 1 for grey, 3 for RGB.
            fit: stretch to a square, pad it, or crop its middle.
        """
        if size is None:
            sides = [min(each) for each in decode_sample(column, sides_of, most=LEARN_FROM)]
            size = int(np.clip(np.median(sides), SMALLEST, LARGEST)) if sides else LARGEST
        return cls(frames, fps, size, channels, fit)

    @property
    def _picture(self) -> Image:
        return Image(self.size, self.channels, self.fit, GROUND, MAX_PIXELS)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        empty = np.empty((0, self.size, self.size, self.channels), np.uint8)
        cells = [empty] * len(column)
        present, problems = decode_cells(column, self.decode, work, cells.__setitem__)
        return Encoded(Ragged.of(cells, empty), present, problems)

    def decode(self, source: Source) -> Frames:
        """Decode one file to uint8[frames, size, size, channels].

        Raises:
            Unreadable: the file is truncated, damaged, or not a video.
        """
        with open_container(source) as container:
            times, keys = frame_times(container)
            if is_cut(container, video_track(container), source, times[0], times[-1]):
                raise Unreadable("the video is truncated: it is shorter than the file declares")
            return np.stack([self._prepared(frame) for frame in frames_shown_at(container, self._moments(times), keys)])

    def _moments(self, times: Sequence[float]) -> list[float]:
        """Return the seconds at which frames are taken; `times` are those of all frames, then the end."""
        start, length = times[0], times[-1] - times[0]
        if self.rate:
            count = min(self.frames, max(1, int(np.ceil(length * self.rate))))
            return [start + place / self.rate for place in range(count)]
        count = min(self.frames, len(times) - 1)
        return [start + (place + 0.5) * length / count for place in range(count)]

    def _prepared(self, frame: VideoFrame) -> Frames:
        """Downscale a frame before rotating and squaring it: most of the time is spent on its pixels."""
        shrink = min(1.0, self.size / min(frame.width, frame.height))
        width, height = (max(1, round(side * shrink)) for side in (frame.width, frame.height))
        pixels = frame.reformat(width, height, "rgb24").to_ndarray()
        return self._picture.prepare(Pillow.fromarray(upright(pixels, frame)))

    @property
    def pixels(self) -> int:
        return self.frames * self.size**2

    def encoder_spec(self) -> EncoderSpec:
        return {"channels": self.channels, "size": self.size, "ordered": True}

    def describe(self) -> str:
        how = f"{self.rate:g} frames per second, at most {self.frames}" if self.rate else f"{self.frames} frames"
        return f"{how} of {self._picture.describe()}"


def is_video(head: bytes) -> bool:
    """Return whether bytes start like a video file."""
    moving = container_format(head) not in (None, "gif")
    return moving and not is_heif(head) and not is_sound_container(head)


def _all_end_in(column: Column, suffixes: tuple[str, ...]) -> bool:
    sample = column.sample(50) if column.is_string else []
    return bool(sample) and all(value.lower().endswith(suffixes) for value in sample)


def _is_animated(source: Source) -> bool:
    with opened(source, MOST_PIXELS) as picture:
        return getattr(picture, "n_frames", 1) > 1
