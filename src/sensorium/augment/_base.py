"""The contract that every augmentation keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Generator, Tensor

from sensorium.batch import Cells


class Augmentation(ABC):
    """Changes the cells of a training batch a little, so that a network never sees a row twice in the same guise.

    The file of an augmentation says, as a literal that a listing can read, whose cells it can change:

        ACCEPTS = ("image",)

    Its constructor's positional parameters are facts that the modality supplies, by name (`mean`, `deviation` …);
    keyword-only parameters are the user's options, `chance` among them.

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

    def __init__(self, chance: float) -> None:
        self.chance = chance

    def __call__(self, cells: Cells, random: Generator) -> Cells:
        """Cells of the same shape and dtype; missing cells and padding stay as they are."""
        rows = cells.present & (uniform(0.0, 1.0, cells.present.shape, random) < self.chance)
        places = spread(rows, cells.values) if cells.mask is None else spread(rows[:, None] & cells.mask, cells.values)
        return replace(cells, values=torch.where(places, self.change(cells, random), cells.values))

    @abstractmethod
    def change(self, cells: Cells, random: Generator) -> Shaped[Tensor, "b ..."]:
        """Changed values of every row, of the same shape and dtype, drawn for each row by itself.

        What missing cells and padding hold must have no influence; what comes out in their place is not used. The given
        tensors must not be written to.

        Args:
            cells: one column of a batch.
            random: the only source of chance; draws belong on its device.
        """


def uniform(low: float, high: float, shape: tuple[int, ...], random: Generator) -> Tensor:
    """Draws from low (included) to high (not), on the device of the generator."""
    return low + (high - low) * torch.rand(shape, generator=random, device=random.device)


def spread(part: Shaped[Tensor, "b ..."], values: Shaped[Tensor, "b ..."]) -> Shaped[Tensor, "b ..."]:
    """Leading axes, such as one figure a row, with axes of length 1 behind them: as many as `values` has."""
    return part.reshape(*part.shape, *[1] * (values.dim() - part.dim()))


def spans(
    widths: Float[Tensor, " b"], lengths: Float[Tensor, " b"], places: int, random: Generator
) -> Bool[Tensor, "b {places}"]:
    """In each row, a run of `widths` places at random within the first `lengths` of all `places`."""
    start = (uniform(0.0, 1.0, widths.shape, random) * (lengths - widths + 1)).floor()
    at = torch.arange(places, device=widths.device)
    return (at >= start[:, None]) & (at < (start + widths)[:, None])
