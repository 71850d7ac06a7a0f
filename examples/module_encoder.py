"""A plain `torch.nn.Module` of your own as the encoder of a column.

python examples/module_encoder.py [TABLE]      a table with columns image, text and label; made if none is given
"""

import sys
import tempfile
from pathlib import Path

import torch
from torch import nn

import sensorium
from sensorium.testing import make_table


class Sketch(nn.Module):
    """Pixels from −1 to 1, float (b, c, h, w) → features (b, 32); the width is read off what comes out."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LazyConv2d(16, 5, stride=2), nn.ReLU(), nn.LazyConv2d(32, 3, stride=2), nn.ReLU()
        )

    def forward(self, pixels):
        return self.layers(pixels).amax((2, 3))


def main(table):
    """Fit, save, load again."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        table = table or make_table(Path(folder) / "data", rows=200)
        model = sensorium.fit(
            table, "label", columns=["image", "text"], encoders={"image": Sketch()}, epochs=5, out=Path(folder) / "run"
        )
        print("test accuracy", round(model.test.metrics["accuracy"], 3))
        # No file can hold the code of your class, so a loaded model is handed a fresh one; its weights are in the file.
        again = sensorium.load(Path(folder) / "run", encoders={"image": Sketch()})
        assert (again.predict_proba(table) == model.predict_proba(table)).all()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
