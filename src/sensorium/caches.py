"""Where what can be made or fetched again is kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str = "") -> Path:
    """`$SENSORIUM_CACHE`, or the user's folder for caches; with a name, one of that name beside it."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("SENSORIUM_CACHE") or Path(caches) / "sensorium")
    return folder.with_name(f"{folder.name}-{name}") if name else folder
