"""Objects whose fields are everything they learnt, so that saving and loading need no code of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt


class Learned:
    """Base of frozen dataclasses whose fields hold JSON values or NumPy arrays."""

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """The JSON half and the array half of the fields."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        arrays = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
        return {name: value for name, value in fields.items() if name not in arrays}, arrays

    @classmethod
    def restore(cls, json: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        return cls(**json, **arrays)
