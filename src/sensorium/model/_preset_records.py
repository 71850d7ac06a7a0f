"""Record of the preset on the model card."""

from __future__ import annotations

from sensorium.model._record import Record


class PresetRecord(Record):
    """Record of the preset of a fit.

    Attributes:
        name: its registered name.
        reason: why it was used, as the end of a sentence.
    """

    name: str
    reason: str = ""
