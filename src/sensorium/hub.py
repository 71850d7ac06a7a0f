"""Pretrained models: a local folder, or a name on the Hugging Face hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sensorium.errors import ConfigError, MissingExtraError

CONFIG = "config.json"
WANTED = ("*.json", "*.safetensors", "*.txt", "*.model")  # no pickles, no code
INSTALL = "pip install 'sensorium[pretrained]'"


def find_model(name: str) -> Path:
    """The folder of a model: the one that is named, or the hub's, fetched if it is not there yet.

    Raises:
        ConfigError: there is none, or it can't be fetched.
        MissingExtraError: `huggingface_hub` is not installed.
    """
    folder = Path(name).expanduser()
    if (folder / CONFIG).is_file():
        return folder
    if not name or folder.exists() or name.startswith((".", "/", "~")) or name.count("/") != 1:
        found = "names no model" if not name else f"{name!r} holds no {CONFIG}" if folder.exists() else "is not there"
        raise ConfigError(
            f"the pretrained model {found}",
            place=f"model: {name}",
            rule="a folder with config.json and *.safetensors, or owner/name on the Hugging Face hub",
        )
    return _fetch(name)


def _fetch(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise missing_extra() from None
    try:
        return Path(snapshot_download(name, allow_patterns=list(WANTED)))
    # Network, authorisation, disk: the library raises from a dozen families, each says what happened.
    except Exception as error:  # noqa: BLE001
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"the model can't be fetched: {reason or type(error).__name__}",
            place=f"model: {name}",
            cure="check the name and the network, or fetch it elsewhere and name its folder",
        ) from None


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """One of a model's settings files; empty where there is none.

    Raises:
        ConfigError: it is damaged.
    """
    path = folder / name
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name} can't be read: {error}", place=str(folder)) from None
    return found if isinstance(found, dict) else {}


def missing_extra() -> MissingExtraError:
    """For a caller that needs `transformers` or `huggingface_hub`."""
    return MissingExtraError("pretrained models need transformers", cure=INSTALL)
