"""Build networks without allocating their weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import init
from torch.overrides import TorchFunctionMode

DRAWS = (Tensor.normal_, Tensor.uniform_, init.normal_, init.uniform_, init.kaiming_uniform_)


@contextmanager
def on_meta() -> Iterator[None]:
    """Within this block, modules are built on the device `meta`, where weights have a shape but no values.

    No random numbers are drawn: for `meta`, PyTorch would import its compiler to do nothing, which takes seconds.
    """
    with torch.device("meta"), _WithoutDraws():
        yield


class _WithoutDraws(TorchFunctionMode):
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if func in DRAWS and (weight := args[0] if args else named["tensor"]).is_meta:
            return weight
        return func(*args, **named)
