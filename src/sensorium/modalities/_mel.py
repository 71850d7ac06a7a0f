"""Mel filters: triangles over the bins of a spectrum."""

from __future__ import annotations

import numpy as np

from sensorium.modalities._sound_files import Wave


def mel_filters(window: int, rate: int, mels: int) -> Wave:
    """Return float32[window // 2 + 1, mels]: triangles, evenly spaced on the mel scale 2595·log10(1 + f/700).

    The top is rate / 2. A triangle narrower than two bins is widened to them, so that no band is empty.
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
