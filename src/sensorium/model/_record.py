"""The base of all records: frozen, typed, and the same after a trip through JSON."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer


class Record(BaseModel):
    """A part of what a model says about itself.

    An entry that a later version added has a default, so that records of earlier versions still load; an entry that
    this version does not know is ignored.
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
        """JSON values; null for a figure that is not defined."""
        return self.model_dump(mode="json", by_alias=True)

    def updated(self, **parts: Any) -> Self:
        """The same record with some parts replaced.

        Raises:
            AttributeError: the record has no such part.
        """
        unknown = parts.keys() - type(self).model_fields.keys()
        if unknown:
            raise AttributeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        return type(self).model_validate({**dict(self), **parts})
