"""Commands called in this process."""

import json

from typer.testing import CliRunner

from sensorium.cli import _main


def call(*arguments):
    """Run a command; its result, errors raised."""
    result = CliRunner().invoke(_main.make_app(), [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def answer(*arguments):
    """The JSON on the last line of stdout."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])
