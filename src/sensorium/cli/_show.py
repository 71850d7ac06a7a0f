"""Print results: text to stdout, or to stderr if JSON goes to stdout."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

from sensorium.errors.printable import printable, printable_json

if TYPE_CHECKING:
    from rich.console import RenderableType

UNWRAPPED = 1_000_000  # columns, if there is no terminal: a line in a file or a pipe is not wrapped


def show(renderable: RenderableType, as_json: bool, quiet: bool = False) -> None:
    """Print a text unless quiet; print it to stderr if JSON goes to stdout."""
    if not quiet:
        from rich.console import Console

        stream = sys.stderr if as_json else sys.stdout
        console = Console(file=stream, width=None if stream.isatty() else UNWRAPPED, markup=False, emoji=False)
        console.print(renderable, highlight=False)


def say(text: str, stream: TextIO | None = None) -> None:
    """Print plain lines to stdout or another stream."""
    print(printable(text), file=stream or sys.stdout)


def show_json(content: Any, as_json: bool) -> None:
    if as_json:
        print(printable_json(content))
