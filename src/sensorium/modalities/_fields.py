"""Types of learned values that several modalities share, with the bounds that a saved value must satisfy."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field

SIZE, DURATION, LENGTH = "size", "duration", "length"  # names of views that measure the original files
Fit: TypeAlias = Literal["stretch", "pad", "crop"]
Channels: TypeAlias = Literal[1, 3]
Rate = Annotated[int, Field(ge=100, le=1_000_000)]  # Hz; at 100 Hz a hop is one sample
Mels = Annotated[int, Field(gt=0, le=1024)]
Seconds = Annotated[float, Field(gt=0, le=1e6)]
MaxPixels = Annotated[int, Field(gt=0, le=2**32)]  # of the largest file that is read
FrameCount = Annotated[int, Field(gt=0, le=10_000)]  # frames sampled from a video
Decimal = Annotated[str, Field(pattern=r"^[.,]$")]
Moment = Annotated[float, Field(ge=-62_135_596_800, le=253_402_300_799)]  # seconds since 1970, years 1 to 9999


def check_scale(mean: npt.NDArray[np.floating], deviation: npt.NDArray[np.floating], width: int) -> None:
    """Raise ValueError unless these are `width` means and `width` positive deviations."""
    if mean.shape != (width,) or deviation.shape != (width,):
        raise ValueError(f"mean {mean.shape} and deviation {deviation.shape} must have {width} values each")
    if not (deviation > 0).all():
        raise ValueError("a deviation is not positive")
