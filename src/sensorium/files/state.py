"""Save and load objects whose fields are everything that they learned."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pydantic
from pydantic import ConfigDict

from sensorium.errors import ArtifactError, SensoriumError

Kind = TypeVar("Kind")

SAVED = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True)


class HasState:
    """Base of frozen dataclasses whose fields hold JSON values or NumPy arrays."""

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Return the fields as JSON values and as arrays."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        arrays = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
        return {name: value for name, value in fields.items() if name not in arrays}, arrays

    @classmethod
    def restore(cls, json: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Restore an object from `state`; each field is checked against its annotation, then `check` is called.

        Raises:
            ArtifactError: a field is missing, unknown, of another type or out of range, or two fields do not match.
        """
        with reading_saved(cls.__name__):
            found = from_saved(cls, {**json, **arrays})
            found.check()
            return found

    def check(self) -> None:
        """Raise ValueError if valid fields do not match each other."""


@contextmanager
def reading_saved(place: str) -> Iterator[None]:
    """Raise ArtifactError if values read within this block are not valid."""
    try:
        yield
    except pydantic.ValidationError as error:
        raise ArtifactError(f"the saved values are not valid: {explain(error)}", place=place) from None
    except SensoriumError:
        raise
    except (ValueError, TypeError) as error:
        raise ArtifactError(f"the saved values are not valid: {error}", place=place) from None


def explain(error: pydantic.ValidationError) -> str:
    """Return the first errors of a validation, without the values, which may be long."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    shown = [f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}"[:200] for fault in faults[:3]]
    return "; ".join(shown)


def from_saved(kind: type[Kind], fields: Mapping[str, Any]) -> Kind:
    """Build a dataclass from its saved fields, each checked against its annotation; missing ones get their default.

    Raises:
        pydantic.ValidationError: a field is missing, unknown, of another type or out of range.
    """
    return kind(**_checked(kind, fields))


def _checked(kind: type[Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    found = _model(typing.cast(Any, kind)).model_validate(fields)
    return {name: getattr(found, _field(name)) for name in fields}


@cache
def _model(kind: Any) -> type[pydantic.BaseModel]:
    """Return a pydantic model with the fields of a dataclass."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields: dict[str, Any] = {
        _field(field.name): (_checkable(hints[field.name]), pydantic.Field(_default(field), alias=field.name))
        for field in dataclasses.fields(kind)
    }
    return pydantic.create_model(kind.__name__, __config__=SAVED, **fields)


def _field(name: str) -> str:
    """Return a field name that pydantic accepts; dataclasses allow any name."""
    return f"field_{name}"


def _default(field: dataclasses.Field[Any]) -> Any:
    has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    return None if has_default else ...  # what is left out is left to the dataclass


def _checkable(hint: Any) -> Any:
    """Return an annotation that pydantic can check: an array by its kind of numbers, all of them finite."""
    if typing.get_origin(hint) is not np.ndarray:
        return hint
    (dtype,) = typing.get_args(typing.get_args(hint)[1])
    return typing.Annotated[np.ndarray, pydantic.AfterValidator(_of_kind(np.dtype(dtype).kind))]


def _of_kind(kind: str) -> Any:
    def check(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if values.dtype.kind != kind:
            raise ValueError(f"Input should be an array of kind {kind!r}, not {values.dtype}")
        if not np.isfinite(values).all():
            raise ValueError("Input should be an array of finite numbers")
        return values

    return check
