"""A Keras 3 model, on its torch backend, as the encoder of a column.

python examples/keras_encoder.py [TABLE]      a table with columns image, text and label; made if none is given
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"  # before Keras is imported

import keras
from keras import layers

import sensorium
from sensorium.testing import make_table


def sketch(size, channels):
    """Pixels from −1 to 1, channels last as Keras has them → features."""
    pixels = keras.Input((size, size, channels))
    maps = layers.Conv2D(16, 3, activation="relu")(pixels)
    maps = layers.MaxPooling2D()(layers.Conv2D(32, 3, activation="relu")(maps))
    return keras.Model(pixels, layers.GlobalAveragePooling2D()(maps))


def main(table):
    """Fit, save, load again."""
    keras.utils.set_random_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        table = table or make_table(Path(folder) / "data", rows=200)
        model = sensorium.fit(
            table,
            "label",
            columns=["image", "text"],
            modalities={"image": {"size": 24, "channels": 3}},
            encoders={"image": sketch(24, 3)},
            epochs=5,
            out=Path(folder) / "run",
        )
        print("test accuracy", round(model.test.metrics["accuracy"], 3))
        again = sensorium.load(Path(folder) / "run", encoders={"image": sketch(24, 3)})
        assert (again.predict_proba(table) == model.predict_proba(table)).all()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
