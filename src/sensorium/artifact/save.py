"""A bundle → files, all or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from sensorium import __version__
from sensorium.artifact.format import ARRAYS, MANIFEST, MODEL, OTHERS, WEIGHTS, make_manifest, to_json
from sensorium.bundle import Bundle
from sensorium.config import split_saved
from sensorium.errors import ArtifactError
from sensorium.model import FusionModel


def save_bundle(bundle: Bundle, path: Path) -> None:
    """Write a folder, or one file where the path ends in `.zip`.

    What was there before is replaced only once all is written.

    Raises:
        ArtifactError: the disk is full, the place can't be written to, or holds something that is no model.
    """
    check_place(path)
    files = _contents(bundle)
    files[MANIFEST] = make_manifest(files, __version__)
    try:
        (_write_zip if path.suffix == ".zip" else _write_folder)(files, path)
    except OSError as error:
        raise ArtifactError(f"the model can't be written: {error.strerror or error}", place=str(path)) from None


def check_place(path: Path) -> None:
    """Make the folder that a model is to be saved in, so that what is wrong with it is told before the work.

    Raises:
        ArtifactError: the folder can't be made, or what is at the path is no model.
    """
    _refuse_to_replace(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(f"the folder can't be made: {error.strerror}", place=str(path.parent)) from None


def write_file(path: Path, content: bytes) -> None:
    """Write one file beside models, whole or not at all.

    Raises:
        ArtifactError: the disk is full, the place can't be written to.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_bytes(content)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise ArtifactError(f"{path.name} can't be written: {error.strerror}", place=str(path.parent)) from None


def _contents(bundle: Bundle) -> dict[str, bytes]:
    from safetensors import numpy as safe_numpy
    from safetensors import torch as safe_torch

    arrays: dict[str, npt.NDArray[Any]] = {}
    columns = []
    for column, modality in bundle.learnt.items():
        state, fields = modality.state()
        columns.append({"name": column, "modality": bundle.kinds[column], "state": state})
        arrays |= {f"columns/{column}/{name}": np.ascontiguousarray(value) for name, value in fields.items()}
    task, fields = bundle.task.state()
    arrays |= {f"task/{name}": np.ascontiguousarray(value) for name, value in fields.items()}
    config, given = split_saved(bundle.config.model_dump(mode="json"))
    model = {
        "target": bundle.target,
        "columns": columns,
        "views": dict(bundle.views),
        "task": {"name": bundle.task_name, "state": task, "prior": bundle.prior},
        "network": bundle.blueprint.to_json(),
        "temperature": bundle.temperature,
        "others": [
            {"network": member.blueprint.to_json(), "temperature": member.temperature} for member in bundle.others
        ],
        "config": config,
        "caller_settings": sorted({*given, *bundle.unset}),
        "card": bundle.card,
        "int8": list(bundle.int8),
    }
    weights = _weights(bundle.network)
    for place, member in enumerate(bundle.others):
        weights |= {f"{OTHERS}/{place}/{name}": value for name, value in _weights(member.network).items()}
    return {MODEL: to_json(model), ARRAYS: safe_numpy.save(arrays), WEIGHTS: safe_torch.save(weights)}


def _weights(network: FusionModel) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}


def _refuse_to_replace(path: Path) -> None:
    foreign = path.is_dir() and any(path.iterdir()) and not (path / MANIFEST).exists()
    if foreign or (path.is_file() and not zipfile.is_zipfile(path)):
        raise ArtifactError(
            "something that is no model is already there", place=str(path), cure="choose another path, or move it away"
        )


def _write_folder(files: Mapping[str, bytes], path: Path) -> None:
    new = Path(tempfile.mkdtemp(prefix=f".{path.name}.new-", dir=path.parent))
    try:
        new.chmod(0o755)
        for name, content in files.items():  # the manifest is the last of them
            _write_through(new / name, content)
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}.old-", dir=path.parent))
            path.rename(old / path.name)
            new.rename(path)
            shutil.rmtree(old)
        else:
            new.rename(path)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _write_zip(files: Mapping[str, bytes], path: Path) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for member, content in files.items():
                archive.writestr(zipfile.ZipInfo(member), content)  # ZipInfo's fixed date: same model, same bytes
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
