"""Store nested values in one safetensors file: tensors as tensors, the rest as JSON in the header; no pickle."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sensorium.errors import TrainingError
from sensorium.files import replaced_file
from sensorium.model import unshared

FORMAT = "sensorium.checkpoint"
VERSION = 3
TENSOR, STRIDES, NUMBER = "__tensor__", "__strides__", "__number__"


def write_tree(path: Path, about: Mapping[str, Any], tree: Mapping[str, Any]) -> None:
    """Write the file atomically and durably.

    Args:
        path: path of the file, which is replaced.
        about: JSON values that `read_about` reads without the tensors.
        tree: dicts, lists, tensors and JSON values.

    Raises:
        TrainingError: the disk is full, or the path is not writable.
        TypeError: the tree has values of other types.
    """
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {}
    packed = {"about": _pack(about, "about", tensors), "tree": _pack(tree, "tree", tensors)}
    header = {name: json.dumps(value, allow_nan=False) for name, value in packed.items()}
    tensors = unshared(tensors)
    header["checksums"] = json.dumps({name: _checksum(tensor) for name, tensor in tensors.items()})
    content = save(tensors, {"format": FORMAT, "version": str(VERSION), **header, "header": _header_checksum(header)})
    try:
        with replaced_file(path) as new:
            new.write_bytes(content)
    except OSError as error:
        raise TrainingError(f"cannot write the checkpoint: {error.strerror or error}", place=str(path)) from None


def read_about(path: Path) -> dict[str, Any]:
    """Read the JSON values that were written as `about`.

    Raises:
        TrainingError: the file is damaged, or is not a checkpoint.
    """
    return _unpack(_read(path, "about")[0], {})


def read_tree(path: Path) -> dict[str, Any]:
    """Read the values that were written as `tree`, with tensors on the CPU.

    Raises:
        TrainingError: the file is damaged, or is not a checkpoint.
    """
    return _unpack(*_read(path, "tree"))


def _read(path: Path, part: str) -> tuple[Any, dict[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), "pt") as found:
            header = found.metadata() or {}
            if header.get("format") != FORMAT or header.get("version") != str(VERSION):
                raise ValueError(f"format {header.get('format')!r}, version {header.get('version')!r}")
            if header["header"] != _header_checksum(header):
                raise ValueError("the header is damaged")
            tensors = {name: found.get_tensor(name) for name in found.keys() if part == "tree"}  # noqa: SIM118
        checksums = json.loads(header["checksums"])
        if damaged := [name for name, tensor in tensors.items() if _checksum(tensor) != checksums[name]]:
            raise ValueError(f"{damaged[0]} is damaged")
        return json.loads(header[part]), tensors
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        cure = "delete it and train from the beginning"
        raise TrainingError(f"cannot read the checkpoint: {error}", place=str(path), cure=cure) from None


def _checksum(tensor: Tensor) -> int:
    """Return a checksum of type, shape and bytes."""
    kind = f"{tensor.dtype} {tuple(tensor.shape)}".encode()
    # A copy: the bytes of a tensor with one element or none, whose stride is 0, cannot be viewed.
    flat = torch.empty(tensor.numel(), dtype=tensor.dtype).copy_(tensor.flatten())
    return zlib.crc32(flat.view(torch.uint8).numpy().data, zlib.crc32(kind))


def _header_checksum(header: Mapping[str, str]) -> str:
    """Return a checksum of the header."""
    return str(zlib.crc32("".join(header[name] for name in ("about", "tree", "checksums")).encode()))


def _pack(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """Convert to JSON values; tensors are collected in `tensors`, under their path."""
    if isinstance(value, Tensor):
        tensors[place] = value.detach().cpu().contiguous()
        laid_otherwise = not value.is_contiguous() and all(value.stride())
        return {TENSOR: place} | ({STRIDES: list(value.stride())} if laid_otherwise else {})
    if isinstance(value, Mapping):
        return {_key(key, place): _pack(part, f"{place}/{key}", tensors) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_pack(part, f"{place}/{number}", tensors) for number, part in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return {NUMBER: str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{place} is a {type(value).__name__}: a checkpoint holds dicts, lists, tensors and JSON values")


def _key(key: Any, place: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{place} has the key {key!r}: a checkpoint's keys are text")
    return key


def _unpack(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_unpack(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    if TENSOR in value:
        return _with_strides(tensors[value[TENSOR]], value.get(STRIDES))
    if NUMBER in value:
        return float(value[NUMBER])
    return {key: _unpack(part, tensors) for key, part in value.items()}


def _with_strides(tensor: Tensor, strides: list[int] | None) -> Tensor:
    """Restore the strides: fused optimisers need weights and their state in the same memory layout."""
    return tensor if strides is None else torch.empty_strided(tensor.shape, strides, dtype=tensor.dtype).copy_(tensor)
