"""Show the progress of long work: bars on a terminal, a line per minute in a log, or nothing.

Everything goes to stderr, so that stdout stays free for results.
"""

from __future__ import annotations

import sys

from sensorium.runtime._counter import duration_text
from sensorium.runtime._line_reporter import LineReporter
from sensorium.runtime._reporters import Bar, Reporter, Silent
from sensorium.runtime._rich_reporter import RichReporter

__all__ = ["Bar", "LineReporter", "Reporter", "RichReporter", "Silent", "duration_text", "reporter"]


def reporter(show: bool = True) -> Reporter:
    """Make a reporter: bars on a terminal, a line per minute elsewhere, nothing if `show` is False."""
    if not show:
        return Silent()
    return RichReporter() if sys.stderr.isatty() else LineReporter(sys.stderr)
