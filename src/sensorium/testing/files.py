"""Save the files that cells name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from sensorium.testing.contents import RATE, Random, write


def save_image(picture: Image.Image, folder: Path, row: int) -> str:
    """Save an image as PNG, and return its path below the folder."""
    (folder / "image").mkdir(exist_ok=True)
    picture.save(folder / "image" / f"{row}.png")
    return f"image/{row}.png"


def save_video(frames: npt.NDArray[np.uint8], folder: Path, row: int) -> str:
    """Save frames as an MP4 video, and return its path below the folder."""
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


def save_audio(wave: npt.NDArray[np.float32], folder: Path, row: int) -> str:
    """Save a wave as FLAC, and return its path below the folder."""
    import soundfile

    (folder / "audio").mkdir(exist_ok=True)
    soundfile.write(folder / "audio" / f"{row}.flac", wave, RATE)
    return f"audio/{row}.flac"


def save_scan(voxels: npt.NDArray[np.int16], folder: Path, row: int) -> str:
    """Save voxels as NIfTI, and return its path below the folder."""
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


def save_pdf(label: int, random: Random, folder: Path, row: int, *, pages: int | None = None) -> str:
    """Save one to three pages, or `pages`; words on the first page and the direction of a bar reveal the class."""
    (folder / "documents").mkdir(exist_ok=True)
    angle = np.pi * label / 4 + random.normal(0, 0.08)
    dx, dy = 90 * np.cos(angle), 90 * np.sin(angle)
    bar = f"12 w {100 - dx:.0f} {100 - dy:.0f} m {100 + dx:.0f} {100 + dy:.0f} l S".encode()
    drawn = [f"BT /F 6 Tf 5 190 Td ({write(label, random)}) Tj ET ".encode() + bar]
    drawn += [b"BT /F 6 Tf 5 190 Td (and so on) Tj ET"] * (pages - 1 if pages else int(random.integers(3)))
    (folder / "documents" / f"{row}.pdf").write_bytes(make_pdf(drawn))
    return f"documents/{row}.pdf"


def save_header(label: int, random: Random, folder: Path, row: int) -> str:
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


def save_series(values: npt.NDArray[np.float64], folder: Path, row: int) -> str:
    """Save the steps of a series as NPY, and return its path below the folder."""
    (folder / "series").mkdir(exist_ok=True)
    np.save(folder / "series" / f"{row}.npy", values, allow_pickle=False)
    return f"series/{row}.npy"
