"""Models of tests that only predict."""

import numpy as np

import sensorium


def fitted(target="y", targets=None, **more):
    """Fit a small model of a number and a text; `targets` are other columns, `more` are settings."""
    random = np.random.default_rng(0)
    label = np.array(["a", "b"])[random.integers(0, 2, 80)]
    table = {
        "x": random.normal(np.where(label == "a", 1, 3)),
        "words": [f"{'red' if each == 'a' else 'blue'} thing" for each in label],
        "y": label,
        **(targets or {}),
    }
    if target != "y" and "y" not in target:
        del table["y"]
    return sensorium.fit(table, target, epochs=2, width=8, progress=False, **more)
