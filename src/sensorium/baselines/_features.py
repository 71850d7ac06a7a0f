"""Features of all columns of a table for classical models, learned from some rows and applied to any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pydantic

from sensorium.baselines._blocks import Block, Form
from sensorium.baselines._codes import CodeBlock
from sensorium.baselines._numbers import NumberBlock
from sensorium.baselines._texts import TextBlock
from sensorium.errors import ArtifactError
from sensorium.files.state import SAVED, HasState, reading_saved
from sensorium.prepare.summaries import Kind, Summaries, Summary

KINDS: Mapping[Kind, type[Block]] = {block.kind: block for block in (TextBlock, CodeBlock, NumberBlock)}
DENSE = 20_000_000  # numbers of a matrix for a linear model, up to which it is stored without leaving out zeros
NARROW = 1000  # features, up to which it is


@dataclass(frozen=True, eq=False)
class FlatColumns(HasState):
    """Features of all columns, as one matrix.

    Texts and documents become TF-IDF (`TextBlock`), categories codes or one-hot features (`CodeBlock`). Everything else
    becomes numbers (`NumberBlock`): numbers, dates, coordinates, vectors and frozen features as they are; images,
    scans, videos, sounds and series as statistics (`summarize`).

    Attributes:
        form: the kind of model that the features are for.
        blocks: column → its features.

    Example:
        >>> from sensorium.baselines import FlatColumns
        >>> from sensorium.prepare.summaries import Summaries, Summary
        >>> number = Summary("numbers", np.array([[1.0], [2.0], [9.0]], np.float32), np.ones(3, bool), np.zeros(0, int))
        >>> columns = Summaries({"age": number}, 3)
        >>> FlatColumns.learn(columns.take(np.array([0, 1])), "linear", 0).apply(columns).tolist()
        [[-1.0], [1.0], [10.0]]
    """

    form: Form
    blocks: dict[str, Block]

    @classmethod
    def learn(cls, columns: Summaries, form: Form, seed: int) -> Self:
        """Learn from every row of these columns.

        Args:
            columns: the rows to learn from.
            form: the kind of model that the features are for.
            seed: random seed of the decompositions.
        """
        return cls(form, {name: learn_block(own, form, seed) for name, own in columns.columns.items()})

    @property
    def width(self) -> int:
        """Return the number of features."""
        return sum(block.width + block.gaps for block in self.blocks.values())

    @property
    def levels(self) -> npt.NDArray[np.int64]:
        """Return int64[f]: the number of levels of a code; 0 for numbers."""
        each = [np.full(block.width + block.gaps, block.levels) for block in self.blocks.values()]
        return np.concatenate([np.zeros(0, np.int64), *each])

    def apply(self, columns: Summaries) -> Any:
        """Return the features of rows: for trees float32[n, f]; for linear models float64[n, f], dense or sparse.

        Raises:
            ArtifactError: a column is missing, or has another form than the one it was learned from.
        """
        parts = [self._column(name, columns) for name in self.blocks]
        if self.form == "trees":
            return np.concatenate([np.zeros((columns.rows, 0), np.float32), *parts], 1)
        from scipy.sparse import csr_matrix, hstack, issparse

        if any(issparse(part) for part in parts):
            found = hstack([csr_matrix(part) for part in parts], "csr", np.float64)
            return found.toarray() if self.width <= NARROW and columns.rows * self.width <= DENSE else found
        return np.concatenate([np.zeros((columns.rows, 0)), *parts], 1)

    def _column(self, name: str, columns: Summaries) -> Any:
        if name not in columns.columns:
            raise ArtifactError(f"column {name!r} is missing", cure="fit the model again")
        with reading_saved(f"column {name!r}"):
            return self.blocks[name].apply(columns.columns[name])

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        states = [block.state() for block in self.blocks.values()]
        arrays = {f"{place}.{name}": array for place, (_, own) in enumerate(states) for name, array in own.items()}
        named = zip(self.blocks.items(), states, strict=True)
        columns = [{"name": name, "kind": block.kind, "state": json} for (name, block), (json, _) in named]
        return {"form": self.form, "columns": columns}, arrays

    @classmethod
    def restore(cls, json: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Restore features from `state`.

        Raises:
            ArtifactError: a field is missing, unknown, of another type or out of range, or two fields do not match.
        """
        with reading_saved(cls.__name__):
            saved = _SavedFeatures.model_validate(json)
            owned = split_arrays(arrays, len(saved.columns))
            blocks: dict[str, Block] = {}
            for column, own in zip(saved.columns, owned, strict=True):
                block = KINDS[column.kind].restore(column.state, own)
                if block.form != saved.form or column.name in blocks:
                    raise ValueError(f"column {column.name!r} does not fit the others")
                blocks[column.name] = block
        return cls(saved.form, blocks)


def learn_block(column: Summary, form: Form, seed: int) -> Block:
    """Learn the features of one column from every row of its summary."""
    return KINDS[column.kind].learn(column, form, seed)


def split_arrays(arrays: Mapping[str, npt.NDArray[Any]], count: int) -> list[dict[str, npt.NDArray[Any]]]:
    """Return the arrays of each of several parts, whose names begin with the number of the part.

    Raises:
        ValueError: an array belongs to none of them.
    """
    found: list[dict[str, npt.NDArray[Any]]] = [{} for _ in range(count)]
    numbers = {str(number): number for number in range(count)}
    for name, array in arrays.items():
        owner, _, own = name.partition(".")
        if owner not in numbers:
            raise ValueError(f"the array {name!r} belongs to no part")
        found[numbers[owner]][own] = array
    return found


class _SavedColumn(pydantic.BaseModel):
    model_config = SAVED

    name: str
    kind: Kind
    state: dict[str, Any]


class _SavedFeatures(pydantic.BaseModel):
    model_config = SAVED

    form: Form
    columns: list[_SavedColumn]
