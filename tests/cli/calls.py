"""Commands called in this process."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

from typer.testing import CliRunner

from sensorium.cli import _main


def call(*arguments):
    """Run a command; its result, errors raised."""
    result = CliRunner().invoke(_main.make_app(), [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def main(*arguments):
    """Run a command as its process does, errors told: exit code, stdout and stderr."""
    out, told, code = io.StringIO(), io.StringIO(), 0
    words = ["sensorium", *map(str, arguments)]
    with mock.patch.object(sys, "argv", words), redirect_stdout(out), redirect_stderr(told):
        try:
            _main.main()
        except SystemExit as stop:
            code = stop.code or 0
    return subprocess.CompletedProcess(words, code, out.getvalue(), told.getvalue())


def answer(*arguments):
    """The JSON on the last line of stdout."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])
