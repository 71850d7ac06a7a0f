"""`sensorium quantize`: what it saves, what it costs."""

import json

import numpy as np
import pytest
from calls import answer, call

import sensorium


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted")
    random = np.random.default_rng(0)
    rows = [{"x": float(x), "note": f"word{x > 0} more", "label": "ab"[int(x > 0)]} for x in random.normal(size=120)]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    sensorium.fit(folder / "rows.jsonl", "label", width=256, epochs=4, out=folder / "run", progress=False)
    return folder


def test_it_tells_sizes_and_metrics(fitted, tmp_path):
    found = answer("quantize", fitted / "run", "--out", tmp_path / "small", "--table", fitted / "rows.jsonl")
    assert found["bytes"][1] < found["bytes"][0]
    assert [set(metrics) for metrics in found["metrics"]] == [set(found["metrics"][0])] * 2
    assert found["modules"] == len(sensorium.load(tmp_path / "small").fitted.int8) > 0


def test_it_tells_them_to_people_too(fitted, tmp_path):
    shown = call("quantize", fitted / "run", "-o", tmp_path / "small.zip", "--table", fitted / "rows.jsonl").stdout
    assert "MB → " in shown and "accuracy" in shown
