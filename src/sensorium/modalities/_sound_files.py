"""Read samples and duration with libsndfile."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.findings import Unreadable

Wave = npt.NDArray[np.float32]


def read_samples(part: Any, seconds: float) -> tuple[Wave, int]:
    """Read float32[samples, channels], and the sampling rate."""
    import soundfile

    try:
        with soundfile.SoundFile(part) as clip:
            wanted = min(clip.frames, int(np.ceil(seconds * clip.samplerate)))
            samples, rate = clip.read(wanted, dtype="float32", always_2d=True), clip.samplerate
    except (soundfile.SoundFileError, RuntimeError, OSError, ValueError, MemoryError) as error:
        raise UnknownFormat(f"the audio is damaged or its format is not supported ({_words(error)})") from None
    if len(samples) < wanted:
        raise Unreadable("the audio is truncated: not all samples can be read")
    return samples, rate


def rate_and_frames(part: Any) -> tuple[int, int]:
    """Return sampling rate and samples per channel."""
    import soundfile

    try:
        with soundfile.SoundFile(part) as clip:
            return clip.samplerate, clip.frames
    except (soundfile.SoundFileError, RuntimeError, OSError, ValueError, MemoryError) as error:
        raise Unreadable(f"not audio in a supported format ({_words(error)})") from None


def _words(error: Exception) -> str:
    """Return the message without the file name, which the problem contains, so that equal errors are grouped."""
    return str(getattr(error, "error_string", error))


class UnknownFormat(Unreadable):
    """File that libsndfile cannot read, but maybe another library."""
