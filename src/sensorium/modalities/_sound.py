"""Read audio files completely or reject them: with libsndfile if it supports the format, else with PyAV."""

from __future__ import annotations

import io
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from sensorium.findings import Unreadable
from sensorium.modalities._containers import sound_rate_and_seconds, sound_track
from sensorium.modalities._content import Content, after_tags, mapped
from sensorium.modalities._files import Source
from sensorium.modalities._flac import with_length
from sensorium.modalities._formats import INSTALL, can_open, container_format, head_of
from sensorium.modalities._mp3 import Mpeg, find_mpeg, is_mpeg
from sensorium.modalities._ogg import MARK, find_links
from sensorium.modalities._piped import HEAD, Mended, mended_start
from sensorium.modalities._sizes import ENDLESS

SLACK = 64  # bytes by which headers may be wrong
LONGEST = 1e9  # seconds: the whole file
PLAIN, KNOWN_CODECS = 1, (1, 2, 3, 6, 7, 17, 0xFFFE)  # WAV codecs that libsndfile reads unless the file is damaged
OTHER_CODECS = {b"RIFF": "wav", b"caff": "caf", MARK: "ogg"}  # formats of which libsndfile supports some codecs

Wave = npt.NDArray[np.float32]


class _Sound(NamedTuple):
    """Parts of an audio clip: consecutive files for libsndfile, or a format for PyAV.

    Attributes:
        cut: whether the last file is truncated.
    """

    parts: list[Any]
    cut: bool = False
    container: str | None = None


def rate_and_seconds(source: Source) -> tuple[int, float]:
    """Return sampling rate and duration in seconds of the whole clip.

    Raises:
        Unreadable: the file is not audio, or cannot be read.
    """
    with mapped(source) as content:
        mpeg = _mpeg(content)
        if mpeg and not mpeg.trusted:
            return mpeg.rate, mpeg.seconds()
        sound = _sound(source, content, mpeg, LONGEST)
        if sound.container:
            return sound_rate_and_seconds(source, sound.container)
        try:
            found = [_length(part) for part in sound.parts]
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
        sound = _sound(source, content, _mpeg(content), seconds)
        try:
            return _read(source, sound, rate, seconds)
        except _Unknown as error:
            if mpeg := find_mpeg(content):  # behind other content
                return _read(source, _of_frames(mpeg, seconds), rate, seconds)
            return _read(source, _Sound([], container=_other_codec(content, error)), rate, seconds)


def _sound(source: Source, content: Content, mpeg: Mpeg | None, seconds: float) -> _Sound:
    head = head_of(content)
    if name := container_format(head):
        return _Sound([], container=name)
    if mpeg:
        trusted = mpeg.trusted and mpeg.first.start == after_tags(content)
        return _Sound([source]) if trusted else _of_frames(mpeg, seconds)
    if head.startswith(MARK):
        links = find_links(content)
        several = len(links.starts) > 1
        return _Sound([io.BytesIO(content[part]) for part in links.parts()] if several else [source], links.cut)
    if start := with_length(content) or mended_start(content[:HEAD], len(content)):
        return _Sound([Mended(content, start)])
    _refuse_cut(head, len(content))
    return _Sound([source])


def _mpeg(content: Content) -> Mpeg | None:
    """Return MPEG audio at the start of a file, maybe after tags; else None."""
    head = head_of(content)
    tagged = content[:3] == b"ID3" and not head.startswith(b"fLaC") and not container_format(head)
    return find_mpeg(content) if tagged or is_mpeg(head) else None


def _of_frames(mpeg: Mpeg, seconds: float) -> _Sound:
    stream, cut = mpeg.whole(seconds)
    return _Sound([stream], cut) if stream else _Sound([], container="mp3")


def _read(source: Source, sound: _Sound, rate: int, seconds: float) -> Wave:
    if sound.container:
        return _checked(sound_track(source, rate, seconds, sound.container))
    import soxr

    found, left = list[Wave](), seconds
    for part in sound.parts:
        samples, own_rate = _samples(part, left)
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


def _samples(part: Any, seconds: float) -> tuple[Wave, int]:
    """Read float32[samples, channels], and the sampling rate."""
    import soundfile

    try:
        with soundfile.SoundFile(part) as clip:
            wanted = min(clip.frames, int(np.ceil(seconds * clip.samplerate)))
            samples, rate = clip.read(wanted, dtype="float32", always_2d=True), clip.samplerate
    except (soundfile.SoundFileError, RuntimeError, OSError, ValueError, MemoryError) as error:
        raise _Unknown(f"the audio is damaged or its format is not supported ({_words(error)})") from None
    if len(samples) < wanted:
        raise Unreadable("the audio is truncated: not all samples can be read")
    return samples, rate


def _length(part: Any) -> tuple[int, int]:
    """Return sampling rate and samples per channel."""
    import soundfile

    try:
        with soundfile.SoundFile(part) as clip:
            return clip.samplerate, clip.frames
    except (soundfile.SoundFileError, RuntimeError, OSError, ValueError, MemoryError) as error:
        raise Unreadable(f"not audio in a supported format ({_words(error)})") from None


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


def _refuse_cut(head: bytes, size: int) -> None:
    """Raise Unreadable for a truncated WAV, AIFF or AU file, which libsndfile reads as a shorter one."""
    if size + SLACK < _declared_size(head):
        raise Unreadable("the audio is truncated: the file is shorter than its header declares")


def _declared_size(head: bytes) -> int:
    """Return the bytes that a WAV, AIFF or AU file declares; 0 if it declares none."""
    order: Literal["little", "big"] = "little" if head.startswith(b"RIFF") else "big"
    first, second = (int.from_bytes(head[at : at + 4], order) for at in (4, 8))
    size = {b"RIFF": first + 8, b"FORM": first + 8, b".snd": first + second}.get(head[:4], 0)
    return size if size < ENDLESS else 0


def _words(error: Exception) -> str:
    """Return the message without the file name, which the problem contains, so that equal errors are grouped."""
    return str(getattr(error, "error_string", error))


class _Unknown(Unreadable):
    """File that libsndfile cannot read, but maybe another library."""
