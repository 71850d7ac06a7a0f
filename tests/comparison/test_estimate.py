"""The estimated time of a comparison comes from what each modality, fusion and baseline took."""

import itertools
import re

import pytest

import sensorium
from sensorium.comparison import _sweep
from sensorium.comparison._estimate import seconds_left
from sensorium.comparison._plan import Candidate
from sensorium.runtime.progress import LineReporter
from sensorium.trials import TrialSpec


def candidate(name, kind, modalities):
    return name, Candidate(name, kind, modalities, TrialSpec(name))


BOTH = ["image", "number"]
CANDIDATES = dict(
    [
        candidate("image", "single", ["image"]),
        candidate("number", "single", ["number"]),
        candidate("concat", "fusion", BOTH),
        candidate("gated", "fusion", BOTH),
        candidate("trees", "baseline", BOTH),
        candidate("linear", "baseline", BOTH),
    ]
)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("measured", "seconds"),
    [
        ({}, 0),
        ({"image": 100.0}, 0),  # the other modality may take any time
        ({"image": 100.0, "number": 1.0}, 101 + 101),
        ({"image": 100.0, "number": 1.0, "concat": 202.0}, 202),
        ({"image": 100.0, "number": 1.0, "concat": 101.0, "gated": 101.0, "trees": 7.0}, 7),
    ],
)
def test_a_slow_first_trial_does_not_count_for_the_others(measured, seconds):
    todo = [name for name in CANDIDATES if name not in measured]
    assert seconds_left(todo, CANDIDATES, measured) == seconds


@pytest.mark.unit
def test_further_seeds_take_as_long_as_the_first():
    assert seconds_left(["image", "image", "number"], CANDIDATES, {"image": 100.0, "number": 1.0}) == 201


def test_a_comparison_shows_the_time_left_once_every_modality_was_trained(tabular, monkeypatch, capsys):
    monkeypatch.setattr(LineReporter, "is_due", property(lambda self: True))
    monkeypatch.setattr(
        _sweep, "seconds_left", lambda todo, candidates, measured: 60.0 * len(todo) * (len(measured) > 1)
    )
    sensorium.compare(tabular, "label", epochs=1, fusions=["concat"], baselines=["none"])
    lines = [line for line in capsys.readouterr().err.splitlines() if re.search(r"\(\d of \d", line)]
    shown = [re.search(r"\((\d) of (\d)(.*)\)", line).groups() for line in lines]
    total = int(shown[0][1])
    assert [int(number) for number, *_ in shown] == [*itertools.accumulate([1] * total)]
    assert [about for *_, about in shown[:2]] == ["", ""]
    assert shown[-1][2] == ", about 60 s left"
