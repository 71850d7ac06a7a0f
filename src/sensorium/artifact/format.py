"""File format of a model: a folder, or a zip of the same files.

manifest.json         format, version, every other file with its size and SHA-256; written last
model.json            columns, modalities, task, members, settings, data specification, model card
arrays.safetensors    arrays that were learned: `columns/NAME/field`, `task/field`, `members/NUMBER/field` of
                      estimators, `conformal/NUMBER/field` of targets
weights.safetensors   weights of networks: `members/NUMBER/parameter`

Version 1 has no temperature and no ensemble, version 2 one card without types, version 3 networks with equal weights
only; `_migrate` turns them into version 4.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sensorium.artifact._content import FileEntry, parse
from sensorium.errors import ArtifactError
from sensorium.files import MANIFEST, MODEL_FORMAT
from sensorium.files.hashes import hash_bytes
from sensorium.registry import modalities

VERSION = 4
READABLE = (1, 2, 3, 4)
MODEL = "model.json"
ARRAYS = "arrays.safetensors"
WEIGHTS = "weights.safetensors"
MEMBERS = "members"
CONFORMAL = "conformal"
FILES = (MODEL, ARRAYS, WEIGHTS)
USUAL_VIEWS = (("sound", "audio"), ("pages", "pages"))  # names of views and the modalities that read them
ONLY_VIEWS = ("scan_tag",)  # modalities that read nothing but views
LATER_VIEWS = ("scan",)  # modalities that had no views yet when models were saved without a list of them
LARGEST_JSON = 256 * 2**20  # bytes
LINES = 3  # levels of a JSON file with a line per entry, for people
LONGEST_WHOLE = 21  # digits of 64 bits, and a sign


def to_json(content: Any) -> bytes:
    """Encode as UTF-8 JSON. NaN is an error; a lone surrogate, as in some paths, is escaped."""
    return _lines(content, LINES).encode(errors="backslashreplace")


def _lines(value: Any, levels: int, margin: str = "\n") -> str:
    """Write the outer levels with a line per entry; json's own indentation is slow for thousands of columns."""
    inner, less = f"{margin} ", levels - 1
    if levels and value and isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return f"{{{','.join(f'{inner}{_encode(k)}: {_lines(v, less, inner)}' for k, v in value.items())}{margin}}}"
    if levels and value and isinstance(value, list | tuple):
        return f"[{','.join(f'{inner}{_lines(v, less, inner)}' for v in value)}{margin}]"
    return _encode(value)


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def from_json(content: bytes, place: str) -> dict[str, Any]:
    """Parse a JSON object; raise ArtifactError if the bytes are not one."""
    try:
        parsed = json.loads(
            content, object_pairs_hook=_each_once, parse_constant=_no_number, parse_float=_finite, parse_int=_whole
        )
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"not readable as JSON: {error}", place=place) from None
    if not isinstance(parsed, dict):
        raise ArtifactError("the content is not a JSON object", place=place)
    return parsed


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text[:20])


def _whole(text: str) -> int:
    if len(text) > LONGEST_WHOLE:
        raise ValueError(f"an integer has {len(text)} digits")
    return int(text)


def make_manifest(files: Mapping[str, bytes], version: str) -> bytes:
    """Make the manifest of files that are about to be written."""
    entries = {name: {"bytes": len(content), "sha256": hash_bytes(content)} for name, content in files.items()}
    return to_json({"format": MODEL_FORMAT, "version": VERSION, "sensorium": version, "files": entries})


def check_manifest(manifest: Mapping[str, Any], place: str) -> dict[str, FileEntry]:
    """Check a manifest and return its file entries.

    Raises:
        ArtifactError: the format is another one, the version is newer, or the files are not those of the format.
    """
    if manifest.get("format") != MODEL_FORMAT:
        rule = f"a Sensorium model ({MODEL_FORMAT!r})"
        raise ArtifactError(f"format {manifest.get('format')!r}", place=place, rule=rule)
    version = manifest.get("version")
    if type(version) is not int or version not in READABLE:
        raise ArtifactError(
            f"format version {version!r}",
            place=place,
            rule=f"this version of Sensorium reads format versions {', '.join(map(str, READABLE))}",
            cure=f"load it with Sensorium {manifest.get('sensorium', '(unknown)')} or fit again",
        )
    entries = manifest.get("files")
    if not isinstance(entries, dict) or set(entries) != set(FILES):
        raise ArtifactError(f"the manifest does not list exactly these files: {', '.join(FILES)}", place=place)
    return {name: parse(FileEntry, entry, place) for name, entry in entries.items()}


def guess_views(kinds: Mapping[str, str]) -> dict[str, str]:
    """Guess the views of a model that was saved without a list of them, and the columns that they read.

    `clip.sound` is a view if `clip` is a video or `clip.sound` is audio. `price.1` is a separate column: a dot alone
    does not make a view.

    Args:
        kinds: column → modality.
    """
    views = {}
    for name, kind in kinds.items():
        owner, _, view = name.rpartition(".")
        known = owner in kinds and kinds[owner] not in LATER_VIEWS
        offers = known and "views" in vars(modalities.load(kinds[owner])) and not view.isdigit()
        if owner and (offers or kind in ONLY_VIEWS or (view, kind) in USUAL_VIEWS):
            views[name] = owner
    return views


COPY = "copy the model again, or fit it again"


def check_file(name: str, content: bytes, entry: FileEntry, place: str) -> None:
    """Raise ArtifactError if the content of a file is not what was saved."""
    if len(content) != entry.bytes:
        raise ArtifactError(
            f"{name} has {len(content):,} bytes, but {entry.bytes:,} were saved: it is truncated or altered",
            place=place,
            cure=COPY,
        )
    if hash_bytes(content) != entry.sha256:
        raise ArtifactError(f"{name} is not what was saved: its SHA-256 differs", place=place, cure=COPY)


def is_whole(folder: Path) -> bool:
    """Return whether the folder contains a complete model: the manifest is written last."""
    return (folder / MANIFEST).is_file()
