"""Tracks of a media container, and their kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sensorium.findings import Guess, Nothing, Unreadable
from sensorium.modalities._files import Source, decode_sample, looks_like_files
from sensorium.modalities._formats import can_open, open_container
from sensorium.table import Column

if TYPE_CHECKING:
    from av.container import InputContainer
LOOK_AT = 10  # files whose tracks are read


def picture_track(container: InputContainer) -> Any:
    """Return the first video track that is not cover art; None if there is none."""
    return next((stream for stream in container.streams.video if not is_cover(stream)), None)


def has_sound(source: Source) -> bool:
    """Return whether a container has an audio track."""
    try:
        with open_container(source) as container:
            return bool(container.streams.audio)
    except Unreadable:
        return False


def holds_sound_alone(column: Column, suffixes: tuple[str, ...]) -> Guess | None:
    """Claim a column of files that could contain video but contain only audio."""
    guess = looks_like_files(column, suffixes, lambda head: True, "video")
    if not guess or not can_open():
        return None
    found = decode_sample(column, tracks_of, most=LOOK_AT)
    alone = bool(found) and all(sound and not pictures for pictures, sound in found)
    return Guess(guess.confidence, f"{len(found)} sampled files contain audio and no video") if alone else None


def tracks_of(source: Source) -> tuple[bool, bool]:
    """Return whether the file has a video track, and whether it has an audio track."""
    with open_container(source) as container:
        return picture_track(container) is not None, bool(container.streams.audio)


def sound_of(container: InputContainer) -> Any:
    if not container.streams.audio:
        raise Nothing("the video has no audio track")
    return container.streams.audio[0]


def is_cover(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)
