"""Hashes that tell whether a prepared table is the one that an earlier trial was trained on."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from sensorium import __version__
from sensorium.config import split_saved
from sensorium.files.identity import HASH, flatten
from sensorium.files.state import HasState
from sensorium.planning import Plan, PreparedTable
from sensorium.prepare import hash_arrays, hash_cells, hash_encoded
from sensorium.prepare.streamed import Streamed
from sensorium.train import IGNORED_ON_RESUME

CONTENT = "content of column "  # as a person reads what differs


def plan_identity(plan: Plan, **asked: Any) -> dict[str, Any]:
    """Return what makes two runs the same, known before any file is decoded: dotted name → value.

    Modules of the user's own cannot be compared: with these no run is the same as another.

    Args:
        plan: of the run.
        **asked: what was asked for beside the settings, as JSON values.
    """
    hashes = {"table": plan.fingerprint}
    hashes |= {f"set of files in column {name!r}": found for name, found in _hash_files(plan).items()}
    hashes |= {"model that is continued": plan.start.digest()} if plan.start is not None else {}
    hashes |= {"teacher": plan.teacher.digest()} if plan.teacher is not None else {}
    hashes |= {"encoder module of your own": uuid.uuid4().hex} if plan.modules else {}
    # Permissions and secrets of the caller are written nowhere.
    settings, _ = split_saved(plan.config.model_dump(mode="json", exclude={"device"}))
    return flatten({**settings, **asked, "version": _versions(), HASH: hashes}, IGNORED_ON_RESUME)


def fingerprint(data: PreparedTable) -> str:
    """Return one hash of a prepared table and its settings: trials of the same hash and spec give the same model.

    It covers the table, the prepared arrays and what was learned from them, labels, split, network, settings, device
    and versions; not the seed, which a spec names.
    """
    plan = data.plan
    settings = plan.config.model_dump(mode="json", exclude={"prepare", "seed"})
    named = sorted(plan.config.model_fields_set | plan.config.train.model_fields_set)
    arrays = (plan.target, plan.split.codes[plan.used], data.teacher_scores)
    told = [settings, named, plan.blueprint.to_json(), str(plan.device), hash_state(plan.task)]
    told.append(identity(data, data.cells.columns, arrays))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def identity(data: PreparedTable, names: Iterable[str], arrays: Iterable[Any]) -> dict[str, Any]:
    """Return versions and hashes that two runs must have in common.

    Args:
        data: the table.
        names: columns that the model reads.
        arrays: rows, labels and teacher's scores that it is trained with.
    """
    rows = hashlib.sha256()
    for part in arrays:
        rows.update(b"" if part is None else np.ascontiguousarray(part).tobytes())
    hashes = {"table": data.plan.fingerprint, "set of training rows and labels": rows.hexdigest()}
    hashes |= {f"{CONTENT}{name!r}": found for name, found in hash_columns(data, names).items()}
    if data.plan.start is not None:
        hashes["model that is continued"] = data.plan.start.digest()
    return {"version": _versions(), HASH: hashes}


def _versions() -> dict[str, str]:
    return {"sensorium": __version__, "torch": torch.__version__}


def _hash_files(plan: Plan) -> dict[str, str]:
    """Return column → a hash of the files that its cells name, as `prepare.identify` says.

    Files at an address are known by it: they are not fetched to find out.
    """
    names = [name for name, modality in plan.learnt.items() if modality.cacheable and name in plan.table]
    columns = [plan.table.column(name) for name in names]
    by = plan.config.prepare.identify
    return {column.name: hash_cells(column, by) for column in columns if not column.files.are_remote}


def hash_columns(data: PreparedTable, names: Iterable[str]) -> dict[str, str]:
    """Return column → a hash of its prepared arrays and of what was learned from it.

    A streamed column has no arrays, and those that a frozen encoder made may differ in the last bit on another machine:
    their cells and files are hashed instead, as `prepare.identify` says, with the encoder.
    """
    return {name: hash_state(data.plan.learnt[name], _source(data, name)) for name in names}


def hash_state(learned: HasState, more: str = "") -> str:
    """Return a hash of what was learned."""
    values, arrays = learned.state()
    text = json.dumps([more, values, sorted(arrays)], sort_keys=True, default=str)
    found = hash_arrays(arrays[name] for name in sorted(arrays))
    return hashlib.sha256(f"{text} {found}".encode()).hexdigest()


def _source(data: PreparedTable, name: str) -> str:
    plan, found = data.plan, data.cells.columns[name]
    towers = {tower.columns[0]: tower.name for tower in plan.blueprint.towers if tower.name in data.frozen}
    encoder = towers.get(name)
    if not isinstance(found, Streamed) and encoder is None:
        return hash_encoded(found)
    column = found.column if isinstance(found, Streamed) else plan.table.take(plan.used).column(name)
    cells = hash_cells(column, plan.config.prepare.identify)
    return f"{cells} {data.frozen[encoder].identity()}" if encoder else cells
