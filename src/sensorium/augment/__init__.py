"""ONE FILE PER AUGMENTATION: training cells, changed a little at every step."""

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
