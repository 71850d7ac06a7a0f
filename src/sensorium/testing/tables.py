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
import numpy.typing as npt
from PIL import Image, ImageDraw

from sensorium.table import Column, open_table

Random: TypeAlias = np.random.Generator
Maker: TypeAlias = Callable[[int, Random], Any]

INFORMATIVE = 0.7  # chance that a cell tells its row's class
RATE = 8000  # Hz, of made sounds
WORDS = ["and", "the", "of", "in", "with", "for", "on", "some", "more", "other", "while", "then", "often", "rarely"]
TOPICS = [
    ["river", "lake", "shore"],
    ["engine", "wheel", "brake"],
    ["violin", "choir", "opera"],
    ["flour", "oven", "yeast"],
]


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
    if modality == "image":
        return _save_image(draw(label, random), folder, row)
    if modality == "audio":
        return _save_audio(sing(label, random), folder, row)
    if modality == "images":
        return json.dumps([_save_image(draw(label, random), folder, 10 * row + n) for n in range(1 + row % 3)])
    if modality == "sounds":
        return json.dumps([_save_audio(sing(label, random), folder, 10 * row + n) for n in range(1 + row % 3)])
    if modality == "video":
        return _save_video(film(label, random), folder, row)
    if modality == "scan":
        return _save_scan(stack(label, random), folder, row)
    if modality in ("document", "pages"):
        return _save_pdf(label, random, folder, row)
    if modality == "scan_tag":
        return _save_header(label, random, folder, row)
    if modality == "series":
        return _save_series(walk(label, random), folder, row)
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


def draw(label: int, random: Random, size: int = 24) -> Image.Image:
    """Draw a bar whose direction reveals the class, on noise."""
    picture = Image.fromarray(random.integers(0, 90, (size, size, 3), dtype=np.uint8))
    angle = np.pi * label / 4 + random.normal(0, 0.08)
    dx, dy, middle = size / 2.6 * np.cos(angle), size / 2.6 * np.sin(angle), size / 2 + random.normal(0, 1)
    colour = tuple(int(c) for c in random.integers(150, 256, 3))
    ImageDraw.Draw(picture).line([middle - dx, middle - dy, middle + dx, middle + dy], fill=colour, width=3)
    return picture


def film(label: int, random: Random, size: int = 32) -> npt.NDArray[np.uint8]:
    """Make frames uint8[6 to 9, size, size, 3] of a moving image that reveals the class."""
    picture = np.asarray(draw(label, random, size))
    return np.stack([np.roll(picture, step, 1) for step in range(int(random.integers(6, 10)))])


def stack(label: int, random: Random, size: int = 20) -> npt.NDArray[np.int16]:
    """Make a volume int16[6, size, size] whose slices reveal the class as images do."""
    slices = [np.asarray(draw(label, random, size).convert("L")) for _ in range(6)]
    return np.stack(slices).astype(np.int16)


def sing(label: int, random: Random, seconds: float | None = None) -> npt.NDArray[np.float32]:
    """Make a tone in noise, 0.2 to 0.4 s long, whose pitch reveals the class."""
    seconds = seconds or float(random.uniform(0.2, 0.4))
    time = np.arange(int(seconds * RATE)) / RATE
    height = 330.0 * 2 ** (label * 0.6 + random.normal(0, 0.03))
    wave = (
        np.sin(2 * np.pi * height * time)
        + 0.5 * np.sin(4 * np.pi * height * time + 1)
        + random.normal(0, 0.6, len(time))
    )
    return (0.2 * wave).astype(np.float32)


def walk(label: int, random: Random) -> npt.NDArray[np.float64]:
    """Make two channels of 12 to 30 steps: a random walk whose drift reveals the class, and noise, with gaps."""
    steps = int(random.integers(12, 31))
    drift = 0.4 * (label - 1)
    values = np.stack([np.cumsum(random.normal(drift, 0.5, steps)), random.normal(5.0, 2.0, steps)], 1)
    values[1:][random.random((steps - 1, 2)) < 0.1] = np.nan
    return values


def write(label: int, random: Random) -> str:
    """Write a sentence with one or two words of the class's topic."""
    words = [WORDS[i] for i in random.integers(len(WORDS), size=random.integers(5, 12))]
    for place in random.integers(len(words), size=2):
        words[place] = TOPICS[label % len(TOPICS)][random.integers(3)]
    return " ".join(words).capitalize() + "."


def tag(label: int, random: Random) -> list[str]:
    """Choose up to three tags, usually with one or two of the class's topic."""
    names = {TOPICS[label % len(TOPICS)][random.integers(3)] for _ in range(2)} | {WORDS[random.integers(len(WORDS))]}
    return sorted(names) if random.random() < 0.95 else []


def _shown(label: int, classes: int, random: Random) -> int:
    return label if random.random() < INFORMATIVE else int(random.integers(classes))


def _save_image(picture: Image.Image, folder: Path, row: int) -> str:
    (folder / "image").mkdir(exist_ok=True)
    picture.save(folder / "image" / f"{row}.png")
    return f"image/{row}.png"


def _save_video(frames: npt.NDArray[np.uint8], folder: Path, row: int) -> str:
    import av

    (folder / "videos").mkdir(parents=True, exist_ok=True)
    path = f"videos/{row:04d}.mp4"
    with av.open(folder / path, "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        pictures = [av.VideoFrame.from_ndarray(frame, "rgb24") for frame in frames]
        for packet in (p for picture in [*pictures, None] for p in stream.encode(picture)):
            container.mux(packet)
    return path


def _save_audio(wave: npt.NDArray[np.float32], folder: Path, row: int) -> str:
    import soundfile

    (folder / "audio").mkdir(exist_ok=True)
    soundfile.write(folder / "audio" / f"{row}.flac", wave, RATE)
    return f"audio/{row}.flac"


def _save_scan(voxels: npt.NDArray[np.int16], folder: Path, row: int) -> str:
    import nibabel

    make: Any = nibabel.Nifti1Image

    (folder / "scan").mkdir(exist_ok=True)
    make(voxels.transpose(2, 1, 0), np.eye(4)).to_filename(folder / "scan" / f"{row}.nii")
    return f"scan/{row}.nii"


def make_pdf(pages: Sequence[bytes], sizes: Sequence[tuple[int, int]] = (), extra: bytes = b"") -> bytes:
    """Make a PDF file; the operators of each page draw it with the font `/F`.

    Args:
        pages: operators, such as `BT /F 12 Tf 20 100 Td (words) Tj ET` or `0 0 m 90 90 l S`.
        sizes: width and height of each page in points; 200 by 200 by default.
        extra: entries of the trailer.
    """
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(pages)))
    parts = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), kids)]
    parts.append(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for number, drawn in enumerate(pages):
        box = b"%d %d" % (sizes[number] if sizes else (200, 200))
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %s]/Contents %d 0 R/Resources<</Font<</F 3 0 R>>>>>>"
        parts += [page % (box, 5 + 2 * number), b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn)]
    content, places = b"%PDF-1.4\n", list[int]()
    for number, part in enumerate(parts, 1):
        places.append(len(content))
        content += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (len(parts) + 1, extra, len(content))
    return content + head + table + tail


def _save_pdf(label: int, random: Random, folder: Path, row: int) -> str:
    """Save one to three pages; the words on the first page and the direction of a bar reveal the class."""
    (folder / "documents").mkdir(exist_ok=True)
    angle = np.pi * label / 4 + random.normal(0, 0.08)
    dx, dy = 90 * np.cos(angle), 90 * np.sin(angle)
    bar = f"12 w {100 - dx:.0f} {100 - dy:.0f} m {100 + dx:.0f} {100 + dy:.0f} l S".encode()
    pages = [f"BT /F 6 Tf 5 190 Td ({write(label, random)}) Tj ET ".encode() + bar]
    pages += [b"BT /F 6 Tf 5 190 Td (and so on) Tj ET"] * int(random.integers(3))
    (folder / "documents" / f"{row}.pdf").write_bytes(make_pdf(pages))
    return f"documents/{row}.pdf"


def _save_header(label: int, random: Random, folder: Path, row: int) -> str:
    """Save a DICOM file without an image; the modality attribute and the tube voltage reveal the class."""
    import pydicom

    (folder / "header").mkdir(exist_ok=True)
    data: Any = pydicom.Dataset()
    data.Modality, data.KVP = ("CT", "MR", "US", "DX")[label], round(60 + 20 * label + float(random.normal(0, 8)), 1)
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", f"1.2.826.0.1.{row}"
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    pydicom.dcmwrite(folder / "header" / f"{row}.dcm", data, enforce_file_format=True)
    return f"header/{row}.dcm"


def _save_series(values: npt.NDArray[np.float64], folder: Path, row: int) -> str:
    (folder / "series").mkdir(exist_ok=True)
    np.save(folder / "series" / f"{row}.npy", values, allow_pickle=False)
    return f"series/{row}.npy"
