"""SHA-256 of bytes, files and JSON values, in hexadecimal."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def hash_bytes(content: bytes) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file; empty if there is none."""
    return hash_bytes(path.read_bytes()) if path.is_file() else ""


def hash_json(content: Any) -> str:
    """Return the SHA-256 of JSON values; the order of keys does not matter.

    >>> from sensorium.files.hashes import hash_json
    >>> hash_json({"rows": 4, "seed": 0}) == hash_json({"seed": 0, "rows": 4})
    True
    """
    return hash_bytes(json.dumps(content, sort_keys=True).encode())
