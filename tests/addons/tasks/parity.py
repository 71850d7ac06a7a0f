"""Is a count odd?"""

from dataclasses import dataclass

from sensorium.tasks.binary import Binary


@dataclass(frozen=True)
class Parity(Binary):
    @classmethod
    def looks_like(cls, column):
        return None
