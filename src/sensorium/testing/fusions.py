"""Check the contract of fusions."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import torch
from torch import Tensor

from sensorium.batch import Tokens
from sensorium.model.own_modules import check_fusion_class
from sensorium.registry import fusions
from sensorium.testing.outlines import check_outline

CLOSE = 1e-5
ROWS, WIDTH = 6, 8


def check_fusion(fusion: str | type, **options: Any) -> None:
    """Run every check for one, two and three modalities.

    Args:
        fusion: registered name, or a class of your own.
        **options: options of the fusion.

    Raises:
        AssertionError: a check fails; the message says which.

    Example:
        >>> from sensorium.testing import check_fusion
        >>> check_fusion("gated", per_feature=False)
    """
    kind: Any = fusions.load(fusion) if isinstance(fusion, str) else fusion
    if isinstance(kind, type) and not isinstance(fusion, str):
        check_fusion_class(kind, kind.__name__)
    assert kind.level in ("vector", "token", "decision"), f"level {kind.level!r} is not one of vector, token, decision"
    for count in (1, 2, 3):
        torch.manual_seed(count)
        widths = [WIDTH + 2 * m for m in range(count)] if kind.own_widths else [WIDTH] * count
        build = partial(kind, widths, WIDTH, **options)
        built = build().eval()
        if isinstance(fusion, str):  # a fusion of one's own is loaded without an outline, if it has none
            check_outline(build, built)
        tokens = _tokens(widths, steps=3 if kind.level == "token" else 1)
        for pattern in itertools.product([False, True], repeat=count):
            if any(pattern):
                _check_pattern(built, tokens, torch.tensor([pattern] * ROWS))
        _check_rows(built, tokens)
        _check_gradients(built, tokens)


def _tokens(widths: list[int], steps: int) -> list[Tokens]:
    found = []
    for place, width in enumerate(widths):
        mask = torch.arange(steps + place)[None] < torch.randint(1, steps + place + 1, (ROWS, 1))
        found.append(
            Tokens(
                torch.randn(ROWS, steps + place if steps > 1 else 1, width), mask if steps > 1 else mask[:, :1] | True
            )
        )
    return found


def _check_pattern(fusion: Any, tokens: list[Tokens], present: Tensor) -> None:
    with torch.no_grad():
        fused = fusion(tokens, present)
        again = fusion(_scramble(tokens, present), present)
        shares = fusion.modality_weights(tokens, present)
    numbers = [number for number, one in enumerate(present[0].tolist()) if one]
    there = f"modalities {numbers} of {present.shape[1]}, counted from 0, are present"
    assert fused.shape == (ROWS, fusion.width), (
        f"the fused vectors have the shape {tuple(fused.shape)}, but `width` is {fusion.width}"
    )
    assert fused.isfinite().all(), f"the result is not finite if {there}"
    assert torch.allclose(fused, again, atol=CLOSE), f"the result depends on absent modalities or padding if {there}"
    if shares is not None:
        assert shares.shape == present.shape, "shares are (b, m)"
        assert torch.allclose(shares.sum(1), torch.ones(ROWS), atol=CLOSE), "the modality weights do not add up to 1"
        assert (shares[~present] == 0).all(), "an absent modality has a weight"


def _scramble(tokens: list[Tokens], present: Tensor) -> list[Tokens]:
    """Change values that must have no effect."""
    found = []
    for place, part in enumerate(tokens):
        real = part.mask & present[:, place, None]
        values = torch.where(real[..., None], part.values, 100 * torch.randn_like(part.values))
        found.append(Tokens(values, part.mask))
    return found


def _check_rows(fusion: Any, tokens: list[Tokens]) -> None:
    """Check that each row is fused independently of the others."""
    present = torch.rand(ROWS, len(tokens)) < 0.6
    present[:, 0] |= ~present.any(1)
    with torch.no_grad():
        together = fusion(tokens, present)
        for row in range(ROWS):
            alone = fusion(
                [Tokens(t.values[row : row + 1], t.mask[row : row + 1]) for t in tokens], present[row : row + 1]
            )
            assert torch.allclose(alone[0], together[row], atol=CLOSE), (
                f"row {row} is fused differently alone and in a batch"
            )


def _check_gradients(fusion: Any, tokens: list[Tokens]) -> None:
    leaves = [part.values.clone().requires_grad_() for part in tokens]
    present = torch.ones(ROWS, len(tokens), dtype=torch.bool)
    fused = fusion([Tokens(leaf, part.mask) for leaf, part in zip(leaves, tokens, strict=True)], present)
    fused.square().sum().backward()
    for place, leaf in enumerate(leaves):
        assert leaf.grad is not None and leaf.grad.abs().sum() > 0, f"no gradient reaches modality {place}"
