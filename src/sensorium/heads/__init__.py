"""ONE FILE PER HEAD: the fused vector of a row → its logits."""

from sensorium.heads._base import Head

__all__ = ["Head"]
