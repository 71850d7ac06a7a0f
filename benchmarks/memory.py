"""How much memory a table takes that is ten times as long, with a limit that the kernel keeps.

python benchmarks/memory.py [--rows 1000000] [--pictures 100000] [--limit 2048] [--cap 1024]

--rows      of a made table of text, three numbers and two categories; a tenth of them, then all
--pictures  made JPEG files in a column, with one number; a tenth of them, then all
--limit     MiB of memory of its own that the fit of texts may have (RLIMIT_DATA)
--cap       MiB that all processes of the fit of pictures may have together, mapped and cached files included (a memory
            control group, which takes root; without it, `--limit` holds for them as well)
Each line is a whole fit of one epoch in a process of its own, from the table to the saved and tested model. Prepared,
100,000 pictures are 1.2 GB: more than their cap.
"""

import argparse
import json
import os
import re
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from _process import measure, python
from PIL import Image
from pyarrow import csv

import sensorium

CHUNK = 50_000  # rows made at a time
WORDS, WORDS_A_ROW = 5000, 12
SIDE = 64  # pixels
GROUPS = Path("/sys/fs/cgroup/memory")


def main() -> None:
    """Make the tables, fit each, print peaks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--limit", type=int, default=2048)
    parser.add_argument("--cap", type=int, default=1024)
    parser.add_argument("--fit", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        fit_under_limit(options)
        return
    limits = ["--limit", str(options.limit), "--cap", str(options.cap)]
    with tempfile.TemporaryDirectory() as folder:
        for title, make, rows in (("text", make_texts, options.rows), ("pictures", make_pictures, options.pictures)):
            for count in (rows // 10, rows):
                table = Path(folder) / f"{title}{count}.csv"
                make(table, count)
                found = measure(python(__file__, "--fit", str(table), *limits), SENSORIUM_CACHE=f"{folder}/cache")
                figures = f"{found['own']:>6,.0f} MB of its own, {found['resident']:>6,.0f} MB with mapped files"
                print(f"{title:<9} {count:>9,} rows: {figures}, {found['wall']:>5.0f} s", flush=True)


def fit_under_limit(options: argparse.Namespace) -> None:
    """One epoch; prints the peaks."""
    pictures = "pictures" in options.fit.name
    group = capped(options.cap << 20) if pictures and os.access(GROUPS, os.W_OK) else None
    if not group:
        resource.setrlimit(resource.RLIMIT_DATA, (options.limit << 20, options.limit << 20))
    peaks = {"own": 0.0, "resident": 0.0}
    threading.Thread(target=watch, args=[peaks, group], daemon=True).start()
    settings = {"train": {"epochs": 1, "batch_size": 64}, "encoders": {"text": "text_cnn"}}
    with tempfile.TemporaryDirectory() as folder:
        sensorium.fit(options.fit, "label", config=settings, out=f"{folder}/run", progress=False)
    sys.stdout.write(json.dumps(peaks) + "\n")


def capped(limit: int) -> Path:
    """A control group for this process and those that it starts."""
    group = GROUPS / f"sensorium-{os.getpid()}"
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(limit))
    (group / "cgroup.procs").write_text(str(os.getpid()))
    return group


def watch(peaks: dict[str, float], group: Path | None) -> None:
    """Look ten times a second at this process, or at all of its group: MiB."""
    while True:
        if group:
            stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            own, mapped = (int(stat[key]) / 2**20 for key in ("total_rss", "total_mapped_file"))
        else:
            status = Path("/proc/self/status").read_text()
            own, mapped = (int(re.search(rf"{key}:\s+(\d+)", status)[1]) / 1024 for key in ("RssAnon", "RssFile"))
        peaks["own"], peaks["resident"] = max(peaks["own"], own), max(peaks["resident"], own + mapped)
        time.sleep(0.1)


def make_texts(table: Path, rows: int) -> None:
    """Three classes that one word of each text, and a little of each number, hint at."""
    chance = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnoprstu"))
    words = np.array(["".join(chance.choice(letters, chance.integers(3, 9))) for _ in range(WORDS)], dtype=object)
    writer = None
    for start in range(0, rows, CHUNK):
        count = min(CHUNK, rows - start)
        label = chance.integers(0, 3, count)
        chosen = chance.zipf(1.3, (count, WORDS_A_ROW)) % WORDS
        chosen[:, 0] = chosen[:, 0] % 50 * 3 + label * (chance.random(count) < 0.7)
        part = pa.table(
            {
                "text": [" ".join(row) for row in words[chosen]],
                "price": chance.normal(50, 10, count).round(2) + label,
                "age": chance.integers(18, 90, count),
                "score": chance.random(count) + 0.1 * label,
                "region": [f"r{code}" for code in chance.integers(0, 30, count)],
                "device": [f"d{code}" for code in chance.integers(0, 8, count)],
                "label": np.array(["low", "middle", "high"])[label],
            }
        )
        writer = writer or csv.CSVWriter(table, part.schema)
        writer.write_table(part)
    if writer:
        writer.close()


def make_pictures(table: Path, rows: int) -> None:
    """Two classes, the brighter half of the picture."""
    chance = np.random.default_rng(0)
    folder = table.with_suffix("")
    folder.mkdir()
    label = chance.integers(0, 2, rows)
    for row in range(rows):
        pixels = chance.integers(0, 128, (SIDE, SIDE, 3), dtype=np.uint8)
        pixels[:, SIDE // 2 :] += np.uint8(60 * label[row])
        Image.fromarray(pixels).save(folder / f"{row}.jpg")
    paths = [f"{folder.name}/{row}.jpg" for row in range(rows)]
    csv.write_csv(
        pa.table({"photo": paths, "weight": chance.random(rows), "label": np.array(["a", "b"])[label]}), table
    )


if __name__ == "__main__":
    main()
