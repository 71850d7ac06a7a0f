"""The contract of augmentations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Generator, Tensor

from sensorium.batch import Cells, PackedCells


class Augmentation(ABC):
    """Base class: random change of the cells of a training batch, so that the network sees many variants of each row.

    The file of an augmentation declares which modalities it can change, as a literal:

        ACCEPTS = ("image",)

    The positional parameters of its constructor are entries of the encoder specification that the modality supplies
    (`mean`, `deviation` …). Keyword-only parameters are the user's options, such as `probability`.

    An augmentation of numbers or categories can also change many columns at once: it sets `packs = True` and defines
    `change_packed`. Without it, it is called once per column.

    Args:
        probability: probability that a row is changed; 0 changes nothing.

    Example:
        >>> import torch
        >>> from sensorium.augment import Augmentation
        >>> from sensorium.batch import Cells
        >>> class Fade(Augmentation):
        ...     def change(self, cells, random):
        ...         return 0.5 * cells.values
        >>> cells = Cells(torch.ones(2, 3), torch.tensor([True, False]))
        >>> Fade(1.0)(cells, torch.Generator().manual_seed(0)).values
        tensor([[0.5000, 0.5000, 0.5000],
                [1.0000, 1.0000, 1.0000]])
    """

    packs: ClassVar[bool] = False

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def __call__(self, cells: Cells, random: Generator) -> Cells:
        """Return changed cells of the same shape and dtype; missing cells and padding stay unchanged."""
        rows = cells.present & (uniform(0.0, 1.0, cells.present.shape, random) < self.probability)
        places = spread(rows, cells.values) if cells.mask is None else spread(rows[:, None] & cells.mask, cells.values)
        return replace(cells, values=torch.where(places, self.change(cells, random), cells.values))

    def on_packed(self, cells: PackedCells, random: Generator) -> PackedCells:
        """Change the cells of many columns, each cell with its own probability."""
        chosen = cells.present & (uniform(0.0, 1.0, cells.present.shape, random) < self.probability)
        places = chosen[:, cells.layout.owner.to(chosen.device)]
        return replace(cells, values=torch.where(places, self.change_packed(cells, random), cells.values))

    def change_packed(self, cells: PackedCells, random: Generator) -> Shaped[Tensor, "b f"]:
        """Return changed values of every row and column, as `change` does, drawn independently for each cell."""
        raise NotImplementedError(f"{type(self).__name__} changes one column at a time")

    @abstractmethod
    def change(self, cells: Cells, random: Generator) -> Shaped[Tensor, "b ..."]:
        """Return changed values of every row, of the same shape and dtype, drawn independently for each row.

        Values of missing cells and padding must have no effect, and their results are not used. The given tensors must
        not be changed.

        Args:
            cells: one column of a batch.
            random: the only source of randomness; draw on its device.
        """


def uniform(low: float, high: float, shape: tuple[int, ...], random: Generator) -> Tensor:
    """Draw from low (included) to high (excluded), on the device of the generator."""
    return low + (high - low) * torch.rand(shape, generator=random, device=random.device)


def spread(part: Shaped[Tensor, "b ..."], values: Shaped[Tensor, "b ..."]) -> Shaped[Tensor, "b ..."]:
    """Append axes of length 1 until there are as many as `values` has."""
    return part.reshape(*part.shape, *[1] * (values.dim() - part.dim()))


def spans(
    widths: Float[Tensor, " b"], lengths: Float[Tensor, " b"], places: int, random: Generator
) -> Bool[Tensor, "b {places}"]:
    """Draw a span of `widths` positions in each row, within the first `lengths` of all `places` positions."""
    start = (uniform(0.0, 1.0, widths.shape, random) * (lengths - widths + 1)).floor()
    at = torch.arange(places, device=widths.device)
    return (at >= start[:, None]) & (at < (start + widths)[:, None])
