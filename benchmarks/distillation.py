"""Does a model that sees one modality learn more from a fused model than from the labels alone?

python benchmarks/distillation.py DATA [--seeds 0,1,2]

DATA  the folder of the data set: `table.csv` with image_degraded, audio_noisy, digit, split
The teacher is the fused model of both columns with default settings; the learner sees one of them, and has the teacher
beside the labels or not. Whole fits on one split; accuracy on the test rows with its 95% interval.
"""

import argparse
import tempfile
from pathlib import Path

import sensorium

COLUMNS = ["image_degraded", "audio_noisy"]


def main() -> None:
    """For each seed a teacher, then each column with and without it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    options = parser.parse_args()
    table = options.data / "table.csv"
    for seed in map(int, options.seeds.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            teacher = sensorium.fit(
                table, "digit", columns=COLUMNS, preset="fast", seed=seed, out=folder, progress=False
            )
            print(f"seed {seed}: teacher {teacher.test.metrics['accuracy']:.3f}", flush=True)
            for column in COLUMNS:
                for words, train in (("labels", {}), ("labels and teacher", {"teacher": folder})):
                    show(
                        f"{column}, {words}",
                        sensorium.fit(
                            table, "digit", preset="fast", columns=[column], seed=seed, train=train, progress=False
                        ),
                    )


def show(words: str, model: sensorium.Model) -> None:
    """One line."""
    assert model.test
    low, high = model.test.intervals["accuracy"]
    print(f"  {words}: {model.test.metrics['accuracy']:.3f} ({low:.3f} – {high:.3f})", flush=True)


if __name__ == "__main__":
    main()
