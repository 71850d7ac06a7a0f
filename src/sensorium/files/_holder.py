"""The process that holds a lock."""

from __future__ import annotations

import json
import os
import socket
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from sensorium.errors import BusyError


def is_alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # to ask for it there is to end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def own_mark() -> dict[str, Any]:
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": since}


def holder_of(file: Path) -> dict[str, Any]:
    """Return what the holder wrote about itself; empty if it has not yet."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    valid = isinstance(found, dict) and {"pid", "host", "since"} <= {*found} and type(found["pid"]) is int
    return found if valid else {}


def is_of_dead_process(file: Path) -> bool:
    """Return whether the process that wrote itself down was one of this machine, and has ended."""
    holder = holder_of(file)
    return holder.get("host") == socket.gethostname() and not is_alive(holder["pid"])


def busy_error(file: Path, place: str, by_system: bool) -> BusyError:
    who = "process {pid} on {host}, since {since}".format(**holder) if (holder := holder_of(file)) else ""
    gone = "" if by_system else f"; if that process is gone, delete {file}"
    return BusyError(
        f"another process is writing here{': ' if who else ''}{who}",
        place=place,
        rule="one process writes at a time",
        cure=f"wait until it ends, or choose another output{gone}",
    )
