"""Decoding into the store beside bare loops over the same files in two processes; batches out of it beside NumPy.

OPENBLAS_NUM_THREADS=1 python benchmarks/prepare.py DATA [--runs 3] [--only sounds]

One thread each for NumPy's matrix products: those of two processes on two cores would wait for each other, spinning.
(Sensorium's own processes see to that by themselves.)

DATA     a folder whose `table.csv` has the file columns `image` (JPEG) and `audio` (FLAC)
--only   some of: pictures,sounds,batches

The bare loop of pictures is the faster of Pillow and simplejpeg, both decoding at a fraction of the size where the
format can; that of sounds is soundfile and one matrix product a clip. It keeps its arrays in memory; the store writes
them to disk, where the next run finds them. Hugging Face's `datasets.map` (`pip install datasets`), which writes to
disk as well, runs twice: as its guide has it (its own Image feature; a feature extractor of `transformers` for sounds;
one process), and tuned: the bare loop's decoder, declared features, two processes. Last, the share of a training epoch
that goes into making its batches.
"""

import argparse
import importlib.util
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
import soundfile
import torch
from PIL import Image

from sensorium.config import Config
from sensorium.modalities import Modality, Work
from sensorium.modalities.audio import Audio
from sensorium.modalities.image import Image as Picture
from sensorium.planning import plan_and_prepare
from sensorium.prepare.loader import Loader
from sensorium.prepare.store import Store
from sensorium.runtime.progress import Silent
from sensorium.table import Column, open_table
from sensorium.trials import TrialSpec, run_trial

PROCESSES = 2
REPEATS = 4  # each file is a cell so many times: long enough a run that starting processes doesn't decide it
BATCH, BATCHES = 64, 500


def main() -> None:
    """Print cells a second, and ratios to the fastest bare loop of the same run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="pictures,sounds,batches", help="parts of it")
    options = parser.parse_args()
    table = open_table(options.data / "table.csv")
    rows = np.tile(np.arange(len(table)), REPEATS)
    pictures, sounds = table.take(rows).column("image"), table.take(rows).column("audio")
    parts = options.only.split(",")
    for size in (64, 224) if "pictures" in parts else ():
        loops = {"Pillow": (pillow, size), "simplejpeg": (turbo, size)}
        report(f"JPEG → {size} × {size}", Picture.learn(pictures, size=size), pictures, loops, options.runs)
    if "sounds" in parts:
        audio = Audio.learn(sounds)
        report("FLAC → log-mel", audio, sounds, {"soundfile": (log_mel, audio)}, options.runs)
    if "batches" in parts:
        batches(Picture.learn(pictures, size=64), pictures.slice(0, len(table)), options.runs)
        for columns in (["image"], ["text"], ["image", "text", "price"]):
            data_share(options.data / "table.csv", columns)


def report(title: str, modality: Modality, column: Column, loops: dict[str, tuple[Any, Any]], runs: int) -> None:
    """Contenders alternate; medians."""
    paths = [str(column.files.folder / cell) for cell in column.data.to_pylist()]
    contenders: dict[str, Callable[[], Any]] = {
        f"bare loop, {name}": lambda loop=loop: bare(*loop, paths) for name, loop in loops.items()
    }
    if has("datasets"):
        decode, option = next(iter(loops.values()))
        written = partial(pictures_by_datasets, option) if "JPEG" in title else partial(sounds_by_datasets, option)
        contenders["datasets.map"] = lambda: written(paths)
        contenders["datasets.map, tuned"] = lambda: tuned_datasets(decode, option, paths)
    contenders["sensorium, into the store"] = lambda: stored(modality, column)
    contenders["sensorium, from the store"] = again(modality, column)
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(runs):
        for name, run in contenders.items():
            os.sync()  # none waits for what another wrote
            start = time.perf_counter()
            run()
            rates[name].append(len(paths) / (time.perf_counter() - start))
    best = max(statistics.median(found) for name, found in rates.items() if name.startswith("bare"))
    for name, found in rates.items():
        rate = statistics.median(found)
        print(f"{title:<18} {name:<28} {rate:>12,.0f} cells/s  {rate / best:.2f}×", flush=True)


def bare(decode: Callable[[tuple[str, Any]], Any], option: Any, paths: list[str]) -> None:
    """The loop that one would write by hand: its own decoder in two processes."""
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        found = pool.map(decode, [(path, option) for path in paths], chunksize=64)
    assert len(found) == len(paths)


def pillow(job: tuple[str, int]) -> Any:
    """One JPEG file → uint8[size, size, 3]."""
    path, size = job
    with Image.open(path) as picture:
        picture.draft("RGB", (size, size))
        return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))


def turbo(job: tuple[str, int]) -> Any:
    """The same by libjpeg-turbo's scaled decoding."""
    path, size = job
    pixels = simplejpeg.decode_jpeg(
        Path(path).read_bytes(), fastdct=True, fastupsample=True, min_height=size, min_width=size
    )
    if pixels.shape[0] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR))


def has(module: str) -> bool:
    """Those that are only compared with are no dependencies."""
    return importlib.util.find_spec(module) is not None


def pictures_by_datasets(size: int, paths: list[str]) -> None:
    """As its guide has it."""
    import datasets

    def resized(row: dict[str, Any]) -> dict[str, Any]:
        return {"values": np.asarray(row["image"].convert("RGB").resize((size, size)))}

    found = datasets.Dataset.from_dict({"image": paths}).cast_column("image", datasets.Image())
    written_by_datasets(found, resized, remove_columns=["image"])


def sounds_by_datasets(audio: Audio, paths: list[str]) -> None:
    """As its guide has it; soundfile decodes, for its own Audio feature wants one more library."""
    import datasets
    from transformers import ASTFeatureExtractor

    extract = ASTFeatureExtractor(sampling_rate=audio.rate, num_mel_bins=audio.mels, do_normalize=False)

    def extracted(row: dict[str, Any]) -> dict[str, Any]:
        wave, rate = soundfile.read(row["path"], dtype="float32")
        extract.max_length = len(wave) * 100 // rate + 1  # as many frames as there are, at 100 a second
        return {"values": extract(wave, sampling_rate=rate, return_tensors="np")["input_values"][0]}

    written_by_datasets(datasets.Dataset.from_dict({"path": paths}), extracted)


def tuned_datasets(decode: Callable[[tuple[str, Any]], Any], option: Any, paths: list[str]) -> None:
    """With all that makes it faster."""
    import datasets

    shape = decode((paths[0], option)).shape
    kind = datasets.Array3D(shape, "uint8") if len(shape) == 3 else datasets.Array2D((None, shape[1]), "float32")
    written_by_datasets(
        datasets.Dataset.from_dict({"path": paths}),
        lambda row: {"values": decode((row["path"], option))},
        features=datasets.Features({"path": datasets.Value("string"), "values": kind}),
        num_proc=PROCESSES,
    )


def written_by_datasets(found: Any, function: Callable[[dict[str, Any]], dict[str, Any]], **options: Any) -> None:
    """Into Arrow files of a folder that goes away."""
    import datasets

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as folder:
        assert len(found.map(function, cache_file_name=f"{folder}/mapped.arrow", **options)) == len(found)


def log_mel(job: tuple[str, Audio]) -> Any:
    """One sound → float32[frames, mels], as the audio modality computes it."""
    path, audio = job
    wave, _ = soundfile.read(path, dtype="float32")
    window, hop = round(0.025 * audio.rate), round(0.010 * audio.rate)
    frames = np.lib.stride_tricks.sliding_window_view(wave[: round(audio.seconds * audio.rate)], window)[::hop]
    power = np.abs(np.fft.rfft(frames * audio._window, axis=1)) ** 2
    return np.log(power.astype(np.float32) @ audio._filters + 1e-6)


def stored(modality: Modality, column: Column) -> None:
    """Decode into a new store."""
    with tempfile.TemporaryDirectory() as folder:
        Store(Path(folder), 10**12).encode(modality, column, Work(PROCESSES))


def again(modality: Modality, column: Column) -> Callable[[], Any]:
    """What a later run does: everything is there."""
    folder = tempfile.mkdtemp()
    store = Store(Path(folder), 10**12)
    store.encode(modality, column, Work(PROCESSES))
    return lambda: store.encode(modality, column)


def batches(modality: Modality, column: Column, runs: int) -> None:
    """Random batches out of the mapped file and out of an array in memory."""
    with tempfile.TemporaryDirectory() as folder:
        mapped = Store(Path(folder), 10**12).encode(modality, column, Work(PROCESSES)).values
        assert isinstance(mapped, np.ndarray)
        plain, chance = np.array(mapped), np.random.default_rng(0)
        rates: dict[str, list[float]] = {"NumPy, in memory": [], "sensorium, from the store": []}
        for _ in range(runs):
            rows = chance.integers(0, len(plain), (BATCHES, BATCH))
            for name, values in zip(rates, (plain, mapped), strict=True):
                start = time.perf_counter()
                for batch in rows:
                    values[batch]
                rates[name].append(BATCHES / (time.perf_counter() - start))
    best = statistics.median(rates["NumPy, in memory"])
    for name, found in rates.items():
        rate = statistics.median(found)
        print(f"batches of {BATCH:<7} {name:<28} {rate:>12,.0f} batches/s  {rate / best:.2f}×")


def data_share(table: Path, columns: list[str]) -> None:
    """Seconds of an epoch that go into batches, over the seconds of the epoch: the second one, all prepared."""
    settings = {"target": "label", "columns": columns, "train": {"epochs": 2}, "prepare": {"store": "none"}}
    data = plan_and_prepare(open_table(table), Config.gather(settings), Silent())
    epoch = run_trial(data, TrialSpec("timed")).training_history.epochs[-1].seconds
    loader = Loader(data.cells, data.plan.target, torch.device("cpu"))
    start = time.perf_counter()
    for _ in loader.shuffled(data.rows("train"), BATCH, torch.Generator().manual_seed(0)):
        pass
    share = (time.perf_counter() - start) / epoch
    print(f"{' + '.join(columns):<18} making batches: {share:.1%} of an epoch of {epoch:.1f} s")


if __name__ == "__main__":
    main()
