"""Contents of cells that reveal the class of their row: images, tones, walks, sentences."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Random: TypeAlias = np.random.Generator
RATE = 8000  # Hz, of made sounds
WORDS = ["and", "the", "of", "in", "with", "for", "on", "some", "more", "other", "while", "then", "often", "rarely"]
TOPICS = [
    ["river", "lake", "shore"],
    ["engine", "wheel", "brake"],
    ["violin", "choir", "opera"],
    ["flour", "oven", "yeast"],
]


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
