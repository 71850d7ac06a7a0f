"""Check the contract of heads."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from sensorium.registry import heads
from sensorium.testing.outlines import check_outline

ROWS, WIDTH, CLOSE = 6, 8, 1e-5


def check_head(name: str, **options: Any) -> None:
    """Run every check for one, two and five logits.

    Args:
        name: registered name.
        **options: options of the head.

    Raises:
        AssertionError: a check fails; the message says which.

    Example:
        >>> from sensorium.testing import check_head
        >>> check_head('cosine')
    """
    for outputs in (1, 2, 5):
        torch.manual_seed(outputs)
        build = partial(heads.load(name), WIDTH, outputs, **options)
        head = build().eval()
        check_outline(build, head)
        rows = torch.randn(ROWS, WIDTH, requires_grad=True)
        logits = head(rows)
        assert logits.shape == (ROWS, outputs), f"{name}: the logits are {tuple(logits.shape)}, not ({ROWS}, {outputs})"
        assert logits.isfinite().all(), f"{name}: a logit is not finite"
        assert torch.allclose(head(rows[2:3]), logits[2:3], atol=CLOSE), (
            f"{name}: a row has different logits alone and in a batch"
        )
        assert head(torch.zeros(1, WIDTH)).isfinite().all(), f"{name}: the logits of a row of zeros are not finite"
        found = torch.autograd.grad(logits.square().sum(), [rows, *head.parameters()], allow_unused=True)
        assert all(gradient is not None for gradient in found), f"{name}: no gradient reaches the rows or a parameter"
        assert found[0] is not None and (found[0].abs().sum(1) > 0).all(), f"{name}: a row gets no gradient"
