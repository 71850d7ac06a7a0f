"""`sensorium COMMAND …`: gathers the commands, turns errors into messages and exit codes."""

from __future__ import annotations

import sys

import typer

from sensorium import __version__
from sensorium.errors import SensoriumError
from sensorium.printable import printable, printable_json
from sensorium.registry import commands

FAILED, INTERRUPTED = 1, 130


def main() -> None:
    """The console script. Exit codes: 0 done, 1 an error told on stderr, 2 wrong usage, 130 interrupted."""
    try:
        make_app()()
    except SensoriumError as error:
        _tell(str(error))
    except SystemExit as end:
        if end.code == INTERRUPTED:  # Typer's own answer to Ctrl-C, which says nothing
            print("interrupted", file=sys.stderr)
        raise
    except (OSError, MemoryError) as error:
        _tell(f"{type(error).__name__}: {error}")


def make_app() -> typer.Typer:
    """Every file of this folder is a command; it imports what it needs when it is called."""
    # Plain help: the decorated one imports a tenth of a second more.
    app = typer.Typer(
        help="Multimodal deep learning from tables of text, images, sound, numbers, categories and dates.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for name, entry in commands.entries.items():
        app.command(name)(entry.load())
    return app


def _options(
    version: bool = typer.Option(
        False, "--version", help="Show the version.", is_eager=True, callback=lambda on: _version(on)
    ),
) -> None:
    pass


def _version(on: bool) -> None:
    if on:
        print(f"sensorium {__version__}")
        raise typer.Exit


def _tell(message: str) -> None:
    print(printable(f"error: {message}"), file=sys.stderr)
    if "--json" in sys.argv:
        print(printable_json({"error": message}))
    sys.exit(FAILED)
