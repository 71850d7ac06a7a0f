"""The contract of encoders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from sensorium.batch import Cells, PackedCells, Tokens

Shrink: TypeAlias = Literal["pool", "stride", "none"]


@runtime_checkable
class Encoder(Protocol):
    """Protocol of encoders: a `torch.nn.Module` that maps prepared cells to tokens.

    The file of an encoder also declares literals, which a listing reads without importing the file:

        ACCEPTS = ("text",)   the modalities that it can encode
        JOINT = True          it encodes several columns together (default False)
        EXPORT = "…"          the reason why it cannot be exported (default: it can)

    The positional parameters of its constructor are entries of the encoder specification that the modality supplies
    (`vocabulary`, `channels` …; `encoder_spec` is all of it). A joint encoder takes the list of the specifications of
    its columns. Keyword-only parameters are the user's options.

    For export, sizes may depend only on the sizes of the cells, and control flow must not depend on values. An encoder
    whose `forward` does not comply (because it skips padding, for example) has a second method `dense(*cells)` with the
    same result in evaluation mode. The optional attribute `longest` is the maximum number of steps that the encoder
    accepts.

    A joint encoder of many columns can have the optional attribute `groups`: lists of positions of its columns. It is
    then called with one `PackedCells` per group, which holds the columns of the group side by side (see `pack_groups`).

    Attributes:
        width: width d of its tokens (of their summary, if it gives one).

    Example:
        >>> import torch
        >>> from sensorium.batch import Cells, Tokens
        >>> class Flat(torch.nn.Module):
        ...     def __init__(self, size, *, hidden: int = 16):
        ...         super().__init__()
        ...         self.width, self.layer = hidden, torch.nn.Linear(size, hidden)
        ...
        ...     def forward(self, cells):
        ...         return Tokens.of_vector(self.layer(cells.values))
        >>> cells = Cells(torch.zeros(2, 8), torch.ones(2).bool())
        >>> Flat(8)(cells).values.shape
        torch.Size([2, 1, 16])
    """

    width: int

    def __call__(self, *cells: Cells) -> Tokens:
        """Encode cells of one column, or several for a joint encoder. Each row has a value in at least one column.

        Padded steps must not change the tokens of real steps, and rows must not influence each other.
        """


@runtime_checkable
class FeatureEncoder(Encoder, Protocol):
    """Encoder in two steps: a backbone that computes features and may be frozen, and a trained network on top.

    Attributes:
        frozen: whether the features never change; they are then computed once for all rows and cached.
        features_width: width f of the features.
        backbone: the module that computes the features.
    """

    frozen: bool
    features_width: int
    backbone: nn.Module

    def identity(self) -> str:
        """Return a hash of everything that the features depend on."""

    def features(self, cells: Cells) -> Tensor:
        """Compute the features (b, f) of cells."""

    def from_features(self, cells: Cells) -> Tokens:
        """Compute the tokens from features: `from_features(features(cells))` equals calling the encoder."""


@runtime_checkable
class Pretrained(FeatureEncoder, Protocol):
    """An encoder with pretrained weights. It may also have:

    complete(options)            static: the options with all that is needed to build it without its files
    preferred_options(options)   static: options for the modality of its column, such as its tokenizer or image size
    """

    def load_pretrained(self) -> None:
        """Load the pretrained weights, which replace random ones."""


@runtime_checkable
class Static(FeatureEncoder, Protocol):
    """Encoder whose features are learned by counting, once, before any model is trained."""

    def learn_features(self, cells: Iterable[Cells]) -> None:
        """Learn from batches of the training rows that have a value. Until then, all features are zero."""


def pack_groups(cells: Sequence[Cells | PackedCells], groups: Sequence[Sequence[int]]) -> list[PackedCells]:
    """Return one `PackedCells` per group, also if an encoder is called with the cells of single columns."""
    if all(isinstance(given, PackedCells) for given in cells):
        return [given for given in cells if isinstance(given, PackedCells)]
    single = [given for given in cells if isinstance(given, Cells)]
    rows = single[0].present
    return [PackedCells.join({str(place): single[place] for place in group}, rows) for group in groups]


def padded_zero(mask: Tensor, values: Tensor) -> Tensor:
    """Set values (b, t, d) to zero where the mask (b, t) is False."""
    return values * mask[..., None].to(values.dtype)


class Conv2d(nn.Conv2d):
    """Convolution whose stride skips cells first if its kernel has the size 1; the result is the same.

    On CPUs without AVX-512, oneDNN's gradient for such a stride writes past its end, if there are fewer than 8 input
    channels and these are stored last.
    """

    def forward(self, input: Tensor) -> Tensor:  # named as in torch
        if self.kernel_size != (1, 1) or self.stride == (1, 1):
            return super().forward(input)
        kept = input[..., :: int(self.stride[0]), :: int(self.stride[1])]
        return functional.conv2d(kept, self.weight, self.bias)


def conv_block(inside: int, outside: int, kernel: int, shrink: Shrink, norm: bool) -> nn.Sequential:
    """Build a convolution, 2 × 2 max-pooling (or a stride of 2, or neither), optional batch normalisation, and ReLU.

    Pooling precedes normalisation and ReLU, so that these process a quarter of the values; without normalisation, the
    order does not change the result.
    """
    stride = 2 if shrink == "stride" else 1
    parts: list[nn.Module] = [Conv2d(inside, outside, kernel, stride, kernel // 2, bias=not norm)]
    parts += [nn.MaxPool2d(2)] if shrink == "pool" else []
    parts += [nn.BatchNorm2d(outside)] if norm else []
    return nn.Sequential(*parts, nn.ReLU(inplace=True))


def initialise(module: nn.Module) -> None:
    """Initialise convolutions (He et al. 2015, arXiv:1502.01852) and store filters channels last, which is faster."""
    for part in module.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # lacks in torch's stubs
