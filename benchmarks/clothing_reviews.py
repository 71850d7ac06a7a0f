"""Is a product recommended? From its review, rating, age and category, from scratch on a CPU.

python benchmarks/clothing_reviews.py DATA [--seeds 0,1,2] [--exclude rating] [--model FOLDER | --encoder text_tfidf]

DATA       the folder of the data set: `table.csv` with review, rating, …, recommended, split
--exclude  leave a column out: the rating nearly is the answer
--model    a pretrained text model, frozen, for the texts
--encoder  another encoder for the texts
"""

import argparse
import time
from pathlib import Path

import sensorium


def main() -> None:
    """Default settings; F1 of the recommended ones on the test rows, with its 95% interval."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--exclude", default="")
    parser.add_argument("--model", default="")
    parser.add_argument("--encoder", default="")
    options = parser.parse_args()
    encoders = {"text": {"name": options.encoder}} if options.encoder else {}
    if options.model:
        encoders = {"text": {"name": "pretrained_text", "model": options.model}}
    for seed in map(int, options.seeds.split(",")):
        start = time.perf_counter()
        model = sensorium.fit(
            options.data / "table.csv",
            "recommended",
            preset="fast",
            seed=seed,
            exclude=[options.exclude] if options.exclude else [],
            encoders=encoders,
            progress=False,
        )
        assert model.test
        low, high = model.test.intervals["f1"]
        seconds = time.perf_counter() - start
        f1, area = model.test.metrics["f1"], model.test.metrics["average_precision"]
        print(f"seed {seed}: F1 {f1:.4f} ({low:.4f} – {high:.4f}), PR AUC {area:.4f}, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
