"""How long `import sensorium` and `sensorium --help` take, beside a bare interpreter, torch and (if installed) keras.

python benchmarks/startup.py
"""

import importlib.util
import shutil
import sys
from pathlib import Path

from _process import measure, median, python

RUNS = 7


def main() -> None:
    """Whole processes, median of several; the first run of each only warms the disk cache."""
    script = shutil.which("sensorium", path=str(Path(sys.executable).parent)) or "sensorium"
    commands = {
        "python -c pass": python("-c", "pass"),
        "import sensorium": python("-c", "import sensorium"),
        "sensorium --help": [script, "--help"],
        "import torch": python("-c", "import torch"),
    }
    if importlib.util.find_spec("keras"):
        commands["import keras"] = python("-c", "import keras")
    for name, command in commands.items():
        runs = [measure(command, KERAS_BACKEND="torch") for _ in range(RUNS)][1:]
        print(f"{name:<18} {median(runs, 'wall'):6.3f} s   {median(runs, 'peak'):5.0f} MB")


if __name__ == "__main__":
    main()
