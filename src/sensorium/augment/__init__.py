"""Augmentations change training cells at random, at every step. Each file defines one augmentation."""

from sensorium.augment._base import Augmentation
from sensorium.augment._plan import (
    Augmentations,
    Chosen,
    augment,
    build_augmentation,
    build_augmentations,
    choose_augmentations,
)

__all__ = [
    "Augmentation",
    "Augmentations",
    "Chosen",
    "augment",
    "build_augmentation",
    "build_augmentations",
    "choose_augmentations",
]
