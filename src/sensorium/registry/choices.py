"""Names that the setting `encoders` can have."""

from __future__ import annotations

from collections.abc import Iterable

from sensorium.registry import encoders
from sensorium.registry.weights import PACKAGED


def encoders_for(kinds: Iterable[str]) -> list[str]:
    """Return the encoders that take all these modalities, then the short names of packaged weights for them."""
    wanted = set(kinds)
    names = [name for name, entry in encoders.entries.items() if wanted <= set(entry.literal("ACCEPTS", ()))]
    return [*names, *(weights.name for weights in PACKAGED if weights.encoder in names)]
