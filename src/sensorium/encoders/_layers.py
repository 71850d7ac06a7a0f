"""Find the layers of a backbone in order, for any family of models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Layers:
    """Parameters of a backbone, from its input to its output.

    Attributes:
        below: parameters before the first layer, such as embeddings.
        blocks: parameters of each layer.
        above: parameters after the last layer, such as a final normalisation.
    """

    below: list[nn.Parameter]
    blocks: list[list[nn.Parameter]]
    above: list[nn.Parameter]


def find_layers(model: nn.Module) -> Layers:
    """Return the layers: the list of modules with the most weights.

    A stage of several layers (ConvNeXt, ResNet, Swin) is replaced by its layers.
    """
    stack = max(_outermost_lists(model), key=_size, default=nn.ModuleList([model]))
    blocks = [block for part in stack for block in _opened(part)]
    inside = {id(parameter) for block in blocks for parameter in block}
    below, above = list[nn.Parameter](), list[nn.Parameter]()
    found = below
    for parameter in model.parameters():
        if id(parameter) in inside:
            found = above
        else:
            found.append(parameter)
    return Layers(below, blocks, above)


def _outermost_lists(model: nn.Module) -> Iterator[nn.ModuleList]:
    for part in model.children():
        if isinstance(part, nn.ModuleList):
            yield part
        else:
            yield from _outermost_lists(part)


def _opened(part: nn.Module) -> list[list[nn.Parameter]]:
    """Return the layers of a stage; parameters before or after them go with the nearest layer."""
    children = list(part.children())
    place = next((place for place, child in enumerate(children) if _holds_layers(child)), None)
    if place is None:
        return [list(part.parameters())]
    before, after = (nn.ModuleList(some) for some in (children[:place], children[place + 1 :]))
    blocks = [list(block.parameters()) for block in children[place].children()]
    blocks[0] = [*before.parameters(), *blocks[0]]
    blocks[-1] += list(after.parameters())
    return blocks


def _holds_layers(part: nn.Module) -> bool:
    """Return whether the children are layers of one kind, unlike the attention and the network of a single layer."""
    kinds = {type(child) for child in part.children()}
    return isinstance(part, nn.ModuleList | nn.Sequential) and len(kinds) == 1 and _size(part) > 0


def _size(part: nn.Module) -> int:
    return sum(parameter.numel() for parameter in part.parameters())
