"""Check that a module can be outlined: built without values, as a saved model is before its weights are read."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from sensorium.model import on_meta


def check_outline(build: Callable[[], nn.Module], module: nn.Module) -> None:
    """Check that a module built on the device `meta` has the parameters and buffers of the module itself.

    Args:
        build: builds the module.
        module: what it builds otherwise.

    Raises:
        AssertionError: it cannot be built there, or has others.

    Example:
        >>> from torch import nn
        >>> from sensorium.testing.outlines import check_outline
        >>> check_outline(lambda: nn.Linear(2, 3), nn.Linear(2, 3))
    """
    with on_meta():
        try:
            outline = build()
        except (RuntimeError, NotImplementedError) as error:
            raise AssertionError(
                f"it cannot be built on the device meta ({error}): compute values of the constructor without tensors"
            ) from error
    shapes, wanted = ({name: tuple(own.shape) for name, own in each.state_dict().items()} for each in (outline, module))
    assert shapes == wanted, f"on the device meta, it has other weights: {sorted(shapes.items() ^ wanted.items())}"
