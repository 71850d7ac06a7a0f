"""Mutated files are read, or refused with an error of our own that names the file: no crash, no hang, no foreign error.

A case is a table file, or a table that names files (pictures, sounds, videos, scans, arrays, documents), of which bytes
were flipped, cut, joined or changed in length, or values swapped, inside of archives, too. It is read and inspected,
and all its cells are decoded, in a process of its own that may use 10 s and 2 GB, may write nowhere but in its folder,
and may neither reach the network nor start a program.
"""

from __future__ import annotations

import json
import random
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acceptance._made_files import make_media, make_tables
from acceptance._mutations import mutate, mutate_inside, mutate_json
from acceptance._watched import Watched

if TYPE_CHECKING:
    from sensorium.inspection import Inspection

CASES = 40_000
FILES = 4  # rows of a table that names files
MODALITIES = {
    "png": "image", "deep.png": "image", "jpg": "image", "gif": "image", "tif": "image", "webp": "image",
    "wav": "audio", "flac": "audio", "mp3": "audio", "ogg": "audio", "mp4": "video", "dcm": "scan", "nii": "scan",
    "nii.gz": "scan", "npy": "series", "csv": "series", "pdf": "document",
}  # fmt: skip


def check(case: int) -> str | None:
    """Run the case where it may crash."""
    return _process().check(case)


@cache
def _process() -> Watched:
    return Watched(__name__)


def prepare(folder: Path) -> Callable[[int], str | None]:
    """Make the files that are mutated, once; the function tells what is wrong with a case."""
    tables, media, place = make_tables(folder), make_media(folder), folder / "case"
    for kind in media:  # what is loaded when a kind is first read is no part of a case
        make(place, random.Random(0), {}, {kind: media[kind]})
        judge(place, {"modalities": {"file": MODALITIES[kind]}}, None)
    for case in range(len(tables)):
        make(place, random.Random(case), {list(tables)[case]: tables[list(tables)[case]]}, {})
        judge(place, {}, "label")

    def attempt(case: int) -> str | None:
        draw = random.Random(case)
        kind = make(place, draw, tables, media)
        known = kind in media and draw.random() < 0.7
        settings = {"modalities": {"file": MODALITIES[kind]}} if known else {}
        target = "label" if kind in tables and draw.random() < 0.7 else None
        return judge(place, settings, target)

    return attempt


def make(place: Path, draw: random.Random, tables: Mapping[str, bytes], media: Mapping[str, bytes]) -> str:
    """Write the table of a case, and the files that it names; returns the kind that is mutated."""
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    if draw.random() < 0.6 if tables and media else tables:
        kind = draw.choice(list(tables))
        name = f"t{kind}" if draw.random() < 0.97 else f"t{draw.choice(list(tables))}"
        Path(place, name).write_bytes(_mutated(kind, tables, draw))
        return kind
    kind = draw.choice(list(media))
    rows = ["file,label"]
    for row in range(FILES):
        Path(place, f"{row}.{kind}").write_bytes(_mutated(kind, media, draw) if row < FILES - 1 else media[kind])
        rows.append(f"{row}.{kind},{'uv'[row % 2]}")
    Path(place, "t.csv").write_text("\n".join(rows))
    return kind


def _mutated(kind: str, files: Mapping[str, bytes], draw: random.Random) -> bytes:
    content, others = files[kind], [*files.values()]
    if kind == ".jsonl" and draw.random() < 0.7:
        return mutate_json(content, draw)
    return (mutate_inside if draw.random() < 0.4 else mutate)(content, draw, others)


def judge(place: Path, settings: Mapping[str, Any], target: str | None) -> str | None:
    """Inspect the table in a folder: what is wrong with what comes of it."""
    import sensorium
    from sensorium.errors import TableError

    path = next(place.glob("t.*"))
    before = sorted(place.iterdir())
    try:
        found = sensorium.inspect(path, target, config=settings, every=True)
        json.dumps(found.to_json(), allow_nan=False)
    except sensorium.SensoriumError as error:
        named = path.name in str(error) or not isinstance(error, TableError)  # others name a column
        return None if named else f"{path.name} {settings}: no file is named: {error}"
    except BaseException as error:  # noqa: BLE001 - any other error is what the proof looks for
        frames = traceback.extract_tb(error.__traceback__)
        where = " < ".join(f"{Path(frame.filename).stem}:{frame.lineno}" for frame in frames[:-6:-1])
        return f"{path.name} {settings}: {type(error).__name__}: {str(error)[:200]!r} in {where}"
    if sorted(place.iterdir()) != before:
        return f"{path.name}: files were written beside the table"
    return _unsaid(found)


def _unsaid(found: Inspection) -> str | None:
    """A column of which cells are missing without a word; blank cells, and of dates those of signs alone, are gaps."""
    for column in found.columns:
        said = (
            column.unreadable or column.modality in ("date", "text") or "missing" in f"{column.reason} {column.caution}"
        )
        if column.undecodable and not said:
            return f"{column.name}: {column.undecodable} cells are undecodable, and nothing is told of them"
    return None
