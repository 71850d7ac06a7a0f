"""A small table of which linear models, trees and networks learn something, for tests of blends."""

import numpy as np

WORDS = np.array(["calm", "loud", "sea", "town", "rain", "road", "old", "new"])


def make_rows(rows=160, seed=0):
    """A text and a number that tell the label together with chance."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, rows)
    texts = [" ".join(random.choice(WORDS[4 * own :][:4] if random.random() < 0.7 else WORDS, 6)) for own in label]
    return {
        "text": texts,
        "size": (label + random.normal(0, 0.8, rows)).round(3).tolist(),
        "label": np.array(["no", "yes"])[label].tolist(),
        "split": (["train"] * 7 + ["val", "val", "test"]) * (rows // 10),
    }
