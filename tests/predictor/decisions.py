"""Cells of a table with a rare class, labels and an amount, whose split is a column."""

import numpy as np

from sensorium.tasks import thresholds_of


def make_cells(rows=400, seed=0):
    random = np.random.default_rng(seed)
    dose, age = random.normal(0, 1, rows), random.normal(0, 1, rows)
    ill = random.random(rows) < 1 / (1 + np.exp(1.5 - 1.5 * dose - age))
    part = np.array(["train", "train", "validation", "test"])[np.arange(rows) % 4]
    signs = [
        [name for name, there in (("cough", d > 0.2), ("fever", a > 0.4)) if there]
        for d, a in zip(dose, age, strict=True)
    ]
    return {
        "dose": dose.tolist(),
        "age": age.tolist(),
        "ill": ["yes" if own else "no" for own in ill],
        "signs": signs,
        "amount": (dose + age).tolist(),
        "split": part.tolist(),
    }


def chosen(model):
    """Target → decision thresholds of a model."""
    return thresholds_of(model.fitted.task)
