"""Printing: for a person to stdout, or to stderr where stdout's last line is JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDE = 160  # columns, where no terminal says otherwise


def show(renderable: RenderableType | str, as_json: bool, quiet: bool = False) -> None:
    """Print unless quiet; on stderr where JSON goes to stdout."""
    if not quiet:
        from rich.console import Console

        stream = sys.stderr if as_json else sys.stdout
        Console(file=stream, width=None if stream.isatty() else WIDE).print(renderable, highlight=False)


def show_json(content: Any, as_json: bool) -> None:
    if as_json:
        print(json.dumps(content, ensure_ascii=False, allow_nan=False))
