"""Hash prepared tables and settings, to recognise runs and trials that are the same."""

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
from sensorium.files.hashes import hash_bytes, hash_json
from sensorium.files.identity import COLUMN, CONTENT, HASH, ORDER, READING, flatten
from sensorium.files.state import HasState
from sensorium.model import OWN_FUSION, Blueprint
from sensorium.planning import Plan, PreparedTable
from sensorium.prepare import hash_arrays, hash_cells, hash_encoded, names_files
from sensorium.prepare.streamed import Streamed
from sensorium.train import IGNORED_ON_RESUME


def plan_identity(plan: Plan, **asked: Any) -> dict[str, Any]:
    """Return the identity of a run, known before any file is decoded: dotted name → value.

    The user's own modules cannot be compared, so a run with such modules equals no other run.

    Args:
        plan: the plan of the run.
        **asked: arguments beside the settings, as JSON values.
    """
    hashes = {"table": plan.fingerprint, **_order(plan.blueprint)}
    hashes |= {f"{COLUMN}{name!r}": digest for name, digest in _hash_cells(plan).items()}
    hashes |= {f"{READING}{name!r}": digest for name, digest in _hash_readings(plan).items()}
    hashes |= {f"set of files in column {name!r}": digest for name, digest in _hash_files(plan).items()}
    hashes |= {"model that is continued": plan.start.digest()} if plan.start is not None else {}
    hashes |= {"teacher": plan.teacher.digest()} if plan.teacher is not None else {}
    own = plan.modules.encoders or plan.blueprint.fusion.startswith(OWN_FUSION)
    hashes |= {"module of your own": uuid.uuid4().hex} if own else {}
    # Permissions and secrets of the caller are written nowhere.
    settings, _ = split_saved(plan.config.model_dump(mode="json", exclude={"device"}))
    return flatten({**settings, **asked, "version": _versions(), HASH: hashes}, IGNORED_ON_RESUME)


def fingerprint(data: PreparedTable) -> str:
    """Hash a prepared table and its settings: trials with the same hash and spec give the same model.

    The hash covers the table, the prepared arrays, the fitted modalities, labels, split, network, settings, device,
    threads and versions, but not the random seed, which is part of a spec.
    """
    plan = data.plan
    settings = plan.config.model_dump(mode="json", exclude={"prepare", "seed"})
    named = sorted(plan.config.model_fields_set | plan.config.train.model_fields_set)
    arrays = (plan.target, plan.split.codes[plan.used], data.teacher_scores)
    parts = [settings, named, plan.blueprint.to_json(), str(plan.device), plan.threads.to_json(), hash_state(plan.task)]
    parts.append(identity(data, data.cells.columns, arrays))
    return hash_json(parts)


def identity(data: PreparedTable, names: Iterable[str], arrays: Iterable[Any]) -> dict[str, Any]:
    """Return versions and hashes that must be equal to resume a run.

    Args:
        data: the table.
        names: columns that the model reads.
        arrays: rows, labels and teacher scores of training.
    """
    rows = hashlib.sha256()
    for part in arrays:
        rows.update(b"" if part is None else np.ascontiguousarray(part).tobytes())
    hashes = {"set of training rows and labels": rows.hexdigest(), **_order(data.plan.blueprint)}
    hashes |= {f"{CONTENT}{name!r}": digest for name, digest in hash_columns(data, names).items()}
    if data.plan.start is not None:
        hashes["model that is continued"] = data.plan.start.digest()
    return {"version": _versions(), HASH: hashes}


def _order(blueprint: Blueprint) -> dict[str, str]:
    """Hash the order of the columns, on which the weights depend, but no prediction of finished ones."""
    towers = [[tower.name, *tower.columns] for tower in blueprint.towers]
    return {ORDER.partition(".")[2]: hash_json(towers)}


def _hash_cells(plan: Plan) -> dict[str, str]:
    """Hash the cells of each column that the run reads: column → hash."""
    table, split = plan.table, plan.config.split
    names = [*plan.learnt, plan.config.target, plan.split_column, split.group, split.time, *(split.span or ())]
    columns = [table.column(name) for name in dict.fromkeys(names) if name is not None and name in table]
    owners = {table.views[column.name] if column.is_view else column.name for column in columns}
    return {name: table.hash_column(name) for name in sorted(owners)}


def _hash_readings(plan: Plan) -> dict[str, str]:
    """Hash what was learned of each column: other columns may teach something of it, such as the decimal sign."""
    learned: dict[str, HasState] = {str(plan.config.target): plan.task, **plan.learnt}
    return {name: hash_state(state, plan.kinds.get(name, "")) for name, state in learned.items()}


def _versions() -> dict[str, str]:
    return {"sensorium": __version__, "torch": torch.__version__}


def _hash_files(plan: Plan) -> dict[str, str]:
    """Hash the files that each column's cells name, as `prepare.identify` specifies: column → hash.

    A remote file is identified by its address, and is not fetched.
    """
    columns = {name: plan.table.column(name) for name in plan.learnt if name in plan.table}
    on_disk = {name: column for name, column in columns.items() if not column.files.are_remote}
    by = plan.config.prepare.identify
    return {
        name: hash_cells(plan.learnt[name], column, by)
        for name, column in on_disk.items()
        if plan.learnt[name].cacheable or names_files(column)
    }


def hash_columns(data: PreparedTable, names: Iterable[str]) -> dict[str, str]:
    """Hash the prepared arrays and the fitted modality of each column: column → hash.

    Streamed columns have no arrays, and features of frozen encoders may differ in the last bit between machines. For
    these, the cells and files are hashed as `prepare.identify` specifies, together with the encoder.
    """
    towers = {tower.columns[0]: tower.name for tower in data.plan.blueprint.towers if tower.name in data.frozen}
    return {name: hash_state(data.plan.learnt[name], _source(data, name, towers.get(name))) for name in names}


def hash_state(learned: HasState, more: str = "") -> str:
    """Hash a fitted state."""
    values, arrays = learned.state()
    text = json.dumps([more, values, sorted(arrays)], sort_keys=True, default=str)
    found = hash_arrays(arrays[name] for name in sorted(arrays))
    return hash_bytes(f"{text} {found}".encode())


def _source(data: PreparedTable, name: str, encoder: str | None) -> str:
    plan, found = data.plan, data.cells.columns[name]
    if not isinstance(found, Streamed) and encoder is None:
        return hash_encoded(found)
    column = found.column if isinstance(found, Streamed) else plan.table.take(plan.used).column(name)
    cells = hash_cells(plan.learnt[name], column, plan.config.prepare.identify)
    return f"{cells} {data.frozen[encoder].identity()}" if encoder else cells
