"""Read audio files completely or reject them: with libsndfile if it supports the format, else with PyAV."""

from __future__ import annotations

import numpy as np

from sensorium.findings import Unreadable
from sensorium.modalities._containers import sound_rate_and_seconds, sound_track
from sensorium.modalities._content import Content, mapped
from sensorium.modalities._files import Source
from sensorium.modalities._formats import INSTALL, can_open
from sensorium.modalities._mp3 import find_mpeg
from sensorium.modalities._ogg import MARK
from sensorium.modalities._piped import HEAD
from sensorium.modalities._sound_files import UnknownFormat, Wave, rate_and_frames, read_samples
from sensorium.modalities._sound_parts import SoundParts, mpeg_at_start, parts_of, parts_of_frames

LONGEST = 1e9  # seconds: the whole file
PLAIN, KNOWN_CODECS = 1, (1, 2, 3, 6, 7, 17, 0xFFFE)  # WAV codecs that libsndfile reads unless the file is damaged
OTHER_CODECS = {b"RIFF": "wav", b"caff": "caf", MARK: "ogg"}  # formats of which libsndfile supports some codecs


def rate_and_seconds(source: Source) -> tuple[int, float]:
    """Return sampling rate and duration in seconds of the whole clip.

    Raises:
        Unreadable: the file is not audio, or cannot be read.
    """
    with mapped(source) as content:
        mpeg = mpeg_at_start(content)
        if mpeg and not mpeg.trusted:
            return mpeg.rate, mpeg.seconds()
        sound = parts_of(source, content, mpeg, LONGEST)
        if sound.container:
            return sound_rate_and_seconds(source, sound.container)
        try:
            found = [rate_and_frames(part) for part in sound.parts]
        except Unreadable as error:
            if behind := find_mpeg(content):
                return behind.rate, behind.seconds()
            return sound_rate_and_seconds(source, _other_codec(content, error))
    return found[0][0], sum(frames / rate for rate, frames in found)


def mono_sound(source: Source, rate: int, seconds: float) -> Wave:
    """Return float32[samples] at `rate`: the first `seconds` of the clip, channels averaged.

    Raises:
        Unreadable: the file is truncated, damaged, without samples, or has samples that are not finite.
    """
    with mapped(source) as content:
        sound = parts_of(source, content, mpeg_at_start(content), seconds)
        try:
            return _read(source, sound, rate, seconds)
        except UnknownFormat as error:
            if mpeg := find_mpeg(content):  # behind other content
                return _read(source, parts_of_frames(mpeg, seconds), rate, seconds)
            return _read(source, SoundParts([], container=_other_codec(content, error)), rate, seconds)


def _read(source: Source, sound: SoundParts, rate: int, seconds: float) -> Wave:
    if sound.container:
        return _checked(sound_track(source, rate, seconds, sound.container))
    import soxr

    found, left = list[Wave](), seconds
    for part in sound.parts:
        samples, own_rate = read_samples(part, left)
        if sound.cut and not len(samples):
            break
        mono = _checked(samples[:, 0] if samples.shape[1] == 1 else samples.mean(1, dtype=np.float32))
        found.append(mono if own_rate == rate else soxr.resample(mono, own_rate, rate))
        left -= len(mono) / own_rate
        if left <= 0:
            break
    if sound.cut and left > 0:
        raise Unreadable("the audio is truncated: the file ends within its samples")
    return found[0] if len(found) == 1 else np.concatenate(found)


def _other_codec(content: Content, error: Unreadable) -> str:
    """Return the format for PyAV of a file that libsndfile cannot read.

    Raises:
        Unreadable: PyAV cannot read it either, or is not installed; the same error again.
    """
    name = next((name for start, name in OTHER_CODECS.items() if content[: len(start)] == start), None)
    if not name or (name == "wav" and _wave_codec(content) in KNOWN_CODECS):
        raise Unreadable(error.reason, error.cure)
    if not can_open():
        raise Unreadable(error.reason, f"{INSTALL} to read more codecs")
    return name


def _wave_codec(content: Content) -> int:
    """Return the codec number of a WAV file; the number of PCM if it has no header."""
    at = content.find(b"fmt ", 12, HEAD)
    return int.from_bytes(content[at + 8 : at + 10], "little") if at > 0 else PLAIN


def _checked(samples: Wave) -> Wave:
    if not len(samples):
        raise Unreadable("the audio has no samples")
    if not np.isfinite(samples).all():
        raise Unreadable("the audio has samples that are not finite numbers")
    return samples
