"""`python -m sensorium` and the console script `sensorium`."""

from sensorium.cli._streams import open_closed_streams
from sensorium.runtime.signals import end_at_once


def main() -> None:
    """From here on, before anything large is imported, a signal ends the command with one line."""
    open_closed_streams()
    end_at_once()
    from sensorium.cli._main import main as run

    run()


if __name__ == "__main__":
    main()
