"""Real tables with their gaps and faults: a target is all that has to be said, and fusing helps where it can.

SENSORIUM_DATA names the folder of the data sets; each has a README that says where it comes from.
"""

import csv
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

import sensorium

DATA = Path(os.environ.get("SENSORIUM_DATA") or Path(__file__).parents[3] / "shared" / "data")
TARGETS = {"av_digits": "digit", "chest_xray": "finding", "clothing_reviews": "recommended", "openmoji": "group"}
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no data sets in {DATA}; SENSORIUM_DATA names another folder"),
]


def sensorium_(*arguments):
    """Run a command; its JSON, what it said on stderr, how long it took."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "sensorium", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr, time.perf_counter() - start


def tell(text):
    """Shown with `pytest -s`."""
    sys.stdout.write(f"{text}\n")


class Job:
    """Fit one network, evaluate and predict with nothing said but the target."""

    def __init__(self, name, folder):
        table = DATA / name / "table.csv"
        with table.open(newline="", encoding="utf-8") as stream:
            self.rows = list(csv.DictReader(stream))
        self.fit, self.said, fitting = sensorium_(
            "fit", table, "--target", TARGETS[name], "--preset", "fast", "--out", folder
        )
        self.evaluation, _, evaluating = sensorium_("evaluate", folder, table)
        _, _, predicting = sensorium_("predict", folder, table, "-o", folder / "answers.parquet")
        self.answers = parquet.read_table(folder / "answers.parquet").to_pydict()
        self.problems = [json.loads(line) for line in (folder / "problems.jsonl").read_text().splitlines()]
        tell(f"{name}: fit {fitting:.0f} s, evaluate {evaluating:.0f} s, predict {predicting:.0f} s")


def check_reviews(job):
    """Gu and Budhkar 2021 report F1 0.957 to 0.968 with BERT on this split."""
    assert set(job.fit["columns"].values()) == {"text", "number", "category"}
    assert job.evaluation["metrics"]["f1"] >= 0.95


def check_emoji(job):
    """They are seen, read and dated."""
    columns = job.fit["columns"]
    expected = {"image": "image", "name": "text", "tags": "text", "drawn": "date", "designer": "category"}
    assert expected.items() <= columns.items()
    assert "hexcode" not in columns  # every row has its own


def is_number(cell):
    """A plain number, or a limit such as 50+, which is reported once for its column."""
    return re.fullmatch(r"\d+(\.\d+)?\+?", cell)


def check_dirty_cells(job):
    """Counted by hand in the table: labels that are missing, numbers such as "low 90s"."""
    expected = Counter("finding" for row in job.rows if not row["finding"])
    for column in {"age", "po2_saturation", "temperature"} & set(job.fit["columns"]):
        odd = [row for row in job.rows if row["finding"] and row[column] and not is_number(row[column])]
        expected[column] += len(odd)
    cells = [problem for problem in job.problems if problem["row"] is not None]
    assert Counter(problem["column"] for problem in cells) == expected
    assert job.fit["problems"] == len(cells)
    for row, told in zip(job.rows, job.answers["problem"], strict=True):
        odd = row["age"] and not is_number(row["age"])
        assert bool(told and "age: " in told) == bool(odd)
    # Notes that state the verdict, and rows of one patient in several splits, are pointed out.
    assert "--exclude notes" in job.said
    assert "split.group=patient" in job.said


OWN = {"chest_xray": check_dirty_cells, "clothing_reviews": check_reviews, "openmoji": check_emoji}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_all_that_has_to_be_said(name, tmp_path):
    job = Job(name, tmp_path)
    labels = {row[TARGETS[name]] for row in job.rows if row[TARGETS[name]]}
    assert job.answers["row"] == list(range(len(job.rows)))
    assert {str(answer) for answer in job.answers["prediction"]} <= labels
    shares = np.array([job.answers[key] for key in job.answers if key.startswith("probability_")])
    assert shares.sum(0) == pytest.approx(np.ones(len(job.rows)))
    assert job.evaluation["metrics"] == pytest.approx(job.fit["metrics"]["test"], abs=1e-4)
    assert job.evaluation["n"] == sum(row["split"] == "test" for row in job.rows) if "split" in job.rows[0] else True
    if name in OWN:  # one fit for all checks, whichever process it runs in
        OWN[name](job)


def test_fusing_degraded_pictures_and_noisy_sounds_helps():
    """By ten points or more, over three seeds: one alone is right within a few points by chance."""
    gains = []
    for seed in range(3):
        start = time.perf_counter()
        found = sensorium.compare(
            DATA / "av_digits" / "table.csv",
            "digit",
            columns=["image_degraded", "audio_noisy"],
            fusions=["concat"],
            baselines=["none"],
            seed=seed,
            progress=False,
        )
        accuracy = {result.name: result.evaluation.metrics["accuracy"] for result in found.results}
        tell(f"av_digits, seed {seed}: {accuracy}; {found.verdict}; {time.perf_counter() - start:.0f} s")
        assert set(accuracy) == {"image_degraded", "audio_noisy", "concat"}
        assert accuracy["concat"] >= 0.80
        assert found.difference.interval[0] > 0
        gains.append(found.difference.value)
    assert np.mean(gains) >= 0.10
