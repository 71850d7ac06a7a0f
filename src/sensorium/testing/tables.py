"""Generate tables in which each modality reveals the class in a random half of the rows.

A fusion of several modalities therefore reaches a better metric than any single modality. The same arguments give the
same files.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from sensorium.table import Column, open_table
from sensorium.testing.contents import Random, draw, film, sing, stack, tag, walk, write
from sensorium.testing.files import save_audio, save_header, save_image, save_pdf, save_scan, save_series, save_video

Maker: TypeAlias = Callable[[int, Random], Any]

INFORMATIVE = 0.7  # probability that a cell tells its row's class


def make_table(
    folder: Path,
    *,
    rows: int = 120,
    classes: int = 3,
    seed: int = 0,
    modalities: Sequence[str] = ("image", "audio", "text", "number", "category", "boolean", "date"),
    missing: float = 0.0,
) -> Path:
    """Write `table.csv` and the files that it names.

    Args:
        folder: the folder; it is created if necessary.
        rows: number of rows.
        classes: 2 to 4 labels, in the column `label`: `class_0` …
        seed: random seed.
        modalities: names of modalities; each gets a column of its name.
        missing: probability that a cell is empty.

    Returns:
        The path of the table.

    Example:
        >>> from pathlib import Path
        >>> from sensorium.testing import make_table
        >>> path = make_table(Path("made"), rows=12, modalities=["image", "number"])
        >>> path.read_text().splitlines()[0]
        'image,number,label'
    """
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    table = []
    for row in range(rows):
        label = int(random.integers(classes))
        cells = {name: make_cell(name, _shown(label, classes, random), random, folder, row) for name in modalities}
        cells = {name: "" if random.random() < missing else cell for name, cell in cells.items()}
        table.append({**cells, "label": f"class_{label}"})
    path = folder / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [*modalities, "label"])
        writer.writeheader()
        writer.writerows(table)
    return path


def make_column(modality: str, folder: Path, rows: int = 24, seed: int = 0) -> Column:
    """Make a column of one modality with some missing cells.

    Example:
        >>> from pathlib import Path
        >>> from sensorium.testing import make_column
        >>> column = make_column("number", Path("made"), rows=12)
        >>> len(column), column.present.dtype
        (12, dtype('bool'))
    """
    path = make_table(folder, rows=rows, seed=seed, modalities=[modality], missing=0.2)
    return open_table(path).column(modality)


def make_cell(modality: str, label: int, random: Random, folder: Path, row: int) -> Any:
    """Make a cell that reveals the class `label`; write files below the folder."""
    if modality in FILES:
        return FILES[modality](label, random, folder, row)
    makers: dict[str, Maker] = {
        "text": write,
        "number": lambda k, r: round(float(r.normal(2.0 * k, 0.7)), 4),
        "censored": lambda k, r: ["<1", "2.5", ">4", "3.5"][k],
        "category": lambda k, r: f"level_{k if r.random() < 0.8 else r.integers(4)}",
        "boolean": lambda k, r: "yes" if (k % 2 == 0) == (r.random() < 0.9) else "no",
        "geo": lambda k, r: f"{r.normal(15.0 * k, 4):.4f}, {(r.normal(175, 8) + 180) % 360 - 180:.4f}",
        "tags": lambda k, r: json.dumps(tag(k, r)),
        "vector": lambda k, r: json.dumps(r.normal(np.eye(4)[k] * 3).round(3).tolist()),
        "date": lambda k, r: f"2025-{1 + 3 * k + r.integers(3):02d}-{1 + r.integers(28):02d}",
    }
    return makers[modality](label, random)


def _images(label: int, random: Random, folder: Path, row: int) -> str:
    return json.dumps([save_image(draw(label, random), folder, 10 * row + n) for n in range(1 + row % 3)])


def _sounds(label: int, random: Random, folder: Path, row: int) -> str:
    return json.dumps([save_audio(sing(label, random), folder, 10 * row + n) for n in range(1 + row % 3)])


# Makers of files. The sizes of the last ones reveal the class, and their numbers differ from those of other columns.
FILES: dict[str, Callable[[int, Random, Path, int], str]] = {
    "image": lambda k, r, folder, row: save_image(draw(k, r), folder, row),
    "audio": lambda k, r, folder, row: save_audio(sing(k, r), folder, row),
    "images": _images,
    "sounds": _sounds,
    "video": lambda k, r, folder, row: save_video(film(k, r), folder, row),
    "scan": lambda k, r, folder, row: save_scan(stack(k, r), folder, row),
    "document": save_pdf,
    "pages": save_pdf,
    "scan_tag": save_header,
    "series": lambda k, r, folder, row: save_series(walk(k, r), folder, row),
    "scan_size": lambda k, r, folder, row: save_scan(stack(k, r, 16 + 2 * k), folder, row + BESIDE),
    "image_size": lambda k, r, folder, row: save_image(draw(k, r, 20 + 4 * k), folder, row + BESIDE),
    "video_size": lambda k, r, folder, row: save_video(film(k, r, 32 + 16 * k), folder, row + BESIDE),
    "audio_duration": lambda k, r, folder, row: save_audio(sing(k, r, 0.2 + 0.1 * k), folder, row + BESIDE),
    "document_length": lambda k, r, folder, row: save_pdf(k, r, folder, row + BESIDE, pages=1 + k),
}
BESIDE = 1_000_000


def _shown(label: int, classes: int, random: Random) -> int:
    return label if random.random() < INFORMATIVE else int(random.integers(classes))
