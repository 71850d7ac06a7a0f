"""Same table, settings and seed → the same weights, bit for bit; another seed → others.

python benchmarks/determinism.py
"""

import hashlib
import tempfile
from pathlib import Path

from _process import measure, python

from sensorium.testing import make_table


def main() -> None:
    """Fit in three processes of their own and print a hash of each model's weights."""
    with tempfile.TemporaryDirectory() as folder:
        table = make_table(Path(folder) / "data", rows=300, missing=0.1)
        for name, seed in (("first", 0), ("second", 0), ("other seed", 1)):
            out = Path(folder) / name
            fit = ["fit", str(table), "--target", "label", "--epochs", "3", "--seed", str(seed), "--out", str(out)]
            measure(python("-m", "sensorium", *fit, "--quiet"))
            weights = sorted((out / "model").glob("*.safetensors"))
            digest = hashlib.sha256(b"".join(path.read_bytes() for path in weights)).hexdigest()
            print(f"{name:<12} seed {seed}   {digest}")


if __name__ == "__main__":
    main()
