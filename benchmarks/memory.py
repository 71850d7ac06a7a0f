"""How much memory a table takes that is ten times as long, with a limit that the kernel keeps.

python benchmarks/memory.py [--rows 1000000] [--pictures 20000] [--limit 2048]

--rows      of a made table of text, three numbers and two categories; a tenth of them, then all
--pictures  made JPEG files in a column, with one number; a tenth of them, then all
--limit     MiB of memory of its own that the process may have (RLIMIT_DATA); mapped files can be taken back at any time
Each line is a whole fit of one epoch in a process of its own, from the table to the saved and tested model.
"""

import argparse
import json
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
SIDE = 128  # pixels


def main() -> None:
    """Make the tables, fit each, print peaks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--limit", type=int, default=2048)
    parser.add_argument("--fit", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        fit_under_limit(options.fit, options.limit)
        return
    with tempfile.TemporaryDirectory() as folder:
        for title, make, rows in (("text", make_texts, options.rows), ("pictures", make_pictures, options.pictures)):
            for count in (rows // 10, rows):
                table = Path(folder) / f"{title}{count}.csv"
                make(table, count)
                found = measure(
                    python(__file__, "--fit", str(table), "--limit", str(options.limit)), SENSORIUM_CACHE=folder
                )
                figures = (
                    f"{found['own']:>6,.0f} MB of its own, {found['peak']:>6,.0f} MB resident, {found['wall']:>5.0f} s"
                )
                print(f"{title:<9} {count:>9,} rows: {figures}", flush=True)


def fit_under_limit(table: Path, limit: int) -> None:
    """One epoch; prints the peak of memory that is not a mapped file's."""
    resource.setrlimit(resource.RLIMIT_DATA, (limit << 20, limit << 20))
    peak = [0.0]
    threading.Thread(target=watch, args=[peak], daemon=True).start()
    settings = {"train": {"epochs": 1, "batch_size": 64}, "encoders": {"text": "text_cnn"}}
    with tempfile.TemporaryDirectory() as folder:
        sensorium.fit(table, "label", config=settings, out=f"{folder}/run", progress=False)
    sys.stdout.write(json.dumps({"own": peak[0]}) + "\n")


def watch(peak: list[float]) -> None:
    """Look at the process ten times a second."""
    status = Path("/proc/self/status")
    while True:
        found = re.search(r"RssAnon:\s+(\d+)", status.read_text())
        assert found
        peak[0] = max(peak[0], int(found[1]) / 1024)
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
