"""One column of made videos: a digit that drifts through noise, and its spoken name under noise → the digit.

python benchmarks/av_video.py DATA [--rows 1500] [--seeds 0,1,2]

DATA     the folder of av_digits, whose column `audio_noisy` is the sound; the pictures are scikit-learn's handwritten
         digits (`pip install 'sensorium[video,demo]'`)
--rows   videos made: eight frames of 32 × 32 at 8 a second, MPEG-4 with PCM sound in Matroska
"""

import argparse
import csv
import tempfile
import time
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile
from sklearn.datasets import load_digits

import sensorium

FRAMES, SIDE, NOISE = 8, 32, 165.0
SPLITS = {"train": 0.7, "val": 0.85, "test": 1.0}


def main() -> None:
    """Make the videos once; for each seed compare picture alone, sound alone and both concatenated."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--seeds", default="0,1,2")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = make(options.data, Path(folder), options.rows)
        for seed in map(int, options.seeds.split(",")):
            start = time.perf_counter()
            found = sensorium.compare(
                table, "digit", fusions=["concat"], seed=seed, progress=False, config={"prepare": {"store": folder}}
            )
            scores = ", ".join(f"{result.name} {result.evaluation.metrics['accuracy']:.3f}" for result in found.results)
            print(f"seed {seed}: {scores}; {found.verdict} {time.perf_counter() - start:.0f} s", flush=True)


def make(data: Path, folder: Path, rows: int) -> Path:
    """A table of `clip`, `digit` and `split`; no picture and no recording occurs twice."""
    chance = np.random.default_rng(0)
    pictures = load_digits()
    with (data / "table.csv").open(newline="", encoding="utf-8") as stream:
        sounds = list(csv.DictReader(stream))
    of_digit = {
        digit: iter(chance.permutation([i for i, row in enumerate(sounds) if int(row["digit"]) == digit]))
        for digit in range(10)
    }
    lines = ["clip,digit,split"]
    for row, place in enumerate(chance.permutation(len(pictures.target))[:rows]):
        digit = int(pictures.target[place])
        wave, rate = soundfile.read(data / sounds[next(of_digit[digit])]["audio_noisy"], dtype="float32")
        save(folder / f"{row}.mkv", drift(pictures.images[place], chance), wave, rate)
        split = next(name for name, end in SPLITS.items() if row < end * rows)
        lines.append(f"{row}.mkv,{digit},{split}")
    table = folder / "clips.csv"
    table.write_text("\n".join(lines) + "\n")
    return table


def drift(digit: npt.NDArray[np.float64], chance: np.random.Generator) -> npt.NDArray[np.uint8]:
    """uint8[FRAMES, SIDE, SIDE, 3]: 16 × 16 pixels of handwriting on a straight way, in noise of every frame's own."""
    shape = np.kron(digit, np.ones((2, 2))) * 15
    start, end = chance.integers(0, SIDE - len(shape) + 1, (2, 2))
    frames = []
    for step in np.linspace(0, 1, FRAMES):
        y, x = np.round(start + step * (end - start)).astype(int)
        frame = chance.normal(60, NOISE, (SIDE, SIDE))
        frame[y : y + len(shape), x : x + len(shape)] += shape
        frames.append(np.repeat(np.clip(frame, 0, 255).astype(np.uint8)[..., None], 3, 2))
    return np.stack(frames)


def save(path: Path, frames: npt.NDArray[np.uint8], wave: npt.NDArray[np.float32], rate: int) -> None:
    """A video file with sound."""
    with av.open(path, "w") as container:
        pictures, voice = container.add_stream("mpeg4", rate=FRAMES), container.add_stream("pcm_s16le", rate=rate)
        pictures.width = pictures.height = SIDE
        pictures.pix_fmt, pictures.bit_rate = "yuv420p", 2_000_000
        sound = av.AudioFrame.from_ndarray((wave[None] * 32767).astype(np.int16), "s16", "mono")
        sound.rate = rate
        container.mux([*voice.encode(sound), *voice.encode(None)])
        for picture in [*(av.VideoFrame.from_ndarray(frame, "rgb24") for frame in frames), None]:
            container.mux(pictures.encode(picture))


if __name__ == "__main__":
    main()
