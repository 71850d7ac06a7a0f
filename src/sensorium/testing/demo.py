"""Generate the data of `sensorium demo`: parcels, each with a handwritten digit, a keypad tone, a note and a weight.

The images are real handwriting (Alpaydin and Kaynak 1998; 1,797 digits, 8 × 8, in scikit-learn's package). Tones, notes
and weights are synthetic. Every modality is unusable in some rows (a blot, hiss, an illegible word, a bad scale), so
that no modality alone predicts the gate of every parcel, but all together nearly do.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.errors import ConfigError

Random: TypeAlias = np.random.Generator

TABLE, HEADER = "parcels.csv", b"picture,tone,note,weight,gate,split"
RATE = 8000  # Hz
# The two frequencies (Hz) of each digit on a telephone's keypad (ITU-T Q.23).
LOW = (941, 697, 697, 697, 770, 770, 770, 852, 852, 852)
HIGH = (1336, 1209, 1336, 1477, 1209, 1336, 1477, 1209, 1336, 1477)
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
OPENINGS = ("please bring this", "goes", "to be taken", "urgent, straight", "second delivery,", "returned, now")
ENDINGS = ("handle with care", "ring twice", "keep dry", "no signature", "heavy", "signature needed", "fragile")
BLOTTED, DROWNED, ILLEGIBLE = 0.35, 0.4, 0.4  # shares of rows in which picture, tone and note tell nothing
SPLIT_SHARES = {"train": 0.7, "val": 0.1, "test": 0.2}


def check_own(folder: Path) -> None:
    """Check that the folder holds only files of an earlier demo, which may be replaced.

    Raises:
        ConfigError: the folder holds another table of the same name.
    """
    path = folder / TABLE
    if path.exists() and path.read_bytes()[: len(HEADER)] != HEADER:
        raise ConfigError(f"{TABLE} was not written by a demo", place=str(folder), cure="choose another folder: --out")


def make_parcels(folder: Path, seed: int = 0) -> Path:
    """Write `parcels.csv`, `picture/*.png` and `tone/*.flac`.

    Returns:
        The path of the table; its column `gate` is the target.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    random = np.random.default_rng(seed)
    for name in ("picture", "tone"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    splits = random.choice(list(SPLIT_SHARES), len(digits.target), p=list(SPLIT_SHARES.values()))
    rows = [
        {**_parcel(row, pixels, int(gate), random, folder), "gate": int(gate), "split": split}
        for row, (pixels, gate, split) in enumerate(zip(digits.images, digits.target, splits, strict=True))
    ]
    path = folder / TABLE
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_truth(table: Path) -> dict[int, int]:
    """Return row → gate for the test rows."""
    with table.open(newline="", encoding="utf-8") as stream:
        return {n: int(row["gate"]) for n, row in enumerate(csv.DictReader(stream)) if row["split"] == "test"}


def _parcel(row: int, pixels: npt.NDArray[Any], gate: int, random: Random, folder: Path) -> dict[str, Any]:
    from PIL import Image
    from soundfile import write

    picture, tone = f"picture/{row:04d}.png", f"tone/{row:04d}.flac"
    Image.fromarray(_blot(pixels, random)).resize((32, 32), Image.Resampling.BICUBIC).save(folder / picture)
    write(folder / tone, _keypad(gate, random), RATE)
    weight = random.normal(1.0 + 0.5 * gate, 0.8)
    return {"picture": picture, "tone": tone, "note": _note(gate, random), "weight": f"{max(0.1, weight):.2f}"}


def _blot(pixels: npt.NDArray[Any], random: Random) -> npt.NDArray[np.uint8]:
    """Draw the digit in ink on grey paper, or an ink blot over it."""
    ink = pixels / 16 * 200
    if random.random() < BLOTTED:
        ink = random.uniform(60, 200, ink.shape)
    return (255 - np.clip(ink + random.normal(20, 15, ink.shape), 0, 255)).astype(np.uint8)


def _keypad(gate: int, random: Random) -> npt.NDArray[np.float64]:
    """Make both tones of the key for 0.2 to 0.4 s, with hiss that may drown them."""
    time = np.arange(int(random.uniform(0.2, 0.4) * RATE)) / RATE
    loudness = 0.0 if random.random() < DROWNED else random.uniform(0.1, 0.2)
    tones = sum(np.sin(2 * np.pi * pitch * time + random.uniform(0, 6)) for pitch in (LOW[gate], HIGH[gate]))
    return np.clip(loudness * tones + random.normal(0, 0.2, len(time)), -1, 1)


def _note(gate: int, random: Random) -> str:
    word = "(illegible)" if random.random() < ILLEGIBLE else WORDS[gate]
    return f"{random.choice(OPENINGS)} to gate {word}, {random.choice(ENDINGS)}"
