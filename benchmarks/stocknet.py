"""Do tweets, prices and names tell whether a stock will rise? Text, series and categories, alone and fused.

python benchmarks/stocknet.py DATA [--seeds 0,1,2] [--epochs 3]

DATA     the folder of the data set: `table.parquet` with tweets, five series of 20 trading days, ticker, sector,
         n_tweets, rises, and split (by date: the last months test)

It is a task with almost no signal: the intervals matter more than the figures, and a modality whose MCC interval holds
0 has shown nothing. Xu and Cohen (ACL 2018, "Stock Movement Prediction from Tweets and Historical Prices") report
58.23% accuracy and an MCC of 0.081 for their StockNet, 50.89% and -0.002 for guessing; their rows are windows of their
own over the same days, so the figures stand beside these for orientation, not for a ranking.

To take two or three minutes a seed on two cores, the first 48 tokens of the tweets are read, by convolutions, in
batches of 256 rows.
"""

import argparse
import time
from pathlib import Path

import sensorium
from sensorium.evaluate import Evaluation

SERIES = ["movement", "close", "high", "low", "log_volume"]


def main() -> None:
    """Each modality alone and all fused by concatenation, for several seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    for seed in map(int, options.seeds.split(",")):
        start = time.perf_counter()
        found = sensorium.compare(
            options.data / "table.parquet",
            "rises",
            columns=["tweets", *SERIES, "ticker", "sector", "n_tweets"],
            towers={"prices": SERIES},
            modalities={"tweets": {"name": "text", "length": 48}, **dict.fromkeys(SERIES, "series")},
            encoders={"tweets": "text_cnn"},
            fusions=["concat"],
            epochs=options.epochs,
            batch_size=256,
            seed=seed,
            progress=False,
        )
        print(f"seed {seed}, {time.perf_counter() - start:.0f} s: {found.verdict}")
        for result in found.results:
            print(f"  {result.name:10} {figure(result.evaluation, 'accuracy')}   {figure(result.evaluation, 'mcc')}")


def figure(evaluation: Evaluation, metric: str) -> str:
    """A metric with its 95% interval."""
    low, high = evaluation.intervals[metric]
    return f"{metric} {evaluation.metrics[metric]:+.3f} [{low:+.3f}, {high:+.3f}]"


if __name__ == "__main__":
    main()
