"""Does fusing help where neither modality is enough? A degraded digit and its noisy spoken name → the digit.

python benchmarks/av_digits.py DATA [--seeds 0,1,2,3,4] [--augment]

DATA       the folder of the data set: `table.csv` with image_degraded, audio_noisy, digit, split
--augment  shifts the pictures a little and hides bands and stretches of the sounds in training
"""

import argparse
import time
from pathlib import Path

import sensorium


def main() -> None:
    """Each modality alone and both fused by concatenation, default settings but for `--augment`, for several seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--augment", action="store_true")
    options = parser.parse_args()
    augment = {"image_degraded": ["shift"], "audio_noisy": ["spec_augment"]} if options.augment else {}
    for seed in map(int, options.seeds.split(",")):
        start = time.perf_counter()
        found = sensorium.compare(
            options.data / "table.csv",
            "digit",
            columns=["image_degraded", "audio_noisy"],
            fusions=["concat"],
            augment=augment,
            seed=seed,
            config={"prepare": {"store": "none"}},
            progress=False,
        )
        scores = ", ".join(f"{result.name} {result.evaluation.metrics['accuracy']:.3f}" for result in found.results)
        print(f"seed {seed}: {scores}; {found.verdict} {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
