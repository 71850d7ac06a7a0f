"""`python -m sensorium` and the console script `sensorium`."""

from sensorium.cli._streams import open_closed_streams
from sensorium.runtime.signals import end_at_once


def main() -> None:
    """Install signal handlers first, so that Ctrl-C prints one line, not a traceback; then run the CLI."""
    open_closed_streams()
    end_at_once()
    from sensorium.cli._main import main as run

    run()


if __name__ == "__main__":
    main()
