"""Keep the weights of the best epochs so far."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from torch import Tensor, nn

from sensorium.train.history import History

Weights: TypeAlias = dict[str, Tensor]


@dataclass
class Best:
    """The `count` best epochs, best first; without validation rows, the last epoch is the best."""

    count: int
    epochs: list[tuple[int, Weights]] = field(default_factory=list)  # number → weights

    def add(self, history: History, model: nn.Module) -> bool:
        """Add the latest epoch if it is among the best; return whether it is the best so far."""
        epoch = history.epochs[-1]
        place = 0 if math.isnan(epoch.validation_loss) else self._place(history)
        if place < self.count:
            self.epochs.insert(place, (epoch.number, trained_weights(model)))
            del self.epochs[self.count :]
        return place == 0

    def _place(self, history: History) -> int:
        """Return the rank of the latest epoch; in a tie, the earlier epoch is better."""
        rank = history.rank(len(history.epochs))
        return sum(not rank > history.rank(number) for number, _ in self.epochs)

    def load(self, model: nn.Module) -> None:
        """Load the best weights into the model."""
        model.load_state_dict(self.epochs[0][1], strict=False)

    def to_tree(self) -> list[dict[str, Any]]:
        return [{"number": number, "weights": weights} for number, weights in self.epochs]

    def restore(self, tree: list[Mapping[str, Any]]) -> None:
        self.epochs = [(kept["number"], dict(kept["weights"])) for kept in tree]


def trained_weights(model: nn.Module) -> Weights:
    """Copy everything that training changes."""
    return copy.deepcopy(trained_state(model))


def trained_state(model: nn.Module) -> dict[str, Any]:
    """Return everything that training changes, without copying: trained parameters, buffers and extra state."""
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name: value for name, value in model.state_dict().items() if name not in frozen}
