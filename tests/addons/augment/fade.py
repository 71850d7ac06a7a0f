"""Colours made greyer."""

from sensorium.augment import Augmentation
from sensorium.config import Fraction, Probability

ACCEPTS = ("colour",)


class Fade(Augmentation):
    def __init__(self, *, probability: Probability = 0.5, rest: Fraction = 0.9):
        super().__init__(probability)
        self.rest = rest

    def change(self, cells, random):
        return self.rest * cells.values
