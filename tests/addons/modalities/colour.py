"""A colour as #rrggbb."""

from dataclasses import dataclass

import numpy as np

from sensorium.findings import Guess
from sensorium.modalities import Encoded, Modality, Work


@dataclass(frozen=True)
class Colour(Modality):
    encoder = "tabular"
    tower = "tabular"

    @classmethod
    def looks_like(cls, column):
        values = column.sample(50) if column.is_string else []
        return Guess(0.99, "as #ff0000") if values and all(v[0] == "#" for v in values) else None

    @classmethod
    def learn(cls, column):
        return cls()

    def encode(self, column, work=Work()):
        cells = ["#808080" if v is None else v for v in column.data.to_pylist()]
        parts = [[int(c[i : i + 2], 16) / 127.5 - 1 for i in (1, 3, 5)] for c in cells]
        return Encoded(np.array(parts, np.float32), column.present, [])

    def encoder_spec(self):
        return {"floats": 3}

    def describe(self):
        return "red, green, blue"
