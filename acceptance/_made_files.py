"""Small files of every kind that is read: tables, pictures, sounds, videos, scans, arrays, documents."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import sqlite3
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 8


def make_tables(folder: Path) -> dict[str, bytes]:
    """Ending → a table of numbers, texts, categories, dates, lists and labels."""
    import pyarrow as pa
    from pyarrow import feather, parquet

    from sensorium.table import write_table

    table, nested = _table(), _nested()
    flat = pa.table(dict(zip(table, map(pa.array, table.values()), strict=True)))
    both = flat.append_column("list", nested["list"]).append_column("struct", nested["struct"])
    found = dict[str, bytes]()
    for ending in (".csv", ".tsv", ".xlsx"):
        write_table(flat, folder / f"made{ending}")
        found[ending] = (folder / f"made{ending}").read_bytes()
    found[".jsonl"] = _json_lines(table).encode()
    for name, options in {"snappy": {}, "plain": {"compression": "none", "use_dictionary": False}}.items():
        parquet.write_table(both, folder / "made.parquet", **options)
        found[f".{name}.parquet"] = (folder / "made.parquet").read_bytes()
    for name in ("lz4", "uncompressed"):
        feather.write_feather(both, folder / "made.feather", compression=name)
        found[f".{name}.feather"] = (folder / "made.feather").read_bytes()
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, both.schema) as writer:
        writer.write_table(both)
    found[".arrows"] = sink.getvalue()
    found[".sqlite"] = _sqlite(folder / "made.sqlite", table)
    found[".duckdb"] = _duckdb(folder / "made.duckdb", flat)
    found[".tar"] = _shard(table)
    return found


def make_media(folder: Path) -> dict[str, bytes]:
    """Ending → the bytes of a small file."""
    from sensorium.testing.files import make_pdf

    found = _pictures() | _sounds() | _scans(folder) | {"mp4": _video()}
    walk = np.cumsum(np.random.default_rng(0).normal(size=(40, 2)), 0)
    sink = io.BytesIO()
    np.save(sink, walk, allow_pickle=False)
    found["npy"] = sink.getvalue()
    found["csv"] = b"time,a,b\n" + b"".join(b"2026-01-%02d,%f,%f\n" % (d + 1, *walk[d]) for d in range(28))
    found["pdf"] = make_pdf([b"BT /F 12 Tf 20 100 Td (words) Tj ET", b"0 0 m 90 90 l S"])
    return found


def _table() -> dict[str, list[Any]]:
    first = datetime.datetime(2026, 1, 2, 3, 4)
    return {
        "number": [1.5, -2.25, 3e10, 0.0, None, 5.5, 1e-3, 8.75],
        "whole": [3, 1, 4, 1, 5, 9, 2, 6],
        "text": ["the river and the lake", "an engine, with wheels", "=violin", "flour\nand yeast"] * 2,
        "kind": ["a", "b", "a", None] * 2,
        "when": [first + datetime.timedelta(days=31 * row, hours=row) for row in range(ROWS)],
        "yes": [True, False] * 4,
        "label": ["u", "v"] * 4,
    }


def _nested() -> dict[str, Any]:
    import pyarrow as pa

    lists = [[0.5 * row, None, 1.0] if row % 3 else None for row in range(ROWS)]
    return {
        "list": pa.array(lists),
        "struct": pa.array([{"bytes": b"\x89PNG", "path": "x.png"} if row % 2 else None for row in range(ROWS)]),
    }


def _json_lines(table: Mapping[str, list[Any]]) -> str:
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    more = [{"list": [1, 2.5, row], "tags": ["a", "b"][: row % 3], "place": {"path": "x.png"}} for row in range(ROWS)]
    return "".join(json.dumps(row | own, default=str) + "\n" for row, own in zip(rows, more, strict=True))


def _sqlite(path: Path, table: Mapping[str, list[Any]]) -> bytes:
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE t ({', '.join(map(json.dumps, table))})")
    plain = [[str(cell) if isinstance(cell, datetime.datetime) else cell for cell in cells] for cells in table.values()]
    connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(table))})", zip(*plain, strict=True))
    connection.commit()
    connection.close()
    return path.read_bytes()


def _duckdb(path: Path, flat: Any) -> bytes:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.register("given", flat)
        connection.execute("CREATE TABLE t AS SELECT * FROM given")
    return path.read_bytes()


def _shard(table: Mapping[str, list[Any]]) -> bytes:
    sink, pictures = io.BytesIO(), _pictures()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for row in range(ROWS):
            words = {"number": table["number"][row], "list": [row, 1.5]}
            parts = {"json": json.dumps(words), "txt": table["text"][row], "cls": str(row % 2)}
            for ending, part in {**{e: p.encode() for e, p in parts.items()}, "png": pictures["png"]}.items():
                member = tarfile.TarInfo(f"train/{row:04d}.{ending}")
                member.size = len(part)
                archive.addfile(member, io.BytesIO(part))
    return sink.getvalue()


def _pictures() -> dict[str, bytes]:
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8)
    picture, found = Image.fromarray(noise), {}
    frames = [Image.fromarray(np.roll(noise, step, 1)) for step in range(3)]
    for ending, form in {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "tif": "TIFF", "webp": "WEBP"}.items():
        sink = io.BytesIO()
        options: dict[str, Any] = {"save_all": True, "append_images": frames} if ending == "gif" else {}
        options |= {"compression": "tiff_lzw"} if ending == "tif" else {}
        picture.save(sink, form, **options)
        found[ending] = sink.getvalue()
    sink = io.BytesIO()
    Image.fromarray(noise[:, :, 0].astype(np.uint16) * 200).save(sink, "PNG")
    return found | {"deep.png": sink.getvalue()}


def _sounds() -> dict[str, bytes]:
    import soundfile

    wave = np.sin(np.arange(2400) / 9).astype(np.float32) / 3
    found = {}
    for ending, form in {"wav": "WAV", "flac": "FLAC", "mp3": "MP3", "ogg": "OGG"}.items():
        sink = io.BytesIO()
        soundfile.write(sink, wave, 8000, format=form)
        found[ending] = sink.getvalue()
    return found


def _video() -> bytes:
    import av

    sink, noise = io.BytesIO(), np.random.default_rng(0)
    with av.open(sink, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(6):
            frame = av.VideoFrame.from_ndarray(noise.integers(0, 255, (32, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return sink.getvalue()


def _scans(folder: Path) -> dict[str, bytes]:
    import nibabel
    import pydicom

    voxels = np.random.default_rng(0).integers(0, 900, (4, 16, 16)).astype(np.int16)
    nibabel.Nifti1Image(voxels.transpose(2, 1, 0), np.eye(4)).to_filename(folder / "made.nii")
    data = pydicom.Dataset()
    data.Modality, data.Rows, data.Columns, data.NumberOfFrames = "CT", 16, 16, 4
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelSpacing = 1, "MONOCHROME2", [1.0, 0.5]
    data.RescaleSlope, data.RescaleIntercept, data.SliceThickness, data.KVP = 1.0, -1024.0, 2.0, 120.0
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.826.0.1.1"
    data.PixelData = voxels.tobytes()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    pydicom.dcmwrite(folder / "made.dcm", data, enforce_file_format=True)
    plain = (folder / "made.nii").read_bytes()
    return {"nii": plain, "nii.gz": gzip.compress(plain, 1, mtime=0), "dcm": (folder / "made.dcm").read_bytes()}
