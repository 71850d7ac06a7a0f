"""Base class of records: immutable, typed, and stored as JSON without loss."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer


class Record(BaseModel):
    """Base class of the parts of a model card.

    Entries that were added in later versions have a default, so that older records still load. Unknown entries are
    ignored.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True, allow_inf_nan=False)
    LEFT_OUT: ClassVar[frozenset[str]] = frozenset()  # entries whose JSON key is left out while they are None

    @model_serializer(mode="wrap")
    def _leave_out(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found = write(self)
        absent = {name for name in self.LEFT_OUT if getattr(self, name) is None}
        absent |= {alias for name in absent if (alias := type(self).model_fields[name].alias)}
        return {key: value for key, value in found.items() if key not in absent}

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; null for a number that is not defined."""
        return self.model_dump(mode="json", by_alias=True)

    def updated(self, **parts: Any) -> Self:
        """Return a copy with some entries replaced.

        Raises:
            AttributeError: the record has no such entry.
        """
        unknown = parts.keys() - type(self).model_fields.keys()
        if unknown:
            raise AttributeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        return type(self).model_validate({**dict(self), **parts})
