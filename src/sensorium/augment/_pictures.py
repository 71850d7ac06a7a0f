"""Apply augmentations to images, frames and scans; all images of a row change alike."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional


def on_planes(
    values: Shaped[Tensor, "b ..."], change: Callable[[Float[Tensor, "b n h w"]], Float[Tensor, "b n h w"]]
) -> Shaped[Tensor, "b ..."]:
    """Apply `change` to all planes of a row at once.

    Args:
        values: uint8 images (b, …, h, w, c) with any axes between, or a scan's slices (b, z, h, w) of floats.
        change: a function that maps planes to planes, as floats in the units of the values.
    """
    if values.is_floating_point():
        return change(values.float()).to(values.dtype)
    stacked = values.movedim(-1, 1)  # (b, c, …, h, w)
    planes = change(stacked.flatten(1, -3).float()).unflatten(1, stacked.shape[1:-2])
    return planes.round().clamp(0, 255).to(values.dtype).movedim(1, -1)


def warp(
    planes: Float[Tensor, "b n h w"], matrix: Float[Tensor, "b 2 2"], offset: Float[Tensor, "b 2"]
) -> Float[Tensor, "b n h w"]:
    """Apply an affine map with interpolation; beyond the edges, the pixels of the edge are repeated.

    Args:
        planes: planes of each row.
        matrix: maps a position in the new image to one in the old image, x before y, each from −1 to 1.
        offset: added to the mapped position.
    """
    grid = functional.affine_grid(torch.cat([matrix, offset[..., None]], 2), list(planes.shape), align_corners=False)
    return functional.grid_sample(planes, grid, padding_mode="border", align_corners=False)
