"""Boosted trees as plain arrays, evaluated by NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeInt

from sensorium.baselines._base import Model
from sensorium.baselines._codes import LARGEST_CODE
from sensorium.table import Floats

MAX_DEPTH = 256
LARGEST_LEAF = 1e300  # a sum over the trees is still finite
AT_ONCE = 1_000_000  # pairs of a row and a tree that are evaluated at a time
SET_BYTES = (LARGEST_CODE + 1) // 8
IS_CATEGORY, DEFAULT_LEFT, NAN_IS_MISSING = 1, 2, 8  # flags of LightGBM's decision types


@dataclass(frozen=True, eq=False)
class Forest(Model):
    """Boosted trees of one target. A raw score is the sum of the leaves that a row reaches.

    The nodes of a tree are contiguous, the root is the first, and children come after their parent. A leaf is its own
    child. Tree number t adds to output t modulo the number of outputs.

    Attributes:
        count: number of outputs.
        features_count: number of features of a row.
        roots: int32[t], node of each root, in increasing order.
        feature: int32[m], the feature that a node compares.
        threshold: float64[m]; a row goes left if its feature is not above it.
        left, right: int32[m], the children.
        missing_left: bool[m], whether a row without the feature goes left.
        category: int32[m], the set of a node that compares a code, or −1; a row goes left if its code is in the set.
        sets: uint8[s, 32], bits of codes.
        value: float64[m], of leaves; 0 for other nodes.
    """

    count: NonNegativeInt
    features_count: NonNegativeInt
    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    missing_left: npt.NDArray[np.bool_]
    category: npt.NDArray[np.int32]
    sets: npt.NDArray[np.uint8]
    value: npt.NDArray[np.float64]

    @property
    def outputs(self) -> int:
        return self.count

    @property
    def parameters(self) -> int:
        """Return the number of thresholds and leaves."""
        return len(self.feature)

    def check(self) -> None:
        size = self.feature.shape
        if len(size) != 1 or any(
            part.shape != size for part in (self.threshold, self.left, self.right, self.missing_left, self.category)
        ):
            raise ValueError("the arrays of the nodes do not match")
        if self.value.shape != size or self.sets.ndim != 2 or self.sets.shape[1] != SET_BYTES:
            raise ValueError("the arrays of values and sets do not match the nodes")
        if self.roots.ndim != 1 or (len(self.roots) % self.count if self.count else len(self.roots)):
            raise ValueError(f"{self.roots.size} trees for {self.count} outputs")
        if bool((self.category < -1).any() or (self.category >= max(1, len(self.sets))).any()):
            raise ValueError("a set does not exist")
        if bool(((self.category == 0) & (len(self.sets) == 0)).any()):
            raise ValueError("a set does not exist")
        if np.abs(self.value).max(initial=0) > LARGEST_LEAF:
            raise ValueError("the leaves are too large to be added")
        inner = self.left != np.arange(len(self.left))
        if bool((self.feature < 0).any() or (self.feature[inner] >= self.features_count).any()):
            raise ValueError("a feature does not exist")
        self._check_trees(inner)

    def _check_trees(self, inner: npt.NDArray[np.bool_]) -> None:
        """Raise ValueError unless every node has one parent in its tree, or is a root, and no tree is too deep."""
        nodes = np.arange(len(self.feature))
        starts = self.roots.astype(np.int64)
        if len(nodes) and (not len(starts) or starts[0] != 0 or bool((np.diff(starts) <= 0).any())):
            raise ValueError("the roots are not in order")
        if len(starts) and starts[-1] >= len(nodes):
            raise ValueError("a root does not exist")
        if bool((self.right[~inner] != nodes[~inner]).any()):
            raise ValueError("a leaf has a child")
        ends = (
            np.append(starts[1:], len(nodes))[np.searchsorted(starts, nodes, side="right") - 1] if len(nodes) else nodes
        )
        for child in (self.left, self.right):
            if bool(((child <= nodes) | (child >= ends))[inner].any()):
                raise ValueError("a child is not after its parent, in the same tree")
        parents = np.bincount(np.concatenate([self.left[inner], self.right[inner]]), minlength=len(nodes))
        parents[starts] += 1
        if bool((parents != 1).any()):
            raise ValueError("a node has another number of parents than one")
        level = starts
        for _ in range(MAX_DEPTH):
            level = level[inner[level]]
            level = np.concatenate([self.left[level], self.right[level]])
        if len(level):
            raise ValueError(f"a tree is deeper than {MAX_DEPTH} levels")

    def check_width(self, width: int) -> None:
        if self.features_count != width:
            raise ValueError(f"trees of {self.features_count} features instead of {width}")

    def raw(self, matrix: Any) -> Floats:
        found = np.zeros((len(matrix), self.count))
        trees = len(self.roots)
        if not trees:
            return found
        most = max(1, AT_ONCE // trees)
        for start in range(0, len(matrix), most):
            part = matrix[start : start + most]
            leaves = self._leaves(part).reshape(len(part), -1, self.count)
            found[start : start + most] = self.value[leaves].sum(1)
        return found

    def _leaves(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
        """Return int32[n · t]: the leaf of each row in each tree."""
        node = np.tile(self.roots, len(rows))
        row = np.repeat(np.arange(len(rows)), len(self.roots))
        active = np.arange(len(node))
        while True:
            at = node[active]
            inner = self.left[at] != at
            active, at = active[inner], at[inner]
            if not len(active):
                return node
            node[active] = np.where(
                self._goes_left(at, rows[row[active], self.feature[at]]), self.left[at], self.right[at]
            )

    def _goes_left(self, at: npt.NDArray[np.int32], values: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        missing = np.isnan(values)
        found = np.where(missing, self.missing_left[at], values <= self.threshold[at])
        places = np.flatnonzero(self.category[at] >= 0)
        if len(places):
            codes = np.nan_to_num(values[places], nan=LARGEST_CODE).clip(0, LARGEST_CODE).astype(np.int64)
            bits = self.sets[self.category[at[places]], codes >> 3]
            found[places] = (bits >> (codes & 7).astype(np.uint8)) & 1
        return found

    @classmethod
    def constant(cls, raw: Floats, features: int) -> Self:
        """Return a tree with a single leaf for each of the raw scores float64[outputs]."""
        nodes, none = np.arange(len(raw), dtype=np.int32), np.zeros(len(raw), np.int32)
        sets = np.zeros((0, SET_BYTES), np.uint8)
        threshold, left = np.zeros(len(raw)), np.zeros(len(raw), np.bool_)
        return cls(len(raw), features, nodes, none, threshold, nodes, nodes, left, none - 1, sets, raw)

    @classmethod
    def of_lightgbm(cls, text: str, outputs: int, features: int) -> Self:
        """Read the trees of LightGBM's text format (`Booster.model_to_string`), whose numbers are exact."""
        trees = [
            _Tree.of(dict(line.split("=", 1) for line in part.split("\n") if "=" in line)) for part in _parts(text)
        ]
        sizes = np.array([len(tree.left) for tree in trees], np.int64)
        roots = np.cumsum(sizes) - sizes
        sets = np.cumsum([0, *(len(tree.sets) for tree in trees)])
        joined = {
            name: np.concatenate([np.zeros(0), *(getattr(tree, name) for tree in trees)])
            for name in ("feature", "threshold", "missing_left", "value")
        }
        children = {
            side: np.concatenate([roots[:0], *(getattr(t, side) + root for t, root in zip(trees, roots, strict=True))])
            for side in ("left", "right")
        }
        each = zip(trees, sets, strict=False)
        category = [np.where(tree.category < 0, -1, tree.category + first) for tree, first in each]
        found = cls(
            count=outputs,
            features_count=features,
            roots=roots.astype(np.int32),
            feature=joined["feature"].astype(np.int32),
            threshold=joined["threshold"],
            left=children["left"].astype(np.int32),
            right=children["right"].astype(np.int32),
            missing_left=joined["missing_left"].astype(np.bool_),
            category=np.concatenate([roots[:0], *category]).astype(np.int32),
            sets=np.concatenate([np.zeros((0, SET_BYTES), np.uint8), *(tree.sets for tree in trees)]),
            value=joined["value"],
        )
        found.check()
        return found


def _parts(text: str) -> list[str]:
    """Return the part of each tree."""
    return [part for part in text.split("end of trees")[0].split("\n\n") if part.lstrip().startswith("Tree=")]


@dataclass(frozen=True)
class _Tree:
    """Arrays of one tree, as in `Forest`; inner nodes come before leaves."""

    feature: Any
    threshold: Any
    left: Any
    right: Any
    missing_left: Any
    category: Any
    sets: Any
    value: Any

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> _Tree:
        leaves = int(fields["num_leaves"])
        inner, total = leaves - 1, 2 * leaves - 1

        def read(name: str, dtype: Any) -> Any:
            return np.array(fields[name].split() if inner else [], dtype)

        def filled(values: Any, rest: Any) -> Any:
            return np.concatenate([values, np.full(leaves, rest)])

        kinds, thresholds = read("decision_type", np.int64), read("threshold", np.float64)
        is_category = (kinds & IS_CATEGORY) > 0
        # Without a missing value in the training rows, LightGBM reads a missing one as 0.
        missing_left = np.where(kinds & NAN_IS_MISSING, (kinds & DEFAULT_LEFT) > 0, thresholds >= 0)
        own = np.arange(total)
        sides = [
            np.concatenate([np.where(child < 0, inner + ~child, child), own[inner:]])
            for child in (read("left_child", np.int64), read("right_child", np.int64))
        ]
        sets = _sets(fields) if is_category.any() else np.zeros((0, SET_BYTES), np.uint8)
        return cls(
            feature=filled(read("split_feature", np.int64), 0),
            threshold=filled(np.where(is_category, 0.0, np.nan_to_num(thresholds)), 0.0),  # infinite: all but NaN
            left=sides[0],
            right=sides[1],
            missing_left=filled(missing_left, False),
            category=filled(np.where(is_category, thresholds, -1).astype(np.int64), -1),
            sets=sets,
            value=np.concatenate([np.zeros(inner), np.array(fields["leaf_value"].split(), np.float64)]),
        )


def _sets(fields: Mapping[str, str]) -> npt.NDArray[np.uint8]:
    """Return uint8[s, 32]: the codes of each set as bits."""
    bounds = np.array(fields["cat_boundaries"].split(), np.int64)
    words = np.array(fields["cat_threshold"].split(), np.uint32)
    found = np.zeros((len(bounds) - 1, SET_BYTES), np.uint8)
    for place, (start, end) in enumerate(pairwise(bounds)):
        own = words[start:end].astype("<u4").view(np.uint8)
        found[place, : len(own)] = own
    return found
