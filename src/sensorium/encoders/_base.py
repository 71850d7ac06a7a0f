"""The contract that every encoder keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import torch
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens

Shrink: TypeAlias = Literal["pool", "stride", "none"]


@runtime_checkable
class Encoder(Protocol):
    """A `torch.nn.Module` that makes tokens of prepared cells.

    The file of an encoder also says, as literals that a listing can read:

        ACCEPTS = ("text",)   the modalities it can encode
        JOINT = True          it encodes several columns together (default False)

    Its constructor's positional parameters are facts that the modality supplies, by name (`vocabulary`, `channels` …;
    `facts` is all of them); a joint encoder has one, the list of its columns' facts. Keyword-only parameters are the
    user's options.

    Attributes:
        width: d of the tokens that come out (of their summary, where it has one).

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
        """Cells of its column, or of each of its columns. Every row has a value in one of them.

        A padded step must not change the tokens of real ones, nor a row those of another.
        """


@runtime_checkable
class FeatureEncoder(Encoder, Protocol):
    """An encoder in two steps, of which the first may stay the same throughout training.

    Attributes:
        frozen: its features do stay the same: they are computed once for all rows, and kept.
        features_width: f of its features.
        backbone: the module that makes the features.
    """

    frozen: bool
    features_width: int
    backbone: nn.Module

    def identity(self) -> str:
        """A hash of all that the features depend on."""

    def features(self, cells: Cells) -> Tensor:
        """Cells → (b, f)."""

    def from_features(self, cells: Cells) -> Tokens:
        """What `features` gave → what calling the encoder gives."""


@runtime_checkable
class Pretrained(FeatureEncoder, Protocol):
    """An encoder around weights that were learnt elsewhere. It may also have:

    complete(options)   static: the options with all that is needed to build it where its files are not
    wishes(options)     static: options for the modality of its column: the tokenizer, the size it learnt with
    """

    def load_pretrained(self) -> None:
        """Take the weights; until then they are random."""


@runtime_checkable
class Static(FeatureEncoder, Protocol):
    """An encoder whose features are learnt by counting rather than by gradients: once, before any model is trained."""

    def learn_features(self, cells: Iterable[Cells]) -> None:
        """Learn from the training rows that have a value, in batches; until then all features are zero."""


def fingerprint(name: str, module: nn.Module) -> str:
    """A hash of a name and of all that a module's state holds."""
    found = hashlib.sha256(name.encode())
    for key, value in module.state_dict().items():
        found.update(key.encode() + value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def padded_zero(mask: Tensor, values: Tensor) -> Tensor:
    """(b, t, d) with zeros where the mask (b, t) is False."""
    return values * mask[..., None].to(values.dtype)


def conv_block(inside: int, outside: int, kernel: int, shrink: Shrink, norm: bool) -> nn.Sequential:
    """Convolution, 2 × 2 max-pooling (or a stride of 2, or neither), optional batch normalisation, ReLU.

    Pooling comes first of the three, so that the others see a quarter of the places; without normalisation the values
    are the same in either order.
    """
    stride = 2 if shrink == "stride" else 1
    parts: list[nn.Module] = [nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=not norm)]
    parts += [nn.MaxPool2d(2)] if shrink == "pool" else []
    parts += [nn.BatchNorm2d(outside)] if norm else []
    return nn.Sequential(*parts, nn.ReLU(inplace=True))


def initialise(module: nn.Module) -> None:
    """He initialisation of convolutions (He et al. 2015, arXiv:1502.01852); filters channels last, which is faster."""
    for part in module.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # lacks in torch's stubs
