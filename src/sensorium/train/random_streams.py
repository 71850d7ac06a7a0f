"""Random generators of a training; checkpoints contain their states, so that a resumed run draws the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

APART = 0x5EED  # separates the seed of augmentations from that of the order of rows


class RandomStreams:
    """Random generators of a training.

    Args:
        seed: random seed.
        device: device of the model.

    Attributes:
        device: device of the model.
        shuffle: generator for the order of rows; used between epochs only.
        rows: generator for augmentations, techniques and the partners in mixup, on the device of the model.
        mixture: generator for the weights in mixup.

    Dropout draws from the global generators of torch, which the caller seeds; their states are saved, too.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self.shuffle = torch.Generator().manual_seed(seed)
        self.rows = torch.Generator(device).manual_seed(seed ^ APART)
        self.mixture = np.random.default_rng(seed)
        self._order = self.shuffle.get_state()

    def begin_epoch(self) -> None:
        """Remember the generator state from which the order of rows of this epoch is drawn."""
        self._order = self.shuffle.get_state()

    def draw_again(self) -> None:
        """Rewind, so that the next draw repeats the order of rows of the current epoch."""
        self.shuffle.set_state(self._order)

    def to_tree(self) -> dict[str, Any]:
        """Return the states of all generators."""
        found = {
            "shuffle": self.shuffle.get_state(),
            "order": self._order,
            "rows": self.rows.get_state(),
            "mixture": self.mixture.bit_generator.state,
            "torch": torch.get_rng_state(),
        }
        return found | ({"cuda": torch.cuda.get_rng_state(self.device)} if self.device.type == "cuda" else {})

    def restore(self, tree: Mapping[str, Any]) -> None:
        """Restore what `to_tree` returned."""
        self.shuffle.set_state(tree["shuffle"])
        self._order = tree["order"]
        self.rows.set_state(tree["rows"])
        self.mixture.bit_generator.state = tree["mixture"]
        torch.set_rng_state(tree["torch"])
        if "cuda" in tree:
            torch.cuda.set_rng_state(tree["cuda"], self.device)
