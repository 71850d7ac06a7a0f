"""Save a fitted model to files, atomically."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from sensorium import __version__
from sensorium.artifact.format import ARRAYS, CONFORMAL, MEMBERS, MODEL, WEIGHTS, is_whole, make_manifest, to_json
from sensorium.config import split_saved
from sensorium.errors import ArtifactError
from sensorium.files import MANIFEST, check_outside_models, is_model, one_writer, replaced_file, replaced_folder, sweep
from sensorium.model import EstimatorMember, FittedModel, Member, NetworkMember, unshared

ZIP = ".zip"


def save_fitted(fitted: FittedModel, path: Path) -> None:
    """Write a folder, or a zip file if the path ends in `.zip`.

    An existing model is replaced once the new one is complete; if several processes save here, the last one wins.

    Raises:
        ArtifactError: the disk is full, the path cannot be written to, or it contains something that is not a model.
        BusyError: another process has been saving here for a minute.
    """
    check_place(path)
    files = _contents(fitted)
    files[MANIFEST] = make_manifest(files, __version__)
    with one_writer(path):
        try:
            (_write_zip if path.suffix == ZIP else _write_folder)(files, path)
        except OSError as error:
            raise ArtifactError(f"the model cannot be written: {error.strerror or error}", place=str(path)) from None


def check_place(path: Path) -> None:
    """Create the folder for a model, so that an invalid path fails before training.

    Raises:
        ArtifactError: the folder cannot be created, or the path holds something that is not a model.
        ConfigError: the path is inside the folder of another model.
    """
    check_outside_models(path)
    _refuse_to_replace(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(f"the folder cannot be created: {error.strerror}", place=str(path.parent)) from None


def sweep_model(path: Path) -> None:
    """Clean up after a process that was killed while saving; a complete model gets its final name."""
    with one_writer(path):
        sweep(path, is_whole)


def write_file(path: Path, content: bytes) -> None:
    """Write a file beside models, atomically.

    Raises:
        ArtifactError: the disk is full, or the path cannot be written to.
    """
    try:
        with replaced_file(path) as new:
            new.write_bytes(content)
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be written: {error.strerror}", place=str(path.parent)) from None


def _contents(fitted: FittedModel) -> dict[str, bytes]:
    from safetensors import numpy as safe_numpy
    from safetensors import torch as safe_torch

    arrays: dict[str, npt.NDArray[Any]] = {}
    columns = []
    for column, modality in fitted.learnt.items():
        state, fields = modality.state()
        columns.append({"name": column, "modality": fitted.kinds[column], "state": state})
        arrays |= {f"columns/{column}/{name}": np.ascontiguousarray(value) for name, value in fields.items()}
    task, fields = fitted.task.state()
    arrays |= {f"task/{name}": np.ascontiguousarray(value) for name, value in fields.items()}
    config, given = split_saved(fitted.config.model_dump(mode="json"))
    weights: dict[str, Tensor] = {}
    for number, member in enumerate(fitted.members):
        weights |= _weights(member, number)
        arrays |= _arrays(member, number)
    conformal = []
    for number, (target, found) in enumerate(fitted.conformal.items()):
        state, fields = found.state()
        conformal.append({"target": target, "state": state})
        arrays |= {f"{CONFORMAL}/{number}/{name}": value for name, value in fields.items()}
    members = zip(fitted.members, fitted.member_weights, strict=True)
    model = {
        "target": fitted.target,
        "columns": columns,
        "views": dict(fitted.views),
        "task": {"name": fitted.task_name, "state": task, "prior": fitted.prior},
        "members": [_member(member, weight) for member, weight in members],
        "pooling": fitted.pooling,
        "temperature": fitted.blend_temperature,
        "prior_share": fitted.prior_share,
        "config": config,
        "caller_settings": sorted({*given, *fitted.unset}),
        "card": fitted.card.to_json(),
        "data": fitted.data.to_json(),
        "seen": [seen.to_json() for seen in fitted.seen],
        "conformal": conformal,
    }
    return {MODEL: to_json(model), ARRAYS: safe_numpy.save(arrays), WEIGHTS: safe_torch.save(unshared(weights))}


def _member(member: Member, weight: float) -> dict[str, Any]:
    """Return the JSON values of a member.

    Raises:
        ArtifactError: it is neither a network nor an estimator.
    """
    found = {"kind": member.kind, "name": member.name, "weight": weight, "temperature": member.temperature}
    if isinstance(member, NetworkMember):
        return {**found, "network": member.blueprint.to_json(), "int8": list(member.int8)}
    if isinstance(member, EstimatorMember):
        towers = {name: list(columns) for name, columns in member.towers.items()}
        return {**found, "towers": towers, "state": member.estimator.state()[0]}
    raise ArtifactError(f"a member of type {type(member).__name__} cannot be saved", rule="networks and estimators")


def _weights(member: Member, number: int) -> dict[str, Tensor]:
    """Return the weights of a network; other members have none."""
    own = member.weights() if isinstance(member, NetworkMember) else {}
    return {f"{MEMBERS}/{number}/{name}": value.detach().cpu().contiguous() for name, value in own.items()}


def _arrays(member: Member, number: int) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an estimator; other members have none."""
    own = member.estimator.state()[1] if isinstance(member, EstimatorMember) else {}
    return {f"{MEMBERS}/{number}/{name}": np.ascontiguousarray(value) for name, value in own.items()}


def _refuse_to_replace(path: Path) -> None:
    """Reject a path that holds anything but a model or an empty folder."""
    cure, zipped = "choose another path, or move it away", path.suffix == ZIP
    if path.is_dir() and zipped:
        raise ArtifactError("a folder is already there", place=str(path), rule=f"{ZIP} names a file", cure=cure)
    empty = path.is_dir() and not any(path.iterdir())
    if (path.is_dir() or path.is_file()) and not empty and not is_model(path):
        raise ArtifactError("something that is not a model is already there", place=str(path), cure=cure)


def _write_folder(files: Mapping[str, bytes], path: Path) -> None:
    with replaced_folder(path, is_whole) as new:
        for name, content in files.items():  # the manifest is the last of them
            (new / name).write_bytes(content)


def _write_zip(files: Mapping[str, bytes], path: Path) -> None:
    with replaced_file(path) as new, zipfile.ZipFile(new, "w", zipfile.ZIP_STORED) as archive:
        for member, content in files.items():
            archive.writestr(zipfile.ZipInfo(member), content)  # ZipInfo's fixed date: same model, same bytes
