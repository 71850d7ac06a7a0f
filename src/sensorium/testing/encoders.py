"""Check the contract of encoders."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from sensorium.batch import Cells, Tokens
from sensorium.encoders import Static
from sensorium.model import TowerPlan, build_encoder
from sensorium.registry import encoders
from sensorium.testing.cells import make_cells
from sensorium.testing.outlines import check_outline

CLOSE = 1e-4


def check_encoder(name: str, **options: Any) -> None:
    """Run every check on generated columns of the modalities that the encoder accepts.

    Args:
        name: registered name.
        **options: options of the encoder.

    Raises:
        AssertionError: a check fails; the message says which.

    Example:
        >>> from sensorium.testing import check_encoder
        >>> check_encoder('text_cnn')
    """
    entry = encoders.entry(name)
    accepts, joint = entry.literal("ACCEPTS", ()), entry.literal("JOINT", False)
    assert accepts, f"{entry.path.name} has no literal ACCEPTS"
    for kinds in [list(accepts)] if joint else [[kind] for kind in accepts]:
        _check(name, kinds, options)


def _check(name: str, kinds: list[str], options: dict[str, Any]) -> None:
    kind = encoders.load(name)
    cells, encoder_spec = make_cells(
        kinds, options=kind.preferred_options(options) if hasattr(kind, "preferred_options") else {}
    )
    torch.manual_seed(0)

    def build() -> Any:
        return build_encoder(TowerPlan(name, kinds, name, options), encoder_spec, {})

    encoder = build()
    check_outline(build, encoder)
    if isinstance(encoder, Static):
        _check_learning(encoder, cells[0])
    encoder.train()
    found = encoder(*cells)
    _check_tokens(found, len(cells[0].present), encoder.width)
    found.pooled().square().sum().backward()
    untouched = [n for n, p in encoder.named_parameters() if p.requires_grad and p.grad is None]
    assert not untouched, f"no gradient reaches {', '.join(untouched)}"
    encoder.eval()
    with torch.no_grad():
        _check_rows(encoder, cells)


def _check_learning(encoder: Static, cells: Cells) -> None:
    """Check that features are fitted once, have an identity, and are the same for the same cells."""
    before = encoder.identity()
    encoder.learn_features([cells])
    first = encoder.features(cells)
    assert encoder.identity() != before, "the identity does not depend on the learned state"
    assert first.shape == (len(cells.present), encoder.features_width), f"features have the shape {tuple(first.shape)}"
    encoder.learn_features([cells])
    assert torch.equal(encoder.features(cells), first), "fitting on the same cells again gives different features"


def _check_tokens(found: Tokens, rows: int, width: int) -> None:
    assert isinstance(found, Tokens), f"an encoder returns Tokens, not {type(found).__name__}"
    assert found.values.dim() == 3 and len(found.values) == rows, (
        f"values have the shape {tuple(found.values.shape)} instead of (b, t, d)"
    )
    assert found.mask.shape == found.values.shape[:2], "the mask is (b, t)"
    assert found.mask.any(1).all(), "a row with a value has no token"
    assert found.pooled().shape == (rows, width), (
        f"`width` is {width}, but the vectors have the shape {tuple(found.pooled().shape)}"
    )
    assert found.values.isfinite().all() and found.pooled().isfinite().all(), "values are not all finite"


def _check_rows(encoder: Any, cells: list[Cells]) -> None:
    """Check that rows are encoded independently, in another order and alone, with less padding."""
    together = encoder(*cells).pooled()
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(together)))
    turned = encoder(*(c.take(order) for c in cells)).pooled()
    assert torch.allclose(turned, together[order], atol=CLOSE), "the order of rows changes their tokens"
    for row in range(len(together)):
        alone = encoder(*(_trim(c.take(torch.tensor([row]))) for c in cells)).pooled()
        assert torch.allclose(alone[0], together[row], atol=CLOSE), (
            f"row {row} is encoded differently alone and in a batch"
        )


def _trim(cells: Cells) -> Cells:
    if cells.mask is None:
        return cells
    steps = int(cells.mask.sum(1).max())
    return Cells(cells.values[:, :steps], cells.present, cells.mask[:, :steps])
