"""Load a fitted model from files; damaged and modified files are rejected."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sensorium.artifact._content import SavedColumn, SavedMember, SavedModel, parse
from sensorium.artifact._migrate import upgrade
from sensorium.artifact._rehearse import rehearse
from sensorium.artifact._renamed import with_current_names
from sensorium.artifact._weights import build_checked, check_finite, load_weights
from sensorium.artifact.format import (
    ARRAYS,
    FILES,
    LARGEST_JSON,
    MODEL,
    OTHERS,
    WEIGHTS,
    check_file,
    check_manifest,
    from_json,
    guess_views,
    is_whole,
)
from sensorium.config import Config, caller_only, given_names, split_saved, with_given
from sensorium.errors import ArtifactError, ConfigError, SensoriumError
from sensorium.files import MANIFEST, UNREADABLE_ZIP, standing
from sensorium.files.pretrained_sources import closed
from sensorium.modalities import Modality
from sensorium.model import (
    NO_MODULES,
    OWN_FUSION,
    Blueprint,
    FittedModel,
    FusionModel,
    NetworkMember,
    OwnModules,
    build_network,
    expect_int8,
    pick_device,
)
from sensorium.registry import modalities, tasks
from sensorium.split import SeenRows
from sensorium.tasks import Task
from sensorium.tasks.several import Several

SHOWN = 3  # models in a message


def load_fitted(
    path: Path,
    device: str = "auto",
    modules: OwnModules = NO_MODULES,
    given: Mapping[str, Any] | None = None,
) -> FittedModel:
    """Read a model folder, a run folder with a `model` in it, or a zip.

    Args:
        path: where it is.
        device: device of the network.
        modules: the user's own modules, for parts that were fitted with such modules.
        given: settings that are not saved with a model: what may be read, downloaded and run (see `caller_only`).

    Raises:
        ConfigError: a given setting is not one of these.
        ArtifactError: the model is missing, incomplete, modified or of another format, or contains other files.
    """
    place, version, files = _read_steadily(path)
    model = upgrade(from_json(files[MODEL], f"{place}/{MODEL}"), version)
    try:
        with closed():
            fitted = _build(model, files, Target(str(place), device, modules))
    except ConfigError as error:
        if error.place == "device" or _has_own_modules(model):
            raise
        raise _incompatible(error, place) from None
    except SensoriumError:
        raise
    # The files are those that were saved, yet don't fit this code: say so instead of showing its insides.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:300]
        raise _incompatible(reason, place) from error
    fitted.config = with_given(fitted.config, given or {})
    fitted.unset = [name for name in fitted.unset if name not in given_names(given or {})]
    return fitted


def check_saved(path: Path) -> None:
    """Check that the files of a model are those that were saved, without building the model.

    Raises:
        ArtifactError: missing, incomplete, truncated, altered, of another format, or with other files in it.
    """
    _read_steadily(path)


def _incompatible(reason: object, place: object) -> ArtifactError:
    return ArtifactError(f"the model is not compatible with this version of Sensorium: {reason}", place=str(place))


def _has_own_modules(model: Mapping[str, Any]) -> bool:
    network = model["network"]
    own_fusion = str(network["fusion"]).startswith(OWN_FUSION)
    return own_fusion or any(tower["encoder"] == "module" for tower in network["towers"])


@dataclass(frozen=True)
class Target:
    """Location and device of a model that is loaded.

    Attributes:
        place: location of the model, for messages.
        device: its name.
        modules: the user's own modules.
    """

    place: str
    device: str
    modules: OwnModules


def _place(path: Path) -> Path:
    """Return the path of the model, also if a process was killed while it renamed the model."""
    path = standing(path, is_whole)
    if not path.exists():
        raise ArtifactError("the model does not exist", place=str(path))
    model = standing(path / "model", is_whole)
    return model if path.is_dir() and not is_whole(path) and is_whole(model) else path


def _read_steadily(path: Path) -> tuple[Path, int, dict[str, bytes]]:
    """Return location, format version and files of a model, all read from the same state of the folder."""
    while True:
        place = _place(path)
        before = _identity(place)
        try:
            return place, *_read(place)
        except (ArtifactError, OSError):
            if _identity(_place(path)) == before:
                raise


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _read(path: Path) -> tuple[int, dict[str, bytes]]:
    """Return the format version and the files that the manifest lists; check each of them."""
    names, read = _folder(path) if path.is_dir() else _archive(path)
    if MANIFEST not in names:
        raise _no_manifest(path)
    if path.is_dir():
        _check_plain(path)
    manifest = from_json(read(MANIFEST, LARGEST_JSON), f"{path}/{MANIFEST}")
    entries = check_manifest(manifest, str(path))
    others = sorted(set(names) - {MANIFEST, *FILES})
    if others or len(names) != len(set(names)):
        raise ArtifactError(
            f"it contains files that do not belong to a model: {', '.join(others) or 'one name occurs twice'}",
            place=str(path),
            rule=", ".join((MANIFEST, *FILES)),
        )
    missing = sorted(set(FILES) - set(names))
    if missing:
        raise ArtifactError(f"files of the model are missing: {', '.join(missing)}", place=str(path))
    files = {}
    for name in FILES:
        files[name] = read(name, entries[name].bytes)
        check_file(name, files[name], entries[name], str(path))
    return manifest["version"], files


def _no_manifest(path: Path) -> ArtifactError:
    """Return the error for a path that is not a model; it names the models in the folder, if any."""
    models = _models_in(path) if path.is_dir() else []
    return ArtifactError(
        "there is no manifest: this is not a Sensorium model, or it was not saved completely",
        place=str(path),
        cure=f"load a model in this folder: {', '.join(models[:SHOWN])}" if models else "",
    )


def _models_in(folder: Path) -> list[str]:
    try:
        return [str(entry) for entry in sorted(folder.iterdir()) if is_whole(entry) or is_whole(entry / "model")]
    except OSError:  # a folder of another user
        return []


def _check_plain(path: Path) -> None:
    for entry in path.iterdir():
        if entry.is_symlink() or not entry.is_file():
            raise ArtifactError(f"{entry.name!r} is a link or a folder", place=str(path), rule="plain files only")


def _folder(path: Path) -> tuple[list[str], Any]:
    def read(name: str, limit: int) -> bytes:
        with (path / name).open("rb") as stream:
            return stream.read(limit + 1)

    return [entry.name for entry in path.iterdir()], read


def _archive(path: Path) -> tuple[list[str], Any]:
    try:
        archive = zipfile.ZipFile(path)
        names = archive.namelist()
    except UNREADABLE_ZIP as error:
        finding = f"this is neither a model folder nor a readable zip file: {error}"
        raise ArtifactError(finding, place=str(path)) from None
    packed = [info.filename for info in archive.infolist() if info.compress_type != zipfile.ZIP_STORED]
    if packed:
        rule = "the files of a model are stored in the zip without compression"
        raise ArtifactError(f"{', '.join(packed)} is compressed", place=str(path), rule=rule)

    def read(name: str, limit: int) -> bytes:
        try:
            with archive.open(name) as stream:
                return stream.read(limit + 1)
        except UNREADABLE_ZIP as error:
            raise ArtifactError(f"{name} cannot be read: {error}", place=str(path)) from None

    return names, read


def _build(content: dict[str, Any], files: Mapping[str, bytes], target: Target) -> FittedModel:
    from safetensors import numpy as safe_numpy
    from safetensors import torch as safe_torch

    model = with_current_names(parse(SavedModel, content, f"{target.place}/{MODEL}"))
    arrays, weights = safe_numpy.load(files[ARRAYS]), safe_torch.load(files[WEIGHTS])
    check_finite(weights, target.place)
    fields = _by_owner(arrays)
    learnt = {column.name: _restore(column, fields.get(f"columns/{column.name}", {})) for column in model.columns}
    task = tasks.load(model.task.name).restore(model.task.state, fields.get("task", {}))
    _check_prior(model, task, target.place)
    _check_owners(arrays, weights, model, target.place)
    owned = _by_owner(weights)
    _check_temperatures(model, task, target.place)
    place = _int8_device(target.device) if model.int8 else pick_device(target.device)

    def member(plan: SavedMember | SavedModel, owner: str, names: Sequence[str] = ()) -> NetworkMember:
        blueprint = Blueprint.from_json(plan.network.model_dump())
        columns = {name: learnt[name] for tower in blueprint.towers for name in tower.columns}
        own = owned.get(owner, {})

        def build() -> FusionModel:
            network = build_network(blueprint, columns, task, target.modules.copied())
            expect_int8(network, names)
            return network

        network = build_checked(build, own, target.place)
        load_weights(network, own, target.place)
        rehearse(network.eval(), columns, target.place)
        return NetworkMember(blueprint, network.to(place), plan.temperature)

    first = member(model, "", model.int8)
    config, given = split_saved(model.config)
    kinds = {column.name: column.modality for column in model.columns}
    return FittedModel(
        config=parse(Config, config, f"{target.place}/{MODEL}, config"),
        target=model.target,
        kinds=kinds,
        learnt=learnt,
        task_name=model.task.name,
        task=task,
        prior=model.task.prior,
        blueprint=first.blueprint,
        network=first.network,
        card=model.card,
        data=model.data,
        int8=model.int8,
        temperature=first.temperature,
        others=[member(plan, f"{OTHERS}/{place}") for place, plan in enumerate(model.others)],
        views=guess_views(kinds) if model.views is None else model.views,
        seen=[SeenRows.of_json(fit.rows, fit.chance, fit.hashes) for fit in model.seen],
        unset=[name for name in caller_only() if name in (*given, *model.caller_settings)],
    )


def _restore(column: SavedColumn, arrays: Mapping[str, Any]) -> Modality:
    """Restore the fitted modality of a column."""
    found: Modality = modalities.load(column.modality).restore(column.state, arrays)
    return found


def _check_prior(model: SavedModel, task: Task, place: str) -> None:
    if len(model.task.prior) != max(1, len(task.labels)):
        raise ArtifactError(f"{len(model.task.prior)} prior scores for {len(task.labels)} labels", place=place)
    for score, is_share in zip(model.task.prior, _are_shares(task), strict=True):
        if is_share and not 0 <= score <= 1:
            raise ArtifactError(f"a prior score of {score:g}", place=place, rule="a prior score is from 0 to 1")


def _check_temperatures(model: SavedModel, task: Task, place: str) -> None:
    owners: list[SavedModel | SavedMember] = [model, *model.others]
    for owner in owners:
        if isinstance(owner.temperature, list) and len(owner.temperature) != len(task.targets):
            finding = f"the number of temperatures is {len(owner.temperature)}"
            rule = f"one for each of {len(task.targets)} targets" if task.targets else "one number for a single target"
            raise ArtifactError(finding, place=place, rule=rule)


def _are_shares(task: Task) -> list[bool]:
    """Return whether each prior score is the share of a label, not a value."""
    parts = list(task.parts.values()) if isinstance(task, Several) else [task]
    return [bool(part.labels) for part in parts for _ in part.labels or [""]]


def _check_owners(arrays: Mapping[str, Any], weights: Mapping[str, Any], model: SavedModel, place: str) -> None:
    """Raise ArtifactError if an array or weight belongs to no part of the model."""
    owners = {"task", *(f"columns/{column.name}" for column in model.columns)}
    members = {"", *(f"{OTHERS}/{place}" for place in range(len(model.others)))}
    odd = [
        name for names, known in ((arrays, owners), (weights, members)) for name in names if _owner(name) not in known
    ]
    if odd:
        raise ArtifactError(
            f"the array {odd[0]!r} belongs to no part of the model", place=place, cure="fit the model again"
        )


def _int8_device(name: str) -> torch.device:
    """Return the device; quantized weights run on CPUs only, so `auto` is the CPU."""
    device = pick_device("cpu" if name == "auto" else name)
    if device.type != "cpu":
        raise ConfigError(f"a quantized (int8) model cannot run on device {name!r}", place="device", cure="auto or cpu")
    return device


def _by_owner(arrays: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return owner → name of a field → array."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in arrays.items():
        found.setdefault(_owner(key), {})[key.rpartition("/")[2]] = value
    return found


def _owner(name: str) -> str:
    return name.rpartition("/")[0]
