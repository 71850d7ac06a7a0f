"""Read the files of a saved model from a folder or a zip file, and check them against the manifest."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from sensorium.artifact.format import (
    FILES,
    LARGEST_JSON,
    check_file,
    check_manifest,
    from_json,
    is_whole,
)
from sensorium.errors import ArtifactError
from sensorium.files import MANIFEST, UNREADABLE_ZIP, standing

SHOWN = 3  # models in a message


def read_model(path: Path) -> tuple[Path, int, dict[str, bytes]]:
    """Return location, format version and files of a model, all read from the same state of the folder."""
    while True:
        place = _place(path)
        before = _identity(place)
        try:
            return place, *_read(place)
        except (ArtifactError, OSError):
            if _identity(_place(path)) == before:
                raise


def _place(path: Path) -> Path:
    """Return the path of the model, also if a process was killed while it renamed the model."""
    path = standing(path, is_whole)
    if not path.exists():
        raise ArtifactError("the model does not exist", place=str(path))
    model = standing(path / "model", is_whole)
    return model if path.is_dir() and not is_whole(path) and is_whole(model) else path


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
