"""Heads map the fused vector of a row to its logits. Each file defines one head."""

from sensorium.heads._base import Head

__all__ = ["Head"]
