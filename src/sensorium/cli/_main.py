"""Run `sensorium COMMAND …`: collect the commands, turn errors into messages and exit codes."""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import pairwise, takewhile
from pathlib import Path

import typer

from sensorium import __version__
from sensorium.cli import _options as o
from sensorium.cli._command import Command
from sensorium.errors import ConfigError, OutOfMemoryError, SensoriumError, raise_together
from sensorium.errors.memory import explain_memory_errors
from sensorium.errors.printable import printable, printable_json
from sensorium.registry import commands
from sensorium.registry.renames import FLAG, find_rename
from sensorium.runtime.signals import SIGNALLED, end

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

TORCH = 1250  # MiB of addresses that a process takes up which has imported all that a command needs
NEEDED = {"inspect": 450, "list": 0}
FAILED, UNREAD = 1, SIGNALLED + 13  # SIGPIPE, which has no name on Windows
LESS = "use fewer rows or smaller files at a time, or a machine with more memory (see `ulimit -v`)"


def main() -> None:
    """Run a command.

    Exit codes: 0 success, 1 an error (printed to stderr), 2 wrong usage, 128 plus the number of the signal that
    ended it (130: Ctrl-C), 141 for a closed output pipe, as after `| head`.
    """
    try:
        with explain_memory_errors(LESS):
            _check_flags(sys.argv[1:])
            _check_setting_flags(sys.argv[1:])
            _check_memory(sys.argv[1:])
            _run()
    except SensoriumError as error:
        _report(error)
    except BrokenPipeError as error:
        if not _is_unread():
            _report(SensoriumError(f"{type(error).__name__}: {error}"))
        end(UNREAD)
    except OSError as error:
        _report(_of_system(error))


def _of_system(error: OSError) -> SensoriumError:
    """Convert an error of the operating system to a SensoriumError."""
    place = error.filename if isinstance(error.filename, str) else ""
    return SensoriumError(f"the operating system reports: {error.strerror or error}", place=place)


def _check_flags(arguments: list[str]) -> None:
    """Raise a ConfigError if flags of a command were renamed; it reports wrong settings as well."""
    command, *rest = arguments or [""]
    given, place = list(takewhile(lambda text: text != "--", rest)), f"sensorium {command}"
    renamed = filter(None, (find_rename(FLAG, text.partition("=")[0], command) for text in given))
    faults: list[SensoriumError] = [
        ConfigError(f"{r.old} was renamed {r.new}", place=place, rule=r.rule, cure=f"write {r.new} instead of {r.old}")
        for r in renamed
    ]
    if faults:
        raise_together([*faults, *_faults_of_settings(given)])


def _check_setting_flags(arguments: list[str]) -> None:
    """Raise a ConfigError if flags are settings, such as `--batch-size`; it names the setting."""
    command, *rest = arguments or [""]
    given = list(takewhile(lambda text: text != "--", rest))
    names = [text.partition("=")[0] for text in given if text.startswith("--")]
    if command not in commands.entries or "--set" not in (known := _flags_of(command)) or set(names) <= known:
        return
    from sensorium.config import setting_flag

    faults: list[SensoriumError] = []
    for place, text in enumerate(given):
        flag, _, inline = text.partition("=")
        if flag.startswith("--") and flag not in known:
            value = inline or next((each for each in given[place + 1 : place + 2] if not each.startswith("-")), None)
            faults += filter(None, [setting_flag(flag, value)])
    raise_together(faults)


def _flags_of(command: str) -> set[str]:
    """Return the flags of a command."""
    found = typer.main.get_command(make_app())
    parameters = getattr(found, "commands", {})[command].params
    return {flag for each in parameters for flag in (*each.opts, *each.secondary_opts)} | {"--help"}


def _faults_of_settings(arguments: list[str]) -> Sequence[SensoriumError]:
    """Return the faults of settings in `--set`."""
    from sensorium.config import Config, parse_assignments

    pairs = [text.removeprefix("--set=") for text in arguments if text.startswith("--set=")]
    pairs += [text for flag, text in pairwise(arguments) if flag == "--set"]
    try:
        Config.gather(parse_assignments(pairs))
    except ConfigError as error:
        return error.faults or (error,)
    return ()


def _check_memory(arguments: list[str]) -> None:
    """Check the memory limit before libraries are imported: without enough memory, they can end the process.

    Raises:
        OutOfMemoryError: the limit is below what the libraries need.
    """
    command = next((text for text in arguments if not text.startswith("-")), "")
    needed = NEEDED.get(command, TORCH) if command in commands.entries and "--help" not in arguments else 0
    if resource is None or not needed:
        return
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    if 0 <= allowed < needed * 2**20:
        raise OutOfMemoryError(
            f"the process is limited to {allowed // 2**20:,} MiB of memory",
            rule=f"sensorium {command} needs {needed:,} MiB before it reads a table",
            cure="raise the limit (see `ulimit -v`)",
        )


def _run() -> None:
    try:
        with _silent_libraries() if _is_quiet() else nullcontext():
            make_app()()
    except SystemExit as stop:
        _report_usage(stop.__context__)
        if isinstance(stop.__context__, BrokenPipeError):  # Typer and Rich end with 1 then, and say nothing
            raise stop.__context__ from None
        if isinstance(stop.__context__, typer.Exit) and isinstance(stop.__context__.__cause__, KeyboardInterrupt):
            end(SIGNALLED + signal.SIGINT, "interrupted")
        if isinstance(stop.code, int) and stop.code > SIGNALLED:
            end(stop.code)  # its message is printed already
        sys.stdout.flush()  # at the end of the interpreter, an error could not be reported
        raise


def _report_usage(error: BaseException | None) -> None:
    """Print a wrong command line as JSON if that is asked for; Typer has printed its message.

    Typer brings its own copy of Click, so that its errors are recognised by their method.
    """
    words = getattr(error, "format_message", None)
    if words is None or not _asks_json():
        return
    path = getattr(getattr(error, "ctx", None), "command_path", "")
    named = [word for word in sys.argv[1:2] if word in commands.entries]
    command = f"sensorium{path.rpartition('sensorium')[2]}" if path else " ".join(["sensorium", *named])
    cure = f"{command} --help lists arguments and options"
    print(printable_json(ConfigError(words(), place=command, cure=cure).to_json()))


def _is_quiet() -> bool:
    return any(argument in ("-q", "--quiet") for argument in takewhile(lambda text: text != "--", sys.argv))


@contextmanager
def _silent_libraries() -> Iterator[None]:
    """Within this block, libraries show no warnings and log only errors."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.disable(before)


def _asks_json() -> bool:
    return any(argument.partition("=")[0] == "--json" for argument in sys.argv)


def _is_unread() -> bool:
    """Return whether the reader of stdout or stderr is gone; Rich redirects stdout to the null device then."""
    if not hasattr(select, "poll"):  # Windows
        return True
    found = select.poll()
    for number in (1, 2):
        found.register(number, select.POLLERR)
    led_away = os.path.samestat(os.fstat(1), Path(os.devnull).stat())
    return led_away or any(event & select.POLLERR for _, event in found.poll(0))


def make_app() -> typer.Typer:
    """Make the app: every file of this folder is a command, and imports what it needs when it runs."""
    # Plain help: the decorated one imports a tenth of a second more.
    app = typer.Typer(
        help="Multimodal deep learning from tables of text, images, audio, numbers, categories and dates.",
        epilog=f"{o.TABLES}\n\n{o.MODELS}",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for name, entry in commands.entries.items():
        app.command(name, cls=Command)(entry.load())
    return app


def _options(
    version: bool = typer.Option(
        False, "--version", help="Show the version and exit.", is_eager=True, callback=lambda on: _version(on)
    ),
) -> None:
    pass


def _version(on: bool) -> None:
    if on:
        print(f"sensorium {__version__}")
        raise typer.Exit


def _report(error: SensoriumError) -> None:
    print(printable(f"error: {error}"), file=sys.stderr)
    if _asks_json():
        print(printable_json(error.to_json()))
    sys.exit(FAILED)
