"""`--task ordinal` and `--task count` on the command line."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest
from calls import answer, main

from sensorium.metrics import default_metrics


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    random = np.random.default_rng(0)
    dose = random.uniform(0, 3, 90)
    frame = pd.DataFrame(
        {"dose": dose, "grade": np.array(["low", "mid", "high"])[dose.astype(int)], "visits": random.poisson(dose)}
    )
    frame.to_csv(path := tmp_path_factory.mktemp("tasks") / "t.csv", index=False)
    return path


def test_the_setting_of_the_error_orders_the_classes(table, tmp_path):
    run, fast = tmp_path / "run", ["--preset", "fast", "--epochs", 2, "--exclude", "visits"]
    refused = main("fit", table, "--target", "grade", "--task", "ordinal", "--out", run, *fast)
    assert refused.returncode and "order of the labels is unknown" in refused.stderr
    flag = re.search(r"(--set '.*?') \(Python", re.sub(r"\s*\n\s*", " ", refused.stderr))[1]
    _, setting = shlex.split(flag.replace('"high", "low", "mid"', '"low", "mid", "high"'))
    found = answer("fit", table, "--target", "grade", "--out", run, "--set", setting, *fast)
    assert found["task"] == "ordinal" and "rank_mae" in found["metrics"]["val"]
    main("predict", run, table, "-o", tmp_path / "out.csv")
    answers = pd.read_csv(tmp_path / "out.csv")
    ordered = answers[[f"probability_{grade}" for grade in ("low", "mid", "high")]].to_numpy()
    np.testing.assert_allclose(ordered.sum(1), 1)
    places = (ordered.cumsum(1)[:, :-1] < 0.5).sum(1)
    assert answers["prediction"].tolist() == [("low", "mid", "high")[place] for place in places]


def test_counts_are_predicted_as_means(table, tmp_path):
    options = ["--preset", "fast", "--epochs", 2, "--exclude", "grade", "--task", "count"]
    found = answer("fit", table, "--target", "visits", "--out", tmp_path / "run", *options)
    assert found["task"] == "count"
    assert set(found["metrics"]["val"]) == set(default_metrics("count"))
    refused = main("fit", table, "--target", "dose", "--out", tmp_path / "other", *options)
    assert refused.returncode and "is fractional" in refused.stderr
