"""Settings of the cache of decoded files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sensorium.config._types import CALLER_ONLY, Location, Strict


class PrepareConfig(Strict):
    """Cache of decoded files, which later runs do not decode again."""

    store: Annotated[Location, CALLER_ONLY] = Field(
        "auto",
        description="folder for decoded files; auto: $SENSORIUM_CACHE or the user's cache folder; none: keep nothing",
    )
    identify: Literal["stat", "content"] = Field(
        "stat", description="how a file is recognised: by path, size and modification time (stat), or by its content"
    )
    max_gigabytes: Annotated[float, Field(gt=0), CALLER_ONLY] = Field(
        20.0, description="size limit of the cache in GB; beyond it, the least recently used files are removed"
    )
    stream: bool = Field(
        False, description="decode files in every epoch, one batch at a time, and keep nothing on disk"
    )
