"""All chance of a run: whatever draws a number draws it from here, so that a run can be taken up where it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

APART = 0x5EED  # keeps the draws of augmentations apart from the order of rows


class RandomStreams:
    """Generators of a run, each from its seed.

    Args:
        seed: of the run.
        device: where the model is.

    Attributes:
        device: where the model is.
        shuffle: the order of rows; changes between epochs only.
        rows: augmentations, techniques and partners in mixtures, on the model's device.
        mixture: shares of mixtures.

    Dropout draws from torch's own generators, which the caller has seeded; their states are kept too.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self.shuffle = torch.Generator().manual_seed(seed)
        self.rows = torch.Generator(device).manual_seed(seed ^ APART)
        self.mixture = np.random.default_rng(seed)
        self._order = self.shuffle.get_state()

    def begin_epoch(self) -> None:
        """Remember where the order of an epoch's rows starts from: drawn again, it is the same."""
        self._order = self.shuffle.get_state()

    def draw_again(self) -> None:
        """Let the next draw be the order of the epoch that was begun last."""
        self.shuffle.set_state(self._order)

    def to_tree(self) -> dict[str, Any]:
        """All states, that of `shuffle` as it was at the start of the epoch, or as it is between two of them."""
        found = {
            "shuffle": self.shuffle.get_state(),
            "order": self._order,
            "rows": self.rows.get_state(),
            "mixture": self.mixture.bit_generator.state,
            "torch": torch.get_rng_state(),
        }
        return found | ({"cuda": torch.cuda.get_rng_state(self.device)} if self.device.type == "cuda" else {})

    def restore(self, tree: Mapping[str, Any]) -> None:
        """Go on from what `to_tree` gave."""
        self.shuffle.set_state(tree["shuffle"])
        self._order = tree["order"]
        self.rows.set_state(tree["rows"])
        self.mixture.bit_generator.state = tree["mixture"]
        torch.set_rng_state(tree["torch"])
        if "cuda" in tree:
            torch.cuda.set_rng_state(tree["cuda"], self.device)
