"""`python -m sensorium` and the console script `sensorium`."""

from sensorium.cli._streams import open_closed_streams
from sensorium.runtime.signals import end_at_once
from sensorium.runtime.thread_environment import set_environment


def main() -> None:
    """Install signal handlers first, so that Ctrl-C prints one line, not a traceback; then run the CLI.

    Libraries read the variables of their threads when they are loaded, so these are set before.
    """
    open_closed_streams()
    end_at_once()
    set_environment()
    from sensorium.cli._main import main as run

    run()


if __name__ == "__main__":
    main()
