"""`python -m sensorium` is the console script `sensorium`."""

from sensorium.cli._main import main

if __name__ == "__main__":
    main()
